"""Dates in order, as far as their precision says (FHIRPath N1, 6.2)."""

from __future__ import annotations

import re
from datetime import date

_DATE_TIME = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d))?)?)?")

_TO_THE_SECOND = len("2026-01-31T09:30:00")


def compare_dates(left: str, right: str) -> int | None:
    """-1, 0 or 1 for two FHIR dates or dateTimes; None where their precision leaves it open, or one is no date."""
    if len(left) == len(right) > _TO_THE_SECOND and left[-6:] == right[-6:]:
        return (left > right) - (left < right)  # one form and one zone: text order is time order
    first, second = _DATE_TIME.fullmatch(left), _DATE_TIME.fullmatch(right)
    if first is None or second is None:
        return None
    if first[4] and second[4]:
        a, b = _instant(first), _instant(second)
        return (a > b) - (a < b)
    for part, other in zip(first.groups()[:3], second.groups()[:3], strict=True):
        if part is None or other is None:
            return 0 if part is other else None
        if part != other:
            return 1 if part > other else -1
    return None if first[4] or second[4] else 0


def _instant(match: re.Match[str]) -> tuple[int, float]:
    """The minutes of UTC since a day before all others, and the seconds: 60 is a leap second."""
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    zone = match[7]
    offset = 0
    if zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    try:
        days = date(year, month, day).toordinal()
    except ValueError:  # no such day: another rule's finding
        days = 0
    return days * 24 * 60 + hour * 60 + minute - offset, float(match[6])
