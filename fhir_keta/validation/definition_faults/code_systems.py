"""Code systems: the value set of all their codes, and the system that a supplement adds to (R4, CodeSystem.valueSet,
supplements).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import descendants, objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_STATUS = "http://hl7.org/fhir/concept-properties#status"


def faults(code_system: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on a CodeSystem."""
    found = terminology.library.find(text(code_system.get("valueSet")))
    if found is not None and found["resourceType"] == "ValueSet" and not _has_all(found, code_system):
        yield rules.issue("code-system-value-set", f"{expression}.valueSet")
    if "supplements" not in code_system:
        return
    supplemented = text(code_system["supplements"])
    if code_system.get("content") == "supplement":
        yield from _codes(code_system, expression, supplemented, terminology)
    known = terminology.library.code_system(supplemented)
    own = code_system.get("hierarchyMeaning")
    if known is not None and own and known.get("hierarchyMeaning", own) != own:
        yield rules.issue("code-system-hierarchy", f"{expression}.hierarchyMeaning")
    if any(_is_unknown(code, supplemented, terminology) for code in _led_to(code_system)):
        yield rules.issue("code-system-property-value", expression)


def _has_all(value_set: JsonObject, code_system: JsonObject) -> bool:
    """Whether a value set includes this system, nothing else, and no part of it only."""
    compose = value_set.get("compose")
    parts = objects(compose.get("include")) if isinstance(compose, dict) else []
    if len(parts) != 1 or parts[0].get("system") != code_system.get("url"):
        return False
    if not parts[0].keys().isdisjoint(("valueSet", "concept", "filter")):
        return False
    expansion = value_set.get("expansion")
    concepts = [each for node in _with_concepts(code_system) for each in objects(node.get("concept"))]
    return not isinstance(expansion, dict) or len(objects(expansion.get("contains"))) == len(concepts)


def _with_concepts(code_system: JsonObject) -> Iterator[JsonObject]:
    return descendants({"concept": code_system.get("concept")})


def _codes(node: JsonObject, expression: str, canonical: str, terminology: Terminology) -> Iterator[Issue]:
    """The codes of a supplement that the system it adds to does not have."""
    for position, concept in enumerate(objects(node.get("concept"))):
        place = f"{expression}.concept[{position}]"
        if _is_unknown(concept.get("code"), canonical, terminology):
            yield rules.issue("code-unknown", f"{place}.code", system=canonical.partition("|")[0], suggestion="")
        yield from _codes(concept, place, canonical, terminology)


def _is_unknown(code: Any, canonical: str, terminology: Terminology) -> bool:
    system, _, version = canonical.partition("|")
    return terminology.verdict(system, code, None, version) == "code-unknown"


def _led_to(supplement: JsonObject) -> Iterator[Any]:
    """The codes that are values of properties: they identify a concept (R4, CodeSystem.property.type)."""
    declared = objects(supplement.get("property"))
    names = {text(each.get("code")) for each in declared if each.get("type") == "code" and each.get("uri") != _STATUS}
    for node in _with_concepts(supplement):
        for concept in objects(node.get("concept")):
            for each in objects(concept.get("property")):
                if text(each.get("code")) in names and "valueCode" in each:
                    yield each["valueCode"]
