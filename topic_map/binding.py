"""One row of the topic map, its text forms, and what makes it well-formed."""

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args, get_type_hints

import msgspec

from topic_map.errors import BindingInvalid

Encoding = Literal["json-schema", "avro", "json"]
Compatibility = Literal["registry", "additive"]
KeyRule = Literal["any", "none", "required", "subject"]
Nulls = Literal["tombstone", "validate", "refuse"]
Mode = Literal["enforce", "observe"]
Extra = Literal["refuse", "map"]
Untyped = Literal["refuse", "json"]
UnknownFields = Literal["schema", "refuse"]
WholeFloats = Literal["confluent", "accept", "refuse"]
LargeIntegers = Literal["accept", "refuse"]
Formats = Literal["confluent", "assert", "ignore"]

_LARGEST_VERSION = 2**31 - 1  # the registry counts versions in a signed 32-bit integer
_LARGEST = {"cluster": 255, "subject": 255, "source_subject": 255, "key_subject": 255}
_LARGEST |= {"owner": 256, "description": 4096}
_LARGEST_LABELS = 64
_LARGEST_LABEL = 256
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_VERSIONS = re.compile(r"latest|any|pinned ([1-9][0-9]{0,9})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST_NAME = 255
_AVRO = {"avro_extra": "refuse", "avro_untyped": "refuse", "avro_name": "", "avro_namespace": ""}
_STRICTNESS = {"unknown_fields": "schema", "whole_floats": "confluent", "large_integers": "accept"}
_STRICTNESS |= {"formats": "confluent"}
_EMPTY_SUBJECT = re.compile(r":\.[^:]*:?")


class Binding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=False):
    """A topic tied to its subject.

    ``subject`` is the wire subject, what consumers read; empty means ``<topic>-value``, and `check` fills it
    in. ``source_subject`` holds the JSON Schema that an Avro wire schema is derived from (empty means
    ``<topic>-value.source``), by the options ``avro_...``; ``key_subject`` the schema of keys where ``key`` is
    ``subject``. ``versions`` is ``latest``, ``any`` or ``pinned N``.
    ``bound_version`` is the subject's version that was current when the topic was bound: adoption under
    ``latest`` starts there. ``unknown_fields``, ``whole_floats``, ``large_integers`` and ``formats`` say how strictly
    its JSON Schemas are read. ``mode`` is None where the service's own default holds. ``revision`` is the table's
    revision at which this row last changed; the store sets it and ignores what it is given.

    Building one checks nothing; `check` does.
    """

    topic: str
    subject: str = ""
    source_subject: str | None = None
    avro_extra: Extra = "refuse"
    avro_untyped: Untyped = "refuse"
    avro_name: str = ""
    avro_namespace: str = ""
    cluster: str = "default"
    encoding: Encoding = "json-schema"
    versions: str = "latest"
    bound_version: int | None = None
    compatibility: Compatibility = "registry"
    key: KeyRule = "any"
    key_subject: str | None = None
    nulls: Nulls = "tombstone"
    unknown_fields: UnknownFields = "schema"
    whole_floats: WholeFloats = "confluent"
    large_integers: LargeIntegers = "accept"
    formats: Formats = "confluent"
    mode: Mode | None = None
    owner: str = ""
    description: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    revision: int = 0


