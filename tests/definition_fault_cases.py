"""Code systems, value sets and maps beside what else is known: each with the findings that R4 asks for.

Used twice: by the validator's unit tests, and by the oracle tests, where error or no error must be HL7's verdict too.
"""

from __future__ import annotations

from typing import Any

from tests.base_records import CATEGORY, JsonObject, case, observation, patient

_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_STATUS = "http://hl7.org/fhir/observation-status"
_SETS = "http://hl7.org/fhir/ValueSet/"
_PROPERTIES = "http://hl7.org/fhir/concept-properties#"


def _system(**elements: Any) -> JsonObject:
    return {
        "resourceType": "CodeSystem",
        "url": "http://ehr.test/cs",
        "name": "Cs",
        "status": "active",
        "content": "complete",
        "concept": [{"code": "a"}, {"code": "b"}],
        **elements,
    }


def _supplement(*codes: str, **elements: Any) -> JsonObject:
    concepts = [{"code": code} for code in codes]
    return _system(**{"content": "supplement", "supplements": CATEGORY, "concept": concepts, **elements})


def _declared(uri: str, url: str = "http://ehr.test/cs") -> JsonObject:
    return _system(url=url, property=[{"code": "x", "uri": uri, "type": "string"}])


def _set(**include: Any) -> JsonObject:
    return {
        "resourceType": "ValueSet",
        "url": "http://ehr.test/vs",
        "status": "active",
        "compose": {"include": [include]},
    }


def _filter(name: str, operator: str, value: str, system: str = _ACT) -> JsonObject:
    return _set(system=system, filter=[{"property": name, "op": operator, "value": value}])


def _expansion(*used: str, **contains: Any) -> JsonObject:
    parameters = [{"name": "used-codesystem", "valueUri": canonical} for canonical in used]
    contained = {"system": CATEGORY, "code": "exam", **contains}
    group = {"abstract": True, "display": "x", "contains": [contained]}
    expansion = {"timestamp": "2020-01-01", "parameter": parameters, "contains": [group]}
    return {"resourceType": "ValueSet", "url": "http://ehr.test/vs", "status": "active", "expansion": expansion}


def _map(code: str = "exam", to: str = "survey", group: JsonObject | None = None, **elements: Any) -> JsonObject:
    element = {"code": code, "target": [{"code": to, "equivalence": "equal"}]}
    groups = [{"source": CATEGORY, "target": CATEGORY, "element": [element], **(group or {})}]
    return {"resourceType": "ConceptMap", "url": "http://ehr.test/cm", "status": "active", "group": groups, **elements}


def _coded(system: str, code: str = "x") -> JsonObject:
    return observation(code={"coding": [{"system": system, "code": code}]})


_ADDRESS = "Observation.code.coding[0].system"
_FILTER = ("value-set-filter", "ValueSet.compose.include[0].filter[0]")
_INCLUDE = ("value-set-system", "ValueSet.compose.include[0].system")
_ALL = ("code-system-value-set", "CodeSystem.valueSet")
_SOURCE = "ConceptMap.group[0].element[0].code"
_TARGET = "ConceptMap.group[0].element[0].target[0].code"

