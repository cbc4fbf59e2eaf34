"""What is asked of subjects whose cluster is not there; all else is told through HTTP."""

from collections.abc import Callable

import pytest

from confluent_shim.derivations import Derivations
from confluent_shim.errors import SinkUnavailable
from confluent_shim.registering import Registering
from confluent_shim.schemas import Schemas
from topic_map import Binding

Ask = Callable[[Registering, Binding], object]


@pytest.mark.parametrize("ask", [Registering.versions, Registering.derivation, Registering.derive])
def test_a_cluster_that_is_gone_from_the_settings_is_named(ask: Ask) -> None:
    """As producers are told."""
    binding = Binding(topic="orders", cluster="moon", encoding="avro", subject="v", source_subject="s")
    with pytest.raises(SinkUnavailable, match="cluster moon"):
        ask(Registering({}, Schemas({}, Derivations())), binding)
