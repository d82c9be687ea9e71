"""Which elements belong to a slice, as JSON Schema: the same discriminators as ``slicing``, for the published schemas.

A test holds the two to the same answer.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.constraints import pattern_schema
from fhir_keta.validation.elements import Element, choice_key, type_code
from fhir_keta.validation.slicing import CALL, child_at, element_at, part_of, path_segments

JsonObject = dict[str, Any]


def slice_schema(sliced: Element, slice_: Element, library: Library) -> JsonObject:
    """The schema of the elements of the sliced array that are of this slice.

    Raises DefinitionError for a discriminator that no schema can state, or that the slice does not answer.
    """
    discriminators = sliced.definition.get("slicing", {}).get("discriminator", ())
    stated = [_discriminated(discriminator, slice_, library) for discriminator in discriminators]
    if not stated:
        raise DefinitionError(f"{sliced.id} is sliced without a discriminator. Add one to the definition.")
    return stated[0] if len(stated) == 1 else {"allOf": stated}


def _discriminated(discriminator: dict[str, str], slice_: Element, library: Library) -> JsonObject:
    kind, path = discriminator["type"], path_segments(discriminator["path"])
    if kind in ("value", "pattern"):
        return _by_value(path, slice_, library)
    if kind == "exists":
        element = element_at(slice_, path)
        there = _somewhere(slice_, path, {})
        return there if element is None or element.max != 0 else {"not": there}
    if kind == "type":
        return _by_type(path, slice_, library)
    raise DefinitionError(f"{slice_.id}: slicing by {kind} cannot be said as a JSON Schema.")


def _by_value(path: list[str], slice_: Element, library: Library) -> JsonObject:
    profiles = slice_.types[0].get("profile", ()) if slice_.types else ()
    if path == ["url"] and profiles:
        return _has("url", {"const": profiles[0].partition("|")[0]})
    expected = _expected(slice_, path, library)
    if expected is None:
        raise DefinitionError(
            f"{slice_.id}: nothing fixed at the discriminator {'.'.join(path)}. Give it a fixed or pattern value there."
        )
    return _somewhere(slice_, path, expected)


def _expected(element: Element, path: list[str], library: Library) -> JsonObject | None:
    """What the element at ``path`` below ``element`` must be, from whichever level fixes it."""
    for prefix in ("fixed", "pattern"):
        fixed = element.value(prefix)
        if fixed is not None:
            value = part_of(fixed, path)
            if value is None:
                return None
            return {"const": value} if prefix == "fixed" else pattern_schema(value)
    if path:
        child = child_at(element, path[0])
        if child is None:
            return None
        stated = (child, *(inner for inner in child.slices.values() if inner.min >= 1))
        return next((rule for each in stated if (rule := _expected(each, path[1:], library))), None)
    binding = element.definition.get("binding", {})
    if binding.get("strength") == "required" and (codes := library.codes(binding.get("valueSet", ""))):
        if codes.any_case:
            raise DefinitionError(f"{element.id}: codes in any case cannot be said as a JSON Schema.")
        return _coded({system: sorted(known) for system, known in codes.systems.items()})
    below = {name: rule for name, child in element.children.items() if (rule := _expected(child, [], library))}
    return {"allOf": [_somewhere(element, [name], rule) for name, rule in below.items()]} if below else None


def _coded(systems: dict[str, list[str]]) -> JsonObject:
    """A code, a Coding or a CodeableConcept with one of these codes; without a system it may be any system's."""
    all_codes = sorted({code for codes in systems.values() for code in codes})
    coding: JsonObject = {
        "type": "object",
        "required": ["code"],
        "anyOf": [
            *(
                {"required": ["system"], "properties": {"system": {"const": system}, "code": {"enum": codes}}}
                for system, codes in systems.items()
            ),
            {"not": {"required": ["system"]}, "properties": {"code": {"enum": all_codes}}},
        ],
    }
    concept = _has("coding", {"type": "array", "contains": coding})
    return {"anyOf": [{"type": "string", "enum": all_codes}, concept, {**coding, "not": {"required": ["coding"]}}]}


def _by_type(path: list[str], slice_: Element, library: Library) -> JsonObject:
    element = element_at(slice_, [segment for segment in path if segment != "resolve()"]) or slice_
    codes = sorted({type_code(type_) for type_ in element.types})
    if path and path[-1] == "resolve()":
        targets = sorted(
            {
                structure["type"]
                for type_ in element.types
                for target in type_.get("targetProfile", ())
                if (structure := library.structure(target))
            }
        )
        return _somewhere(slice_, path[:-1], _refers_to(targets))
    if not path:
        return _is_resource(codes)
    *inner, last = path
    keys = [choice_key(last, code) for code in codes]
    choices = [{"type": "object", "required": [key]} for key in keys]
    return _somewhere(slice_, inner, {"anyOf": [*choices, _has(last, _is_resource(codes))]})


def _is_resource(types: list[str]) -> JsonObject:
    return _has("resourceType", {"enum": types})


def _refers_to(targets: list[str]) -> JsonObject:
    stated = _has("type", {"enum": targets})
    named = _has("reference", {"pattern": f"(?:^|/)(?:{'|'.join(map(re.escape, targets))})/[^/]*$"})
    unstated: JsonObject = {"not": {"required": ["type"], "properties": {"type": {"type": "string"}}}}
    return {"anyOf": [stated, {"allOf": [unstated, named]}]}


def _somewhere(element: Element | None, path: list[str], expected: JsonObject) -> JsonObject:
    """Some value at the path below ``element`` is as expected (arrays by any of their items)."""
    if not path:
        return expected
    first, rest = path[0], path[1:]
    child = child_at(element, first) if element else None
    call = CALL.match(first)
    if call and call["name"] == "extension":
        url = {"properties": {"url": {"const": call["argument"].strip("'\"")}}, "required": ["url"]}
        return _has("extension", {"type": "array", "contains": {"allOf": [url, _somewhere(child, rest, expected)]}})
    if call:
        return _somewhere(child, rest, expected)
    below = _somewhere(child, rest, expected)
    if child is not None and child.is_choice:
        return {"anyOf": [_has(choice_key(first, type_code(type_)), below) for type_ in child.types]}
    if child is not None:
        return _has(first, {"type": "array", "contains": below} if child.is_array else below)
    return _has(first, {"if": {"type": "array"}, "then": {"contains": below}, "else": below})


def _has(key: str, schema: JsonObject) -> JsonObject:
    return {"type": "object", "required": [key], "properties": {key: schema}}
