import getpass
import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from confluent_shim.cli.backend import BindRequest, Derivation, Judgement, Snapshot, Versions
from confluent_shim.cli.exits import CommandError
from topic_map import Binding, HistoryEntry, Store, TopicNotBound, Unbind, open_store

if TYPE_CHECKING:
    from confluent_shim.inventory import Absences
    from confluent_shim.services import Services
    from confluent_shim.settings import Settings


def _build(settings: "Settings") -> "Services":
    from confluent_shim.services import build_services

    return build_services(settings)


class StoreBackend:
    """The topic map in the store that the settings name; a Backend.

    Listing and unbinding open the store alone; only what needs a registry or Kafka builds the services.
    """

    def __init__(self, settings: "Settings", build: "Callable[[Settings], Services]" = _build) -> None:
        self._settings = settings
        self._build = build
        self._opened = ExitStack()

    def snapshot(self) -> Snapshot:
        table = self._store.table()
        return Snapshot(table.revision, [binding for _, binding in sorted(table.bindings.items())])

    def absences(self) -> "Absences":
        from confluent_shim.errors import StartError
        from confluent_shim.inventory import Absences

        if not self._store.table().bindings:
            return Absences()
        try:
            return self._services.inventory.absences()
        except StartError as error:  # the table alone can be looked at in any case
            return Absences(unasked=[str(error)])

    def get(self, topic: str) -> Binding:
        found = self._store.table().get(topic)
        if found is None:
            raise TopicNotBound(topic)
        return found

    def history(self, topic: str | None, limit: int) -> list[HistoryEntry]:
        return self._store.history(topic, limit)

    def bind(self, asked: BindRequest) -> Binding:
        from confluent_shim.administration import Author

        return self._services.administration.bind(
            asked.binding,
            Author(user_name(), asked.why),
            schema=asked.schema,
            create_topic=asked.create_topic,
            replace_existing=asked.replace,
            expected_revision=asked.expected_revision,
        )

    def unbind(self, topic: str, *, expected_revision: int | None, why: str) -> int:
        return self._store.change([Unbind(topic)], expected_revision=expected_revision, who=user_name(), why=why)

    def versions(self, topic: str) -> Versions:
        return msgspec.convert(self._services.administration.versions(topic).told(), Versions)

    def derivation(self, topic: str, *, register: bool) -> Derivation:
        administration = self._services.administration
        found = administration.derive(topic) if register else administration.derivation(topic)
        return msgspec.convert(found.told(), Derivation)

    def validate(self, topic: str, body: bytes) -> Judgement:
        from confluent_shim.api.answers import encode
        from confluent_shim.api.wire_v2 import read_request
        from confluent_shim.errors import RecordsRejected

        request = read_request(body, topic, "json")
        try:
            verdict = self._services.administration.validate(request)
        except RecordsRejected as error:
            # What was found is told as HTTP tells it, to the last digit.
            raise RecordsRejected(str(error), msgspec.json.decode(encode(error.errors)), cut=error.cut) from None
        schema = verdict.schema
        return Judgement(topic, len(request.records), verdict.binding.subject, schema.version, schema.schema_id)

    def close(self) -> None:
        self._opened.close()

    @cached_property
    def _store(self) -> Store:
        store = open_store(self._settings.store, self._settings.registries())
        self._opened.callback(store.close)
        return store

    @cached_property
    def _services(self) -> "Services":
        services = self._build(self._settings)
        self._opened.callback(services.close)
        return services


def open_store_backend(config: Path | None) -> StoreBackend:
    """Read the settings; nothing else is opened before it is needed. Raises SettingsInvalid."""
    from confluent_shim.configuration import load_settings

    settings = load_settings(config)
    if settings.store == "memory:":
        raise CommandError("store is 'memory:', which only the shim that holds it can see; use --url URL")
    return StoreBackend(settings)


def user_name() -> str:
    """Return who runs the command, for the history; an account without a name is told by its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
