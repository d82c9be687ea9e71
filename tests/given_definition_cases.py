"""Definitions beside others that were given: cases like those of ``definition_fault_cases``, with ``GIVEN`` known."""

from __future__ import annotations

import base64
from typing import Any

from tests.base_records import BaseCase, JsonObject, case, without
from tests.search_cases import measure, operation

_OWN = "http://ehr.test/"
_DERIVATION = "http://hl7.org/fhir/questionnaire-derivationType"
_EXTENSION = "http://hl7.org/fhir/StructureDefinition/questionnaire-derivationType"
_STATUSES = "http://hl7.org/fhir/ValueSet/observation-status"


def _system(name: str, *codes: str, **elements: Any) -> JsonObject:
    return {
        "resourceType": "CodeSystem",
        "url": f"{_OWN}{name}",
        "name": name.capitalize(),
        "status": "active",
        "content": "complete",
        "concept": [{"code": code} for code in codes],
        **elements,
    }


def _set(name: str, system: str, **include: Any) -> JsonObject:
    compose = {"include": [{"system": _OWN + system, **include}]}
    return {"resourceType": "ValueSet", "url": f"{_OWN}{name}", "status": "active", "compose": compose}


def _library(name: str, content_type: str, content: bytes) -> JsonObject:
    attachment = {"contentType": content_type, "data": base64.b64encode(content).decode()}
    return {
        "resourceType": "Library",
        "url": f"{_OWN}{name}",
        "name": name,
        "status": "active",
        "type": {"text": "logic"},
        "content": [attachment],
    }


def _operation(name: str, base: str) -> JsonObject:
    return operation(url=_OWN + name, base=_OWN + base)


def _search(name: str, type_: str = "token", **elements: Any) -> JsonObject:
    return {
        "resourceType": "SearchParameter",
        "url": _OWN + name,
        "name": "X",
        "status": "active",
        "description": "x",
        "code": "x",
        "base": ["Patient"],
        "type": type_,
        "expression": "Patient.active",
        **elements,
    }


_DERIVATION_TYPE = {
    "resourceType": "StructureDefinition",
    "id": "questionnaire-derivationType",
    "url": _EXTENSION,
    "name": "DerivationType",
    "status": "active",
    "fhirVersion": "4.0.1",
    "kind": "complex-type",
    "abstract": False,
    "context": [{"type": "element", "expression": "Questionnaire.derivedFrom"}],
    "type": "Extension",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Extension", "path": "Extension"},
            {"id": "Extension.url", "path": "Extension.url", "fixedUri": _EXTENSION},
            {"id": "Extension.value[x]", "path": "Extension.value[x]", "type": [{"code": "Coding"}]},
        ]
    },
}
_FORM = {
    "resourceType": "Questionnaire",
    "url": _OWN + "form",
    "status": "active",
    "item": [
        {"linkId": "text", "type": "string", "maxLength": 5, "required": True},
        {
            "linkId": "choice",
            "type": "choice",
            "answerOption": [
                {"valueString": "x"},
                {"valueCoding": {"system": _OWN + "s", "code": "y", "display": "Y"}},
            ],
        },
        {"linkId": "set", "type": "choice", "answerValueSet": _STATUSES},
        {"linkId": "group", "type": "group", "repeats": True, "item": [{"linkId": "number", "type": "integer"}]},
    ],
}
_ELM = b'<library xmlns="urn:hl7-org:elm:r1"><statements><def name="Good"/></statements></library>'


def _number(name: str, base: str, value: float) -> JsonObject:
    """A profile with a fixed number."""
    path = "Observation.referenceRange.low.value"
    fixed = {"id": path, "path": path, "fixedDecimal": value}
    return {
        "resourceType": "StructureDefinition",
        "url": _OWN + name,
        "name": "Number",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Observation",
        "baseDefinition": base,
        "derivation": "constraint",
        "differential": {"element": [fixed]},
    }


