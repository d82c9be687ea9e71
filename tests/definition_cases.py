"""Code systems, maps and search parameters, each with the findings that HL7's validator and R4 agree on."""

from __future__ import annotations

from typing import Any

from tests.base_records import CATEGORY, JsonObject, case

_HL7 = "http://hl7.org/fhir/concept-properties#"


def _system(**elements: Any) -> JsonObject:
    return {
        "resourceType": "CodeSystem",
        "url": "http://ehr.test/cs",
        "version": "1",
        "name": "Cs",
        "title": "x",
        "status": "active",
        "experimental": False,
        "description": "x",
        "content": "complete",
        "concept": [{"code": "a"}, {"code": "b"}],
        **elements,
    }


def _declared(code: str = "x", kind: str = "string", **more: str) -> JsonObject:
    return {"code": code, "type": kind, **more}


def _with(declared: JsonObject, **value: Any) -> JsonObject:
    """A system with one concept that has this property."""
    given = {"code": declared["code"], **value}
    return _system(property=[declared], concept=[{"code": "a", "property": [given]}])


def _map(code: str, to: str, **group: Any) -> JsonObject:
    element = {"code": code, "target": [{"code": to, "equivalence": "equal"}]}
    group = {"source": CATEGORY, "target": CATEGORY, "element": [element], **group}
    return {"resourceType": "ConceptMap", "url": "http://ehr.test/cm", "status": "active", "group": [group]}


def _search(*components: JsonObject) -> JsonObject:
    return {
        "resourceType": "SearchParameter",
        "url": "http://ehr.test/sp",
        "name": "x",
        "status": "active",
        "description": "x",
        "code": "x",
        "base": ["Observation"],
        "type": "composite",
        "expression": "Observation",
        **({"component": list(components)} if components else {}),
    }


_PART = {"definition": "http://hl7.org/fhir/SearchParameter/clinical-code", "expression": "code"}
_PROPERTY = ("code-system-property", "CodeSystem")
_VALUE = ("code-system-property-value", "CodeSystem")
_CONTENT = ("code-system-content", "CodeSystem")

DEFINITION_CASES = (
    case("property and its value", _with(_declared(), valueString="y")),
    case("property of another type", _with(_declared(), valueInteger=1), _VALUE),
    case("property that leads to a concept", _with(_declared("parent", "code", uri=_HL7 + "parent"), valueCode="a")),
    case(
        "property that leads to no concept",
        _with(_declared("parent", "code", uri=_HL7 + "parent"), valueCode="z"),
        _VALUE,
    ),
    case("property of a code of its own", _with(_declared(kind="code"), valueCode="z")),
    case("two properties", _system(property=[_declared("x"), _declared("y")])),
    case("property twice", _system(property=[_declared(), _declared(kind="code")]), _PROPERTY),
    case("relative uri of a property", _system(property=[_declared(uri="y")]), _PROPERTY),
    case(
        "two properties of one uri",
        _system(property=[_declared("x", uri="http://a.test/x"), _declared("y", uri="http://a.test/x")]),
        _PROPERTY,
    ),
    case("property of HL7 by its own code", _system(property=[_declared("up", "code", uri=_HL7 + "parent")])),
    case(
        "property of HL7 by another's code",
        _system(property=[_declared("child", "code", uri=_HL7 + "parent")]),
        _PROPERTY,
    ),
    case("property of HL7 of another type", _system(property=[_declared("parent", uri=_HL7 + "parent")]), _PROPERTY),
    case("property that HL7 does not have", _system(property=[_declared(uri=_HL7 + "nosuch")]), _PROPERTY),
    case("concepts of what is not present", _system(content="not-present"), _CONTENT),
    case("supplement to nothing", _system(content="supplement"), _CONTENT),
    case("supplement", _system(content="supplement", supplements=CATEGORY, concept=[{"code": "survey"}])),
    case(
        "supplement that says of its codes' case",
        _system(content="supplement", supplements=CATEGORY, concept=[{"code": "survey"}], caseSensitive=True),
        _CONTENT,
    ),
    case(
        "supplement of no code",
        _system(content="supplement", supplements=CATEGORY, concept=[{"code": "survey"}, {"code": "nope"}]),
        ("code-unknown", "CodeSystem.concept[1].code"),
    ),
    case(
        "supplement of a system not known",
        _system(content="supplement", supplements="http://ehr.test/unknown", concept=[{"code": "nope"}]),
    ),
    case("map of codes", _map("survey", "exam")),
    case("map of no code", _map("nope", "exam"), ("code-unknown", "ConceptMap.group[0].element[0].code")),
    case("map to no code", _map("survey", "nope"), ("code-unknown", "ConceptMap.group[0].element[0].target[0].code")),
    case("map of a system not known", _map("nope", "exam", source="http://ehr.test/unknown")),
    case("search for two", _search(_PART, _PART)),
    case("composite search for one", _search(_PART), ("search-components", "SearchParameter")),
    case("composite search for nothing", _search(), ("search-components", "SearchParameter")),
)
