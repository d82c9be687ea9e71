"""Dates in order, as far as their precision says (FHIRPath N1, 6.2)."""

from __future__ import annotations

import pytest

from fhir_keta.validation.dates import compare_dates


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2020", "2020", 0),
        ("2019", "2020", -1),
        ("2020", "2019-12", 1),
        ("2020", "2020-01", None),
        ("2020-01", "2020-01-01", None),
        ("2020-01-01", "2020-01-01", 0),
        ("2020-01-01", "2020-02", -1),
        ("2020-01-01", "2020-01-01T10:00:00Z", None),
        ("2020-01-01", "2020-01-02T10:00:00Z", -1),
        ("2020-01-01T10:00:00Z", "2020-01-01T10:00:00Z", 0),
        ("2020-01-01T10:00:00Z", "2020-01-01T10:00:00.000Z", 0),
        ("2020-01-01T10:00:00.1Z", "2020-01-01T10:00:00.09Z", 1),
        ("2020-01-01T10:00:00+01:00", "2020-01-01T09:00:00Z", 0),
        ("2020-01-01T00:30:00+01:00", "2019-12-31T23:45:00Z", -1),
        ("2020-01-01T10:00:00-05:00", "2020-01-01T10:00:00+05:00", 1),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", -1),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.9Z", 1),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", -1),
        ("2020-02-30T10:00:00Z", "2020-03-01T10:00:00Z", -1),  # no day: another rule's finding, and no crash
        ("soon", "2020", None),
        ("2020\n", "2020", None),
        ("2020-01-01T10:00:00", "2020-01-01T10:00:00Z", None),
    ],
)
def test_order(left: str, right: str, expected: int | None) -> None:
    assert compare_dates(left, right) == expected
    assert compare_dates(right, left) == (None if expected is None else -expected)
