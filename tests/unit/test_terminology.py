"""Codes and displays of the code systems that are known completely."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.validation.terminology import Terminology

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def system(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "url": "https://example.org/CodeSystem/a",
        "status": "active",
        "content": "complete",
        "caseSensitive": True,
        "concept": [
            {
                "code": "one",
                "display": "Number One",
                "designation": [{"language": "de", "value": "Eins"}],
                "concept": [{"code": "inner"}],
            }
        ],
        **members,
    }


def terminology(**members: Any) -> Terminology:
    return Terminology(base().with_resources([system(**members)]))


@pytest.mark.parametrize(
    ("code", "display", "expected"),
    [
        ("one", None, ""),
        ("one", "Number One", ""),
        ("one", "NUMBER one", ""),
        ("one", "Eins", ""),
        ("one", "Number  One", "display-wrong"),
        ("one", "Number One ", "display-wrong"),
        ("one", "Number Two", "display-wrong"),
        ("inner", None, ""),
        ("inner", "anything", "display-wrong"),  # the system gives it no display
        ("One", None, "code-unknown"),
        ("two", None, "code-unknown"),
        ("two", "Number Two", "code-unknown"),
        ("", None, "code-unknown"),
        (None, "x", ""),
        (1, None, ""),
        (["one"], None, ""),
    ],
)
def test_verdict(code: Any, display: Any, expected: str) -> None:
    known = terminology()
    for _ in range(2):  # worked out, then remembered
        assert known.verdict("https://example.org/CodeSystem/a", code, display) == expected


def test_case_counts_only_where_the_system_says_so() -> None:
    for members in ({"caseSensitive": False}, {"caseSensitive": None}):
        assert terminology(**members).verdict("https://example.org/CodeSystem/a", "ONE", "Number One") == ""
    assert terminology().verdict("https://example.org/CodeSystem/a", "ONE", None) == "code-unknown"


@pytest.mark.parametrize("content", ["fragment", "example", "not-present", "supplement"])
def test_a_system_not_known_completely_is_not_judged(content: str) -> None:
    known = terminology(content=content)
    assert known.verdict("https://example.org/CodeSystem/a", "two", None) == ""
    assert known.codes("https://example.org/CodeSystem/a") == ()


@pytest.mark.parametrize("url", ["http://snomed.info/sct", "http://loinc.org", "urn:x:y", None, 1, {}])
def test_a_system_not_known_is_not_judged(url: Any) -> None:
    assert terminology().verdict(url, "two", "x") == ""


def test_codes_of_a_system() -> None:
    assert terminology().codes("https://example.org/CodeSystem/a") == ("inner", "one")
    assert "vital-signs" in terminology().codes(CATEGORY)
