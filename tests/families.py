"""Every family of routes that the shim serves, and topics that are bound in every way, for requests of every kind."""

import json
from typing import Any

from tests.parts import AVRO, BINARY, JSON, JSON_SCHEMA, ORDER, V2
from tests.strategies import Family, Segments

AVRO_ORDER = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}
KEY_SUBJECT = "by-key-key"
"""To be registered before its topic is bound."""
BOUND: dict[str, dict[str, Any]] = {
    "orders": {},
    "plain": {"encoding": "json", "nulls": "validate"},
    "payments": {"schema": AVRO_ORDER, "encoding": "avro"},
    "keyed": {"key": "required", "nulls": "refuse"},
    "keyless": {"key": "none"},
    "derived": {"encoding": "avro", "source_subject": ""},
    "observed": {"mode": "observe"},
    "by-key": {"key": "subject", "key_subject": KEY_SUBJECT},
}
SEGMENTS: Segments = {"{topic}": [*BOUND, "unbound"], "{cluster}": ["memory", "other"], "{partition}": ["0", "1", "77"]}
PRODUCE_V2 = Family(
    ["POST"],
    ["/topics/{topic}", "/topics/{topic}/", "/topics/{topic}/partitions/{partition}"],
    [JSON, JSON_SCHEMA, AVRO, BINARY, "application/vnd.kafka.protobuf.v2+json", V2, "application/json"],
    [
        {"records": [{"value": {"id": 1}}]},
        {"records": [{"key": {"id": 1}, "value": {"id": 1}, "partition": 0}, {"key": "k", "value": None}]},
        {"records": [{"key": "AAAAAAEC", "value": "AAAAAAJ7fQ=="}]},
        {"value_schema": json.dumps(ORDER), "key_schema": '{"type":"string"}', "records": [{"key": "", "value": {}}]},
        {"value_schema": json.dumps(AVRO_ORDER), "records": [{"value": {"id": 1}}]},
        {"value_schema_id": 1, "key_schema_id": 2, "records": [{"key": "k", "value": {"id": 1, "note": "n"}}]},
    ],
)
PRODUCE_V3 = Family(
    ["POST"],
    ["/v3/clusters/{cluster}/topics/{topic}/records:batch", "/v3/clusters/{cluster}/topics/{topic}/records"],
    ["application/json", "Application/JSON;charset=utf-8"],
    [
        {"entries": [{"id": "1", "value": {"type": "JSON", "data": {"id": 1}}}]},
        {
            "entries": [
                {
                    "id": "1",
                    "key": {"type": "STRING", "data": "k"},
                    "value": {"type": "BINARY", "data": "AAAAAAJ7fQ=="},
                },
                {
                    "id": "2",
                    "partition_id": 0,
                    "headers": [{"name": "h", "value": "AA=="}],
                    "timestamp": "2021-02-05T19:14:42Z",
                    "key": {"schema": '{"type":"string"}', "type": "AVRO", "data": "k"},
                    "value": {"subject": "orders-value", "schema_version": 1, "data": {"id": 1}},
                },
                {"id": "3", "value": {"schema_id": 1, "subject_name_strategy": "TOPIC_NAME", "data": {"id": 1}}},
            ]
        },
        {"value": {"type": "JSON", "data": {"id": 1}}},
        {"key": {"type": "STRING", "data": "k"}, "value": {"data": {"id": 1}}, "timestamp": 1, "partition_id": 1},
    ],
)
METADATA = Family(
    ["GET", "HEAD", "OPTIONS"],
    [
        "/",
        "/brokers",
        "/topics",
        "/topics/{topic}",
        "/topics/{topic}/partitions",
        "/topics/{topic}/partitions/{partition}",
        "/topics/{topic}/partitions/{partition}/offsets",
        "/v3/clusters",
        "/v3/clusters/{cluster}",
        "/v3/clusters/{cluster}/topics",
        "/v3/clusters/{cluster}/topics/{topic}",
        "/v3/clusters/{cluster}/topics/{topic}/partitions",
        "/v3/clusters/{cluster}/topics/{topic}/partitions/{partition}",
        "/v3/clusters/{cluster}/brokers/{partition}",
        "/v3/clusters/{cluster}/topics/{topic}/configs",
        "/v3/clusters/{cluster}/consumer-groups/{topic}/lags",
        "/consumers/{topic}",
        "/consumers/{topic}/instances/{topic}/records",
        "/nowhere/{topic}",
    ],
    [V2, "application/json"],
)
OWN = Family(
    ["GET", "POST", "PUT", "DELETE"],
    [
        "/-/live",
        "/-/ready",
        "/-/metrics",
        "/-/bindings",
        "/-/bindings/{topic}",
        "/-/bindings/{topic}/derivation",
        "/-/bindings/{topic}/history",
        "/-/bindings/{topic}/validate",
        "/-/bindings/{topic}/versions",
        "/-/history",
    ],
    ["application/json", JSON, JSON_SCHEMA, AVRO, BINARY],
    [{"records": [{"value": {"id": 1}}]}, {"schema": ORDER, "owner": "shop", "versions": "latest"}],
)
FAMILIES = [PRODUCE_V2, PRODUCE_V3, METADATA, OWN]
