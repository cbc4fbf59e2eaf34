"""Produce requests to topics of which no binding is enforced, handed on to the REST Proxy that the cluster has.

They go as they came, so that to a client nothing changes that an unmodified proxy would do otherwise. Where a binding
observes, its records are judged on the way.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from confluent_shim.api.answers import refuse
from confluent_shim.api.answers_v3 import Target
from confluent_shim.api.body import declared_length, not_whole, receive
from confluent_shim.api.clusters import Clusters
from confluent_shim.api.facts import VERDICT, facts_of
from confluent_shim.api.record_stream import BLOCK
from confluent_shim.api.relay import Handed, Relay, body_of, type_of_error
from confluent_shim.api.targets import PRODUCE_V2, PRODUCE_V3, meant, readings, sent_target
from confluent_shim.api.watching import StreamWatch, Watch
from confluent_shim.capacity import Capacity, Place
from confluent_shim.convention import Implicit
from confluent_shim.errors import BodyTooLarge, RouteUnknown, UpstreamBroken
from confluent_shim.publishing import Publisher
from confluent_shim.settings import Limits
from confluent_shim.sinks.wire import Body
from topic_map import Binding

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIXES = ("/topics/", "/v3/clusters/")
_NONE = Body(lambda _: b"", 0)


class _Path(NamedTuple):
    """What the path of a produce request says; `cluster_id` is that of the v3 API, None in v2."""

    topic: str
    cluster_id: str | None
    more: str | None
    """In v2 the partition, in v3 `:batch` or nothing."""


def _read_path(path: str) -> _Path | None:
    if found := PRODUCE_V2.fullmatch(path):
        return _Path(meant(found[1]), None, found[2])
    if found := PRODUCE_V3.fullmatch(path):
        return _Path(meant(found[2]), meant(found[1]), found[3])
    return None


class Passing:
    """A WSGI application that hands such requests on through `relays`, and leaves everything else to `inner`."""

    def __init__(
        self,
        publisher: Publisher,
        clusters: Clusters,
        relays: Mapping[str, Relay],
        capacity: Capacity,
        limits: Limits,
        inner: "WSGIApplication",
    ) -> None:
        self._publisher = publisher
        self._clusters = clusters
        self._relays = relays
        self._capacity = capacity
        self._limits = limits
        self._inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        produces = environ["REQUEST_METHOD"] == "POST" and path.startswith(_PREFIXES)
        if not produces or (said := _read_path(path)) is None:
            return self._inner(environ, start_response)
        try:
            implicit = self._publisher.passing(said.topic)
            relay = None if implicit is None else self._relay(environ, said, implicit)
        except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
            return refuse(error, environ, start_response, type_of_error(environ))
        if implicit is None or relay is None:
            return self._inner(environ, start_response)
        facts_of(environ).topic = said.topic
        is_stream = said.cluster_id is not None and said.more is None
        place, prepare = self._place(environ, is_stream=is_stream), self._stream if is_stream else self._whole
        return relay.hand_on(environ, start_response, place, partial(prepare, environ, said, implicit.observed, place))

    def _relay(self, environ: "WSGIEnvironment", said: _Path, implicit: Implicit) -> Relay | None:
        """Return what leads to the REST Proxy of the topic's cluster, if it has one.

        Raises RouteUnknown where another reader might see another topic in the path, which is bound.
        """
        by_topic = implicit.observed is not None or said.cluster_id is None
        relay = self._relays.get(implicit.cluster if by_topic else self._clusters.named_by(said.cluster_id or ""))
        if relay is not None and {_read_path(path) for path in readings(sent_target(environ))} != {said}:
            raise RouteUnknown
        return relay

    def _place(self, environ: "WSGIEnvironment", *, is_stream: bool) -> Place:
        length = declared_length(environ)
        is_short = length is not None and length <= BLOCK  # as for the shim's own streams
        return self._capacity.stream() if is_stream and not is_short else self._capacity.request()

    def _whole(self, environ: "WSGIEnvironment", said: _Path, observed: Binding | None, place: Place) -> Handed:
        body = self._while_passing(said.topic, body_of(environ) or _NONE)
        if observed is None:
            return Handed(body)
        watch, facts, most = self._watch(environ, said, observed), facts_of(environ), self._limits.body_bytes
        begun = _begun(body, most, place)
        if (body.length or len(begun)) > most:
            found = [watch.record(BodyTooLarge(most), 0)]
        elif said.cluster_id is None:
            found = watch.v2(begun, environ.get("CONTENT_TYPE"))
        else:
            found = watch.batch(begun)
        for observation in found:
            facts.observe(observation)
        rest = BytesIO(begun)
        whole = Body(lambda size: rest.read(size) or body.read(size), body.length)
        return Handed(whole, told=[(VERDICT, str(facts.verdicts))])

    def _stream(self, environ: "WSGIEnvironment", said: _Path, observed: Binding | None, place: Place) -> Handed:
        del place  # a stream is never held
        body = self._while_passing(said.topic, body_of(environ) or _NONE)
        if observed is None:
            return Handed(body, is_stream=True)
        watch = StreamWatch(self._watch(environ, said, observed), facts_of(environ))
        return Handed(watch.seeing(body), watch.change, is_stream=True)

    def _watch(self, environ: "WSGIEnvironment", said: _Path, observed: Binding) -> Watch:
        target = Target(said.cluster_id or "", said.topic, facts_of(environ).request_id)
        return Watch(self._publisher, observed, target, self._limits)

    def _while_passing(self, topic: str, body: Body) -> Body:
        """Return `body` for as long as records for `topic` pass: a binding is in force at once, whoever is sending."""

        def read(size: int) -> bytes:
            block = body.read(size)
            if self._publisher.passing(topic) is None:
                raise UpstreamBroken(f"topic {topic} was bound while records for it were on their way: they stop here")
            return block

        return Body(read, body.length)


def _blocks(body: Body, size: int) -> Iterator[bytes]:
    """Yield `size` bytes of `body`, or as many as it has."""
    while size > 0 and (block := body.read(size)):
        yield block
        size -= len(block)


def _begun(body: Body, most: int, place: Place) -> bytes:
    """Read `body` as far as it is judged, and hold that in `place`: nothing, where it is said to be too large.

    A byte beyond `most` tells that it is. Raises BodyUnreadable, Overloaded.
    """
    size = most + 1 if body.length is None else body.length
    if size > most + 1:
        return b""
    place.hold(body.length or 0)
    begun = receive(lambda most: b"".join(_blocks(body, most)), size)
    if body.length is not None and len(begun) < body.length:
        raise not_whole()
    place.hold(len(begun) - (body.length or 0))
    return begun
