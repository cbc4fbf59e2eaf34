"""The composition root: the only place that chooses implementations."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from confluent_shim.administration import Administration
from confluent_shim.configuration import metrics_folder
from confluent_shim.convention import Convention
from confluent_shim.derivations import Derivations
from confluent_shim.enforcement import Enforcer
from confluent_shim.errors import SettingsInvalid
from confluent_shim.inventory import Inventory
from confluent_shim.publishing import Publisher
from confluent_shim.registering import Registering
from confluent_shim.schemas import Schemas
from confluent_shim.settings import Cluster, RegistryEndpoint, Settings
from confluent_shim.sinks import Sink
from confluent_shim.sinks.kafka import KafkaSink
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.rest_proxy import RestProxySink
from confluent_shim.sinks.upstream import Upstream
from confluent_shim.telemetry import Metrics, RegistryWatch
from confluent_shim.watching import AdoptionWatch
from jsonschema_bridge import Registry
from jsonschema_bridge.registry import CachedRegistry, MemoryRegistry
from topic_map import Store, open_store

Ping = Callable[[], None]


@dataclass(frozen=True)
class Services:
    """Everything that requests are served with; lives as long as the process."""

    settings: Settings
    store: Store
    registries: Mapping[str, CachedRegistry]
    sinks: Mapping[str, Sink]
    publisher: Publisher
    administration: Administration
    inventory: Inventory
    metrics: Metrics
    upstreams: Mapping[str, Upstream]
    _opened: ExitStack

    def pings(self) -> dict[str, Ping]:
        """Return what can be asked whether it answers, by name; each raises its part's own error."""
        return {
            "store": self.store.ping,
            **{f"registry {name}": registry.ping for name, registry in self.registries.items()},
            **{f"kafka {name}": sink.ping for name, sink in self.sinks.items()},
            **{f"rest proxy {name}": upstream.ping for name, upstream in self.upstreams.items()},
        }

    def warm_up(self) -> None:
        """Connect to Kafka now rather than at the first request; waits no longer than the setting allows."""
        for sink in self.sinks.values():
            sink.warm_up(self.settings.warm_up)

    def close(self) -> None:
        """Close everything in the reverse of the order in which it was opened."""
        self._opened.close()


def build_services(settings: Settings) -> Services:
    """Choose and open the implementations that `settings` asks for. Raises StartError or the store's errors."""
    with ExitStack() as opened:
        metrics = Metrics(metrics_folder())
        opened.callback(metrics.close)
        store = open_store(settings.store, settings.registries())
        opened.callback(store.close)
        upstreams = open_upstreams(settings)
        for upstream in upstreams.values():
            opened.callback(upstream.close)
        registries = {}
        sinks = {}
        for name, cluster in settings.clusters.items():
            registries[name] = _open_registry(name, cluster.registry, metrics)
            opened.callback(registries[name].close)
            to_proxy = settings.sink == "rest-proxy"
            sinks[name] = (
                _proxy_sink(name, cluster, upstreams.get(name), metrics) if to_proxy else _open_sink(name, cluster)
            )
            opened.callback(sinks[name].close)
        return assemble(settings, store, registries, sinks, upstreams, metrics, opened.pop_all())


def assemble(
    settings: Settings,
    store: Store,
    registries: Mapping[str, CachedRegistry],
    sinks: Mapping[str, Sink],
    upstreams: Mapping[str, Upstream],
    metrics: Metrics,
    opened: ExitStack,
) -> Services:
    """Put parts together that are open already; tests bring their own."""
    schemas = Schemas(registries, Derivations(), AdoptionWatch(metrics))
    convention = Convention(
        schemas,
        settings.default_cluster(),
        may_register=settings.producers_may_register,
        contract=settings.contract,
    )
    enforcer = Enforcer(
        store.table,
        schemas,
        settings.limits.record_bytes,
        convention,
        pass_unbound=settings.unbound == "pass",
        mode=settings.mode,
    )
    publisher = Publisher(enforcer, sinks, metrics, settings.max_violations, show_values=settings.show_values)
    registering = Registering(registries, schemas)
    administration = Administration(store, settings.registries(), sinks, enforcer, publisher, registering)
    inventory = Inventory(store, registries, sinks)
    return Services(
        settings, store, registries, sinks, publisher, administration, inventory, metrics, upstreams, opened
    )


def _open_registry(name: str, endpoint: RegistryEndpoint, metrics: Metrics) -> CachedRegistry:
    if not endpoint.url:
        raise SettingsInvalid(f"clusters.{name}.registry.url is missing: the address of the schema registry")
    inner: Registry
    if endpoint.url == "memory:":
        inner = MemoryRegistry()
    else:
        # Its client takes most of a second to import; commands that only look at the topic map do without.
        from jsonschema_bridge.registry.confluent import open_confluent_registry

        try:
            inner = open_confluent_registry(
                endpoint.url,
                user=endpoint.user or None,
                password=endpoint.password.reveal() if endpoint.password else None,
                ca=endpoint.ca or None,
                timeout=endpoint.timeout,
            )
        except ValueError as error:
            raise SettingsInvalid(f"clusters.{name}.registry: {error}") from error
    watch = RegistryWatch(inner.identity, metrics)
    return CachedRegistry(inner, ttl=endpoint.ttl, capacity=endpoint.capacity, observer=watch)


def _open_sink(name: str, cluster: Cluster) -> Sink:
    servers = cluster.kafka.get("bootstrap.servers")
    if not servers:
        raise SettingsInvalid(f'clusters.{name}.kafka has no "bootstrap.servers": the address of a broker')
    return MemorySink() if servers == "memory:" else KafkaSink(cluster.kafka)


def _proxy_sink(name: str, cluster: Cluster, upstream: Upstream | None, metrics: Metrics) -> Sink:
    if upstream is None:
        raise SettingsInvalid(f'clusters.{name}.rest_proxy.url is missing: sink = "rest-proxy" sends records there')
    forward = cluster.rest_proxy.forward_authorization
    return RestProxySink(upstream, metrics.upstream_refused, forward_authorization=forward)


def open_upstreams(settings: Settings) -> dict[str, Upstream]:
    """Return what leads to the REST Proxy of each cluster that has one, by the cluster's name. Raises SettingsInvalid.

    There is one for all that asks that proxy: for requests that are handed on, and for admitted records.
    """
    found = {}
    for name, cluster in settings.clusters.items():
        if cluster.rest_proxy.url:
            try:
                found[name] = Upstream(cluster.rest_proxy)
            except OSError as error:  # TLS's own errors among them
                raise SettingsInvalid(f"clusters.{name}.rest_proxy.ca: {cluster.rest_proxy.ca}: {error}") from error
    return found
