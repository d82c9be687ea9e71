"""Code systems, maps and searches: what R4 says of their parts beyond each part's own definition.

As in ``invariants.py``: a function returns whether the rule is kept, and True where it cannot judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.addresses import is_absolute
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_PROPERTIES = "http://hl7.org/fhir/concept-properties#"
# the type of each property that HL7 defines
_TYPES = {
    **dict.fromkeys(("status", "parent", "child", "partOf", "synonym"), "code"),
    **dict.fromkeys(("inactive", "notSelectable"), "boolean"),
    **dict.fromkeys(("effectiveDate", "deprecationDate", "retirementDate"), "dateTime"),
    "comment": "string",
    "itemWeight": "decimal",
}
_OTHER_CODES = frozenset({"parent", "child", "partOf", "synonym"})


def properties_are_defined_well(value: JsonObject, _scope: Scope) -> bool:
    """R4, CodeSystem.property: each with a code and uri of its own, one of HL7's with that one's code and type."""
    properties = objects(value.get("property"))
    uris = [text(each["uri"]) for each in properties if "uri" in each]
    codes = [text(each.get("code")) for each in properties]
    if len(set(uris)) < len(uris) or len(set(codes)) < len(codes):
        return False
    return all(map(is_absolute, uris)) and all(map(_is_as_hl7_has_it, properties))


def _is_as_hl7_has_it(declared: JsonObject) -> bool:
    uri = text(declared.get("uri"))
    if not uri.startswith(_PROPERTIES):
        return True
    name, code = uri.removeprefix(_PROPERTIES), text(declared.get("code"))
    return name in _TYPES and declared.get("type") in (None, _TYPES[name]) and (code == name or code not in _TYPES)


def properties_are_used_well(value: JsonObject, _scope: Scope) -> bool:
    """R4, CodeSystem.concept.property: of the type declared; what leads to a concept leads to one of this system."""
    declared = {text(each.get("code")): each for each in objects(value.get("property"))}
    concepts = list(_concepts(value))
    codes = {text(concept.get("code")) for concept in concepts}
    for given in (given for concept in concepts for given in objects(concept.get("property"))):
        name = text(given.get("code"))
        kind = next((key.removeprefix("value") for key in given if key.startswith("value")), "")
        if name not in declared or not kind:
            continue
        if kind[:1].lower() + kind[1:] != declared[name].get("type", ""):
            return False
        leads_to_code = text(declared[name].get("uri")).removeprefix(_PROPERTIES) in _OTHER_CODES
        if leads_to_code and "supplements" not in value and text(given.get("valueCode")) not in codes:
            return False
    return True


def _concepts(node: JsonObject) -> Iterator[JsonObject]:
    pending = objects(node.get("concept"))
    while pending:
        concept = pending.pop()
        yield concept
        pending.extend(objects(concept.get("concept")))


def content_is_as_stated(value: JsonObject, _scope: Scope) -> bool:
    """R4, CodeSystem.content: a system that is not present has no concepts, a supplement says of what it is one."""
    content = value.get("content")
    if content == "supplement":
        return "supplements" in value and "caseSensitive" not in value
    return content != "not-present" or not objects(value.get("concept"))


def composite_has_components(value: JsonObject, _scope: Scope) -> bool:
    """R4, SearchParameter.component: a composite search is of two values or more."""
    return value.get("type") != "composite" or len(objects(value.get("component"))) > 1


def codes_elsewhere(resource: JsonObject, expression: str, terminology: Terminology) -> Iterator[Issue]:
    """The codes of a ConceptMap or a supplement that the systems they are of do not have, as far as known here."""
    if resource.get("resourceType") == "ConceptMap":
        given = _mapped(resource, expression)
    elif resource.get("content") == "supplement":
        given = _supplemented(resource, expression, resource.get("supplements"))
    else:
        return
    for place, code, system, version in given:
        if terminology.verdict(system, code, None, version) == "code-unknown":
            yield rules.issue("code-unknown", place, system=system, suggestion="")


# place, code, system, version
_Given = Iterator[tuple[str, Any, Any, Any]]


def _mapped(concept_map: JsonObject, expression: str) -> _Given:
    for number, group in enumerate(objects(concept_map.get("group"))):
        source = group.get("source"), group.get("sourceVersion")
        target = group.get("target"), group.get("targetVersion")
        for position, element in enumerate(objects(group.get("element"))):
            place = f"{expression}.group[{number}].element[{position}]"
            yield f"{place}.code", element.get("code"), *source
            for at, each in enumerate(objects(element.get("target"))):
                yield f"{place}.target[{at}].code", each.get("code"), *target


def _supplemented(node: JsonObject, expression: str, canonical: Any) -> _Given:
    system, _, version = text(canonical).partition("|")
    for position, concept in enumerate(objects(node.get("concept"))):
        place = f"{expression}.concept[{position}]"
        yield f"{place}.code", concept.get("code"), system, version
        yield from _supplemented(concept, place, canonical)