_ADDRESSES = (
    case("code of a system that HL7 does not have", _coded("http://hl7.org/fhir/nope"), ("address-unknown", _ADDRESS)),
    case(
        "code of a system of a guide not known",
        _coded("http://hl7.org/fhir/us/core/CodeSystem/us-core-tags"),
        ("address-unknown", _ADDRESS),
    ),
    case("code of a system that HL7 has registered", _coded("http://hl7.org/fhir/sid/icd-10-cm")),
    case(
        "code of a system as if HL7 had registered it",
        _coded("http://hl7.org/fhir/sid/icd-11"),
        ("address-unknown", _ADDRESS),
    ),
    case("search parameter of R4 as a system", _coded("http://hl7.org/fhir/SearchParameter/individual-gender")),
    case(
        "search parameter that R4 does not have as a system",
        _coded("http://hl7.org/fhir/SearchParameter/nope"),
        ("address-unknown", _ADDRESS),
    ),
    case("code of a system elsewhere at HL7", _coded("http://terminology.hl7.org/CodeSystem/nope")),
    case(
        "system without a code that HL7 does not have",
        observation(code={"coding": [{"system": "http://hl7.org/fhir/nope", "display": "x"}]}),
        ("address-unknown", _ADDRESS),
    ),
    case(
        "unit of a system that HL7 does not have",
        observation(valueQuantity={"value": 1, "system": "http://hl7.org/fhir/nope", "code": "x"}),
        ("address-unknown", "Observation.value.ofType(Quantity).system"),
    ),
    case(
        "tag of a system that HL7 does not have",
        patient(meta={"tag": [{"system": "http://hl7.org/fhir/nope", "code": "x"}]}),
        ("address-unknown", "Patient.meta.tag[0].system"),
    ),
    case("element of a type as a code", _coded("http://hl7.org/fhir/StructureDefinition/Patient", "Patient.name")),
    case(
        "no element of a type as a code",
        _coded("http://hl7.org/fhir/StructureDefinition/Patient", "Patient.nam"),
        ("code-unknown", "Observation.code.coding[0].code"),
    ),
    case("name of a type for a system", _coded("code"), ("code-unknown", "Observation.code.coding[0].code")),
)

_SYSTEMS = (
    case("value set of all codes", _system(url=CATEGORY, valueSet=_SETS + "observation-category")),
    case("value set of another system", _system(valueSet=_SETS + "observation-status"), _ALL),
    case("value set of several systems", _system(valueSet=_SETS + "clinical-findings"), _ALL),
    case(
        "value set of some of the codes",
        _system(url="http://hl7.org/fhir/event-status", valueSet=_SETS + "immunization-status"),
        _ALL,
    ),
    case("value set that is not known", _system(valueSet="http://ehr.test/vs")),
    case("value set that is a code system", _system(valueSet=_STATUS)),
    case("supplement to a hierarchy", _supplement("AMB", supplements=_ACT, hierarchyMeaning="is-a")),
    case(
        "supplement to another kind of hierarchy",
        _supplement("AMB", supplements=_ACT, hierarchyMeaning="part-of"),
        ("code-system-hierarchy", "CodeSystem.hierarchyMeaning"),
    ),
    case(
        "supplement that says it is none",
        _supplement("exam", content="complete"),
        ("code-system-content", "CodeSystem"),
    ),
    case(
        "supplement with a property that leads to no code",
        _supplement(
            property=[{"code": "next", "type": "code"}],
            concept=[{"code": "exam", "property": [{"code": "next", "valueCode": "nope"}]}],
        ),
        ("code-system-property-value", "CodeSystem"),
    ),
    case(
        "supplement with a property that leads to a code",
        _supplement(
            property=[{"code": "next", "type": "code"}],
            concept=[{"code": "exam", "property": [{"code": "next", "valueCode": "survey"}]}],
        ),
    ),
    case(
        "property at HL7's by another scheme",
        _declared("https://hl7.org/fhir/x#y"),
        ("code-system-property", "CodeSystem"),
    ),
    case("property that HL7 has later", _declared(_PROPERTIES + "order"), ("code-system-property", "CodeSystem")),
)

