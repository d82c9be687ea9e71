"""FHIRPath as schema: each construct where it is true, false and empty (FHIRPath N1, worked out by hand)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.validation.elements import Element, element_tree, type_code
from fhir_keta.validation.engine import compile_schema
from fhir_keta.validation.fhirpath.existence import existence_schema
from fhir_keta.validation.primitives import PRIMITIVE_TYPES

JsonObject = dict[str, Any]

EMPTY = None


def children(element: Element) -> Mapping[str, Element]:
    if element.children or len(element.types) != 1:
        return element.children
    code = type_code(element.types[0])
    structure = None if code in PRIMITIVE_TYPES else base().structure(code)
    return element_tree(structure).children if structure else {}


def root(name: str) -> Element:
    structure = base().structure(name)
    assert structure is not None
    return element_tree(structure)


OBSERVATION = root("Observation")


def truth(expression: str, value: JsonObject, element: Element = OBSERVATION) -> bool | None:
    """What the schemas say: true; false (its negation is true); or neither, which is empty."""
    true, false = (
        existence_schema(expression, element, children),
        existence_schema(f"({expression}).not()", element, children),
    )
    assert true is not None
    assert false is not None
    is_true, is_false = compile_schema(true).is_valid(value), compile_schema(false).is_valid(value)
    assert not (is_true and is_false)
    return True if is_true else False if is_false else EMPTY


TEXT: JsonObject = {"code": {"text": "abc"}}
TWO: JsonObject = {"component": [{"valueString": "a"}, {"valueQuantity": {"value": 1}}]}

CASES: list[tuple[str, JsonObject, bool | None]] = [
    # 5.1 existence
    ("note.exists()", {"note": [{"text": "a"}]}, True),
    ("note.exists()", {}, False),
    ("note.empty()", {}, True),
    ("note.empty()", {"note": [{"text": "a"}]}, False),
    ("note.text.exists()", {"note": [{"time": "2020"}]}, False),
    ("note.text.exists()", {"note": [{"time": "2020"}, {"text": "a"}]}, True),
    ("value.exists()", {"valueString": "a"}, True),
    ("value.exists()", {"_valueString": {"id": "a"}}, True),
    ("value.exists()", {}, False),
    ("valueQuantity.exists()", {"valueString": "a"}, False),
    ("issued.exists()", {"_issued": {"extension": []}}, True),
    ("issued.hasValue()", {"_issued": {"extension": []}}, False),
    ("issued.hasValue()", {"issued": "2020-01-01T10:00:00Z"}, True),
    ("issued.hasValue()", {}, False),
    ("$this.exists()", {}, True),
    ("exists()", {}, True),
    ("note.exists(text = 'a')", {"note": [{"text": "b"}, {"text": "a"}]}, True),
    ("note.exists(text = 'a')", {"note": [{"text": "b"}]}, False),
    ("note.exists(text = 'a')", {}, False),
    ("component.all(value.exists())", TWO, True),
    ("component.all(value.exists())", {"component": [{"valueString": "a"}, {}]}, False),
    ("component.all(value.exists())", {}, True),
    ("component.all(code.text = 'a')", {"component": [{}]}, False),  # all: what is not true is not met
    # 5.2 filtering
    ("component.where(valueString = 'a').exists()", TWO, True),
    ("component.where(valueString = 'b').exists()", TWO, False),
    ("component.where(value.exists()).code.exists()", TWO, False),
    ("component.where(value.exists()).code.exists()", {"component": [{"valueString": "a", "code": {}}]}, True),
    ("value.ofType(Quantity).exists()", {"valueQuantity": {"value": 1}}, True),
    ("value.ofType(Quantity).exists()", {"valueString": "a"}, False),
    ("value.ofType(Quantity).unit = 'mg'", {"valueQuantity": {"unit": "mg"}}, True),
    ("value.ofType(Quantity).unit = 'mg'", {"valueQuantity": {"unit": "g"}}, False),
    ("value.ofType(Quantity).unit = 'mg'", {"valueString": "mg"}, EMPTY),
    ("value.ofType(Attachment).exists()", {"valueString": "a"}, False),  # not a type this value may have
    # 5.3 subsetting and 5.4 combining
    ("(note | component).exists()", TWO, True),
    ("(note | component).exists()", {}, False),
    ("(note | component).empty()", {}, True),
    # 5.9 utility
    ("note.trace('notes').exists()", {"note": [{"text": "a"}]}, True),
    ("note.trace('notes').exists()", {}, False),
    # 6.1 equality
    ("code.text = 'abc'", TEXT, True),
    ("code.text = 'b'", TEXT, False),
    ("code.text = 'abc'", {}, EMPTY),
    ("code.text = 'abc'", {"code": {}}, EMPTY),
    ("code.text != 'abc'", TEXT, False),
    ("code.text != 'b'", TEXT, True),
    ("code.text != 'b'", {}, EMPTY),
    ("Observation.status = 'final'", {"status": "final"}, True),
    ("value.ofType(Quantity).system = %ucum", {"valueQuantity": {"system": "http://unitsofmeasure.org"}}, True),
    ("value.ofType(Quantity).system = %ucum", {"valueQuantity": {"system": "http://example.org"}}, False),
    ("value.ofType(Quantity).system = %ucum", {"valueQuantity": {}}, EMPTY),
    ("note.exists() = component.exists()", TWO, False),
    ("note.exists() = component.exists()", {}, True),
    ("note.exists() != component.exists()", TWO, True),
    ("value.ofType(boolean) = note.exists()", {}, EMPTY),
    # 6.2 comparison
    ("value.ofType(integer) <= 27", {"valueInteger": 27}, True),
    ("value.ofType(integer) <= 27", {"valueInteger": 28}, False),
    ("value.ofType(integer) <= 27", {}, EMPTY),
    ("value.ofType(integer) < 27", {"valueInteger": 27}, False),
    ("value.ofType(integer) >= 0", {"valueInteger": 0}, True),
    ("value.ofType(integer) > 0", {"valueInteger": 0}, False),
    ("value.ofType(integer) > 0", {"valueInteger": 1}, True),
    ("(value as integer) <= 27", {"valueInteger": 28}, False),
    ("(value as integer) <= 27", {"valueString": "28"}, EMPTY),
    # 5.6 strings
    ("code.text.contains('.')", TEXT, False),
    ("code.text.contains('b')", TEXT, True),
    ("code.text.contains('b')", {}, EMPTY),
    ("code.text.startsWith('ab')", TEXT, True),
    ("code.text.startsWith('bc')", TEXT, False),
    ("code.text.endsWith('bc')", TEXT, True),
    ("code.text.endsWith('ab')", TEXT, False),
    ("code.text.contains('a b/c-d #e')", {"code": {"text": "xa b/c-d #ex"}}, True),
    ("code.text.length() > 3", TEXT, False),
    ("code.text.length() > 2", TEXT, True),
    ("code.text.length() >= 3", TEXT, True),
    ("code.text.length() < 3", TEXT, False),
    ("code.text.length() <= 3", TEXT, True),
    ("code.text.length() <= 3", {}, EMPTY),
    ("issued.toString().length() > 10", {"issued": "2020-01-01T10:00:00Z"}, True),
    # 6.3 types
    ("value is Quantity", {"valueQuantity": {"value": 1}}, True),
    ("value is Quantity", {"valueString": "a"}, False),
    ("value is Quantity", {}, False),  # N1 says empty: see ras-2
    ("value is Boolean", {"valueBoolean": False}, True),
    ("value is Boolean", {"_valueBoolean": {"id": "a"}}, True),
    # 6.4 collections
    ("status in ('final' | 'amended')", {"status": "amended"}, True),
    ("status in ('final' | 'amended')", {"status": "draft"}, False),
    ("status in ('final' | 'amended')", {}, EMPTY),
    # count
    ("component.count() > 1", TWO, True),
    ("component.count() > 2", TWO, False),
    ("component.count() > 0", {}, False),
    ("component.count() >= 2", TWO, True),
    ("component.count() < 2", TWO, False),
    ("component.count() < 2", {}, True),
    ("component.count() <= 2", TWO, True),
    ("component.count() <= 1", TWO, False),
    ("(component.count() + note.count()) > 0", TWO, True),
    ("(component.count() + note.count()) > 0", {}, False),
    # precedence (6.8)
    ("note.exists() or component.exists() and status = 'final'", TWO, EMPTY),
    ("(note.exists() or component.exists()) and status = 'x'", {"note": [{}], "status": "final"}, False),
    ("note.exists() implies note.exists() and component.exists()", {}, True),
]


@pytest.mark.parametrize(("expression", "value", "expected"), CASES, ids=[f"{e} {v}" for e, v, _ in CASES])
def test_construct(expression: str, value: JsonObject, expected: bool | None) -> None:
    assert truth(expression, value) is expected


# FHIRPath N1, 6.5: left, right, and, or, xor, implies
LOGIC = [
    (True, True, True, True, False, True),
    (True, False, False, True, True, False),
    (True, EMPTY, EMPTY, True, EMPTY, EMPTY),
    (False, True, False, True, True, True),
    (False, False, False, False, False, True),
    (False, EMPTY, False, EMPTY, EMPTY, True),
    (EMPTY, True, EMPTY, True, EMPTY, True),
    (EMPTY, False, False, EMPTY, EMPTY, EMPTY),
    (EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY),
]


@pytest.mark.parametrize("row", LOGIC)
def test_logic_of_three_values(row: tuple[bool | None, ...]) -> None:
    left, right, *expected = row
    value: JsonObject = {}
    if left is not EMPTY:
        value["valueBoolean"] = left
    if right is not EMPTY:
        value["code"] = {"text": "x" if right else "y"}
    for operator, result in zip(("and", "or", "xor", "implies"), expected, strict=True):
        assert truth(f"valueBoolean {operator} code.text = 'x'", value) is result, operator


def test_types_are_looked_into_where_the_snapshot_stops() -> None:
    period = root("Encounter")
    assert truth("period.start.exists()", {"period": {"start": "2020"}}, period) is True
    assert truth("length.code = 'min'", {"length": {"code": "h"}}, period) is False


@pytest.mark.parametrize(
    "expression",
    [
        "subject.resolve().exists()",
        "note.text = 'a'",  # a collection compared with one value
        "note.text.startsWith('a')",
        "component.count() + 1 > 2",
        "note.first().exists()",
        "colour.exists()",
        "issued > @2020-01-01",
        "code.text.matches('a+')",
        "%resource.status.exists()",
        "note.exists(",
        "'a' = 'b'",
    ],
)
def test_what_a_schema_cannot_say_is_left(expression: str) -> None:
    assert existence_schema(expression, OBSERVATION, children) is None