def binding_from_json(document: bytes | str, topic: str | None = None) -> Binding:
    """Return the binding that a JSON object describes; `check` has not been applied.

    ``topic``, where given, is the topic's name from elsewhere (an address, a command line): the document may
    leave its own out, and may not contradict it. Raises `BindingInvalid`.
    """
    try:
        found = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BindingInvalid("binding", f"is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BindingInvalid("binding", f"must be a JSON object, got {json.dumps(found)[:40]}")
    if topic is not None and found.setdefault("topic", topic) != topic:
        raise BindingInvalid("topic", f"is {found['topic']!r} in the document, but {topic!r} was addressed")
    return binding_from_mapping(found)


def binding_from_mapping(fields: Mapping[str, Any]) -> Binding:
    """Return the binding with these fields; `check` has not been applied. Raises `BindingInvalid`."""
    try:
        return msgspec.convert(dict(fields), Binding)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error


def binding_to_json(binding: Binding) -> bytes:
    """Return the binding as a JSON object that `binding_from_json` reads back equal, defaults written out."""
    return msgspec.json.encode(binding)


def pinned_version(binding: Binding) -> int | None:
    """Return N where ``versions`` is ``pinned N``, else None."""
    found = _VERSIONS.fullmatch(binding.versions)
    return int(found[1]) if found and found[1] else None


def check(binding: Binding) -> Binding:
    """Return the binding with its defaults filled in, well-formed.

    Raises `BindingInvalid`. Says nothing about other bindings: that is the table's rule.
    """
    binding = binding_from_mapping(msgspec.structs.asdict(binding))
    if not binding.subject:
        binding = msgspec.structs.replace(binding, subject=f"{binding.topic}-value")
    if binding.source_subject == "":
        binding = msgspec.structs.replace(binding, source_subject=f"{binding.topic}-value.source")
    _check_topic(binding.topic)
    _check_texts(binding)
    _check_labels(binding.labels)
    _check_versions(binding)
    _check_pairs(binding)
    return binding


def choices_of(field: str) -> list[str]:
    """Return the values that a field may have, empty where it takes any text or number."""
    hint = get_type_hints(Binding)[field]
    return [value for part in (hint, *get_args(hint)) for value in get_args(part) if isinstance(value, str)]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the tail of a message about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"


def _invalid(message: str) -> BindingInvalid:
    """Turn the decoder's sentence into one that names the field."""
    if unknown := re.match(r"Object contains unknown field `(.*)`", message):
        return BindingInvalid(unknown[1], f"unknown field; {nearest(unknown[1], Binding.__struct_fields__)}")
    if missing := re.match(r"Object missing required field `(.*)`", message):
        return BindingInvalid(missing[1], "is missing")
    reason, _, path = message.partition(" - at ")
    place = re.search(r"\$\.(\w+)", path)
    if not place:
        return BindingInvalid("binding", reason)
    field = place[1]
    choices = choices_of(field)
    if choices and reason.startswith("Invalid enum value"):
        reason = f"{reason.removeprefix('Invalid enum value ')} is not one of {', '.join(choices)}"
    return BindingInvalid(field, reason)


def is_topic_name(text: str) -> bool:
    """Tell whether Kafka takes `text` as the name of a topic."""
    return text not in {".", ".."} and _TOPIC.fullmatch(text) is not None


def _check_topic(topic: str) -> None:
    if not is_topic_name(topic):
        raise BindingInvalid(
            "topic",
            f"{topic[:260]!r} is no Kafka topic name (1 to 249 of A-Z a-z 0-9 . _ -, not '.' or '..')",
        )


def _check_texts(binding: Binding) -> None:
    for field, largest in _LARGEST.items():
        text = getattr(binding, field)
        if text is None:
            continue
        prose = field in {"owner", "description"}
        if not text and not prose:
            raise BindingInvalid(field, "is empty")
        if len(text) > largest:
            raise BindingInvalid(field, f"has {len(text)} characters, more than {largest}")
        if _has_control(text, allowed="\t\r\n" if field == "description" else ""):
            raise BindingInvalid(field, "has control characters")
        if field.endswith("subject") and _EMPTY_SUBJECT.fullmatch(text):
            raise BindingInvalid(field, f"{text!r} names a context and no subject")


def _has_control(text: str, allowed: str = "") -> bool:
    return any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text if letter not in allowed)


def _check_labels(labels: Mapping[str, str]) -> None:
    if len(labels) > _LARGEST_LABELS:
        raise BindingInvalid("labels", f"has {len(labels)} entries, more than {_LARGEST_LABELS}")
    for name, value in labels.items():
        if not name:
            raise BindingInvalid("labels", "has an empty name")
        if max(len(name), len(value)) > _LARGEST_LABEL:
            raise BindingInvalid("labels", f"{name[:40]!r} is longer than {_LARGEST_LABEL} characters")
        if _has_control(name + value):
            raise BindingInvalid("labels", f"{name!r} has control characters")


def _check_versions(binding: Binding) -> None:
    if not _VERSIONS.fullmatch(binding.versions) or (pinned_version(binding) or 1) > _LARGEST_VERSION:
        raise BindingInvalid("versions", f"{binding.versions!r} is not 'latest', 'any' or 'pinned N'")
    if binding.bound_version is not None and not 1 <= binding.bound_version <= _LARGEST_VERSION:
        raise BindingInvalid("bound_version", f"{binding.bound_version} is no version of a subject")
    if binding.revision < 0:
        raise BindingInvalid("revision", f"{binding.revision} is negative")


def _check_pairs(binding: Binding) -> None:
    if binding.key == "subject" and binding.key_subject is None:
        raise BindingInvalid("key_subject", "is missing, and key is 'subject'")
    if binding.key_subject is not None and binding.key != "subject":
        raise BindingInvalid("key_subject", f"is given, but key is {binding.key!r} and not 'subject'")
    if binding.source_subject is not None and binding.encoding != "avro":
        raise BindingInvalid("source_subject", f"is given, but encoding is {binding.encoding!r} and not 'avro'")
    _check_avro(binding)
    _check_strictness(binding)


def _check_avro(binding: Binding) -> None:
    for field, default in _AVRO.items():
        value = getattr(binding, field)
        if value == default:
            continue
        if binding.source_subject is None:
            raise BindingInvalid(field, "is given, but there is no source_subject to derive Avro from")
        names = value.split(".") if field == "avro_namespace" else [value]
        if len(value) > _LARGEST_NAME or not all(map(_NAME.fullmatch, names)):
            raise BindingInvalid(field, f"{value[:260]!r} is not an Avro name")


def _check_strictness(binding: Binding) -> None:
    if binding.encoding != "avro" or binding.source_subject is not None or binding.key_subject is not None:
        return
    for field, default in _STRICTNESS.items():
        if getattr(binding, field) != default:
            raise BindingInvalid(field, "is given, but an Avro schema judges, which leaves no choice")
