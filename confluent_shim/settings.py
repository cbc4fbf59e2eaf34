"""The one frozen configuration object: every setting with its type, its default and what it means."""

import math
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from confluent_shim.errors import SettingsInvalid
from topic_map.binding import Mode

_HIDDEN = "********"
_SECRET_WORDS = ("password", "passphrase", "secret", "key.pem", "jaas", "oauthbearer.config", "token")

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


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A table of keys."""


class Endpoint(Group, frozen=True, kw_only=True):
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


def masked(kafka: Mapping[str, str]) -> dict[str, str]:
    """Return `kafka` with the values of secret keys hidden."""
    return {key: _HIDDEN if any(word in key for word in _SECRET_WORDS) else value for key, value in kafka.items()}


class Cluster(Group, frozen=True, kw_only=True):
    """A named trio of Kafka, schema registry and REST proxy."""

    kafka: Annotated[
        dict[str, str],
        Meta(description="any key of librdkafka's producer; `bootstrap.servers` is needed"),
    ] = {}
    registry: RegistryEndpoint = RegistryEndpoint()
    rest_proxy: RestProxyEndpoint = RestProxyEndpoint()

    def __repr__(self) -> str:
        return f"Cluster(kafka={masked(self.kafka)}, registry={self.registry}, rest_proxy={self.rest_proxy})"


class Server(Group, frozen=True, kw_only=True):
    """The HTTP server."""

    host: Annotated[str, Meta(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(description="port to listen on", ge=0, le=65535)] = 8082
    workers: Annotated[int, Meta(description="worker processes", ge=1)] = 1
    threads: Annotated[
        int,
        Meta(
            description="threads of each worker; four fifths are for requests that wait, others for streams and probes",
            ge=2,
        ),
    ] = 40


class Limits(Group, frozen=True, kw_only=True):
    """What one worker takes on; beyond it a request is refused at once, and nothing of it is sent."""

    body_bytes: Annotated[int, Meta(description="bytes of one request's body", ge=1)] = 10_485_760
    records: Annotated[int, Meta(description="records of one request", ge=1)] = 10_000
    entries: Annotated[int, Meta(description="entries of one v3 batch", ge=1, le=50)] = 10
    record_bytes: Annotated[int, Meta(description="bytes of one record's key and value, as sent", ge=1)] = 1_000_000
    depth: Annotated[int, Meta(description="levels of arrays and objects in one body", ge=4, le=200)] = 200
    requests: Annotated[
        int, Meta(description="requests at a time that wait for what is behind, on a thread or not", ge=1)
    ] = 1_000
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


class Log(Group, frozen=True, kw_only=True):
    """What is written to standard error."""

    format: Annotated[Literal["human", "json"], Meta(description="form of a line")] = "human"
    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="least severity that is written")
    ] = "info"
    requests: Annotated[
        Literal["refused", "all"], Meta(description="which requests have a line: those with an error, or every one")
    ] = "refused"


class Settings(Group, frozen=True, kw_only=True):
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
    show_values: Annotated[
        bool, Meta(description="whether answers repeat what stood in a record where it does not conform")
    ] = True
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

    def threads_at_a_time(self) -> int:
        """Return on how many threads a worker serves requests that wait for what is behind it."""
        return min(self.limits.requests, max(1, self.server.threads * 4 // 5))

    def streams_at_a_time(self) -> int:
        """Return how many v3 streams a worker keeps open at a time; one thread stays free beside them."""
        if self.limits.streams is not None:
            return self.limits.streams
        return min(max(1, self.server.threads // 10), self.server.threads - 1 - self.threads_at_a_time())

    def requests_aside(self) -> int:
        """Return how many other requests may wait for their client's body at a time; a thread beyond them is left."""
        return max(1, (self.server.threads - self.threads_at_a_time() - self.streams_at_a_time()) // 2)

    def most_taken_in(self) -> int:
        """Return how many bytes are read of a body whose request is refused, so that its client sees the answer."""
        return 2 * self.limits.body_bytes

    def seconds_to_stop(self) -> int:
        """Return after how many seconds a worker that was told to end may be killed: all it took on is answered."""
        return math.ceil(self.limits.deadline + CLOSE_SECONDS) + 3  # a machine may be busy just then

    def registries(self) -> dict[str, str]:
        """Name the registry of each cluster by its address, which tells one registry from another."""
        return {name: cluster.registry.url.rstrip("/") for name, cluster in self.clusters.items()}
