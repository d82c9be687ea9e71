"""The index: beside each sliced array its elements by slice, so that a schema can say what each must be.

Slice minimum and maximum, order and unmatched elements are the schema's; which element belongs to which slice is
decided here (R4, Profiling, Slicing).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.validation.scope import Scope

JsonObject = dict[str, Any]

# added to the name of a sliced array: its elements in an object, by slice; those of none under REST
BY_SLICE = "@slices"
REST = "@rest"
# those that stand where the slicing's order does not want them
MISPLACED = "@misplaced"
# those that are of more than one slice
SEVERAL = "@several"

Matcher = Callable[[Any], bool]
# id() of an indexed object -> its original keys; slice name -> original positions
Trace = dict[int, dict[str, list[int]]]


@dataclass(slots=True)
class Slice:
    """One slice: which elements are its, and what is sliced inside them; ``schema`` says which as JSON Schema.

    ``resolved`` stands in for ``matches`` where what a reference leads to decides, or the profile that it meets.
    """

    name: str
    matches: Matcher
    inside: IndexPlan | None
    schema: Callable[[], JsonObject]
    resolved: Callable[[Any, Scope | None], bool] | None = None

    def holds(self, item: Any, scope: Scope | None) -> bool:
        """Whether the element is of this slice."""
        return self.resolved(item, scope) if self.resolved else self.matches(item)


@dataclass(slots=True)
class IndexPlan:
    """Which arrays below an object are sliced; empty where none is.

    ``reslices`` are the slices of slices, by the outer one's name; ``ordered``: the slices stand in their order,
    ``at_end``: what is in none stands behind them.
    """

    children: dict[str, IndexPlan] = field(default_factory=dict)
    slices: list[Slice] = field(default_factory=list)
    rest: IndexPlan | None = None
    reslices: dict[str, list[Slice]] = field(default_factory=dict)
    ordered: bool = False
    at_end: bool = False

    def __bool__(self) -> bool:
        return bool(self.children or self.slices)


def indexed(value: Any, plan: IndexPlan, trace: Trace | None = None, scope: Scope | None = None) -> Any:
    """A copy of ``value`` with, beside each sliced array, its elements by slice; the rest is shared, nothing changed.

    With ``trace``, the original positions of what moved are noted for the way back.
    """
    if isinstance(value, list):
        return [indexed(item, plan, trace, scope) for item in value]
    if not isinstance(value, dict):
        return value
    found = [name for name in plan.children if name in value]
    if not found:
        return value
    copy = dict(value)
    for name in found:
        below = plan.children[name]
        if not below.slices:
            copy[name] = indexed(value[name], below, trace, scope)
        elif isinstance(value[name], list):
            copy[f"{name}{BY_SLICE}"] = _by_slice(value[name], below, trace, scope)
    return copy


def _by_slice(items: list[Any], plan: IndexPlan, trace: Trace | None, scope: Scope | None) -> JsonObject:
    slices: JsonObject = {}
    positions: dict[str, list[int]] = {}

    def add(name: str, item: Any, position: int) -> None:
        slices.setdefault(name, []).append(item)
        positions.setdefault(name, []).append(position)

    reached = 0
    for position, item in enumerate(items):
        name, inside, number = REST, plan.rest, len(plan.slices) if plan.at_end else reached
        matched = [count for count, slice_ in enumerate(plan.slices) if slice_.holds(item, scope)]
        if matched:
            number = matched[0]
            name, inside = plan.slices[number].name, plan.slices[number].inside
        add(name, indexed(item, inside, trace, scope) if inside else item, position)
        if number < reached and (plan.ordered or reached == len(plan.slices)):
            add(MISPLACED, item, position)
        reached = max(reached, number)
        inner = [each for each in plan.reslices.get(name, ()) if each.holds(item, scope)]
        if inner:
            below = inner[0].inside
            add(inner[0].name, indexed(item, below, trace, scope) if below else item, position)
        if len(matched) > 1 or len(inner) > 1:
            add(SEVERAL, item, position)
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
