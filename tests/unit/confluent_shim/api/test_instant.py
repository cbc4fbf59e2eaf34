"""Times of the v3 API."""

import pytest

from confluent_shim.api.instant import read_instant, write_instant
from confluent_shim.errors import BodyUnreadable


@pytest.mark.parametrize(
    ("sent", "milliseconds"),
    [
        ("2021-02-05T19:14:42Z", 1_612_552_482_000),
        ("2021-02-05t19:14:42z", 1_612_552_482_000),
        ("2021-02-05T19:14:42.123456789Z", 1_612_552_482_123),
        ("2021-02-05T19:14:42.1+02:00", 1_612_545_282_100),
        ("2021-02-05T19:14:42-0330", 1_612_565_082_000),
        (1_612_552_482, 1_612_552_482_000),
        (1_612_552_482.123, 1_612_552_482_123),
        ("1612552482.5", 1_612_552_482_500),
        (0.001, 1),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        (None, None),
        ("", None),
    ],
)
def test_an_instant_or_seconds_since_1970_are_read_to_the_millisecond(sent: object, milliseconds: int | None) -> None:
    assert read_instant("timestamp", sent) == milliseconds


@pytest.mark.parametrize(
    "sent",
    ["2021-02-05", "2021-02-05T19:14:42", "2021-02-30T00:00:00Z", "2021-02-05T19:14Z", "soon", "1_0", True, [], {}],
)
def test_what_is_no_time_with_its_zone_is_refused_and_the_field_named(sent: object) -> None:
    with pytest.raises(BodyUnreadable, match="timestamp: must be a time with its zone"):
        read_instant("timestamp", sent)


@pytest.mark.parametrize(
    "sent", ["1960-01-01T00:00:00Z", -1, 0, "1970-01-01T00:00:00Z", 1e300, 10**400, 253_402_300_800]
)
def test_a_time_that_kafka_has_no_number_for_is_refused(sent: object) -> None:
    with pytest.raises(BodyUnreadable, match="must lie after 1970"):
        read_instant("timestamp", sent)


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (1_612_552_482_000, "2021-02-05T19:14:42Z"),
        (1_612_552_482_050, "2021-02-05T19:14:42.050Z"),
        (1, "1970-01-01T00:00:00.001Z"),
    ],
)
def test_a_time_is_written_as_java_writes_it(milliseconds: int, written: str) -> None:
    assert write_instant(milliseconds) == written
