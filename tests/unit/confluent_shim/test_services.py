"""Choosing implementations by settings."""

import pytest

from confluent_shim.errors import SettingsInvalid
from confluent_shim.services import build_services
from confluent_shim.settings import Cluster, RegistryEndpoint, Settings
from confluent_shim.sinks.kafka import KafkaSink


def test_a_registry_address_that_cannot_be_one_is_the_settings_fault_and_named() -> None:
    cluster = Cluster(registry=RegistryEndpoint(url="ftp://registry"), kafka={"bootstrap.servers": "memory:"})
    with pytest.raises(SettingsInvalid, match=r"clusters\.eu\.registry: .*http"):
        build_services(Settings(store="memory:", clusters={"eu": cluster}))


def test_a_time_that_is_none_is_refused_with_its_key() -> None:
    with pytest.raises(SettingsInvalid, match=r"message\.timeout\.ms"):
        KafkaSink({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "soon"})
