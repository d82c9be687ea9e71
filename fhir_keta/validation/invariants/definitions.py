"""The invariants of definitions that no schema says: forms, code systems, profiles, guides, capabilities.

As in ``records``: a function returns whether the constraint of that key is met, and True where it cannot judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_keta.definitions.library import base
from fhir_keta.validation.scope import Function, Scope
from fhir_keta.validation.shapes import descendants, distinct, objects, text, without_value

JsonObject = dict[str, Any]

# R4, eld-19 and sdf-19
_ELEMENT_NAME = r"[^\s.,:;'\"/|?!@#$%&*()\[\]{}]{1,64}"
_ELEMENT_PATH = re.compile(rf"{_ELEMENT_NAME}(\.{_ELEMENT_NAME}(\[x\])?(:[^\s.]+)?)*")
_FHIR_TYPE = re.compile(r"[a-zA-Z0-9.]+|http://hl7\.org/fhirpath/System\.[A-Z][A-Za-z]+")
_SLICE_NAME = re.compile(r"[a-zA-Z0-9/\-_\[\]@]+")

# types with codes, and those made of such a one
_BINDABLE = frozenset(
    {
        "Age",
        "CodeableConcept",
        "Coding",
        "Distance",
        "Duration",
        "Extension",
        "MoneyQuantity",
        "Quantity",
        "Range",
        "SimpleQuantity",
        "code",
        "oid",
        "string",
        "uri",
        "url",
        "uuid",
    }
)
_RECALL_OR_EXTRACT = frozenset(
    {
        "https://w3id.org/fhir-keta/StructureDefinition/keta-recall",
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract",
    }
)
_ORDINAL_VALUE = frozenset({"http://hl7.org/fhir/StructureDefinition/ordinalValue"})
_SCALES = frozenset(
    f"https://w3id.org/fhir-keta/CodeSystem/{name}" for name in ("keta-intensity", "keta-how-it-felt", "keta-change")
)
_INSTRUMENT_ANSWERS = frozenset({"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"})


def _distinct_by(key: str, *names: str) -> Function:
    """The objects under ``key`` differ in what stands under ``names``; those without it do not count."""

    def holds(value: JsonObject, _scope: Scope) -> bool:
        found = [tuple(text(item.get(name)) for name in names) for item in objects(value.get(key))]
        return distinct([each for each in found if any(each)])

    return holds


def _link_ids_distinct(value: JsonObject, _scope: Scope) -> bool:
    return distinct([text(node["linkId"]) for node in descendants(value.get("item")) if "linkId" in node])


def _questions(value: JsonObject) -> Iterator[JsonObject]:
    return (
        node
        for item in objects(value.get("item"))
        for node in descendants({"item": [item]})
        if ("linkId" in node or "_linkId" in node) and node.get("type") not in ("group", "display")
    )


def _has_extension(value: JsonObject, urls: frozenset[str]) -> bool:
    return any(text(extension.get("url")) in urls for extension in objects(value.get("extension")))


def _questions_have_codes(value: JsonObject, _scope: Scope) -> bool:
    return all("code" in question for question in _questions(value))


def _questions_are_marked(value: JsonObject, _scope: Scope) -> bool:
    return all(_has_extension(question, _RECALL_OR_EXTRACT) for question in _questions(value))


def _scored_options_have_values(value: JsonObject, _scope: Scope) -> bool:
    for question in _questions(value):
        for option in objects(question.get("answerOption")):
            coding = option.get("valueCoding")
            if not isinstance(coding, dict):
                continue
            scored = text(coding.get("system")) in _SCALES or text(coding.get("code")) in _INSTRUMENT_ANSWERS
            if scored and not (_has_extension(option, _ORDINAL_VALUE) and _has_extension(coding, _ORDINAL_VALUE)):
                return False
    return True


def _concept_codes_distinct(value: JsonObject, _scope: Scope) -> bool:
    nodes = descendants({"concept": value.get("concept")})
    concepts = (concept for node in nodes for concept in objects(node.get("concept")))
    return distinct([text(concept["code"]) for concept in concepts if "code" in concept])


def _elements(value: JsonObject, view: str) -> list[JsonObject]:
    holder = value.get(view)
    return objects(holder.get("element")) if isinstance(holder, dict) else []


def _maximum_is_a_number(value: JsonObject, _scope: Scope) -> bool:
    maximum = value.get("max")
    if without_value(value, "max"):
        return False
    return not isinstance(maximum, str) or maximum == "*" or (maximum.isascii() and maximum.isdigit())


def _minimum_below_maximum(value: JsonObject, _scope: Scope) -> bool:
    low, high = value.get("min"), text(value.get("max"))
    if without_value(value, "min") or without_value(value, "max"):
        there = ("min" in value or "_min" in value) and ("max" in value or "_max" in value)
        return not there or high == "*"
    return not isinstance(low, int) or not (high.isascii() and high.isdigit()) or low <= int(high)


def _slice_name_is_plain(value: JsonObject, _scope: Scope) -> bool:
    name = value.get("sliceName")
    if without_value(value, "sliceName"):
        return False
    return not isinstance(name, str) or _SLICE_NAME.fullmatch(name) is not None


def _path_is_plain(value: JsonObject, _scope: Scope) -> bool:
    path = value.get("path")
    if without_value(value, "path"):
        return False
    return not isinstance(path, str) or _ELEMENT_PATH.fullmatch(path) is not None


def _element_paths(value: JsonObject, scope: Scope) -> bool:
    """sdf-8, sdf-8a: the first element is the type itself, all others stand below it."""
    paths = [text(element.get("path")) for element in objects(value.get("element"))]
    if not paths:
        return True
    root = paths[0].partition(".")[0]
    if scope.resource.get("kind") != "logical" and root != scope.resource.get("type"):
        return False
    return all(path.startswith(f"{root}.") for path in paths[1:])


def _ids_distinct(view: str) -> Function:
    def holds(value: JsonObject, _scope: Scope) -> bool:
        elements = _elements(value, view)
        return all("id" in element for element in elements) and distinct([text(each["id"]) for each in elements])

    return holds


def _paths_distinct(value: JsonObject, _scope: Scope) -> bool:
    if value.get("derivation") == "constraint":
        return True
    return distinct([text(element.get("path")) for element in _elements(value, "snapshot")])


def _root_is_bare(value: JsonObject, _scope: Scope) -> bool:
    """sdf-9: an element without a point in its path has no label, code or requirements."""
    roots = (
        element
        for view in ("snapshot", "differential")
        for element in _elements(value, view)
        if "." not in text(element.get("path"))
    )
    names = ("label", "_label", "code", "requirements", "_requirements")
    return not any(name in root for root in roots for name in names)


def _first_is_the_type(value: JsonObject, _scope: Scope) -> bool:
    if value.get("kind") == "logical" or "snapshot" not in value:
        return True
    elements = _elements(value, "snapshot")
    return bool(elements) and elements[0].get("path") == value.get("type")


def _first_has_no_type(view: str) -> Function:
    """sdf-15, sdf-15a; a differential may begin below the root."""

    def holds(value: JsonObject, _scope: Scope) -> bool:
        elements = _elements(value, view)
        if not elements or value.get("kind") == "logical":
            return True
        below_the_root = view == "differential" and "." in text(elements[0].get("path"))
        return below_the_root or "type" not in elements[0]

    return holds


def _binding_has_codes(value: JsonObject, _scope: Scope) -> bool:
    """eld-11, as its text says; R4's expression asks only whether there is a type."""
    return "binding" not in value or may_be_bound([text(type_.get("code")) for type_ in objects(value.get("type"))])


