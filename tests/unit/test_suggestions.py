""" "Did you mean ...?": one slip of the pen is found, another word is not, and what was given is never repeated."""

from __future__ import annotations

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
