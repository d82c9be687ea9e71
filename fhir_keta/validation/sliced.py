"""Sliced arrays: the array counts, its elements are checked in the index, each as its slice says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.validation.compiled import Check, carries_more
from fhir_keta.validation.constraints import slice_minimum
from fhir_keta.validation.elements import Element
from fhir_keta.validation.index import BY_SLICE, MISPLACED, REST, SEVERAL, IndexPlan, Slice
from fhir_keta.validation.parts import ObjectInTheMaking, Value, array_of
from fhir_keta.validation.primitives import PRIMITIVE_TYPES
from fhir_keta.validation.resolving import slice_resolver
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.slicing import slice_condition

JsonObject = dict[str, Any]

# what an element with this type compiles to, without its array
ValueOf = Callable[[Element, str], Value]
# the checks of its values
ChecksOf = Callable[[Element, str], list[Check]]


def add_sliced(
    child: Element,
    code: str,
    value: Value,
    built: ObjectInTheMaking,
    library: Library,
    value_of: ValueOf,
    checks_of: ChecksOf,
) -> None:
    """Add a sliced array of values of this type to the object in the making."""
    stated = child.definition.get("slicing", {})
    ordered, rules = stated.get("ordered", False), stated.get("rules")
    index = IndexPlan(rest=value.slicing, ordered=ordered, at_end=rules == "openAtEnd")
    unmatched = {"$comment": "slice-unmatched", "description": child.name, "not": {}}
    rest = {"if": {"type": "null"}, "else": value.schema} if code in PRIMITIVE_TYPES else value.schema
    slices: JsonObject = {REST: {"items": unmatched if rules == "closed" else rest}}
    slices[MISPLACED] = {"items": {"$comment": "slice-order", "description": child.name, "not": {}}}
    slices[SEVERAL] = {"items": {"$comment": "slice-several", "description": child.name, "not": {}}}
    made: dict[str, Slice] = {}
    for name, slice_ in child.slices.items():
        outer = child.slices.get(name.rpartition("/")[0])
        sliced = outer if outer is not None and "slicing" in outer.definition else child
        made[name] = _slice(sliced, slice_, value, slices, built, library, value_of(slice_, code))
        if outer is None:
            index.slices.append(made[name])
        else:
            index.reslices.setdefault(name.rpartition("/")[0], []).append(made[name])
        around = [made[name], *(found for found in [made.get(name.rpartition("/")[0])] if found)]
        _add_checks(child.name, around, checks_of(slice_, code), built)
    built.add(child.name, array_of(child, "", value._replace(schema={}, slicing=None)))
    built.properties[f"{child.name}{BY_SLICE}"] = {"properties": slices}
    built.index.children[child.name] = index


def _slice(
    sliced: Element,
    part: Element,
    value: Value,
    slices: JsonObject,
    built: ObjectInTheMaking,
    library: Library,
    compiled: Value,
) -> Slice:
    """One slice: its schema goes into ``slices``, its minimum and functions to the object."""
    name = str(part.definition["sliceName"])
    resolved = slice_resolver(sliced, part, library)
    condition = partial(slice_condition, sliced, part, library)
    matches = partial(_unresolved, resolved) if resolved else condition().matches
    made = Slice(name, matches, compiled.slicing, lambda: condition().schema(), resolved)
    slices[name] = {"items": compiled.schema}
    if part.max is not None:
        words = f"{name}|{part.max}"
        slices[name]["allOf"] = [{"$comment": "slice-max", "description": words, "maxItems": part.max}]
    if part.min >= 1:
        built.demands.append(slice_minimum(sliced.name, name, part.min))
    if compiled.functions is not None and carries_more(compiled.functions, value.functions):
        known = built.functions.slices.setdefault(sliced.name, [])
        known.insert(0, (made, compiled.functions))
    return made


def _add_checks(name: str, slices: list[Slice], checks: list[Check], built: ObjectInTheMaking) -> None:
    """Those checks that a slice asks for beyond the whole array's, of the elements that are of all these slices."""
    known = built.functions.checks.setdefault(name, [])
    stated = [(check.rule, check.names) for check in known]
    known += [
        replace(check, holds=partial(_holds_in, slices, check.holds))
        for check in checks
        if (check.rule, check.names) not in stated
    ]
    if not known:
        del built.functions.checks[name]


def _holds_in(slices: list[Slice], holds: Callable[[Any, Scope], bool | None], value: Any, scope: Scope) -> bool | None:
    return holds(value, scope) if all(slice_.holds(value, scope) for slice_ in slices) else True


def _unresolved(resolved: Callable[[Any, Scope | None], bool], item: Any) -> bool:
    return resolved(item, None)