def may_be_bound(codes: list[str]) -> bool:
    """Whether one of these types has codes; others' types may have some."""
    return not codes or not _BINDABLE.isdisjoint(codes) or not any(is_type(code) for code in codes)


def is_type(code: str) -> bool:
    """Whether R4 has a type of this name."""
    return code.isalnum() and base().structure(code) is not None


def _only_fhir_types(value: JsonObject, _scope: Scope) -> bool:
    """sdf-19, for HL7's own definitions."""
    if not text(value.get("url")).startswith("http://hl7.org/fhir/StructureDefinition"):
        return True
    elements = (*_elements(value, "snapshot"), *_elements(value, "differential"))
    types = [type_ for element in elements for type_ in objects(element.get("type"))]
    if any(without_value(type_, "code") for type_ in types):
        return False
    return all(_FHIR_TYPE.fullmatch(code) for type_ in types if (code := text(type_.get("code"))))


def _targets_are_resources(value: JsonObject, _scope: Scope) -> bool:
    """opd-3; HL7's validator and R5 add what R4 left out: a parameter that is itself a resource."""
    if "targetProfile" not in value:
        return True
    type_ = value.get("type")
    return type_ in ("Reference", "canonical", "Resource", "DomainResource") or text(type_) in base().resource_types


def _groupings_exist(value: JsonObject, _scope: Scope) -> bool:
    known = {text(grouping.get("id")) for grouping in objects(value.get("grouping"))}
    resources = objects(value.get("resource"))
    used = {text(resource["groupingId"]) for resource in resources if "groupingId" in resource}
    return used <= known and not any(without_value(resource, "groupingId") for resource in resources)


def _versions_exist(value: JsonObject, _scope: Scope) -> bool:
    versions = value.get("fhirVersion")
    known = set(map(text, versions)) if isinstance(versions, list) else set()
    definition = value.get("definition")
    resources = objects(definition.get("resource")) if isinstance(definition, dict) else []
    used = (resource.get("fhirVersion") for resource in resources)
    return {text(version) for each in used if isinstance(each, list) for version in each} <= known


DEFINITION_FUNCTIONS: dict[str, Function] = {
    "keta-questionnaire-1": _questions_have_codes,
    "keta-questionnaire-2": _questions_are_marked,
    "keta-questionnaire-3": _scored_options_have_values,
    "que-2": _link_ids_distinct,
    "csd-1": _concept_codes_distinct,
    "eld-2": _minimum_below_maximum,
    "eld-3": _maximum_is_a_number,
    "eld-11": _binding_has_codes,
    "eld-13": _distinct_by("type", "code"),
    "eld-14": _distinct_by("constraint", "key"),
    "eld-16": _slice_name_is_plain,
    "eld-19": _path_is_plain,
    "sdf-1": _paths_distinct,
    "sdf-8": _element_paths,
    "sdf-8a": _element_paths,
    "sdf-9": _root_is_bare,
    "sdf-11": _first_is_the_type,
    "sdf-15": _first_has_no_type("snapshot"),
    "sdf-15a": _first_has_no_type("differential"),
    "sdf-16": _ids_distinct("snapshot"),
    "sdf-17": _ids_distinct("differential"),
    "sdf-19": _only_fhir_types,
    "opd-3": _targets_are_resources,
    "ig-1": _groupings_exist,
    "ig-2": _versions_exist,
    "cpb-7": _distinct_by("document", "profile", "mode"),
    "cpb-9": _distinct_by("resource", "type"),
    "cpb-12": _distinct_by("searchParam", "name"),
}