GIVEN: tuple[JsonObject, ...] = (
    _number("two", "http://hl7.org/fhir/StructureDefinition/Observation", 2),
    _DERIVATION_TYPE,
    _system("derivation", "extends", "compliesWith", "inspiredBy", url=_DERIVATION),
    _FORM,
    _operation("one", "other"),
    _operation("other", "one"),
    _library("compiled", "application/elm+xml", _ELM),
    _library("broken", "application/elm+xml", b"<x/>"),
    _library("source", "text/cql", b"define Good: true"),
    _search("active"),
    _system(
        "animals",
        "Cat",
        version="1",
        hierarchyMeaning="is-a",
        property=[
            {"code": "legs", "type": "integer"},
            {"code": "prey", "type": "Coding"},
            {"code": "kin", "type": "code"},
        ],
        filter=[{"code": "concept", "operator": ["exists"], "value": "true"}],
    ),
    _system("more", "Cat", content="supplement", supplements=_OWN + "animals"),
    _system("some", "Cat", content="fragment"),
    _set("all-animals", "animals", version="1"),
    without(_set("empty", "none"), "compose"),
    {
        **_set("one-pet", "pets"),
        "expansion": {"timestamp": "2020-01-01", "contains": [{"system": _OWN + "pets", "code": "a"}]},
    },
)


def _derived(item: JsonObject, kind: str = "compliesWith") -> JsonObject:
    said = {"url": _EXTENSION, "valueCoding": {"system": _DERIVATION, "code": kind}}
    return {
        "resourceType": "Questionnaire",
        "url": _OWN + "derived",
        "status": "active",
        "derivedFrom": [_OWN + "form"],
        "_derivedFrom": [{"extension": [said]}],
        "item": [item],
    }


def _text(**elements: Any) -> JsonObject:
    return _derived({"linkId": "text", "type": "string", "maxLength": 5, **elements})


def _choice(**elements: Any) -> JsonObject:
    return _derived({"linkId": "choice", "type": "choice", **elements})


def _coding(code: str) -> JsonObject:
    return _choice(answerOption=[{"valueCoding": {"system": _OWN + "s", "code": code, "display": "other"}}])


def _filter(name: str, operator: str, value: str, system: str = "animals") -> JsonObject:
    return _set("vs", system, filter=[{"property": name, "op": operator, "value": value}])


def _map(code: str, system: str = "animals", **elements: Any) -> JsonObject:
    element = {"code": code, "target": [{"code": "Cat", "equivalence": "equal"}]}
    group = {"source": _OWN + system, "target": _OWN + system, "element": [element]}
    return {"resourceType": "ConceptMap", "url": _OWN + "cm", "status": "active", "group": [group], **elements}


_ITEM = ("questionnaire-derived", "Questionnaire.item[0]")
_FILTER = ("value-set-filter", "ValueSet.compose.include[0].filter[0]")
_CRITERION = ("measure-criteria", "Measure.group[0].population[0].criteria")
_VALUE = ("differential-value", "StructureDefinition.differential.element[0]")
_CODE = "ConceptMap.group[0].element[0].code"

