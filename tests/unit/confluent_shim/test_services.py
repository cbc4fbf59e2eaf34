"""Choosing implementations by settings."""

from typing import Any

import pytest

from confluent_shim.errors import NotYetBuilt, SettingsInvalid
from confluent_shim.services import build_services
from confluent_shim.settings import Cluster, RegistryEndpoint, Settings
from confluent_shim.sinks.kafka import KafkaSink


def test_a_registry_address_that_cannot_be_one_is_the_settings_fault_and_named() -> None:
    cluster = Cluster(registry=RegistryEndpoint(url="ftp://registry"), kafka={"bootstrap.servers": "memory:"})
    with pytest.raises(SettingsInvalid, match=r"clusters\.eu\.registry: .*http"):
        build_services(Settings(store="memory:", clusters={"eu": cluster}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sink": "rest-proxy"}, "sink"),
    ],
)
def test_a_setting_whose_behaviour_comes_later_stops_the_start(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(NotYetBuilt, match=named):
        build_services(Settings(**changes))


def test_a_time_that_is_none_is_refused_with_its_key() -> None:
    with pytest.raises(SettingsInvalid, match=r"message\.timeout\.ms"):
        KafkaSink({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "soon"})
