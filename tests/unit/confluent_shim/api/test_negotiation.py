"""Which formats are taken and which answers are given, by header."""

import pytest

from confluent_shim.api.negotiation import PLAIN_JSON, V2_JSON, answer_type, embedded_format, type_of_refusal
from confluent_shim.errors import ContentTypeMalformed, ContentTypeUnsupported, NoCommonAnswerType, RouteUnknown


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/vnd.kafka.json.v2+json", "json"),
        ("application/vnd.kafka.jsonschema.v2+json; charset=utf-8", "jsonschema"),
        ("APPLICATION/VND.KAFKA.JSON.V2+json", "json"),
        ("application/vnd.kafka.avro.v2+json", "avro"),
        ("application/vnd.kafka.protobuf.v2+json", "protobuf"),
        (None, "binary"),
    ],
)
def test_an_embedded_format_is_told_by_the_content_type(header: str | None, expected: str) -> None:
    assert embedded_format(header) == expected


@pytest.mark.parametrize("header", ["application/json", "text/plain", "*/*", "application/vnd.kafka.json.v2+JSON"])
def test_another_media_type_is_unsupported(header: str) -> None:
    with pytest.raises(ContentTypeUnsupported):
        embedded_format(header)


@pytest.mark.parametrize("header", ["", "foo", "a/b/c", "a /b"])
def test_what_is_no_media_type_is_malformed(header: str) -> None:
    with pytest.raises(ContentTypeMalformed):
        embedded_format(header)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, V2_JSON),
        ("", V2_JSON),
        ("*/*", V2_JSON),
        ("application/*;q=0.5", V2_JSON),
        ("text/html, application/vnd.kafka.v2+json", V2_JSON),
        ("application/vnd.kafka.v2+json; charset=utf-8", f"{V2_JSON};charset=utf-8"),
        ("application/vnd.kafka.v2+json; q=0.9", V2_JSON),
    ],
)
def test_the_answer_has_the_type_that_accept_admits(header: str | None, expected: str) -> None:
    assert answer_type(header) == expected


@pytest.mark.parametrize(
    "header", ["application/json", "foo", "text/*", "*/*;q=0", "application/vnd.kafka.v2+json;q=0.0"]
)
def test_an_accept_without_our_type_finds_no_common_one(header: str) -> None:
    with pytest.raises(NoCommonAnswerType):
        answer_type(header)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, PLAIN_JSON),
        ("*/*", PLAIN_JSON),
        (V2_JSON, V2_JSON),
        (f"text/html, {PLAIN_JSON}, {V2_JSON}", PLAIN_JSON),
        (f"{V2_JSON};q=1", PLAIN_JSON),
    ],
)
def test_a_415_takes_the_first_entry_that_is_literally_one_of_ours(header: str | None, expected: str) -> None:
    assert type_of_refusal(ContentTypeUnsupported(), header, V2_JSON) == expected


@pytest.mark.parametrize("error", [NoCommonAnswerType(), ContentTypeMalformed()])
def test_what_cannot_be_negotiated_is_refused_without_a_type(error: Exception) -> None:
    assert type_of_refusal(error, None, V2_JSON) is None


def test_every_other_refusal_has_the_usual_type() -> None:
    assert type_of_refusal(RouteUnknown(), PLAIN_JSON, V2_JSON) == V2_JSON
