"""The one frozen configuration object, from a TOML file and SHIM_* environment variables.

The environment wins over the file. A variable is a path of keys joined by two underscores, in capitals:
`SHIM_CLUSTERS__DEFAULT__REGISTRY__URL`; in `kafka` tables one underscore stands for the dot of librdkafka's key.
This is the only module that reads the environment.
"""

import difflib
import math
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from confluent_shim.errors import SettingsInvalid
from topic_map.binding import Mode

PREFIX = "SHIM_"
CONFIG_VARIABLE = "SHIM_CONFIG"
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_HIDDEN = "********"
_SECRET_WORDS = ("password", "passphrase", "secret", "key.pem", "jaas", "oauthbearer.config", "token")

_HTTP_URL = re.compile(r"https?://[^/?#\s\"@\\]+(/[^?#\s\"\\]*)?")

CLOSE_SECONDS = 2.0
"""How long a process that ends waits for records whose requests have been answered already."""

Seconds = float
Contract = Literal["7.9", "8"]


class Secret:
    """A value that never prints; `reveal()` gives it to the one who needs it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Endpoint(_Group, frozen=True, kw_only=True):
    """An HTTP service that stands behind the shim."""

    url: Annotated[str, Meta(description="address of the service; empty: there is none")] = ""
    user: Annotated[str, Meta(description="user name for HTTP basic authentication")] = ""
    password: Annotated[Secret | None, Meta(description="password of that user")] = None
    ca: Annotated[str, Meta(description="PEM file of the certificate authority to trust")] = ""
    timeout: Annotated[Seconds, Meta(description="seconds that one call may take", gt=0)] = 2.0


class RegistryEndpoint(Endpoint, frozen=True, kw_only=True):
    """The schema registry of a cluster; `memory:` is an empty one inside the process."""

    ttl: Annotated[Seconds, Meta(description="seconds that a list of versions is held", ge=0)] = 5.0
    capacity: Annotated[int, Meta(description="schemas and version lists held at most", gt=0)] = 10_000


class RestProxyEndpoint(Endpoint, frozen=True, kw_only=True):
    """The REST Proxy of a cluster, which answers whatever the shim does not answer itself."""

    timeout: Annotated[Seconds, Meta(description="seconds that it may be silent during one call", gt=0)] = 30.0
    connect_timeout: Annotated[Seconds, Meta(description="seconds that connecting to it may take", gt=0)] = 2.0
    forward_authorization: Annotated[
        bool, Meta(description="hand the client's own Authorization on, and never that of `user`")
    ] = False


class Cluster(_Group, frozen=True, kw_only=True):
    """A named trio of Kafka, schema registry and REST proxy."""

    kafka: Annotated[
        dict[str, str],
        Meta(description="any key of librdkafka's producer; `bootstrap.servers` is needed"),
    ] = {}
    registry: RegistryEndpoint = RegistryEndpoint()
    rest_proxy: RestProxyEndpoint = RestProxyEndpoint()

    def __repr__(self) -> str:
        return f"Cluster(kafka={_masked(self.kafka)}, registry={self.registry}, rest_proxy={self.rest_proxy})"


class Server(_Group, frozen=True, kw_only=True):
    """The HTTP server."""

    host: Annotated[str, Meta(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(description="port to listen on", ge=0, le=65535)] = 8082
    workers: Annotated[int, Meta(description="worker processes", ge=1)] = 1
    threads: Annotated[
        int,
        Meta(
            description="threads of each worker; those beyond requests and streams answer probes and refusals",
            ge=2,
        ),
    ] = 40


class Limits(_Group, frozen=True, kw_only=True):
    """What one worker takes on; beyond it a request is refused at once, and nothing of it is sent."""

    body_bytes: Annotated[int, Meta(description="bytes of one request's body", ge=1)] = 10_485_760
    records: Annotated[int, Meta(description="records of one request", ge=1)] = 10_000
    entries: Annotated[int, Meta(description="entries of one v3 batch", ge=1, le=50)] = 10
    record_bytes: Annotated[int, Meta(description="bytes of one record's key and value, as sent", ge=1)] = 1_000_000
    depth: Annotated[int, Meta(description="levels of arrays and objects in one body", ge=4, le=200)] = 200
    requests: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="requests at a time that wait for what is behind; empty: four fifths of `server.threads`"),
    ] = None
    streams: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="v3 streams open at a time; empty: a tenth of `server.threads`"),
    ] = None
    bytes: Annotated[int, Meta(description="bytes that all of them hold together", ge=1)] = 67_108_864
    deadline: Annotated[
        Seconds, Meta(description="seconds from a produce request's arrival to its answer, whatever Kafka does", gt=0)
    ] = 12.0
    stream_idle: Annotated[
        Seconds, Meta(description="seconds after which a v3 stream is closed in which no record comes", gt=0)
    ] = 30.0
    stream_seconds: Annotated[Seconds, Meta(description="seconds after which a v3 stream is closed", gt=0)] = 86_400.0


class Log(_Group, frozen=True, kw_only=True):
    """What is written to standard error."""

    format: Annotated[Literal["human", "json"], Meta(description="form of a line")] = "human"
    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="least severity that is written")
    ] = "info"
    requests: Annotated[
        Literal["refused", "all"], Meta(description="which requests have a line: those with an error, or every one")
    ] = "refused"


class Settings(_Group, frozen=True, kw_only=True):
    """Everything that can be configured."""

    store: Annotated[
        str, Meta(description="where the topic map is kept: `sqlite:PATH`, or `memory:` for one process")
    ] = "sqlite:confluent-shim.db"
    sink: Annotated[Literal["kafka", "rest-proxy"], Meta(description="where admitted records go")] = "kafka"
    unbound: Annotated[
        Literal["refuse", "pass"], Meta(description="what happens to records for a topic without a binding")
    ] = "refuse"
    consumers: Annotated[
        Literal["refuse", "pass"],
        Meta(description="what happens to requests under /consumers; `pass` needs a rest_proxy"),
    ] = "refuse"
    producers_may_register: Annotated[
        bool, Meta(description="whether what a producer sends as a schema of an unbound topic may be registered")
    ] = False
    mode: Annotated[
        Mode,
        Meta(description="what bindings do that do not say: refuse what does not conform, or observe it"),
    ] = "enforce"
    contract: Annotated[
        Contract, Meta(description="the version of Confluent's REST Proxy that answers for unbound topics are like")
    ] = "7.9"
    admin_token: Annotated[
        Secret | None,
        Meta(description="bearer token for changes under /-/; without one they are switched off"),
    ] = None
    max_violations: Annotated[
        int,
        Meta(
            description="violations listed at most in one answer, or for one record where each is answered by itself",
            ge=1,
        ),
    ] = 100
    public_url: Annotated[
        str, Meta(description="address of the shim as clients see it, for links in answers; empty: the Host header's")
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(description="addresses or networks, parted by commas, whose X-Forwarded-Host and -Proto are believed"),
    ] = ""
    warm_up: Annotated[
        Seconds, Meta(description="seconds a worker waits for Kafka at start; it serves either way", ge=0)
    ] = 2.0
    server: Server = Server()
    limits: Limits = Limits()
    log: Log = Log()
    clusters: Annotated[dict[str, Cluster], Meta(description="the clusters by name; bindings name one of them")] = (
        msgspec.field(default_factory=lambda: {"default": Cluster()})
    )

    def default_cluster(self) -> str:
        """Name the cluster that is meant where none is named: `default`, else the first. Raises SettingsInvalid."""
        if not self.clusters:
            raise SettingsInvalid("clusters: at least one is needed")
        return "default" if "default" in self.clusters else next(iter(self.clusters))

    def trusted_networks(self) -> list[IPv4Network | IPv6Network]:
        """Return what `trusted_proxies` lists. Raises SettingsInvalid."""
        try:
            return [ip_network(each.strip()) for each in self.trusted_proxies.split(",") if each.strip()]
        except ValueError as error:
            raise SettingsInvalid(f"trusted_proxies: {error}") from error

    def requests_at_a_time(self) -> int:
        """Return how many requests that wait for what is behind it a worker serves at a time."""
        return self.limits.requests or max(1, self.server.threads * 4 // 5)

    def streams_at_a_time(self) -> int:
        """Return how many v3 streams a worker keeps open at a time; one thread stays free beside them."""
        if self.limits.streams is not None:
            return self.limits.streams
        return min(max(1, self.server.threads // 10), self.server.threads - 1 - self.requests_at_a_time())

    def requests_aside(self) -> int:
        """Return how many other requests may wait for their client's body at a time; a thread beyond them is left."""
        return max(1, (self.server.threads - self.requests_at_a_time() - self.streams_at_a_time()) // 2)

    def seconds_to_stop(self) -> int:
        """Return after how many seconds a worker that was told to end may be killed: all it took on is answered."""
        return math.ceil(self.limits.deadline + CLOSE_SECONDS) + 3  # a machine may be busy just then

    def registries(self) -> dict[str, str]:
        """Name the registry of each cluster by its address, which tells one registry from another."""
        return {name: cluster.registry.url.rstrip("/") for name, cluster in self.clusters.items()}


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
    if settings.requests_at_a_time() >= settings.server.threads:
        raise SettingsInvalid(
            f"limits.requests: {settings.limits.requests} must be less than server.threads, {settings.server.threads}: "
            f"the threads beyond it answer probes and refusals"
        )
    if settings.requests_at_a_time() + settings.streams_at_a_time() >= settings.server.threads:
        raise SettingsInvalid(
            f"limits.streams: {settings.limits.streams} and {settings.requests_at_a_time()} requests must be less than "
            f"server.threads, {settings.server.threads}: the threads beyond them answer probes and refusals"
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


def is_inherited(name: str, value: object) -> bool:
    """Tell whether a variable of a request is one of this process, whose environment servers put beside the headers."""
    return os.environ.get(name) == value


def metrics_folder() -> str | None:
    """Return the folder in which the processes of this host count together, if there is one."""
    return os.environ.get(_METRICS_FOLDER)


def effective(settings: Settings) -> dict[str, Any]:
    """Return `settings` as plain data, with secrets hidden."""
    plain: dict[str, Any] = msgspec.to_builtins(settings, enc_hook=str)
    for cluster in plain["clusters"].values():
        cluster["kafka"] = _masked(cluster["kafka"])
    return plain


def _masked(kafka: Mapping[str, str]) -> dict[str, str]:
    return {key: _HIDDEN if any(word in key for word in _SECRET_WORDS) else value for key, value in kafka.items()}


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
    return plain if isinstance(plain, type) and issubclass(plain, _Group) else None


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
