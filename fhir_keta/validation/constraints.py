"""What one ElementDefinition demands of a value, as JSON Schema: fixed, pattern, range, binding, reference target."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_keta.definitions.library import CORE, Codes, Library
from fhir_keta.validation import reference_format
from fhir_keta.validation.elements import Element, choice_key, type_code
from fhir_keta.validation.index import BY_SLICE
from fhir_keta.validation.shapes import text

JsonObject = dict[str, Any]

# what names something for everybody is absolute: definitions, the systems of identifiers and codes
_ABSOLUTE = re.compile(r"(?!Extension\.)[A-Za-z]+\.url|(?:Identifier|Quantity|ValueSet\.compose\.include)\.system")
_MAXIMUM = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
_ABSOLUTE_URI: JsonObject = {"$comment": "uri-absolute", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:"}

# systems that are often miswritten: with something behind, or with https
_PUBLISHED = r"(?:snomed\.info/sct|loinc\.org|unitsofmeasure\.org|www\.nlm\.nih\.gov/research/umls/rxnorm)"
_OF_HL7 = r"(?:hl7\.org/fhir|terminology\.hl7\.org/CodeSystem/)"
_AS_PUBLISHED: JsonObject = {
    "$comment": "system-spelling",
    "not": {"pattern": f"^http://{_PUBLISHED}.|^https://(?:{_PUBLISHED}$|{_OF_HL7})"},
}


def element_constraints(element: Element, type_code: str, library: Library) -> list[JsonObject]:
    """The schemas, each with its rule in ``$comment``, that a value of ``type_code`` must meet besides its type."""
    found: list[JsonObject] = []
    path = element.definition.get("base", {}).get("path", "")
    if type_code == "uri" and _ABSOLUTE.fullmatch(path):
        found.append(_ABSOLUTE_URI)
    if path == "Quantity.system":
        found.append(_AS_PUBLISHED)
    if type_code == "Coding" and (path != "CodeableConcept.coding" or "binding" in element.definition):
        systems = [_ABSOLUTE_URI]
        if element.definition.get("binding", {}).get("strength", "example") == "example":
            systems.append(_AS_PUBLISHED)
        for system in systems:
            found.append({"if": {"required": ["code", "system"]}, "then": {"properties": {"system": system}}})
    if path == "Reference.reference":
        found.append({"$comment": "reference-format", "pattern": r"^[^ \t\r\n]*$"})
    if values := element.values:
        found += _of_values(values)
    if "maxLength" in element.definition:
        limit = element.definition["maxLength"]
        found.append({"$comment": "max-length", "description": str(limit), "maxLength": limit})
    value_set = _required_value_set(element.definition.get("binding", {}))
    schema = binding_schema(type_code, library.possible_codes(value_set)) if value_set else None
    if schema is not None:
        found.append({"$comment": "binding-required", "description": value_set, **schema})
    return found


def _required_value_set(binding: JsonObject) -> str | None:
    """The value set that a code must be from: of an extensible binding, the one beyond which nothing extends it."""
    if binding.get("strength") == "required":
        return text(binding.get("valueSet")) or None
    if binding.get("strength") != "extensible":
        return None
    urls = {extension.get("url"): extension for extension in binding.get("extension", ())}
    return text(urls.get(_MAXIMUM, {}).get("valueCanonical")) or None


def pattern_schema(pattern: Any) -> JsonObject:
    """R4, ElementDefinition.pattern[x]: objects by inclusion, every array item found somewhere, primitives equal."""
    if isinstance(pattern, dict):
        return {
            "type": "object",
            "properties": {key: pattern_schema(value) for key, value in pattern.items()},
            "required": list(pattern),
        }
    if isinstance(pattern, list):
        return {"type": "array", "allOf": [{"contains": pattern_schema(item)} for item in pattern]}
    return {"const": pattern}


def describe(pattern: Any) -> str:
    """A pattern or fixed value in words, for messages: definitions only, never record values."""
    if isinstance(pattern, dict):
        if "coding" in pattern:
            return ", ".join(describe(coding) for coding in pattern["coding"])
        if "code" in pattern:
            return f"{pattern.get('system', '')}#{pattern['code']}"
        return ", ".join(f"{key} {describe(value)}" for key, value in pattern.items())
    return str(pattern)


def binding_schema(type_code: str, codes: Codes | None) -> JsonObject | None:
    """A required binding as a schema for a value of this type; None for types without codes (R4, Terminologies).

    Without ``codes``, where any may be in the value set, a concept needs some code of some system.
    """
    if type_code in ("code", "uri", "string"):
        if codes is None or codes.open_systems:
            return None
        return {"enum": sorted({code for members in codes.systems.values() for code in members})}
    coding: JsonObject = {"required": ["system", "code"]}
    if codes is not None:
        known = {system: {"code": {"enum": sorted(members)}} for system, members in codes.systems.items()}
        known |= {system: {} for system in sorted(codes.open_systems)}
        of = [{**coding, "properties": {"system": {"const": system}, **code}} for system, code in known.items()]
        coding = {"anyOf": of} if of else {"not": {}}
    if type_code == "Coding":
        return coding
    if type_code == "Quantity" and codes is not None:  # without a code none is wrong
        return {"if": {"required": ["code"]}, "then": coding}
    if type_code == "CodeableConcept":
        return {"properties": {"coding": {"contains": coding}}, "required": ["coding"]}
    return None


def target_types(targets: Iterable[str], library: Library) -> frozenset[str]:
    """The resource types that these target profiles allow; empty when any resource will do."""
    allowed: set[str] = set()
    for target in targets:
        name = _type_named(target, library)
        if name is None:
            structure = library.structure(target)
            name = structure["type"] if structure else "Resource"
        if name in ("Resource", "DomainResource"):
            return frozenset()
        allowed.add(name)
    return frozenset(allowed)


def target_profiles(targets: Iterable[str], library: Library) -> tuple[str, ...]:
    """The target profiles, where what is referred to has to meet one; empty when the types say all."""
    return tuple(targets) if any(_is_profile(target, library) for target in targets) else ()


def _type_named(canonical: str, library: Library) -> str | None:
    """The resource type whose own definition this is: known by the name, so that none is read for it."""
    name = canonical.removeprefix(CORE)
    return name if name != canonical and name in library.resource_types else None


def _is_profile(canonical: str, library: Library) -> bool:
    found = None if _type_named(canonical, library) else library.structure(canonical)
    return found is not None and found.get("derivation") == "constraint"


def target_schema(allowed: Iterable[str]) -> JsonObject:
    """What ``Reference.reference`` may say for these types: only references that name their type are held to it."""
    types = sorted(allowed)
    return {
        "$comment": "reference-target",
        "description": " or ".join(types),
        "properties": {
            "reference": {
                "anyOf": [
                    {"pattern": reference_format.pattern(types)},
                    {"not": {"format": reference_format.TYPED}},
                ],
            }
        },
    }


def _of_values(values: JsonObject) -> Iterator[JsonObject]:
    fixed, pattern = values.get("fixed"), values.get("pattern")
    if fixed is not None:
        yield {"$comment": "value-fixed", "const": fixed}
    if pattern is not None:
        yield {"$comment": "value-pattern", "description": describe(pattern), **pattern_schema(pattern)}
    for name, keyword, word in (("minValue", "minimum", "at least"), ("maxValue", "maximum", "at most")):
        bound = values.get(name)
        if isinstance(bound, int | float):
            yield {"$comment": "value-range", "description": f"{word} {bound}", keyword: bound}


def slice_minimum(element: str, name: str, least: int) -> JsonObject:
    """Stated beside the sliced element, so that it also holds where the whole array is missing."""
    slice_: JsonObject = {"required": [name]}
    if least > 1:
        slice_["properties"] = {name: {"minItems": least}}
    key, words = f"{element}{BY_SLICE}", f"{name}|{least}"
    return {"$comment": "slice-min", "description": words, "required": [key], "properties": {key: slice_}}


def count_demands(name: str, least: int, most: int | None) -> list[JsonObject]:
    """The cardinality of an array beyond "not empty"."""
    demands: list[JsonObject] = []
    if least > 1:
        demands.append({"$comment": "cardinality-min", "description": f"{name}|{least}", "minItems": least})
    if most is not None:
        demands.append({"$comment": "cardinality-max", "description": f"{name}|{most}", "maxItems": most})
    return demands


def refused_types(
    element: Element, base: str, allowed: list[str], library: Library
) -> Iterator[tuple[str, str, JsonObject]]:
    """A type that the base allows and this profile does not is refused by name, not as an unknown element."""
    base_path = element.definition.get("base", {}).get("path", "")
    structure = library.structure(base_path.partition(".")[0])
    if structure is None:
        return
    original: JsonObject = next((d for d in structure["snapshot"]["element"] if d["path"] == base_path), {})
    rule, words = ("choice-type", f"{base}|{' or '.join(allowed)}") if allowed else ("element-prohibited", base)
    for code in (type_code(type_) for type_ in original.get("type", ())):
        if code not in allowed:
            yield choice_key(base, code), code, {"$comment": rule, "description": words, "not": {}}


def one_of_keys(name: str, keys: list[str]) -> JsonObject:
    """A required element that JSON may write under several keys: a choice, or a primitive with only extensions."""
    return {
        "$comment": "cardinality-min",
        "description": f"{name}|1",
        "anyOf": [{"required": [key]} for key in keys],
    }


def with_its_value(name: str, key: str) -> JsonObject:
    """A code from a required value set is never only an extension."""
    return {
        "$comment": "cardinality-min",
        "description": f"{name}|1",
        "anyOf": [{"not": {"required": [f"_{key}"]}}, {"required": [key]}],
    }
