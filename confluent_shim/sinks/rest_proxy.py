"""The sink on a REST Proxy: one request upstream per handover, and no second one for the same records."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from io import BytesIO
from typing import NamedTuple
from urllib.parse import quote

from confluent_shim.error_table import Code
from confluent_shim.errors import (
    MetadataForbidden,
    MetadataUnavailable,
    SinkUnavailable,
    TopicNotHosted,
    UpstreamBroken,
    UpstreamSilent,
    UpstreamUnavailable,
)
from confluent_shim.records import ANYBODY, AdmittedRecord, Client, Delivery
from confluent_shim.sinks import Sink
from confluent_shim.sinks.rest_proxy_metadata import SECONDS, RestProxyMetadata
from confluent_shim.sinks.rest_proxy_wire import failed, read_v2, read_v3, refused, unknown, unsent, write_v2, write_v3
from confluent_shim.sinks.upstream import Headers, Upstream
from confluent_shim.sinks.wire import Body
from jsonschema_bridge.waiting import may_wait

log = logging.getLogger(__name__)

_V2 = (("Content-Type", "application/vnd.kafka.binary.v2+json"), ("Accept", "application/vnd.kafka.v2+json"))
_V3 = (("Content-Type", "application/json"), ("Accept", "application/json"))
_PING_SECONDS = 1.0


class RestProxySink(Sink):
    """Sends through the REST Proxy that `upstream`, which it closes, leads to.

    `on_refusal` is told the status of each request that the proxy refuses as a whole. With `forward_authorization`
    records go with their client's Authorization, or with none; else with the shim's own.

    Records go through the API that their client uses, as each has codes of its own and only v3 tells times; where one
    of them has headers or a time, through v3. That they are acknowledged by all in-sync replicas is up to the proxy's
    own producer, whose default it is.
    """

    def __init__(
        self, upstream: Upstream, on_refusal: Callable[[int], None], *, forward_authorization: bool = False
    ) -> None:
        self._upstream = upstream
        self._on_refusal = on_refusal
        self._forward_authorization = forward_authorization
        self._cluster_id: str | None = None
        self.metadata = RestProxyMetadata(upstream)

    def hand_over(self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY) -> "_Handover":
        may_wait()
        try:
            self._upstream.prepare()
        except UpstreamUnavailable as error:
            raise SinkUnavailable(str(error)) from error
        return _Handover(self, topic, records, client)

    def _authorization(self, clients_own: str | None) -> Headers:
        if not self._forward_authorization:
            return self._upstream.authorization()
        return [] if clients_own is None else [("Authorization", clients_own)]

    def exchange(self, topic: str, records: Sequence[AdmittedRecord], client: Client, end: float) -> list[Delivery]:
        """Send `records` and return what the proxy says of them, or has said of them at `end`. Never raises."""
        if time.monotonic() >= end:
            return [unsent("the request's time was over before anything was sent")] * len(records)
        by_v3 = client.api == "v3" or any(record.extras is not None for record in records)
        send = self._by_v3 if by_v3 else self._by_v2
        try:
            return send(f"/topics/{quote(topic, safe='')}", records, self._authorization(client.authorization), end)
        except UpstreamUnavailable as error:
            return [unsent(str(error))] * len(records)
        except (UpstreamSilent, UpstreamBroken) as error:
            return [unknown(_why(error))] * len(records)

    def _by_v2(
        self, path: str, records: Sequence[AdmittedRecord], authorization: Headers, end: float
    ) -> list[Delivery]:
        answer = self._post(path, [*_V2, *authorization], write_v2(records), end)
        # An error of authorization decides the status, and each record has its answer all the same.
        deliveries = read_v2(answer.text, len(records))
        return self._refused(answer, len(records)) if deliveries is None else deliveries

    def _by_v3(
        self, path: str, records: Sequence[AdmittedRecord], authorization: Headers, end: float
    ) -> list[Delivery]:
        try:
            cluster = quote(self._cluster(end, authorization), safe="")
        except MetadataForbidden as error:
            return [failed(Code.KAFKA_AUTHORIZATION, str(error))] * len(records)
        except (MetadataUnavailable, TopicNotHosted) as error:
            why = f"this needs the REST Proxy's v3 API, which does not tell its cluster: {error}"
            return [unsent(why)] * len(records)
        answer = self._post(f"/v3/clusters/{cluster}{path}/records", [*_V3, *authorization], write_v3(records), end)
        if answer.status != HTTPStatus.OK:
            return self._refused(answer, len(records))
        return read_v3(answer.text, len(records), answer.failure or "the REST Proxy did not answer for this record")

    def _cluster(self, end: float, authorization: Headers) -> str:
        if self._cluster_id is None:
            self._cluster_id = self.metadata.cluster_id(end, authorization)
        return self._cluster_id

    def _post(self, target: str, headers: Headers, body: bytes, end: float) -> "_Answer":
        """Send a request, once, and return as much of its answer as came. Raises what Upstream.ask does."""
        answer = self._upstream.ask("POST", target, headers, Body(BytesIO(body).read, len(body)), end)
        text, failure = bytearray(), ""
        with closing(answer):
            try:
                for block in answer:
                    text += block
            except (UpstreamSilent, UpstreamBroken) as error:
                failure = _why(error)
        return _Answer(answer.status, answer.reason, bytes(text), failure)

    def _refused(self, answer: "_Answer", records: int) -> list[Delivery]:
        if answer.status == HTTPStatus.OK:
            log.error("the REST Proxy took %d records and answered something else than where they are", records)
            return [unknown(answer.failure or "the REST Proxy does not say what came of the record")] * records
        self._on_refusal(answer.status)
        log.warning("the REST Proxy refused a request with %d records, which were admitted: %d", records, answer.status)
        return refused(answer.status, answer.reason, answer.text, records)

    def has_topic(self, topic: str) -> bool:
        with _unavailable():
            return topic in self.metadata.topics()

    def create_topic(self, topic: str) -> None:
        body = json.dumps({"topic_name": topic}).encode()
        end = time.monotonic() + SECONDS
        own = self._upstream.authorization()
        with _unavailable():
            target = f"/v3/clusters/{quote(self._cluster(end, own), safe='')}/topics"
            answer = self._post(target, [*_V3, *own], body, end)
            if answer.status != HTTPStatus.CREATED and topic not in self.metadata.topics():
                (delivery,) = refused(answer.status, answer.reason, answer.text, 1)
                raise SinkUnavailable(f"topic {topic} was not created: {delivery.error}")

    def warm_up(self, seconds: float) -> None:
        try:
            self._upstream.prepare(time.monotonic() + seconds)
        except UpstreamUnavailable as error:
            log.warning("starting without the REST Proxy: %s", error)

    def ping(self) -> None:
        with _unavailable():
            self.metadata.brokers(time.monotonic() + _PING_SECONDS)

    def close(self) -> None:
        self._upstream.close()


class _Answer(NamedTuple):
    """An answer, or the part of it that came; `failure` says why there is no more."""

    status: int
    reason: str
    text: bytes
    failure: str


class _Handover:
    """The records of one request, sent when they are waited for: on two connections they would overtake each other."""

    def __init__(self, sink: RestProxySink, topic: str, records: Sequence[AdmittedRecord], client: Client) -> None:
        self._sink = sink
        self._topic = topic
        self._records = records
        self._client = client
        self._is_over = False

    def wait(self, end: float) -> list[Delivery]:
        self._is_over = True
        return self._sink.exchange(self._topic, self._records, self._client, end)

    def ready(self) -> bool:
        return self._is_over

    def tell(self, when_ready: Callable[[], None]) -> None:
        when_ready()  # nothing is on its way before it is waited for


@contextmanager
def _unavailable() -> Iterator[None]:
    """Tell whoever asks a sink what he expects of one."""
    try:
        yield
    except (MetadataUnavailable, MetadataForbidden, UpstreamUnavailable, UpstreamSilent, UpstreamBroken) as error:
        raise SinkUnavailable(str(error)) from error
    except TopicNotHosted as error:
        raise SinkUnavailable("the REST Proxy answered 404 where it should tell of its cluster") from error


def _why(error: UpstreamSilent | UpstreamBroken) -> str:
    return "the REST Proxy did not answer in time" if isinstance(error, UpstreamSilent) else str(error)