_SETS_CASES = (
    case("part of a system", _set(system=CATEGORY, version="4.0.1", concept=[{"code": "exam"}])),
    case("system with its version", _set(system=CATEGORY + "|1"), _INCLUDE),
    case("system with its version, twice", _set(system=CATEGORY + "|1", version="1"), _INCLUDE),
    case("system with a bar", _set(system=CATEGORY + "|")),
    case("value set for a system", _set(system=_SETS + "observation-status"), _INCLUDE),
    case("OID for a system of R4", _set(system="urn:oid:2.16.840.1.113883.5.4"), _INCLUDE),
    case("OID for a system not known", _set(system="urn:oid:2.16.840.1.113883.19.1")),
    case("filter by hierarchy", _filter("concept", "is-a", "_ActPolicyType")),
    case("filter by no code", _filter("concept", "is-a", "nope"), _FILTER),
    case("filter equal to no code", _filter("concept", "=", "nope"), _FILTER),
    case("filter by codes", _filter("concept", "in", "AMB,EMER")),
    case("filter by codes and no code", _filter("concept", "in", "AMB,nope"), _FILTER),
    case("filter by codes with blanks", _filter("concept", "in", "AMB, EMER"), _FILTER),
    case("filter by concepts that exist", _filter("concept", "exists", "true"), _FILTER),
    case("filter of concepts by expression", _filter("concept", "regex", "a.*"), _FILTER),
    case("filter of codes by expression", _filter("code", "regex", "a.*")),
    case("filter by no expression", _filter("code", "regex", "a(.*"), _FILTER),
    case("filter by a property not known", _filter("colour", "=", "red")),
    case("filter by yes or no", _filter("notSelectable", "=", "true")),
    case("filter by neither yes nor no", _filter("notSelectable", "=", "maybe"), _FILTER),
    case("filter by whether there is one", _filter("inactive", "exists", "maybe"), _FILTER),
    case("filter by weight", _filter("itemWeight", "=", "1.5")),
    case("filter by more than a weight", _filter("itemWeight", "=", "gt1.5")),
    case("filter by no weight", _filter("itemWeight", "=", "heavy"), _FILTER),
    case("filter by date", _filter("effectiveDate", "=", "2020-01")),
    case("filter by no date", _filter("effectiveDate", "=", "soon"), _FILTER),
    case("filter by a status with blanks", _filter("status", "=", " a "), _FILTER),
    case("filter by code of a system not known", _filter("concept", "is-a", "nope", "http://ehr.test/x")),
    case("filter by property of a system not known", _filter("inactive", "=", "nope", "http://ehr.test/x"), _FILTER),
    case("filter of SNOMED CT by what exists", _filter("concept", "exists", "true", "http://snomed.info/sct"), _FILTER),
    case("filter of LOINC by property", _filter("STATUS", "=", "ACTIVE", "http://loinc.org")),
    case("filter of LOINC by hierarchy of a property", _filter("CLASS", "is-a", "x", "http://loinc.org"), _FILTER),
    case("expansion from one version", _expansion(CATEGORY + "|1")),
    case(
        "expansion from two versions",
        _expansion(CATEGORY + "|1", CATEGORY + "|2"),
        ("value-set-expansion", "ValueSet.expansion"),
    ),
    case("expansion from two versions, each named", _expansion(CATEGORY + "|1", CATEGORY + "|2", version="1")),
)

_MAPS = (
    case("map between value sets", _map(sourceUri=_SETS + "observation-category")),
    case("map from a code system", _map(sourceUri=CATEGORY), ("concept-map-value-set", "ConceptMap.source")),
    case(
        "map to a structure",
        _map(targetCanonical="http://hl7.org/fhir/StructureDefinition/Patient"),
        ("concept-map-value-set", "ConceptMap.target"),
    ),
    case("map from another value set", _map(sourceUri=_SETS + "observation-status"), ("concept-map-code", _SOURCE)),
    case("map to another value set", _map(targetUri=_SETS + "observation-status"), ("concept-map-code", _TARGET)),
    case("map from a value set not known", _map(sourceUri="http://ehr.test/vs")),
    case("map of no code of a version", _map("nope", group={"sourceVersion": "4.0.1"}), ("code-unknown", _SOURCE)),
    case("map of a code of a version not known", _map("nope", group={"sourceVersion": "9"})),
    case("map of a code of LOINC", _map("nope", group={"source": "http://loinc.org"})),
)

DEFINITION_FAULT_CASES = (*_ADDRESSES, *_SYSTEMS, *_SETS_CASES, *_MAPS)
