"""Which elements belong to a slice: discriminators turned into conditions (R4, Profiling, Discriminator)."""

from __future__ import annotations

from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.conditions import (
    ANYTHING,
    Condition,
    child_at,
    coded,
    containing,
    element_at,
    equal,
    every,
    having,
    lacking,
    path_segments,
    referring_to,
    resource_of,
    somewhere,
)
from fhir_keta.validation.elements import Element, type_code


def slice_condition(sliced: Element, slice_: Element, library: Library) -> Condition:
    """What the elements of the sliced array that are of this slice have and others lack.

    Raises DefinitionError for a discriminator that is not supported or that the slice does not answer.
    """
    discriminators = sliced.definition.get("slicing", {}).get("discriminator", ())
    conditions = [discriminated(discriminator, slice_, library) for discriminator in discriminators]
    if not conditions:
        raise DefinitionError(f"{sliced.id} is sliced without a discriminator. Add one to the definition.")
    return every(conditions)


def discriminated(discriminator: dict[str, str], slice_: Element, library: Library) -> Condition:
    """The condition of one discriminator."""
    kind, path = discriminator["type"], path_segments(discriminator["path"])
    if kind in ("value", "pattern"):
        return _by_value(path, slice_, library)
    if kind == "exists":
        return _by_existence(path, slice_)
    if kind == "type":
        return _by_type(path, slice_, library)
    raise DefinitionError(f"{slice_.id}: slicing by {kind} needs the record around the element, which is not at hand.")


def _by_value(path: list[str], slice_: Element, library: Library) -> Condition:
    profiles = slice_.types[0].get("profile", ()) if slice_.types else ()
    if path == ["url"] and profiles:
        return somewhere(slice_, path, equal(profiles[0].partition("|")[0]))
    expected = expected_at(slice_, path, library)
    if expected is None:
        raise DefinitionError(
            f"{slice_.id}: nothing fixed at the discriminator {'.'.join(path)}. Give it a fixed or pattern value there."
        )
    return somewhere(slice_, path, expected)


def _by_existence(path: list[str], slice_: Element) -> Condition:
    element = element_at(slice_, path)
    there = somewhere(slice_, path, ANYTHING)
    if element is not None and element.max == 0:
        return lacking(there)
    if element is not None and element.min >= 1:
        return there
    raise DefinitionError(
        f"{slice_.id}: slicing by existence, but {'.'.join(path)} may be there or not. Give it min 1 or max 0."
    )


def expected_at(element: Element, path: list[str], library: Library) -> Condition | None:
    """What the element at ``path`` below ``element`` must be, from whichever level states it."""
    for prefix in ("fixed", "pattern"):
        fixed = element.values.get(prefix)
        if fixed is not None:
            value = _part_of(fixed, path)
            if value is None:
                return None
            return equal(value) if prefix == "fixed" else containing(value)
    if path:
        child = child_at(element, path[0])
        if child is None:
            return None
        # what a required inner slice fixes is there as well (R4's blood pressure: component.code.coding:SBPCode)
        stated = (child, *(inner for inner in child.slices.values() if inner.min >= 1))
        return next((rule for each in stated if (rule := expected_at(each, path[1:], library))), None)
    binding = element.definition.get("binding", {})
    if binding.get("strength") == "required" and (codes := library.codes(binding.get("valueSet", ""))):
        return coded(codes, element.id)
    below = {name: rule for name, child in element.children.items() if (rule := expected_at(child, [], library))}
    return every([somewhere(element, [name], rule) for name, rule in below.items()]) if below else None


def _part_of(fixed: Any, path: list[str]) -> Any:
    for segment in path:
        if isinstance(fixed, list):
            fixed = fixed[0] if fixed else None
        fixed = fixed.get(segment) if isinstance(fixed, dict) else None
    return fixed


def _by_type(path: list[str], slice_: Element, library: Library) -> Condition:
    element = element_at(slice_, [segment for segment in path if segment != "resolve()"]) or slice_
    if path and path[-1] == "resolve()":
        targets = {
            structure["type"]
            for type_ in element.types
            for target in type_.get("targetProfile", ())
            if (structure := library.structure(target))
        }
        return somewhere(slice_, path[:-1], referring_to(targets))
    types = {type_code(type_) for type_ in element.types}
    if not path:
        return resource_of(types)
    return somewhere(slice_, path[:-1], having(path[-1], types))
