"""One element of a snapshot or differential: whether its types, profiles, bindings, limits and values go together.

R4, ElementDefinition, with the tables of what may be said where ("Interpretation in different contexts").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_keta.definitions.library import CORE
from fhir_keta.validation.invariants.definitions import may_be_bound
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.structures.types import (
    CANONICAL_RESOURCES,
    WITH_BYTES,
    WITH_CODES,
    WITH_LENGTH,
    WITH_ORDER,
    WITH_PLACES,
    WITH_TARGETS,
    Types,
    stated_code,
)

JsonObject = dict[str, Any]

Problem = tuple[str, str]
"""A rule and what to say."""

_VALUES = ("defaultValue", "fixed", "pattern")
# those of one type only (fixed[x], minValue[x]) are in the tables too, but R4's own definitions have them
_ROOT_OF_PROFILE = ("sliceName", "slicing", "requirements", "meaningWhenMissing", "example", "maxLength")
_ROOT_OF_TYPE = ("sliceName", "slicing", "requirements", "example")
_PART_OF_TYPE = ("sliceName",)
_LIMITS = {CORE + "minLength": WITH_LENGTH, CORE + "maxDecimalPlaces": WITH_PLACES, CORE + "maxSize": WITH_BYTES}


@dataclass(frozen=True, slots=True)
class View:
    """What an element stands in: a snapshot or differential of a type or profile of ``type``.

    ``types`` are the types that each path has once the differential is applied; a path that is not there may have any.
    """

    known: Types
    type: str
    is_snapshot: bool
    is_profile: bool
    is_logical: bool
    types: dict[str, set[str]]


def element_problems(element: JsonObject, view: View) -> Iterator[Problem]:
    """What is wrong with one element by itself."""
    path = text(element.get("path"))
    if view.is_logical and path != view.type and not path.startswith(f"{view.type}."):  # else sdf-8 says so
        yield "element-path", "the path does not begin with the type"
    on_extension = path == "Extension" or path.endswith(".extension")
    if not view.is_snapshot and view.is_profile and "meaningWhenMissing" in element and not on_extension:
        yield "element-place", "a profile does not say what it means that an element is missing"
    codes = {code for type_ in objects(element.get("type")) if (code := stated_code(type_))}
    is_root = "." not in path
    if is_root:
        codes.add(path)
    for type_ in objects(element.get("type")):
        yield from _type_problems(type_, path, view)
    if codes and (is_root or any(view.known.definition(code) for code in codes)):
        yield from _limit_problems(element, codes)
    yield from _binding_problems(element, codes, is_root, view)
    if view.is_snapshot:
        yield from _snapshot_problems(element, path, codes, view)


def _limit_problems(element: JsonObject, codes: set[str]) -> Iterator[Problem]:
    limited = [
        *([WITH_LENGTH] if _has(element, "maxLength") else []),
        *([WITH_ORDER] if _has(element, "minValue") or _has(element, "maxValue") else []),
        *(_LIMITS[url] for each in objects(element.get("extension")) if (url := text(each.get("url"))) in _LIMITS),
    ]
    if any(codes.isdisjoint(types) for types in limited):
        yield "element-limit", ""


def _binding_problems(element: JsonObject, codes: set[str], is_root: bool, view: View) -> Iterator[Problem]:
    binding = element.get("binding")
    if not isinstance(binding, dict):
        return
    is_known = is_root or any(view.known.definition(code) for code in codes)
    without = is_known and codes.isdisjoint(WITH_CODES)
    without = without or (view.is_snapshot and not any(map(view.known.has_codes, codes)))
    if without and may_be_bound([text(type_.get("code")) for type_ in objects(element.get("type"))]):  # else eld-11
        yield "element-binding", "the element has no codes"
    canonical = text(binding.get("valueSet"))
    bound = view.known.library.find(canonical) if canonical else None
    if bound is not None and bound["resourceType"] != "ValueSet":
        yield "element-binding", "it leads to something else than a value set"


def _type_problems(type_: JsonObject, path: str, view: View) -> Iterator[Problem]:
    code = text(type_.get("code"))
    stated = stated_code(type_)
    if not stated:
        yield "element-type-code", "a type has no code"
        return
    targets = [text(each) for each in type_.get("targetProfile", ()) if each]
    if targets and stated not in WITH_TARGETS and (view.known.definition(stated) or code not in WITH_TARGETS):
        yield "element-type-profile", "only a Reference or canonical has targets"
    expected = view.types.get(path)
    if expected and code not in expected:
        yield "element-type-profile", "the differential and its base give the element other types"
    for profile in type_.get("profile", ()):
        yield from _profile_problems(text(profile), code, path, view)
    for target in targets:
        yield from _target_problems(target, code, view)


def _profile_problems(profile: str, code: str, path: str, view: View) -> Iterator[Problem]:
    definition = view.known.definition(profile)
    if definition is None:
        return
    base = view.known.type_defined(profile)
    if base is None:
        yield "element-type-profile", "nobody knows of what type the profile is"
    elif not view.known.is_a(base["url"], code):
        yield "element-type-profile", "the profile is for another type"
    elif base.get("type") == "Extension":
        root = view.known.root(profile)
        is_modifier = root is not None and root.element.get("isModifier") is True
        if is_modifier is not path.endswith(".modifierExtension"):
            yield "element-type-profile", "a modifier extension stands in modifierExtension, any other in extension"


def _target_problems(target: str, code: str, view: View) -> Iterator[Problem]:
    definition = view.known.definition(target)
    if definition is None or code not in WITH_TARGETS:
        return
    base = view.known.type_defined(target)
    if base is None:
        yield "element-type-profile", "nobody knows of what type the target is"
    elif code == "Reference" and definition.get("kind") != "resource" and not (view.is_logical and _is_target(base)):
        yield "element-type-profile", "a reference leads to a resource"
    elif code == "canonical" and base.get("type") not in CANONICAL_RESOURCES:
        yield "element-type-profile", "a canonical leads to a resource that has one"


def _is_target(definition: JsonObject) -> bool:
    """Whether a logical model says that references may lead to it."""
    for extension in objects(definition.get("extension")):
        if extension.get("url") == f"{CORE}structuredefinition-type-characteristics":
            return extension.get("valueCode") == "can-be-target"
        if extension.get("url") == "http://hl7.org/fhir/tools/StructureDefinition/logical-target":
            return extension.get("valueBoolean") is True
    return False


def _has(element: JsonObject, name: str) -> bool:
    """Whether an element, also one of several types, is there."""
    return any(_named(key, name) for key in element)


def _named(key: str, name: str) -> bool:
    suffix = key.lstrip("_").removeprefix(name)
    return suffix != key.lstrip("_") and (not suffix or suffix[:1].isupper())


def _snapshot_problems(element: JsonObject, path: str, codes: set[str], view: View) -> Iterator[Problem]:
    is_root = "." not in path
    if "." in text(element.get("id")):
        if not codes and "contentReference" not in element:
            yield "element-type-code", "the element has neither type nor content reference"
        for key in element:
            for name in _VALUES:
                if _named(key, name) and not _is_of(key.lstrip("_").removeprefix(name), codes):
                    yield "element-value", "the value is of a type that the element has not"
    prohibited = _ROOT_OF_PROFILE if view.is_profile else _ROOT_OF_TYPE if is_root else _PART_OF_TYPE
    if (is_root or not view.is_profile) and any(_has(element, name) for name in prohibited):
        yield "element-place", "something is said of it that may not be said there"
    if not view.is_profile and not is_root and not (_has(element, "min") and _has(element, "max")):
        yield "element-place", "each element of a type has min and max"


def _is_of(suffix: str, codes: set[str]) -> bool:
    return suffix in codes or suffix[:1].lower() + suffix[1:] in codes
