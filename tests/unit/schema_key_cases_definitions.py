"""Constraints of definitional resources and questionnaires that the compiler states as schema."""

from __future__ import annotations

from typing import Any

from tests.unit.invariant_records import capabilities, operation, questionnaire
from tests.unit.key_case import JsonObject, KeyCase, case

_SERVER = [{"mode": "server"}]
_SOFTWARE = {"name": "x"}
_IMPLEMENTATION = {"description": "x"}
_TEXT = {"text": "x"}
_CRITERIA = {"language": "text/fhirpath", "expression": "true"}
_CODES = "https://ehr.test/CodeSystem/a"


def _instance(**more: Any) -> JsonObject:
    return capabilities(**{"kind": "instance", "implementation": _IMPLEMENTATION, "rest": _SERVER, **more})


def _terminology(kind: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "TerminologyCapabilities",
        "status": "draft",
        "date": "2026",
        "kind": kind,
        "description": "x",
        **more,
    }


def _concept_map(target: JsonObject, **more: Any) -> JsonObject:
    group = {"source": _CODES, "target": _CODES, "element": [{"code": "a", "target": [target]}], **more}
    return {"resourceType": "ConceptMap", "status": "draft", "group": [group]}


_EQUAL = {"code": "b", "equivalence": "equal"}


def _measure(**stratifier: Any) -> JsonObject:
    return {"resourceType": "Measure", "status": "draft", "group": [{"stratifier": [stratifier]}]}


def _report(type_: str, **group: Any) -> JsonObject:
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": type_,
        "measure": "https://ehr.test/Measure/a",
        "period": {"start": "2020"},
        "group": [group],
    }


def _search(type_: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "SearchParameter",
        "url": "https://ehr.test/SearchParameter/a",
        "name": "A",
        "status": "draft",
        "description": "x",
        "code": "a",
        "base": ["Observation"],
        "type": type_,
        "expression": "Observation.subject",
        **more,
    }


def _map(**target: Any) -> JsonObject:
    rule = {"name": "a", "source": [{"context": "from"}], "target": [target]}
    inputs = [{"name": "from", "mode": "source"}, {"name": "to", "mode": "target"}]
    return {
        "resourceType": "StructureMap",
        "url": "https://ehr.test/StructureMap/a",
        "name": "A",
        "status": "draft",
        "group": [{"name": "g", "typeMode": "none", "input": inputs, "rule": [rule]}],
    }


def _value_set(**include: Any) -> JsonObject:
    return {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [include]}}


def _expanded(**contains: Any) -> JsonObject:
    expansion = {"timestamp": "2020-01-01", "contains": [contains]}
    return {"resourceType": "ValueSet", "status": "draft", "expansion": expansion}


_TO = {"context": "to", "contextType": "variable", "element": "id"}
_FILTER = {"property": "concept", "op": "is-a", "value": "a"}
_TARGET = "ConceptMap.group[0].element[0].target[0]"
_INCLUDE = "ValueSet.compose.include[0]"
_CONTAINS = "ValueSet.expansion.contains[0]"
_PARAMETER = "OperationDefinition.parameter[0]"

