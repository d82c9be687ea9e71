"""Answers and the values they are held against: what type they are, and how two of them compare (R4, Data Types)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

JsonObject = dict[str, Any]

PRIMITIVES = frozenset(
    (
        "boolean",
        "decimal",
        "integer",
        "date",
        "dateTime",
        "time",
        "string",
        "uri",
        "code",
        "canonical",
        "url",
        "instant",
    )
)
_NUMBERS = frozenset(("integer", "decimal"))
_DATES = frozenset(("date", "dateTime", "instant"))
_STRINGS = frozenset(("string", "uri", "code", "canonical", "url"))

_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?", re.ASCII)

# UCUM units that scale into one another, with their factor: what forms about medication and symptoms ask in
_PREFIXES = {"n": "1e-9", "u": "1e-6", "m": "1e-3", "c": "1e-2", "d": "1e-1", "k": "1e3"}
_UNITS: dict[str, tuple[str, Decimal]] = {
    "s": ("s", Decimal(1)),
    "min": ("s", Decimal(60)),
    "h": ("s", Decimal(3600)),
    "d": ("s", Decimal(86400)),
    "wk": ("s", Decimal(604800)),
    "ms": ("s", Decimal("1e-3")),
    **{unit: (unit.upper(), Decimal(1)) for unit in ("g", "m", "L")},
    "l": ("L", Decimal(1)),
    **{
        f"{prefix}{unit}": (unit.upper(), Decimal(factor))
        for unit in ("g", "m", "L", "l")
        for prefix, factor in _PREFIXES.items()
    },
}
UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class TypedValue:
    """The content of a ``value[x]``, ``answer[x]`` or ``initial[x]``: FHIR type ("integer", "Coding"), JSON value."""

    type: str
    value: Any


def type_name(suffix: str) -> str:
    """The FHIR type at the end of a choice element's name: "Integer" -> "integer", "Coding" -> "Coding"."""
    lower = suffix[:1].lower() + suffix[1:]
    return lower if lower in PRIMITIVES else suffix


def choice_name(stem: str, type_code: str) -> str:
    """The JSON name of a choice element of this type: ("value", "dateTime") -> "valueDateTime"."""
    return stem + type_code[:1].upper() + type_code[1:]


def typed_value(element: object, stem: str = "value") -> TypedValue | None:
    """The value of the choice element ``stem[x]`` of a JSON object, or None where it has none."""
    if isinstance(element, Mapping):
        for name, value in element.items():
            if len(name) > len(stem) and name.startswith(stem) and name[len(stem)].isupper():
                return TypedValue(type_name(name[len(stem) :]), value)
    return None


def equals(expected: TypedValue, actual: TypedValue) -> bool:
    """Whether an answer equals the value asked for.

    A Coding is equal by code, and by system where one is asked for; display and version do not count (R4,
    Questionnaire.item.enableWhen). A Reference is equal by its reference, everything else by its value.
    """
    if expected.type == "Coding" or actual.type == "Coding":
        if expected.type != actual.type:
            return False
        return same_coding(expected.value, actual.value)
    if expected.type == "Reference" and actual.type == "Reference":
        wanted = _child(expected.value, "reference")
        return wanted is not None and wanted == _child(actual.value, "reference")
    return compare(expected, actual) == 0


def same_coding(expected: object, actual: object) -> bool:
    """Whether two Codings have the same code, and the same system where the expected one names it."""
    system = _child(expected, "system")
    return _child(expected, "code") == _child(actual, "code") and (system is None or system == _child(actual, "system"))


def compare(left: TypedValue, right: TypedValue) -> int | None:
    """Return -1, 0 or 1 as ``left`` is before, the same as or after ``right``; None where they have no order.

    Dates of less precision count as their first moment, times without a zone as UTC. Quantities of one unit compare by
    value, those of common UCUM units after conversion.
    """
    if left.type == "Quantity" and right.type == "Quantity":
        return _compare_quantities(left, right)
    first, second = _sortable(left), _sortable(right)
    if first is None or second is None or first[0] != second[0]:
        return None
    return int(first[1] > second[1]) - int(first[1] < second[1])


def _sortable(typed: TypedValue) -> tuple[str, Any] | None:
    """A family of comparable values and a sort key inside it."""
    value = typed.value
    if typed.type in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        return "number", value
    if typed.type == "boolean" and isinstance(value, bool):
        return "boolean", value
    if not isinstance(value, str):
        return None
    if typed.type in _STRINGS:
        return "string", value
    if typed.type in _DATES:
        moment = first_moment(value)
        return None if moment is None else ("date", moment)
    if typed.type == "time":
        seconds = _seconds(value)
        return None if seconds is None else ("time", seconds)
    return None


def first_moment(text: str) -> tuple[datetime, Decimal] | None:
    """The first moment of a FHIR date or dateTime in UTC, and its fraction of a second; None where it is neither."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), tzinfo=UTC)
        moment += timedelta(seconds=int(second or 0))
        if zone and zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
            moment -= offset if zone[0] == "+" else -offset
    except (ValueError, OverflowError):
        return None
    return moment, Decimal(fraction or 0)


def _seconds(text: str) -> Decimal | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = found.groups()
    return Decimal(hour) * 3600 + Decimal(minute) * 60 + Decimal(second or 0)


def same_dimension(left: TypedValue, right: TypedValue) -> bool | None:
    """Whether two Quantities measure the same kind of thing by their coded units; None where that is not known here."""
    systems = {_child(left.value, "system"), _child(right.value, "system")}
    codes = {_child(left.value, "code"), _child(right.value, "code")}
    if None in systems or None in codes or len(systems) > 1:
        return False
    if len(codes) == 1:
        return True
    return len({_UNITS[code][0] for code in codes}) == 1 if systems == {UCUM} and codes <= _UNITS.keys() else None


def _compare_quantities(left: TypedValue, right: TypedValue) -> int | None:
    first, second = _child(left.value, "value"), _child(right.value, "value")
    if not _is_number(first) or not _is_number(second):
        return None
    here, there = Decimal(str(first)), Decimal(str(second))
    unit, other = _child(left.value, "code"), _child(right.value, "code")
    if unit != other or _child(left.value, "system") != _child(right.value, "system"):
        if not same_dimension(left, right):
            return None
        here, there = here * _UNITS[unit][1], there * _UNITS[other][1]
    return int(here > there) - int(here < there)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _child(element: object, name: str) -> Any:
    return element.get(name) if isinstance(element, Mapping) else None
