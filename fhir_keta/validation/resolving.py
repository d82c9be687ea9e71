"""Slices told apart by what a reference leads to, or by the profile that it or the element meets (R4, Discriminator).

Only what is inside the record can be looked at: of a reference that leads outside, the type in its URL decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.validation.conditions import element_at, matching_below, path_segments, type_named, values_at
from fhir_keta.validation.elements import Element, element_tree, type_code
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.slicing import discriminated, expected_at

JsonObject = dict[str, Any]
Resolver = Callable[[Any, Scope | None], bool]

_RESOLVE = "resolve()"


def slice_resolver(sliced: Element, slice_: Element, library: Library) -> Resolver | None:
    """A predicate over elements and their scope; None where the element alone decides (``slicing.slice_condition``).

    Raises DefinitionError for a discriminator that the slice does not answer.
    """
    discriminators = sliced.definition.get("slicing", {}).get("discriminator", ())
    if not any(_needs_scope(each) for each in discriminators):
        return None
    resolvers = [_resolver(each, slice_, library) for each in discriminators]
    return lambda value, scope: all(holds(value, scope) for holds in resolvers)


def _needs_scope(discriminator: dict[str, str]) -> bool:
    return discriminator["type"] == "profile" or _RESOLVE in discriminator["path"]


def _resolver(discriminator: dict[str, str], slice_: Element, library: Library) -> Resolver:
    if not _needs_scope(discriminator):
        matches = discriminated(discriminator, slice_, library).matches
        return lambda value, _scope: matches(value)
    path = path_segments(discriminator["path"])
    if _RESOLVE not in path:
        canonicals, _ = _named(element_at(slice_, path) or slice_, "profile", library)
        return lambda value, scope: any(_meets(found, canonicals, scope) for found in values_at(value, path))
    at = path.index(_RESOLVE)
    before, after = path[:at], path[at + 1 :]
    canonicals, types = _named(element_at(slice_, before) or slice_, "targetProfile", library)
    matches_target = _target(discriminator["type"], canonicals, types, after, library)

    def holds(value: Any, scope: Scope | None) -> bool:
        for reference in values_at(value, before):
            target = scope.find(str(reference.get("reference"))) if scope and isinstance(reference, dict) else None
            if matches_target(target, scope) if target is not None else type_named(reference) in types:
                return True
        return False

    return holds


def _target(
    kind: str, canonicals: list[str], types: set[str], after: list[str], library: Library
) -> Callable[[JsonObject, Scope | None], bool]:
    """Whether what a reference leads to is of the slice."""
    if kind == "profile":
        return lambda target, scope: _meets(target, canonicals, scope)
    if kind in ("value", "pattern") and after:
        for canonical in canonicals:
            structure = library.structure(canonical)
            expected = expected_at(element_tree(structure), after, library) if structure else None
            if expected is not None:
                matches = matching_below(after, expected.matches)
                return lambda target, _scope: matches(target)
    return lambda target, _scope: target.get("resourceType") in types


def _named(element: Element, key: str, library: Library) -> tuple[list[str], set[str]]:
    """The canonicals that the element's types name, and the types that those are of."""
    canonicals = [name for type_ in element.types for name in type_.get(key) or _own(type_, key)]
    structures = [library.structure(canonical) for canonical in canonicals]
    return canonicals, {structure["type"] for structure in structures if structure}


def _own(type_: JsonObject, key: str) -> list[str]:
    return [type_code(type_)] if key == "profile" else []


def _meets(found: Any, canonicals: list[str], scope: Scope | None) -> bool:
    return isinstance(found, dict) and scope is not None and any(scope.meets(found, each) for each in canonicals)
