"""Fixed values and patterns over those of the base: they go on from it (R4, ElementDefinition.fixed and pattern)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.validation.index import contains_pattern
from fhir_keta.validation.shapes import objects, text

JsonObject = dict[str, Any]


def inherited_value_problems(element: JsonObject, base: JsonObject) -> Iterator[tuple[str, str]]:
    """What an element of a differential says against the base's value."""
    own = _value(element)
    if own is None:
        return
    known = (each for each in objects(base["snapshot"]["element"]) if each.get("id") == element.get("path"))
    inherited = _value(next(known, {}))
    if inherited is None:
        return
    kind, type_, value = inherited
    if own[1] != type_ and own[0] == kind:
        yield "differential-value", "the value is of another type than the base's"
    elif kind == "fixed" and own[0] == "fixed" and not (own[2] == value and contains_pattern(own[2], value)):
        yield "differential-value", "the base fixes another value"
    elif kind == "pattern" and own[0] == "pattern" and not contains_pattern(own[2], value):
        yield "differential-value", "the pattern lacks something of the base's"


def _value(element: JsonObject) -> tuple[str, str, Any] | None:
    for key, value in element.items():
        for kind in ("fixed", "pattern"):
            if key.startswith(kind) and text(key[len(kind) :])[:1].isupper():
                return kind, key[len(kind) :], value
    return None
