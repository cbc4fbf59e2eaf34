"""The one table from an error to an HTTP answer."""

from collections.abc import Iterator
from enum import IntEnum, unique
from http import HTTPStatus

import jsonschema_bridge.errors as bridge
import topic_map.errors as table
from confluent_shim.errors import (
    AdminSwitchedOff,
    AdminTokenMissing,
    BatchRefused,
    BodyTooLarge,
    BodyUnreadable,
    ClusterNotFound,
    ConsumersNotAllowed,
    ConsumersNotFound,
    ContentTypeMalformed,
    ContentTypeUnsupported,
    DeadlinePassed,
    EnvelopeRefused,
    FormatRefused,
    KeyFormatRefused,
    KeySchemaMissing,
    MetadataForbidden,
    MetadataUnavailable,
    MethodUnsupported,
    NoCommonAnswerType,
    Overloaded,
    PartitionNotFound,
    RecordsRejected,
    RecordTooLarge,
    RouteUnknown,
    SchemaForbidden,
    SchemaForeign,
    SchemaUnknown,
    SchemaUnparsable,
    SinkUnavailable,
    StreamOver,
    TooManyRecords,
    TooManyRequests,
    TooManyStreams,
    TopicAbsent,
    TopicNotHosted,
    TopicUnbound,
    Unexpected,
    UpstreamBroken,
    UpstreamSilent,
    UpstreamUnavailable,
    ValueSchemaMissing,
)


@unique
class Code(IntEnum):
    """The `error_code` of an answer. Confluent's numbers keep Confluent's meaning.

    Conditions that only the shim knows end in 90 to 99 behind their HTTP status: one band, nowhere else used.
    """

    BAD_REQUEST = 400
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405
    NOT_ACCEPTABLE = 406
    REQUEST_TIMEOUT = 408
    TOO_LARGE = 413
    UNSUPPORTED_MEDIA_TYPE = 415
    UNPROCESSABLE = 422
    INTERNAL = 500
    KAFKA_AUTHENTICATION = 40101
    KAFKA_AUTHORIZATION = 40301
    TOPIC_NOT_FOUND = 40401
    PARTITION_NOT_FOUND = 40402
    TOPIC_NOT_HOSTED = 40403
    KEY_SCHEMA_MISSING = 42201
    VALUE_SCHEMA_MISSING = 42202
    SCHEMA_INVALID = 42205
    SCHEMA_UNUSABLE = 42207
    BATCH_REFUSED = 42208
    KAFKA_INVALID = 40002
    KAFKA_QUOTA = 42901
    KAFKA = 50002
    KAFKA_RETRIABLE = 50003
    KAFKA_UNAVAILABLE = 50302
    ADMIN_TOKEN_MISSING = 40190
    ADMIN_SWITCHED_OFF = 40390
    BINDING_NOT_FOUND = 40490
    SUBJECT_NOT_FOUND = 40491
    TOPIC_ABSENT = 40492
    TOPIC_TAKEN = 40990
    SUBJECT_TAKEN = 40991
    STALE_REVISION = 41290
    FORMAT_REFUSED = 42290
    KEY_FORMAT_REFUSED = 42291
    BINDING_INVALID = 42292
    BOUND_SCHEMA_INVALID = 42294
    REGISTRY_REFUSED = 42295
    TOO_MANY_RECORDS = 42296
    TOO_MANY_REQUESTS = 42990
    STORE_UNAVAILABLE = 50390
    REGISTRY_UNAVAILABLE = 50391
    SINK_UNAVAILABLE = 50392
    OVERLOADED = 50393
    DEADLINE_PASSED = 50394
    UPSTREAM_UNAVAILABLE = 50395
    UPSTREAM_BROKEN = 50290
    UPSTREAM_SILENT = 50490
    TOO_MANY_STREAMS = 50396