DEFINITION_CASES: tuple[KeyCase, ...] = (
    case("cpb-1", capabilities(rest=_SERVER), {"rest": None}, "CapabilityStatement"),
    case("cpb-2", capabilities(rest=_SERVER), {"description": None}, "CapabilityStatement"),
    case(
        "cpb-3",
        _instance(messaging=[{"endpoint": [{"protocol": {"code": "http"}, "address": "https://ehr.test"}]}]),
        {"kind": "requirements", "implementation": None},
        "CapabilityStatement",
    ),
    case("cpb-14", _instance(), {"implementation": None}, "CapabilityStatement"),
    case(
        "cpb-15",
        capabilities(kind="capability", software=_SOFTWARE, rest=_SERVER),
        {"software": None},
        "CapabilityStatement",
    ),
    case("cpb-16", capabilities(rest=_SERVER), {"software": _SOFTWARE}, "CapabilityStatement"),
    case(
        "tcp-1",
        _terminology(
            "requirements", codeSystem=[{"uri": _CODES, "version": [{"code": "1"}, {"code": "2", "isDefault": True}]}]
        ),
        {"codeSystem.0.version.1.code": None},
        "TerminologyCapabilities.codeSystem[0]",
    ),
    case("tcp-2", _terminology("requirements"), {"description": None}, "TerminologyCapabilities"),
    case(
        "tcp-3",
        _terminology("instance", implementation=_IMPLEMENTATION),
        {"implementation": None},
        "TerminologyCapabilities",
    ),
    case(
        "tcp-4",
        _terminology("capability", software=_SOFTWARE),
        {"implementation": _IMPLEMENTATION},
        "TerminologyCapabilities",
    ),
    case("tcp-5", _terminology("requirements"), {"software": _SOFTWARE}, "TerminologyCapabilities"),
    case(
        "cmd-1",
        _concept_map({"code": "b", "equivalence": "narrower", "comment": "x"}),
        {"group.0.element.0.target.0.comment": None},
        _TARGET,
    ),
    case(
        "cmd-2",
        _concept_map(_EQUAL, unmapped={"mode": "fixed", "code": "b"}),
        {"group.0.unmapped.code": None},
        "ConceptMap.group[0].unmapped",
    ),
    case(
        "cmd-3",
        _concept_map(_EQUAL, unmapped={"mode": "other-map", "url": "https://ehr.test/ConceptMap/b"}),
        {"group.0.unmapped.url": None},
        "ConceptMap.group[0].unmapped",
    ),
    case(
        "mea-1", _measure(criteria=_CRITERIA), {"group.0.stratifier.0.component": [{"criteria": _CRITERIA}]}, "Measure"
    ),
    case("mrp-1", _report("individual", measureScore={"value": 1}), {"type": "data-collection"}, "MeasureReport"),
    case(
        "mrp-2",
        _report("individual", stratifier=[{"stratum": [{"value": _TEXT}]}]),
        {"group.0.stratifier.0.stratum.0.component": [{"code": _TEXT, "value": _TEXT}]},
        "MeasureReport",
    ),
    case(
        "msq-3",
        {"resourceType": "MolecularSequence", "coordinateSystem": 0},
        {"coordinateSystem": 2},
        "MolecularSequence",
    ),
    case(
        "msq-5",
        {
            "resourceType": "MolecularSequence",
            "coordinateSystem": 1,
            "referenceSeq": {"genomeBuild": "x", "chromosome": _TEXT},
        },
        {"referenceSeq.chromosome": None},
        "MolecularSequence.referenceSeq",
    ),
    case(
        "nsd-1",
        {
            "resourceType": "NamingSystem",
            "name": "A",
            "status": "draft",
            "kind": "root",
            "date": "2020",
            "uniqueId": [
                {"type": "oid", "value": "2.16.840.1.113883.3"},
                {"type": "other", "value": "6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11"},
            ],
        },
        {"uniqueId.1.type": "uuid"},
        "NamingSystem",
    ),
    case("opd-1", operation(type="string"), {"parameter.0.type": None}, _PARAMETER),
    case("opd-2", operation(type="string", searchType="token"), {"parameter.0.type": "uri"}, _PARAMETER),
    case(
        "spd-1",
        _search("reference", xpath="f:Observation/f:subject", xpathUsage="normal"),
        {"xpathUsage": None},
        "SearchParameter",
    ),
    case("spd-2", _search("reference", chain=["name"]), {"type": "token"}, "SearchParameter"),
    case("smp-1", _map(**_TO), {"group.0.rule.0.target.0.context": None}, "StructureMap.group[0].rule[0].target[0]"),
    case(
        "smp-2", _map(**_TO), {"group.0.rule.0.target.0.contextType": None}, "StructureMap.group[0].rule[0].target[0]"
    ),
    case("vsd-1", _value_set(system=_CODES, version="1"), {"compose.include.0.system": None}, _INCLUDE),
    case(
        "vsd-2",
        _value_set(system=_CODES, concept=[{"code": "a"}], valueSet=["http://hl7.org/fhir/ValueSet/languages"]),
        {"compose.include.0.system": None},
        _INCLUDE,
    ),
    case(
        "vsd-3",
        _value_set(system=_CODES, concept=[{"code": "a"}]),
        {"compose.include.0.filter": [_FILTER]},
        _INCLUDE,
    ),
    case("vsd-6", _expanded(abstract=True, display="x"), {"expansion.contains.0.display": None}, _CONTAINS),
    case("vsd-9", _expanded(system=_CODES, code="a", display="x"), {"expansion.contains.0.code": None}, _CONTAINS),
    case("vsd-10", _expanded(system=_CODES, code="a"), {"expansion.contains.0.system": None}, _CONTAINS),
)


def _item(type_: str, **more: Any) -> JsonObject:
    return questionnaire({"linkId": "a", "text": "x", "type": type_, **more})


def _conditional(count: int, **condition: Any) -> JsonObject:
    when = {"question": "b", "operator": "exists", "answerBoolean": True, **condition}
    return questionnaire(
        {"linkId": "a", "type": "display", "text": "x", "enableBehavior": "any", "enableWhen": [when] * count},
        {"linkId": "b", "type": "string"},
    )


_INITIAL = [{"valueString": "x"}]
_OPTIONS = [{"valueString": "x"}, {"valueString": "y"}]
_ITEM = "Questionnaire.item[0]"
_DISPLAY = {"item.0.type": "display"}

QUESTIONNAIRE_CASES: tuple[KeyCase, ...] = (
    case("que-1", _item("group", item=[{"linkId": "b", "type": "string"}]), {"item.0.item": None}, _ITEM),
    case("que-3", _item("string", code=[{"system": _CODES, "code": "a"}]), _DISPLAY, _ITEM),
    case(
        "que-4",
        _item("choice", answerOption=_OPTIONS),
        {"item.0.answerValueSet": "http://hl7.org/fhir/ValueSet/yesnodontknow"},
        _ITEM,
    ),
    case("que-5", _item("choice", answerOption=_OPTIONS), {"item.0.type": "boolean"}, _ITEM),
    case("que-6", _item("string", repeats=True), _DISPLAY, _ITEM),
    case(
        "que-7",
        _conditional(1),
        {"item.0.enableWhen.0": {"question": "b", "operator": "exists", "answerString": "x"}},
        "Questionnaire.item[0].enableWhen[0]",
    ),
    case("que-8", _item("string", initial=_INITIAL), _DISPLAY, _ITEM),
    case("que-9", _item("string", readOnly=True), _DISPLAY, _ITEM),
    case("que-10", _item("string", maxLength=3), {"item.0.type": "date"}, _ITEM),
    case("que-11", _item("choice", answerOption=_OPTIONS), {"item.0.initial": _INITIAL}, _ITEM),
    case("que-12", _conditional(3), {"item.0.enableBehavior": None}, _ITEM),
    case("que-13", _item("string", repeats=True, initial=_INITIAL * 2), {"item.0.repeats": False}, _ITEM),
)
