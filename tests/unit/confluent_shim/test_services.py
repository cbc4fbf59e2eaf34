"""Choosing implementations by settings."""

import pytest

from confluent_shim.errors import SettingsInvalid
from confluent_shim.services import build_services
from confluent_shim.settings import Cluster, RegistryEndpoint, Settings


def test_a_registry_address_that_cannot_be_one_is_the_settings_fault_and_named() -> None:
    cluster = Cluster(registry=RegistryEndpoint(url="ftp://registry"), kafka={"bootstrap.servers": "memory:"})
    with pytest.raises(SettingsInvalid, match=r"clusters\.eu\.registry: .*http"):
        build_services(Settings(store="memory:", clusters={"eu": cluster}))