ANSWERS: dict[type[Exception], tuple[HTTPStatus, Code]] = {
    RouteUnknown: (HTTPStatus.NOT_FOUND, Code.NOT_FOUND),
    MethodUnsupported: (HTTPStatus.METHOD_NOT_ALLOWED, Code.METHOD_NOT_ALLOWED),
    ConsumersNotFound: (HTTPStatus.NOT_FOUND, Code.NOT_FOUND),
    ConsumersNotAllowed: (HTTPStatus.METHOD_NOT_ALLOWED, Code.METHOD_NOT_ALLOWED),
    NoCommonAnswerType: (HTTPStatus.NOT_ACCEPTABLE, Code.NOT_ACCEPTABLE),
    ContentTypeUnsupported: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Code.UNSUPPORTED_MEDIA_TYPE),
    ContentTypeMalformed: (HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST),
    BodyUnreadable: (HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST),
    EnvelopeRefused: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.UNPROCESSABLE),
    BatchRefused: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.BATCH_REFUSED),
    RecordsRejected: (HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST),
    BodyTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Code.TOO_LARGE),
    TooManyRecords: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.TOO_MANY_RECORDS),
    RecordTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Code.TOO_LARGE),
    TooManyRequests: (HTTPStatus.TOO_MANY_REQUESTS, Code.TOO_MANY_REQUESTS),
    TooManyStreams: (HTTPStatus.SERVICE_UNAVAILABLE, Code.TOO_MANY_STREAMS),
    StreamOver: (HTTPStatus.REQUEST_TIMEOUT, Code.REQUEST_TIMEOUT),
    Overloaded: (HTTPStatus.SERVICE_UNAVAILABLE, Code.OVERLOADED),
    DeadlinePassed: (HTTPStatus.SERVICE_UNAVAILABLE, Code.DEADLINE_PASSED),
    TopicUnbound: (HTTPStatus.NOT_FOUND, Code.TOPIC_NOT_FOUND),
    KeySchemaMissing: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.KEY_SCHEMA_MISSING),
    ValueSchemaMissing: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.VALUE_SCHEMA_MISSING),
    SchemaUnparsable: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.SCHEMA_INVALID),
    SchemaForeign: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.SCHEMA_UNUSABLE),
    SchemaUnknown: (HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST),
    SchemaForbidden: (HTTPStatus.FORBIDDEN, Code.KAFKA_AUTHORIZATION),
    FormatRefused: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.FORMAT_REFUSED),
    KeyFormatRefused: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.KEY_FORMAT_REFUSED),
    AdminSwitchedOff: (HTTPStatus.FORBIDDEN, Code.ADMIN_SWITCHED_OFF),
    AdminTokenMissing: (HTTPStatus.UNAUTHORIZED, Code.ADMIN_TOKEN_MISSING),
    TopicAbsent: (HTTPStatus.NOT_FOUND, Code.TOPIC_ABSENT),
    TopicNotHosted: (HTTPStatus.NOT_FOUND, Code.TOPIC_NOT_HOSTED),
    PartitionNotFound: (HTTPStatus.NOT_FOUND, Code.PARTITION_NOT_FOUND),
    ClusterNotFound: (HTTPStatus.NOT_FOUND, Code.NOT_FOUND),
    MetadataForbidden: (HTTPStatus.FORBIDDEN, Code.KAFKA_AUTHORIZATION),
    MetadataUnavailable: (HTTPStatus.INTERNAL_SERVER_ERROR, Code.KAFKA_RETRIABLE),
    UpstreamUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, Code.UPSTREAM_UNAVAILABLE),
    UpstreamSilent: (HTTPStatus.GATEWAY_TIMEOUT, Code.UPSTREAM_SILENT),
    UpstreamBroken: (HTTPStatus.BAD_GATEWAY, Code.UPSTREAM_BROKEN),
    SinkUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, Code.SINK_UNAVAILABLE),
    Unexpected: (HTTPStatus.INTERNAL_SERVER_ERROR, Code.INTERNAL),
    table.BindingInvalid: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.BINDING_INVALID),
    table.TopicTaken: (HTTPStatus.CONFLICT, Code.TOPIC_TAKEN),
    table.SubjectTaken: (HTTPStatus.CONFLICT, Code.SUBJECT_TAKEN),
    table.TopicNotBound: (HTTPStatus.NOT_FOUND, Code.BINDING_NOT_FOUND),
    table.StaleRevision: (HTTPStatus.PRECONDITION_FAILED, Code.STALE_REVISION),
    table.StoreUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, Code.STORE_UNAVAILABLE),
    table.StoreTooNew: (HTTPStatus.SERVICE_UNAVAILABLE, Code.STORE_UNAVAILABLE),
    bridge.JsonUnreadable: (HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST),
    bridge.AvroUndecodable: (HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST),
    bridge.NotFramed: (HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST),
    bridge.SchemaInvalid: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.BOUND_SCHEMA_INVALID),
    bridge.SchemaNotDerivable: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.BOUND_SCHEMA_INVALID),
    bridge.SubjectNotFound: (HTTPStatus.NOT_FOUND, Code.SUBJECT_NOT_FOUND),
    bridge.VersionNotFound: (HTTPStatus.NOT_FOUND, Code.SUBJECT_NOT_FOUND),
    bridge.SchemaNotFound: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.SCHEMA_UNUSABLE),
    bridge.SchemaNotInSubject: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.SCHEMA_UNUSABLE),
    bridge.SchemaIncompatible: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.REGISTRY_REFUSED),
    bridge.SchemaRefused: (HTTPStatus.UNPROCESSABLE_ENTITY, Code.REGISTRY_REFUSED),
    bridge.RegistryUnauthorized: (HTTPStatus.SERVICE_UNAVAILABLE, Code.REGISTRY_UNAVAILABLE),
    bridge.RegistryUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, Code.REGISTRY_UNAVAILABLE),
}
"""Which HTTP status and `error_code` an error is answered with; nothing else decides that."""

RETRY_AFTER_SECONDS = 1


def answer_of(error: Exception) -> tuple[HTTPStatus, Code, str]:
    """Return (status, error_code, message) for `error`; what is not in the table is `Unexpected`."""
    found = ANSWERS.get(type(error))
    if found is None:
        unexpected = Unexpected()
        return (*ANSWERS[Unexpected], str(unexpected))
    return (*found, str(error))


def leaves(root: type[Exception]) -> Iterator[type[Exception]]:
    """Yield the classes below `root` that have no subclass of their own."""
    for child in root.__subclasses__():
        if child.__subclasses__():
            yield from leaves(child)
        else:
            yield child
