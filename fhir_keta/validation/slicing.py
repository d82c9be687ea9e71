"""Which elements belong to a slice: discriminators turned into predicates (R4, Profiling, Discriminator)."""

from __future__ import annotations

import operator
import re
from functools import partial
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.elements import Element, type_code
from fhir_keta.validation.index import Matcher, contains_pattern

CALL = re.compile(r"(?P<name>\w+)\((?P<argument>[^)]*)\)$")


def slice_matcher(sliced: Element, slice_: Element, library: Library) -> Matcher:
    """A predicate over the elements of the sliced array: true for those of this slice.

    Raises DefinitionError for a discriminator that is not supported or that the slice does not answer.
    """
    discriminators = sliced.definition.get("slicing", {}).get("discriminator", ())
    matchers = [discriminated(discriminator, slice_, library) for discriminator in discriminators]
    if not matchers:
        raise DefinitionError(f"{sliced.id} is sliced without a discriminator. Add one to the definition.")
    if len(matchers) == 1:
        return matchers[0]
    return lambda value: all(matches(value) for matches in matchers)


def discriminated(discriminator: dict[str, str], slice_: Element, library: Library) -> Matcher:
    """The predicate of one discriminator."""
    kind, path = discriminator["type"], path_segments(discriminator["path"])
    if kind in ("value", "pattern"):
        return _by_value(path, slice_, library)
    if kind == "exists":
        element = element_at(slice_, path)
        wanted = element is None or element.max != 0
        return lambda value: bool(values_at(value, path)) is wanted
    if kind == "type":
        return _by_type(path, slice_, library)
    raise DefinitionError(
        f"{slice_.id}: slicing by {kind} is not supported. Slice by value, pattern, exists, type or profile."
    )


def _by_value(path: list[str], slice_: Element, library: Library) -> Matcher:
    profiles = slice_.types[0].get("profile", ()) if slice_.types else ()
    if path == ["url"] and profiles:
        url = profiles[0].partition("|")[0]
        return lambda value: isinstance(value, dict) and value.get("url") == url
    expected = expected_at(slice_, path, library)
    if expected is None:
        raise DefinitionError(
            f"{slice_.id}: nothing fixed at the discriminator {'.'.join(path)}. Give it a fixed or pattern value there."
        )
    return lambda value: any(expected(found) for found in values_at(value, path))


def expected_at(element: Element, path: list[str], library: Library) -> Matcher | None:
    """The predicate that the element at ``path`` below ``element`` states, from whichever level fixes it."""
    for prefix in ("fixed", "pattern"):
        fixed = element.value(prefix)
        if fixed is not None:
            value = part_of(fixed, path)
            if value is None:
                return None
            return partial(operator.eq, value) if prefix == "fixed" else _pattern_matcher(value)
    if path:
        child = child_at(element, path[0])
        if child is None:
            return None
        # what a required inner slice fixes is there as well (R4's blood pressure: component.code.coding:SBPCode)
        stated = (child, *(inner for inner in child.slices.values() if inner.min >= 1))
        return next((rule for each in stated if (rule := expected_at(each, path[1:], library))), None)
    binding = element.definition.get("binding", {})
    if binding.get("strength") == "required" and (codes := library.codes(binding.get("valueSet", ""))):
        return lambda found: any(codes.contains(system, code) for system, code in _codings(found))
    below = [(name, rule) for name, child in element.children.items() if (rule := expected_at(child, [], library))]
    if not below:
        return None
    return lambda found: all(any(rule(part) for part in values_at(found, [name])) for name, rule in below)


def part_of(fixed: Any, path: list[str]) -> Any:
    for segment in path:
        if isinstance(fixed, list):
            fixed = fixed[0] if fixed else None
        fixed = fixed.get(segment) if isinstance(fixed, dict) else None
    return fixed


def _pattern_matcher(pattern: Any) -> Matcher:
    match pattern:
        case {"coding": [{"system": system, "code": code}], **rest} if not rest and len(pattern["coding"][0]) == 2:
            return lambda found: _has_coding(found, system, code)
    return lambda found: contains_pattern(found, pattern)


def _has_coding(found: Any, system: str, code: str) -> bool:
    """The usual pattern, a CodeableConcept with one coding, without the general recursion."""
    codings = found.get("coding") if isinstance(found, dict) else None
    return isinstance(codings, list) and any(
        isinstance(coding, dict) and coding.get("code") == code and coding.get("system") == system for coding in codings
    )


def _by_type(path: list[str], slice_: Element, library: Library) -> Matcher:
    element = element_at(slice_, [segment for segment in path if segment != "resolve()"]) or slice_
    codes = {type_code(type_) for type_ in element.types}
    if path and path[-1] == "resolve()":
        targets = {
            structure["type"]
            for type_ in element.types
            for target in type_.get("targetProfile", ())
            if (structure := library.structure(target))
        }
        inner = path[:-1]
        return lambda value: any(type_named(found) in targets for found in values_at(value, inner))
    if not path:
        return lambda value: isinstance(value, dict) and value.get("resourceType") in codes
    *inner, last = path
    keys = {last + code[:1].upper() + code[1:] for code in codes}
    return lambda value: any(
        isinstance(parent, dict) and (keys & parent.keys() or _resource_type(parent.get(last)) in codes)
        for parent in values_at(value, inner)
    )


def _resource_type(value: Any) -> str | None:
    return value.get("resourceType") if isinstance(value, dict) else None


def type_named(value: Any) -> str | None:
    """The resource type that a reference names, by itself or in its URL."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("type"), str):
        return str(value["type"])
    parts = str(value.get("reference", "")).split("/")
    return parts[-2] if len(parts) >= 2 else None


def path_segments(path: str) -> list[str]:
    """A discriminator path as steps; ``$this`` is the element itself, ``ofType`` and ``extension`` stay calls."""
    steps = re.split(r"\.(?![^(]*\))", path)
    return [step for step in steps if step != "$this"]


def child_at(element: Element, segment: str) -> Element | None:
    call = CALL.match(segment)
    if call and call["name"] == "extension":
        url = call["argument"].strip("'\"")
        for slice_ in element.children["extension"].slices.values() if "extension" in element.children else ():
            if any(profile.partition("|")[0] == url for type_ in slice_.types for profile in type_.get("profile", ())):
                return slice_
        return None
    if call and call["name"] == "ofType":
        return element
    return element.children.get(segment) or element.children.get(f"{segment}[x]")


def element_at(element: Element, path: list[str]) -> Element | None:
    for segment in path:
        child = child_at(element, segment)
        if child is None:
            return None
        element = child
    return element


def values_at(value: Any, path: list[str]) -> list[Any]:
    """All values at the path, arrays flattened."""
    found = [value]
    for segment in path:
        found = [part for parent in found for part in _step(parent, segment)]
    return found


def _step(parent: Any, segment: str) -> list[Any]:
    if not isinstance(parent, dict):
        return []
    call = CALL.match(segment)
    if call and call["name"] == "extension":
        url = call["argument"].strip("'\"")
        items = parent.get("extension", [])
        return (
            [item for item in items if isinstance(item, dict) and item.get("url") == url]
            if isinstance(items, list)
            else []
        )
    if call:
        return [parent]
    if segment in parent:
        value = parent[segment]
    else:
        value = next((parent[key] for key in parent if key.startswith(segment) and key[len(segment)].isupper()), None)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _codings(value: Any) -> list[tuple[str | None, str]]:
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, dict):
        return []
    codings = value.get("coding", [value])
    return [
        (coding.get("system"), coding["code"]) for coding in codings if isinstance(coding, dict) and "code" in coding
    ]
