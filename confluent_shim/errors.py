"""Everything that can go wrong in the service.

StartError                       the process ends before it serves
├── SettingsInvalid              a configuration that cannot be used
└── CannotListen                 the address is taken, or not this machine's

ShimError                        a request is answered with an error
├── RouteUnknown                 no such path
├── MethodUnsupported            the path knows other methods
├── ConsumersNotFound            reading through consumers, which is refused here
├── ConsumersNotAllowed          changing consumers, which is refused here
├── NoCommonAnswerType           Accept excludes what this path answers
├── ContentTypeUnsupported       no such embedded format
├── ContentTypeMalformed         a Content-Type that is no media type
├── BodyUnreadable               the body is not JSON, or not of the right shape
├── EnvelopeRefused              an unknown field, or no records
├── BatchRefused                 a batch without entries, with too many, or with bad ids
├── BodyTooLarge                 more bytes in one body than the limit
├── TooManyRecords               more records in one request than the limit
├── TooManyRequests              as many requests in flight as the process takes on
├── TooManyStreams               as many streams open as the process takes on
├── StreamOver                   the time of a stream is over; this record of it was not sent
├── Overloaded                   as many bytes in flight as the process takes on
├── DeadlinePassed               the request's time was over before anything was sent
├── RecordsRefused               single records are to blame; carries every reason
│   ├── RecordsRejected          records that break the rule of their topic
│   └── RecordTooLarge           records with more bytes than the limit
├── TopicUnbound                 no binding for the topic that is produced to
├── KeySchemaMissing             keys in a schema format without a schema
├── ValueSchemaMissing           the same for values, where no binding has a schema
├── SchemaUnparsable             inline schema text that is no schema
├── SchemaForeign                a schema, an id, a version or a subject that is not the topic's
├── SchemaUnknown                what is said of a schema names none
├── SchemaForbidden              the registry does not let the shim ask or register
├── FormatRefused                a content type that would bypass the topic's schema
├── KeyFormatRefused             a key schema on a topic whose keys have none
├── AdminSwitchedOff             a change over HTTP where no admin token is configured
├── AdminTokenMissing            a change over HTTP without the token, or with another
├── TopicAbsent                  a binding for a topic that Kafka does not have
├── TopicNotHosted               metadata of a topic that Kafka does not have
├── PartitionNotFound            metadata of a partition that the topic does not have
├── ClusterNotFound              metadata of a cluster that none of ours is
├── MetadataForbidden            Kafka does not let the shim know
├── MetadataUnavailable          Kafka does not answer when asked what is there
├── UpstreamUnavailable          the REST Proxy cannot be reached; nothing was sent
├── UpstreamSilent               the REST Proxy was asked and does not answer
├── UpstreamBroken               the REST Proxy was asked and broke off
├── SinkUnavailable              nothing was handed to Kafka; the request may be repeated
└── Unexpected                   a defect of ours
"""

from topic_map import is_topic_name

NAME_CHARACTERS = 249
"""So much of a name that a client chose is repeated: as many as a topic's may have."""


class StartError(Exception):
    """The process cannot start; the message is for the operator."""


class SettingsInvalid(StartError):
    """A file, a key or a variable of the configuration is wrong; the message names it."""


class CannotListen(StartError):
    """The server's address is taken, or is none of this machine's."""


class ShimError(Exception):
    """The root of the errors that a client can meet; only leaves are raised."""


class RouteUnknown(ShimError):
    """No resource has this path."""

    def __init__(self) -> None:
        super().__init__("HTTP 404 Not Found")


class MethodUnsupported(ShimError):
    """The resource exists and does not know this method."""

    def __init__(self) -> None:
        super().__init__("HTTP 405 Method Not Allowed")


_NO_CONSUMERS = "Consuming over HTTP is switched off here; read the topics with a Kafka client."


class ConsumersNotFound(ShimError):
    """A GET to an endpoint of consumers: the answer is that of an endpoint which Confluent's operator has blocked."""

    def __init__(self) -> None:
        super().__init__(f"HTTP 404 Not Found. {_NO_CONSUMERS}")


class ConsumersNotAllowed(ShimError):
    """The same for all other methods."""

    def __init__(self) -> None:
        super().__init__(f"HTTP 405 Method Not Allowed. {_NO_CONSUMERS}")


class NoCommonAnswerType(ShimError):
    """The Accept header excludes the only type that this resource answers with."""

    def __init__(self) -> None:
        super().__init__("HTTP 406 Not Acceptable")


class ContentTypeUnsupported(ShimError):
    """The Content-Type is none of the embedded formats of the v2 API."""

    def __init__(self) -> None:
        super().__init__("HTTP 415 Unsupported Media Type")


class ContentTypeMalformed(ShimError):
    """The Content-Type header is not a media type at all; answered without a body, as Confluent does."""

    def __init__(self) -> None:
        super().__init__("HTTP 400 Bad Request")


class BodyUnreadable(ShimError):
    """The body is not JSON with one reading, or a field has a JSON type that it cannot have."""


class EnvelopeRefused(ShimError):
    """The envelope has a field that it may not have, or no records."""


class RecordsRefused(ShimError):
    """The root of errors that tell of single records; nothing of the request was sent.

    `errors` holds one dict per reason, in the order of the records; `cut` says that there were more than are listed.
    """

    def __init__(self, message: str, errors: list[dict[str, object]], *, cut: bool = False) -> None:
        super().__init__(message)
        self.errors = errors
        self.cut = cut


class RecordsRejected(RecordsRefused):
    """At least one record breaks the rule of its topic."""


