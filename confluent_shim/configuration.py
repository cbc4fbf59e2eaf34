"""From a TOML file and SHIM_* environment variables to checked `Settings`, and back to what can be shown of them.

The environment wins over the file. A variable is a path of keys joined by two underscores, in capitals:
`SHIM_CLUSTERS__DEFAULT__REGISTRY__URL`; in `kafka` tables one underscore stands for the dot of librdkafka's key.
This is the only module that reads the environment.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from confluent_shim.errors import SettingsInvalid
from confluent_shim.settings import Cluster, Group, Secret, Settings, masked

PREFIX = "SHIM_"
CONFIG_VARIABLE = "SHIM_CONFIG"
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_HTTP_URL = re.compile(r"https?://[^/?#\s\"@\\]+(/[^?#\s\"\\]*)?")


def load_settings(path: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the file at `path` (or at $SHIM_CONFIG; neither: defaults), lay the environment over it, check it.

    Raises SettingsInvalid, which names the file or variable and, for an unknown key, the nearest known one.
    """
    environ = os.environ if environ is None else environ
    path = path or environ.get(CONFIG_VARIABLE)
    tree = _read_file(Path(path)) if path else {}
    _check_keys(tree, Settings, "", str(path))
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE:
            _lay(tree, name, value)
    settings: Settings = _converted(tree, Settings)
    _check_values(settings)
    return settings


def _check_values(settings: Settings) -> None:
    """Refuse what has the right type and would do harm."""
    if settings.admin_token is not None and not re.fullmatch(r"[!-~]+", settings.admin_token.reveal()):
        raise SettingsInvalid("admin_token: needs at least one character, and only printable ASCII without spaces")
    if settings.public_url and not _is_address(settings.public_url):
        raise SettingsInvalid(f"public_url: must be like https://host:port/path, not {settings.public_url}")
    settings.trusted_networks()
    if settings.threads_at_a_time() + settings.streams_at_a_time() >= settings.server.threads:
        raise SettingsInvalid(
            f"limits.streams: {settings.limits.streams} and {settings.threads_at_a_time()} for requests must be "
            f"less than server.threads, {settings.server.threads}: the threads beyond them answer probes and refusals"
        )
    for name, cluster in settings.clusters.items():
        for part, endpoint in (("registry", cluster.registry), ("rest_proxy", cluster.rest_proxy)):
            if any("@" in url.partition("://")[2].partition("/")[0] for url in endpoint.url.split(",")):
                raise SettingsInvalid(f"clusters.{name}.{part}.url: credentials belong into the keys user and password")
        if cluster.rest_proxy.url and not _is_address(cluster.rest_proxy.url):
            raise SettingsInvalid(f"clusters.{name}.rest_proxy.url: must be like http://host:port")
    default = settings.clusters[settings.default_cluster()]
    if settings.consumers == "pass" and not default.rest_proxy.url:
        raise SettingsInvalid('consumers = "pass" needs the rest_proxy.url of the default cluster')


def _is_address(url: str) -> bool:
    """Tell whether a path can be added to `url`."""
    try:
        return _HTTP_URL.fullmatch(url) is not None and urlsplit(url).port != 0
    except ValueError:  # a port beyond all ports
        return False


def hand_down(path: str | Path | None, metrics_folder: str) -> None:
    """Tell child processes by environment which file to read and where all of them count."""
    if path:
        os.environ[CONFIG_VARIABLE] = str(path)
    os.environ[_METRICS_FOLDER] = metrics_folder


def environment_without_settings() -> dict[str, str]:
    """Return this process's environment without what configures a shim, for a child that is told by its file."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def metrics_folder() -> str | None:
    """Return the folder in which the processes of this host count together, if there is one."""
    return os.environ.get(_METRICS_FOLDER)


def effective(settings: Settings) -> dict[str, Any]:
    """Return `settings` as plain data, with secrets hidden."""
    plain: dict[str, Any] = msgspec.to_builtins(settings, enc_hook=str)
    for cluster in plain["clusters"].values():
        cluster["kafka"] = masked(cluster["kafka"])
    return plain


def described(group: type[msgspec.Struct] = Settings, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (key, default, description) of every setting; the source of `docs/configuration.md`."""
    hints = get_type_hints(group, include_extras=True)
    for field in msgspec.structs.fields(group):
        hint, key = hints[field.name], f"{path}{field.name}"
        inner = _group_of(hint)
        if inner is not None:
            yield from described(inner, f"{key}.NAME." if _is_map(hint) else f"{key}.")
        else:
            default = field.default if field.default is not msgspec.NODEFAULT else {}
            yield key, _shown(default), _description(hint)


