"""Our own format: the same as the pattern that is published for it, whatever a reference says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_keta.validation.reference_format import is_typed, pattern_of_typed

_PIECES = (
    *("Patient", "Device", "Unheard", "patient", "1", "a-b.c", "_history", "https://", "http://", "HTTP://"),
    *("ehr.test", "/", "/", "/", "#", "?", " ", "\t", "\n", "\u2028", "é", "urn:uuid:"),
)


@settings(max_examples=3_000, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_the_format_says_what_the_pattern_says(reference: str) -> None:
    """For Python a line end may follow $, for JSON Schema it may not."""
    expected = re.search(pattern_of_typed().removesuffix("$") + r"\Z", reference)
    assert is_typed(reference) is (expected is not None)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Device/1", True),
        ("Device/1/_history/1", True),
        ("Device/1#part", True),
        ("https://ehr.test/Device/1", True),
        ("https://ehr.test/Device/1#/Unheard/2", True),  # either may be meant
        ("https://ehr.test/Unheard/1#/Device/2", True),
        ("https://ehr.test/Unheard/1", False),
        ("https://ehr.test/Device/1#of\na part", False),
        ("https://Device/1", False),  # a host
        ("https://ehr.test/a b/Device/1", False),
        ("Device/Device/1", False),  # no address, and no type and id
        ("/Device/1", False),
        ("https://ehr.test/Device/_history/1", False),
        (5, False),
        (None, False),
    ],
)
def test_references_that_name_their_type(reference: object, expected: bool) -> None:
    assert is_typed(reference) is expected


def test_a_hostile_reference_is_read_once() -> None:
    """Reading it once for each # or slash would take hours."""
    for hostile in ("https://" + "#/" * 500_000, "/a" * 500_000, "https://a/" + "Unheard/1#" * 100_000):
        assert not is_typed(hostile)
