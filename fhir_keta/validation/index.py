"""The index: sliced arrays turned into objects keyed by slice, so that a schema can say what each slice must be.

Slice minimum and maximum, order and unmatched elements are the schema's; which element belongs to which slice is
decided here (R4, Profiling, Slicing).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

REST = "@rest"
COUNT = "@count"

Matcher = Callable[[Any], bool]
# id() of an indexed object -> its original keys; slice name -> original positions
Trace = dict[int, dict[str, list[int]]]


@dataclass(slots=True)
class Slice:
    """One slice: which elements are its, and what is sliced inside them."""

    name: str
    matches: Matcher
    inside: IndexPlan | None


@dataclass(slots=True)
class IndexPlan:
    """Which arrays below an object are sliced; empty where none is."""

    children: dict[str, IndexPlan] = field(default_factory=dict)
    slices: list[Slice] = field(default_factory=list)
    rest: IndexPlan | None = None

    def __bool__(self) -> bool:
        return bool(self.children or self.slices)


def indexed(value: Any, plan: IndexPlan, trace: Trace | None = None) -> Any:
    """A copy of ``value`` with its sliced arrays as objects; what is not sliced is shared, nothing is changed.

    With ``trace``, the original positions of what moved are noted for the way back.
    """
    if isinstance(value, list):
        if plan.slices:
            return _sliced(value, plan, trace)
        return [indexed(item, plan, trace) for item in value]
    if not isinstance(value, dict):
        return value
    found = [name for name in plan.children if name in value]
    if not found:
        return value
    copy = dict(value)
    for name in found:
        copy[name] = indexed(value[name], plan.children[name], trace)
    return copy


def _sliced(items: list[Any], plan: IndexPlan, trace: Trace | None) -> JsonObject:
    buckets: JsonObject = {COUNT: len(items)}
    positions: dict[str, list[int]] = {}
    for position, item in enumerate(items):
        name, inside = REST, plan.rest
        for slice_ in plan.slices:
            if slice_.matches(item):
                name, inside = slice_.name, slice_.inside
                break
        buckets.setdefault(name, []).append(indexed(item, inside, trace) if inside else item)
        positions.setdefault(name, []).append(position)
    if trace is not None:
        trace[id(buckets)] = positions
    return buckets


def contains_pattern(value: Any, pattern: Any) -> bool:
    """Whether ``value`` has all that ``pattern`` has (R4, ElementDefinition.pattern[x]): arrays by inclusion."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(contains_pattern(value.get(key), part) for key, part in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(contains_pattern(item, part) for item in value) for part in pattern)
    return type(value) is type(pattern) and value == pattern