def _shown(default: object) -> str:
    return "" if default is None else msgspec.json.encode(default).decode()


def _description(hint: Any) -> str:
    notes = [note.description for note in get_args(hint)[1:] if isinstance(note, Meta) and note.description]
    return "; ".join(notes)


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _is_map(hint: Any) -> bool:
    return get_origin(_plain(hint)) is dict


def _group_of(hint: Any) -> type[msgspec.Struct] | None:
    plain = _plain(hint)
    if _is_map(hint):
        plain = get_args(plain)[1]
    return plain if isinstance(plain, type) and issubclass(plain, Group) else None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"{path}: {error}") from error


def _check_keys(tree: Any, group: type[msgspec.Struct], where: str, source: str) -> None:
    if not isinstance(tree, dict):
        return  # the conversion says that a table is needed
    hints = get_type_hints(group, include_extras=True)
    for key, value in tree.items():
        if key not in hints:
            raise SettingsInvalid(f"{source}: unknown key {where}{key}{_nearest(key, hints)}")
        inner = _group_of(hints[key])
        if inner is None:
            continue
        if _is_map(hints[key]) and isinstance(value, dict):
            for name, item in value.items():
                _check_keys(item, inner, f"{where}{key}.{name}.", source)
        else:
            _check_keys(value, inner, f"{where}{key}.", source)


def _nearest(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0)
    return f"; the nearest known one is {close[0]}" if close else ""


def _lay(tree: dict[str, Any], name: str, value: str) -> None:
    """Put the value of the variable `name` where its path of keys leads."""
    group: type[msgspec.Struct] | None = Settings
    way = PREFIX  # the part of the name that is understood
    parts = name.removeprefix(PREFIX).lower().split("__")
    while group is not None and parts:
        part = parts.pop(0)
        hints = get_type_hints(group, include_extras=True)
        if part not in hints:
            raise SettingsInvalid(f"unknown variable {name}{_nearest(name, [way + key.upper() for key in hints])}")
        hint, way = hints[part], f"{way}{part.upper()}__"
        group = _group_of(hint)
        if _is_map(hint) and parts:
            tree = _table(tree, part, name)
            part = parts.pop(0)
            way = f"{way}{part.upper()}__"
            part = part if group else part.replace("_", ".")
        elif _is_map(hint):
            break
        if group is None:
            if parts:
                raise SettingsInvalid(f"unknown variable {name}: nothing follows {way.removesuffix('__')}")
            tree[part] = value
            return
        tree = _table(tree, part, name)
    raise SettingsInvalid(f"{name} names a group of settings; go on with __ and a key")


def _table(tree: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    found = tree.setdefault(key, {})
    if isinstance(found, dict):
        return found
    raise SettingsInvalid(f"{name} goes below {key}, which is no table in the file")


def _converted(tree: dict[str, Any], group: type[msgspec.Struct], where: str = "") -> Any:
    """Return `tree` as a `group`, with its errors naming the key; each cluster by itself, so that they name it too."""
    clusters = tree.get("clusters") if group is Settings else None
    if isinstance(clusters, dict):
        found = {
            name: _converted(_flattened(name, each), Cluster, f"clusters.{name}") for name, each in clusters.items()
        }
        rest = {key: value for key, value in tree.items() if key != "clusters"}
        return msgspec.structs.replace(_converted(rest, group), clusters=found)
    try:
        return msgspec.convert(tree, group, strict=False, dec_hook=_secret)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        key = f"{where}{place.strip('`').removeprefix('$')}".lstrip(".")
        raise SettingsInvalid(f"{key}: {reason[:1].lower()}{reason[1:]}") from error


def _flattened(name: str, cluster: Any) -> Any:
    """Write librdkafka's keys as texts under their dotted names, however TOML has them."""
    if not isinstance(cluster, dict) or not isinstance(cluster.get("kafka"), dict):
        return cluster  # the conversion says what is wrong
    return {**cluster, "kafka": dict(_texts(cluster["kafka"], f"clusters.{name}.kafka", ""))}


def _texts(table: dict[str, Any], where: str, path: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        match value:
            case dict():
                yield from _texts(value, where, f"{path}{name}.")
            case bool():
                yield f"{path}{name}", str(value).lower()
            case str() | int() | float():
                yield f"{path}{name}", str(value)
            case _:
                raise SettingsInvalid(f"{where}.{path}{name}: expected a text, a number or a truth value")


def _secret(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"expected `str`, got `{type(value).__name__}`")
