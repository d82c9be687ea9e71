"""Records are told by all of their tokens: the same ones, and others within their patterns."""

import re

import pytest

from fhir_keta.validation.accepted import layouts
from fhir_keta.validation.accepted.layouts import Layouts, VaryingToken, in_order

TOKENS = [b'resourceType":"Basic"', b'id":"a1"', b'created":"2026-01-31"', b'language":"en"']


def varying(position: int, pattern: str, is_end: bool = False) -> VaryingToken:
    return VaryingToken(position, pattern, re.compile(pattern.encode()).fullmatch, is_end)


ID = varying(1, 'id":"[a-z0-9]+"')
DAY = varying(2, 'created":"[0-9-]{10}"')


@pytest.fixture(params=["each", "at once"], autouse=True)
def asked_rarely_or_often(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether tokens are matched one by one, or all by one regular expression from the second time on."""
    if request.param == "at once":
        monkeypatch.setattr(layouts, "_OFTEN", 0)
    return bool(request.param == "at once")


def found(known: Layouts[str], tokens: list[bytes]) -> str | None:
    """What is found, twice the same: asked often enough, another way is taken."""
    first = known.find(tokens)
    assert known.find(tokens) == first
    return first


def with_tokens(**changed: bytes) -> list[bytes]:
    names = ("resourceType", "id", "created", "language")
    return [changed.get(name, token) for name, token in zip(names, TOKENS, strict=True)]


def taught(*varying: VaryingToken) -> Layouts[str]:
    known: Layouts[str] = Layouts()
    known.learn(TOKENS, varying, "good")
    return known


@pytest.mark.parametrize(
    ("given", "changed", "is_found"),
    [
        ((), {}, True),
        ((), {"id": b'id":"b"'}, False),
        ((ID,), {}, True),
        ((ID,), {"id": b'id":"b"'}, True),
        ((ID,), {"id": b'id":""'}, False),
        ((ID,), {"id": b'id":"b"', "language": b'language":"de"'}, False),
        ((ID, DAY), {"id": b'id":"b"', "created": b'created":"2025-12-01"'}, True),
        ((ID, DAY), {"id": b'id":"b"', "created": b'created":"2025"'}, False),
        ((ID, DAY), {"id": TOKENS[2], "created": TOKENS[1]}, False),
        ((ID, DAY), {"id": b'id":"a1"\ncreated":"2026-01-31"', "created": b""}, False),
        ((ID, DAY), {"created": b'created":"2026-01-31"\n'}, False),
    ],
)
def test_what_varies_may_differ_and_nothing_else(
    given: tuple[VaryingToken, ...], changed: dict[str, bytes], is_found: bool
) -> None:
    assert found(taught(*given), with_tokens(**changed)) == ("good" if is_found else None)


def test_more_or_fewer_tokens_are_another_record() -> None:
    known = taught(ID)
    assert known.find(TOKENS[:3]) is None
    assert known.find([*TOKENS, b'active":true']) is None
    assert known.find([]) is None


def test_of_several_ways_in_which_a_token_varies_each_is_found() -> None:
    known = taught(ID)
    known.learn(TOKENS, [varying(1, 'id":"[A-Z]+"')], "in capitals")
    known.learn(TOKENS, [DAY], "another day")
    assert found(known, with_tokens(id=b'id":"b"')) == "good"
    assert found(known, with_tokens(id=b'id":"B"')) == "in capitals"
    assert found(known, with_tokens(created=b'created":"2027-01-01"')) == "another day"
    assert found(known, with_tokens(id=b'id":"b"', created=b'created":"2027-01-01"')) is None


def test_a_record_in_which_all_varies_is_not_remembered() -> None:
    known: Layouts[str] = Layouts()
    known.learn([b'id":"a"'], [varying(0, 'id":"[a-z]"')], "good")
    assert known.find([b'id":"a"']) is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (b"2026-01-31T10:00:00Z", b"2026-01-31T10:00:00Z", True),
        (b"2026-01-31T10:00:00Z", b"2026-01-31T10:00:01Z", True),
        (b"2026-01-31T10:00:01Z", b"2026-01-31T10:00:00Z", False),
        (b"2026-01-31T10:00:00+01:00", b"2026-01-31T10:00:01+01:00", True),
        (b"2026-01-31T10:00:00+01:00", b"2026-01-31T10:00:01+02:00", False),  # an hour earlier
        (b"2026-01-31", b"2026-02-01", True),
        (b"2026-01-31", b"2026-02-01T00:00:00Z", False),  # not for a comparison of bytes to say
    ],
)
def test_a_period_is_in_order(start: bytes, end: bytes, expected: bool) -> None:
    assert in_order(start, end) is expected
    day = "2020-01-01"
    tokens = [b"more", *period("a", day, day), *period("b", day, day)]
    names = [('a":{"start":"', '"'), ('end":"', '"}'), ('b":{"start":"', '"'), ('end":"', '"}')]
    times = [
        varying(place, f"{re.escape(before)}([0-9T:Z+-]+){re.escape(after)}", before == 'end":"')
        for place, (before, after) in enumerate(names, start=1)
    ]
    known: Layouts[str] = Layouts()
    known.learn(tokens, times, "good")
    given = start.decode(), end.decode()
    first = found(known, [b"more", *period("a", *given), *period("b", day, day)])
    second = found(known, [b"more", *period("a", day, day), *period("b", *given)])
    assert (first is not None) is (second is not None) is expected


def period(name: str, start: str, end: str) -> list[bytes]:
    return [f'{name}":{{"start":"{start}"'.encode(), f'end":"{end}"}}'.encode()]


def test_what_is_remembered_is_bounded_and_makes_room_where_it_was_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_REMEMBERED", 3)
    known: Layouts[str] = Layouts()

    def language(number: int) -> list[bytes]:
        return with_tokens(language=b'language":"%d"' % number)

    for number in range(5):
        known.learn(language(number), [ID], "good")
    assert [known.find(language(number)) for number in range(5)] == ["good", "good", "good", None, None]
    known.find(language(0))  # four times found: of use
    known.learn(language(4), [ID], "good")
    assert [known.find(language(number)) for number in range(5)] == [None, None, None, None, "good"]


def test_forgotten_is_forgotten() -> None:
    known = taught(ID)
    known.forget()
    assert known.find(TOKENS) is None