GIVEN_DEFINITION_CASES: tuple[BaseCase, ...] = (
    case("item as it was", _text()),
    case("item of another type", _text(type="text"), _ITEM),
    case("item that repeats", _text(repeats=True), _ITEM),
    case("item no longer required", _text(required=False), _ITEM),
    case("item for a longer text", _text(maxLength=6), _ITEM),
    case("item for a shorter text", _text(maxLength=4)),
    case("item for any text", _derived({"linkId": "text", "type": "string"}), _ITEM),
    case("new item", _derived({"linkId": "new", "type": "string"}), _ITEM),
    case("new item that extends", _derived({"linkId": "new", "type": "string"}, "extends")),
    case("new item inspired", _derived({"linkId": "new", "type": "string"}, "inspiredBy")),
    case("item without its options", _choice(), _ITEM),
    case("item with one of its options", _choice(answerOption=[{"valueString": "x"}])),
    case("item with another option", _choice(answerOption=[{"valueString": "z"}]), _ITEM),
    case("item with its coding by another display", _coding("y")),
    case("item with another coding", _coding("z"), _ITEM),
    case("item with a value set for options", _choice(answerValueSet=_STATUSES), _ITEM),
    case(
        "item with options for a value set",
        _derived({"linkId": "set", "type": "choice", "answerOption": [{"valueString": "x"}]}),
        _ITEM,
    ),
    case(
        "item of another type in a group",
        _derived({"linkId": "group", "type": "group", "item": [{"linkId": "number", "type": "decimal"}]}),
        ("questionnaire-derived", "Questionnaire.item[0].item[0]"),
    ),
    case(
        "operation made from one made from it",
        _operation("one", "other"),
        ("operation-base", "OperationDefinition.base"),
    ),
    case("criterion that is defined", measure("Good", _OWN + "compiled")),
    case(
        "criterion that is defined in the library named", measure("compiled.Good", _OWN + "compiled", _OWN + "source")
    ),
    case("criterion that is not defined", measure("Bad", _OWN + "compiled"), _CRITERION),
    case("criterion of another library", measure("source.Good", _OWN + "compiled"), _CRITERION),
    case("criterion of one of two", measure("Good", _OWN + "compiled", _OWN + "source"), _CRITERION),
    case("criterion that is not compiled", measure("Good", _OWN + "source"), _CRITERION),
    case("criterion that is compiled badly", measure("Good", _OWN + "broken"), _CRITERION),
    case("search made from one given", _search("sp", derivedFrom=_OWN + "active")),
    case(
        "search made from one given of another type",
        _search("sp", "string", derivedFrom=_OWN + "active"),
        ("search-derived", "SearchParameter.type"),
    ),
    case("filter by a number", _filter("legs", "=", "4")),
    case("filter by no number", _filter("legs", "=", "four"), _FILTER),
    case("filter by a coding", _filter("prey", "=", f"{_OWN}animals|Cat")),
    case("filter by no coding", _filter("prey", "=", "Mouse"), _FILTER),
    case("filter by a code that may be of another system", _filter("kin", "=", "dog")),
    case("filter by a parent", _filter("parent", "=", "Cat")),
    case("filter by no parent", _filter("parent", "=", "Dog"), _FILTER),
    case("filter as the system allows", _filter("concept", "exists", "true")),
    case("filter by a code in another case", _filter("concept", "is-a", "CAT")),
    case("filter of a fragment", _filter("concept", "is-a", "Dog", "some")),
    case("system that is a supplement", _set("vs", "more"), ("value-set-system", "ValueSet.compose.include[0].system")),
    case("map of a code given", _map("Cat")),
    case("map of no code given", _map("Dog"), ("code-unknown", _CODE)),
    case(
        "map of no code of the value set's version",
        _map("Dog", sourceUri=_OWN + "all-animals"),
        ("code-unknown", _CODE),
    ),
    case("map of a code of a fragment", _map("Dog", "some")),
    case(
        "value set without content",
        _system("none", "a", valueSet=_OWN + "empty"),
        ("code-system-value-set", "CodeSystem.valueSet"),
    ),
    case("fixed number that is the base's", _number("twice", _OWN + "two", 2)),
    case("fixed number otherwise written", _number("twice", _OWN + "two", 2.0), _VALUE),
    case("another fixed number", _number("twice", _OWN + "two", 3), _VALUE),
    case("value set with an expansion", _system("pets", "a", valueSet=_OWN + "one-pet")),
    case(
        "value set with another expansion",
        _system("pets", "a", "b", valueSet=_OWN + "one-pet"),
        ("code-system-value-set", "CodeSystem.valueSet"),
    ),
)
