"""Our own keyword: the same as the patterns that are published for it, whatever a reference says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_keta.validation.reference_targets import as_patterns, may_lead_to

_PIECES = (
    *("Patient", "Device", "Unheard", "patient", "1", "a-b.c", "_history", "https://", "http://", "HTTP://"),
    *("ehr.test", "/", "/", "/", "#", "?", " ", "\t", "\n", "\u2028", "é", "urn:uuid:"),
)
_ALLOWED = ["Group", "Patient"]


def _matches(schema: dict[str, Any], reference: str) -> bool:
    """Whether a pattern is met; for Python a line end may follow $, for JSON Schema it may not."""
    return re.search(schema["pattern"].removesuffix("$") + r"\Z", reference) is not None


@settings(max_examples=3_000, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_the_keyword_says_what_the_patterns_say(reference: str) -> None:
    allowed, of_no_type = as_patterns(_ALLOWED)["anyOf"]
    expected = _matches(allowed, reference) or not _matches(of_no_type["not"], reference)
    assert may_lead_to(_ALLOWED, reference) is expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("https://ehr.test/Patient/1#/Device/2", True),  # either may be meant
        ("https://ehr.test/Device/1#/Device/2", False),
        ("https://ehr.test/Device/1#of\na part", True),
        ("https://Device/1", True),  # a host
        ("https://ehr.test/a b/Device/1", True),
        ("Device/Device/1", True),  # no address, and no type and id
        ("Device/1/_history/1", False),
        ("https://ehr.test/Device/_history/1", True),
        (5, True),
        (None, True),
    ],
)
def test_where_a_reference_may_lead(reference: object, expected: bool) -> None:
    assert may_lead_to(_ALLOWED, reference) is expected


def test_a_hostile_reference_is_read_once() -> None:
    """Reading it once for each # or slash would take hours."""
    for hostile in ("https://" + "#/" * 500_000, "/a" * 500_000, "https://a/" + "Device/1#" * 100_000):
        assert isinstance(may_lead_to(_ALLOWED, hostile), bool)