class RecordTooLarge(RecordsRefused):
    """A key and value have more bytes than `limits.record_bytes`, and no other record is refused for another reason."""


class BatchRefused(ShimError):
    """A v3 batch is not what a batch must be: entries, not too many, each with an id of its own."""


class BodyTooLarge(ShimError):
    """The body has more bytes than `limits.body_bytes`; where its length was declared, none of it was read."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The body is larger than the limit of {most} bytes. Send fewer records in one request.")


class TooManyRecords(ShimError):
    """The request has more records than `limits.records`."""

    def __init__(self, records: int, most: int) -> None:
        super().__init__(
            f"The request has {records} records, more than the limit of {most}. Send fewer in one request."
        )


class TooManyRequests(ShimError):
    """The process serves `limits.requests` produce requests already; nothing of this one was read."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The server is busy with {most} requests, as many as it takes on. Try again in a moment.")


class TooManyStreams(ShimError):
    """The process serves `limits.streams` streams already; nothing of this one was read."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The server is busy with {most} streams, as many as it takes on. Try again later.")


class StreamOver(ShimError):
    """A stream is closed by its limits, or because the process ends; a record that still came was not sent."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Streaming connection {why}: Connection will be closed.")


class Overloaded(ShimError):
    """The bodies in flight have `limits.bytes` bytes already; nothing of this request was sent."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The server holds nearly {most} bytes of requests, as many as it takes on. Try again later.")


class DeadlinePassed(ShimError):
    """The time of `limits.deadline` was over before anything was handed to Kafka."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The request took more than {seconds:g} s to arrive and be judged; nothing of it was sent.")


class TopicUnbound(ShimError):
    """The topic has no binding, and records for such topics are refused."""

    def __init__(self, topic: str) -> None:
        known = f"Topic not found: {topic[:NAME_CHARACTERS]} is bound to no schema, so it takes no records here."
        # Only what Kafka would take as a name may stand in a command that is meant to be copied.
        hint = f" To bind it: confluent-shim bindings bind {topic} --schema FILE" if is_topic_name(topic) else ""
        super().__init__(known + hint)


class KeySchemaMissing(ShimError):
    """A key in a schema format without key schema."""

    def __init__(self) -> None:
        super().__init__("Request includes keys but does not include key schema")


class ValueSchemaMissing(ShimError):
    """A value in a schema format without value schema, for a topic that has no binding."""

    def __init__(self) -> None:
        super().__init__("Request includes values but does not include value schema")


class SchemaUnparsable(ShimError):
    """The text of an inline schema is no schema."""

    def __init__(self, text: str, kind: str = "JSON") -> None:
        form = "JSONSCHEMA" if kind == "JSON" else kind
        super().__init__(f"Invalid schema: Error when parsing raw schema. format = {form}, schema = {text[:1000]}")


class SchemaForeign(ShimError):
    """The request names a schema that is not a version which the binding takes."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Error serializing message. {reason}")


class SchemaUnknown(ShimError):
    """What the request says of its schema names none: a version that is not there, or a record's name without one."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Bad Request: {reason}")


class SchemaForbidden(ShimError):
    """The registry refuses what a request for an unbound topic needs of it; `step` is Confluent's name for that."""

    def __init__(self, step: str) -> None:
        super().__init__(step)


class FormatRefused(ShimError):
    """The content type would put something else than the bound schema into the topic, or needs an upstream."""


class KeyFormatRefused(ShimError):
    """A key schema was sent, and the binding has no key subject."""


class AdminSwitchedOff(ShimError):
    """The setting `admin_token` is empty."""

    def __init__(self) -> None:
        super().__init__(
            "Changes over HTTP are switched off. To switch them on, set admin_token in the configuration file or "
            "SHIM_ADMIN_TOKEN in the environment, restart, and send it as 'Authorization: Bearer TOKEN'."
        )


class AdminTokenMissing(ShimError):
    """The Authorization header does not carry the admin token."""

    def __init__(self) -> None:
        super().__init__("A change needs the admin token: send 'Authorization: Bearer TOKEN'.")


class TopicAbsent(ShimError):
    """Kafka does not have the topic that is to be bound."""


class TopicNotHosted(ShimError):
    """Kafka does not have the topic whose metadata is asked for."""

    def __init__(self) -> None:
        super().__init__("This server does not host this topic-partition.")


class PartitionNotFound(ShimError):
    """The topic has no such partition."""

    def __init__(self) -> None:
        super().__init__("Partition not found.")


class ClusterNotFound(ShimError):
    """No configured cluster has this id."""

    def __init__(self, cluster_id: str) -> None:
        super().__init__(f"Cluster {cluster_id[:NAME_CHARACTERS]} cannot be found.")


class MetadataForbidden(ShimError):
    """Kafka refuses the shim's credentials, or its right to know what is asked for."""


class MetadataUnavailable(ShimError):
    """Kafka did not answer in time; Confluent's status for that is 500."""


class UpstreamUnavailable(ShimError):
    """No connection to the REST Proxy could be made; the same request may be sent again."""

    retryable = True


class UpstreamSilent(ShimError):
    """The REST Proxy did not answer in time; what came of the request is not known."""


class UpstreamBroken(ShimError):
    """The REST Proxy broke off, or answered no HTTP; what came of the request is not known."""


class SinkUnavailable(ShimError):
    """Nothing was handed over; the same request may be sent again."""


class Unexpected(ShimError):
    """A defect of ours; the log has its trace under the request id."""

    def __init__(self) -> None:
        super().__init__("Internal Server Error")
