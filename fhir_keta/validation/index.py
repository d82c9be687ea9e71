"""The index: beside each sliced array its elements by slice, so that a schema can say what each must be.

Slice minimum and maximum, order and unmatched elements are the schema's; which element belongs to which slice is
decided here (R4, Profiling, Slicing).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

# added to the name of a sliced array: its elements in an object, by slice; those of none under REST
BY_SLICE = "@slices"
REST = "@rest"

Matcher = Callable[[Any], bool]
# id() of an indexed object -> its original keys; slice name -> original positions
Trace = dict[int, dict[str, list[int]]]


@dataclass(slots=True)
class Slice:
    """One slice: which elements are its, and what is sliced inside them; ``schema`` says which as JSON Schema."""

    name: str
    matches: Matcher
    inside: IndexPlan | None
    schema: Callable[[], JsonObject]


@dataclass(slots=True)
class IndexPlan:
    """Which arrays below an object are sliced; empty where none is."""

    children: dict[str, IndexPlan] = field(default_factory=dict)
    slices: list[Slice] = field(default_factory=list)
    rest: IndexPlan | None = None

    def __bool__(self) -> bool:
        return bool(self.children or self.slices)


def indexed(value: Any, plan: IndexPlan, trace: Trace | None = None) -> Any:
    """A copy of ``value`` with, beside each sliced array, its elements by slice; the rest is shared, nothing changed.

    With ``trace``, the original positions of what moved are noted for the way back.
    """
    if isinstance(value, list):
        return [indexed(item, plan, trace) for item in value]
    if not isinstance(value, dict):
        return value
    found = [name for name in plan.children if name in value]
    if not found:
        return value
    copy = dict(value)
    for name in found:
        below = plan.children[name]
        if not below.slices:
            copy[name] = indexed(value[name], below, trace)
        elif isinstance(value[name], list):
            copy[f"{name}{BY_SLICE}"] = _by_slice(value[name], below, trace)
    return copy


def _by_slice(items: list[Any], plan: IndexPlan, trace: Trace | None) -> JsonObject:
    slices: JsonObject = {}
    positions: dict[str, list[int]] = {}
    for position, item in enumerate(items):
        name, inside = REST, plan.rest
        for slice_ in plan.slices:
            if slice_.matches(item):
                name, inside = slice_.name, slice_.inside
                break
        slices.setdefault(name, []).append(indexed(item, inside, trace) if inside else item)
        positions.setdefault(name, []).append(position)
    if trace is not None:
        trace[id(slices)] = positions
    return slices


def contains_pattern(value: Any, pattern: Any) -> bool:
    """Whether ``value`` has all that ``pattern`` has (R4, ElementDefinition.pattern[x]): arrays by inclusion."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(contains_pattern(value.get(key), part) for key, part in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(contains_pattern(item, part) for item in value) for part in pattern)
    return type(value) is type(pattern) and value == pattern
