"""The index beside sliced arrays, and what a pattern contains."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fhir_keta.validation.index import (
    BY_SLICE,
    REST,
    SEVERAL,
    IndexPlan,
    Matcher,
    Slice,
    Trace,
    contains_pattern,
    indexed,
)


def slice_(name: str, matches: Matcher, inside: IndexPlan | None = None) -> Slice:
    return Slice(name, matches, inside, dict)


def is_(letter: str) -> Slice:
    return slice_(letter, lambda value: isinstance(value, str) and value.startswith(letter))


def test_elements_by_slice_beside_their_array() -> None:
    plan = IndexPlan(children={"parts": IndexPlan(slices=[is_("a"), is_("b")])})
    value = {"parts": ["b1", "x", "a1", "b2"], "other": ["a"]}
    found = indexed(value, plan)
    assert found == {**value, f"parts{BY_SLICE}": {"b": ["b1", "b2"], REST: ["x"], "a": ["a1"]}}
    assert found["other"] is value["other"]
    assert found["parts"] is value["parts"]


def test_an_element_of_several_slices_is_of_the_first_and_noted() -> None:
    plan = IndexPlan(children={"parts": IndexPlan(slices=[slice_("all", lambda _: True), is_("a")])})
    trace: Trace = {}
    found = indexed({"parts": ["b", "a"]}, plan, trace)[f"parts{BY_SLICE}"]
    assert found == {"all": ["b", "a"], SEVERAL: ["a"]}
    assert trace[id(found)] == {"all": [0, 1], SEVERAL: [1]}


def test_nothing_is_changed_and_nothing_copied_without_need() -> None:
    plan = IndexPlan(children={"parts": IndexPlan(slices=[is_("a")])})
    value = {"parts": ["a1"], "other": {"parts": ["a"]}}
    before = copy.deepcopy(value)
    indexed(value, plan)
    assert value == before
    without = {"other": 1}
    assert indexed(without, plan) is without


def test_slices_inside_slices_and_inside_the_rest() -> None:
    inner = IndexPlan(children={"marks": IndexPlan(slices=[is_("m")])})
    outer = slice_("a", lambda value: "a" in value, inner)
    rest = IndexPlan(children={"marks": IndexPlan(slices=[is_("r")])})
    plan = IndexPlan(children={"parts": IndexPlan(slices=[outer], rest=rest)})
    trace: Trace = {}
    found = indexed({"parts": [{"marks": ["r1"]}, {"a": 1, "marks": ["x", "m1"]}]}, plan, trace)
    by_slice = found[f"parts{BY_SLICE}"]
    assert by_slice["a"][0][f"marks{BY_SLICE}"] == {REST: ["x"], "m": ["m1"]}
    assert by_slice[REST][0][f"marks{BY_SLICE}"] == {"r": ["r1"]}
    assert trace[id(by_slice)] == {"a": [1], REST: [0]}
    assert trace[id(by_slice["a"][0][f"marks{BY_SLICE}"])] == {REST: [0], "m": [1]}


@pytest.mark.parametrize("value", [None, "a", 1, {}, {"a": 1}])
def test_what_is_no_array_is_left_to_the_schema(value: Any) -> None:
    plan = IndexPlan(children={"parts": IndexPlan(slices=[is_("a")])})
    assert indexed({"parts": value}, plan) == {"parts": value}


def test_a_plan_below_an_unsliced_array() -> None:
    plan = IndexPlan(children={"parts": IndexPlan(children={"marks": IndexPlan(slices=[is_("m")])})})
    found = indexed({"parts": [{"marks": ["m"]}, 1, {}]}, plan)
    assert found["parts"] == [{"marks": ["m"], f"marks{BY_SLICE}": {"m": ["m"]}}, 1, {}]


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (1, True, False),  # JSON's true is no 1
        (1.0, 1, False),
        (None, "a", False),
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"b": 2}, {"a": 1}, False),
        ([], {"a": 1}, False),
        ([{"a": 2}, {"a": 1, "b": 1}], [{"a": 1}], True),
        ([{"a": 2}], [{"a": 1}], False),
        ([{"a": 1}], [{"a": 1}, {"a": 2}], False),
        ({"a": 1}, [{"a": 1}], False),
    ],
)
def test_what_contains_a_pattern(value: Any, pattern: Any, expected: bool) -> None:
    assert contains_pattern(value, pattern) is expected
