""" "Did you mean ...?": one slip of the pen is found, another word is not, and what was given is never repeated."""

from __future__ import annotations

import random
from itertools import takewhile

import pytest

from fhir_keta.validation.suggestions import suggestion

KNOWN = ["nausea", "vomiting", "headache", "time-perception", "space-perception", "LA6568-5", "LA6569-3", "a", "go-on"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("nausae", "nausea"),
        ("naussea", "nausea"),
        ("nausa", "nausea"),
        ("nauxea", "nausea"),
        ("NAUSEA", "nausea"),
        ("headaches", "headache"),
        ("ime-perception", "time-perception"),
        ("space_perception", "space-perception"),
        ("LA6569-4", "LA6569-3"),
        ("goon", "go-on"),
    ],
)
def test_a_slip_is_found(given: str, meant: str) -> None:
    assert suggestion(given, KNOWN) == f" Did you mean '{meant}'?"


@pytest.mark.parametrize("given", ["", "b", "zz", "dizziness", "LA7000-1", "x" * 65, None, 3, ["nausea"], "nausea"])
def test_nothing_is_made_up(given: object) -> None:
    assert suggestion(given, KNOWN) == ""


def test_the_nearest_name_wins() -> None:
    assert suggestion("slightl", ["slight", "slightly", "slights"]) == " Did you mean 'slight'?"
    assert suggestion("fatigu", ["fatiges", "fatigue"]) == " Did you mean 'fatigue'?"


def test_odd_names_are_passed_over() -> None:
    assert suggestion("nausae", [None, 3, {}, "nausea"]) == " Did you mean 'nausea'?"


def _changed(one: str, other: str) -> int:
    """What is left of the longer one without the shared beginning and, of the rest, the shared end."""
    start = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
    rest = one[start:], other[start:]
    end = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(rest[0][::-1], rest[1][::-1], strict=False))))
    return max(map(len, rest)) - end


def _slipped(name: str, choice: random.Random) -> str:
    letters = list(name)
    place = choice.randrange(len(letters))
    match choice.randrange(4):
        case 0:
            letters.insert(place, choice.choice("abX-"))
        case 1:
            letters[place] = choice.choice("abX-")
        case 2:
            del letters[place : place + choice.randrange(1, 4)]
        case _:
            letters[place : place + 2] = letters[place : place + 2][::-1]
    return "".join(letters)


@pytest.mark.parametrize("length", [2, 3, 4, 7, 8, 9, 13, 30])
@pytest.mark.parametrize("shared", ["", "same-start-"])
def test_of_many_names_the_first_of_the_nearest_is_found(length: int, shared: str) -> None:
    choice = random.Random(length)
    known = [shared + "".join(choice.choices("abcX-", k=length + choice.randrange(3))) for _ in range(300)]
    found = 0
    for _ in range(300):
        given = _slipped(choice.choice(known), choice)
        distances = [_changed(given.casefold(), name.casefold()) for name in known if name != given]
        nearest = min(distances)
        expected = next(
            name for name in known if name != given and _changed(given.casefold(), name.casefold()) == nearest
        )
        meant = f" Did you mean '{expected}'?" if given and nearest <= min(2, len(given) - 1) else ""
        assert suggestion(given, known) == suggestion(given, tuple(known)) == meant, given
        found += meant != ""
    assert found > 200
