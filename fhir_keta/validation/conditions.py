"""What an element of a slice must be like: each condition as a predicate and as JSON Schema, built side by side.

The index asks the predicate, the published schemas carry the other; a test holds the two to the same answer.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from fhir_keta.definitions.library import Codes
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.constraints import pattern_schema
from fhir_keta.validation.elements import Element, choice_key, type_code
from fhir_keta.validation.index import Matcher, contains_pattern

JsonObject = dict[str, Any]

_CALL = re.compile(r"(?P<name>\w+)\((?P<argument>[^)]*)\)$")


class Condition(NamedTuple):
    """``matches`` tells whether a value is as asked, ``schema`` says the same, or raises DefinitionError."""

    matches: Matcher
    schema: Callable[[], JsonObject]


ANYTHING = Condition(lambda _value: True, dict)


def equal(expected: Any) -> Condition:
    """Exactly this value."""
    return Condition(partial(operator.eq, expected), lambda: {"const": expected})


def containing(pattern: Any) -> Condition:
    """All of this pattern (R4, ElementDefinition.pattern[x])."""

    def schema() -> JsonObject:
        return pattern_schema(pattern)

    match pattern:
        case {"coding": [{"system": system, "code": code}], **rest} if not rest and len(pattern["coding"][0]) == 2:
            return Condition(lambda found: _has_coding(found, system, code), schema)
    return Condition(lambda found: contains_pattern(found, pattern), schema)


def _has_coding(found: Any, system: str, code: str) -> bool:
    """The usual pattern, a CodeableConcept with one coding, without the general recursion."""
    codings = found.get("coding") if isinstance(found, dict) else None
    if isinstance(codings, list):
        for coding in codings:
            if isinstance(coding, dict) and coding.get("code") == code and coding.get("system") == system:
                return True
    return False


def coded(codes: Codes, element_id: str) -> Condition:
    """A code, a Coding or a CodeableConcept with one of these codes; without a system it may be any system's."""

    def schema() -> JsonObject:
        if codes.any_case:
            raise DefinitionError(f"{element_id}: codes in any case cannot be said as a JSON Schema.")
        return _coded({system: sorted(known) for system, known in codes.systems.items()})

    return Condition(lambda found: any(codes.contains(system, code) for system, code in codings(found)), schema)


def codings(value: Any) -> list[tuple[str | None, str]]:
    """The system and code of a code (it has no system), a Coding, or each coding of a CodeableConcept."""
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, dict):
        return []
    given = value.get("coding", [value])
    return [(each.get("system"), each["code"]) for each in given if isinstance(each, dict) and "code" in each]


def _coded(systems: dict[str, list[str]]) -> JsonObject:
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


def resource_of(types: set[str]) -> Condition:
    """A resource of one of these types."""
    return Condition(
        lambda value: isinstance(value, dict) and value.get("resourceType") in types,
        lambda: _has("resourceType", {"enum": sorted(types)}),
    )


def having(name: str, types: set[str]) -> Condition:
    """An object whose choice element ``name`` is of one of these types, or that has a resource of them there."""
    keys = {choice_key(name, code) for code in types}
    resource = resource_of(types)

    def schema() -> JsonObject:
        choices = [{"type": "object", "required": [key]} for key in sorted(keys)]
        return {"anyOf": [*choices, _has(name, resource.schema())]}

    return Condition(
        lambda value: isinstance(value, dict) and bool(keys & value.keys() or resource.matches(value.get(name))), schema
    )


def referring_to(types: set[str]) -> Condition:
    """A reference that names one of these types, by itself or in its URL."""

    def schema() -> JsonObject:
        stated = _has("type", {"enum": sorted(types)})
        named = _has("reference", {"pattern": f"(?:^|/)(?:{'|'.join(map(re.escape, sorted(types)))})/[^/]*$"})
        unstated: JsonObject = {"not": {"required": ["type"], "properties": {"type": {"type": "string"}}}}
        return {"anyOf": [stated, {"allOf": [unstated, named]}]}

    return Condition(lambda value: type_named(value) in types, schema)


def type_named(value: Any) -> str | None:
    """The resource type that a reference names, by itself or in its URL."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("type"), str):
        return str(value["type"])
    parts = str(value.get("reference", "")).split("/")
    return parts[-2] if len(parts) >= 2 else None


def every(conditions: list[Condition]) -> Condition:
    """All of these; one or more."""
    if len(conditions) == 1:
        return conditions[0]
    matchers = [condition.matches for condition in conditions]
    return Condition(
        lambda value: all(matches(value) for matches in matchers),
        lambda: {"allOf": [condition.schema() for condition in conditions]},
    )


def lacking(condition: Condition) -> Condition:
    """The opposite."""
    return Condition(lambda value: not condition.matches(value), lambda: {"not": condition.schema()})


def somewhere(element: Element, path: list[str], expected: Condition) -> Condition:
    """Some value at the path below ``element`` is as expected (arrays by any of their items)."""
    if not path:
        return expected
    return Condition(matching_below(path, expected.matches), lambda: _somewhere(element, path, expected.schema()))


def matching_below(path: list[str], matches: Matcher) -> Matcher:
    """Whether some value at the path is as asked: what ``values_at`` says, without making the list."""
    name, rest = path[0], path[1:]
    inner = matching_below(rest, matches) if rest else matches

    def holds(value: Any) -> bool:
        found = value.get(name) if isinstance(value, dict) else None
        if isinstance(found, dict | str):
            return inner(found)
        return any(map(inner, _step(value, name)))

    return holds


def _somewhere(element: Element | None, path: list[str], expected: JsonObject) -> JsonObject:
    if not path:
        return expected
    first, rest = path[0], path[1:]
    child = child_at(element, first) if element else None
    call = _CALL.match(first)
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


# ---- discriminator paths --------------------------------------------------------------------------------------------


def path_segments(path: str) -> list[str]:
    """A discriminator path as steps; ``$this`` is the element itself, ``ofType`` and ``extension`` stay calls."""
    steps = re.split(r"\.(?![^(]*\))", path)
    return [step for step in steps if step != "$this"]


def child_at(element: Element, segment: str) -> Element | None:
    """The definition one step further."""
    call = _CALL.match(segment)
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
    """The definition at the end of the path."""
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
    call = _CALL.match(segment)
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
