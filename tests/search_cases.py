"""Search parameters, capability statements, operations and guides: each with the findings that R4 asks for."""

from __future__ import annotations

from typing import Any

from tests.base_records import BaseCase, JsonObject, case

_GENDER = "http://hl7.org/fhir/SearchParameter/individual-gender"
_CORE = "http://hl7.org/fhir/StructureDefinition/"
_US_CORE = "http://hl7.org/fhir/us/core/ImplementationGuide/hl7.fhir.us.core"
_EXPRESSION = ("search-expression", "SearchParameter.expression")
_DEPENDENCY = ("guide-dependency", "ImplementationGuide.dependsOn[0]")
_CRITERION = ("measure-criteria", "Measure.group[0].population[0].criteria")


def _search(expression: str, *bases: str, **elements: Any) -> JsonObject:
    return {
        "resourceType": "SearchParameter",
        "url": "http://ehr.test/sp",
        "name": "X",
        "status": "active",
        "description": "x",
        "code": "x",
        "base": list(bases) or ["Patient"],
        "type": "token",
        "expression": expression,
        **elements,
    }


def _expressions(good: bool, *expressions: str) -> tuple[BaseCase, ...]:
    kind = "search for" if good else "no search for"
    return tuple(case(f"{kind} {each}", _search(each), *(() if good else (_EXPRESSION,))) for each in expressions)


def _offered(definition: str, type_: str) -> JsonObject:
    offered = {"name": "x", "definition": definition, "type": type_}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2020-01-01",
        "description": "x",
        "kind": "requirements",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": [{"type": "Patient", "searchParam": [offered]}]}],
    }


def operation(**elements: Any) -> JsonObject:
    return {
        "resourceType": "OperationDefinition",
        "url": "http://ehr.test/op",
        "name": "Op",
        "status": "active",
        "kind": "operation",
        "code": "op",
        "system": True,
        "type": False,
        "instance": False,
        **elements,
    }


def _guide(uri: str = _US_CORE, **dependency: str) -> JsonObject:
    return {
        "resourceType": "ImplementationGuide",
        "url": "http://ehr.test/ImplementationGuide/x",
        "name": "X",
        "status": "active",
        "packageId": "a.b",
        "fhirVersion": ["4.0.1"],
        "dependsOn": [{"uri": uri, **dependency}],
    }


def measure(expression: str, *libraries: str, language: str = "text/cql") -> JsonObject:
    """A measure with one criterion."""
    criterion = {"language": language, "expression": expression}
    return {
        "resourceType": "Measure",
        "url": "http://ehr.test/m",
        "status": "active",
        **({"library": list(libraries)} if libraries else {}),
        "group": [{"population": [{"criteria": criterion}]}],
    }


_OFFERED = ("search-type", "CapabilityStatement.rest[0].resource[0].searchParam[0].type")

SEARCH_CASES = (
    *_expressions(
        True,
        "Patient.name",
        "name",
        "Patient.name.where(use = 'official').given",
        "(Patient.deceased as dateTime)",
        "Patient.deceased.as(dateTime)",
        "Patient.deceased.ofType(FHIR.dateTime)",
        "Patient.deceased.exists() and Patient.deceased != false",
        "Patient.name | Patient.telecom",
        "Patient.name[0].given",
        "Patient.managingOrganization.resolve().name",
        "Patient.managingOrganization.where(resolve() is Organization)",
        "Patient.extension('http://ehr.test/x').value",
        "Patient.birthDate.extension('http://ehr.test/x')",
        "Patient.birthDate > @2020-01-01",
        "Patient.contact.name.family",
        "Patient.contained.name",
        "DomainResource.text",
        "%resource.name",
        "iif(Patient.active, Patient.name, Patient.telecom)",
        "Patient.name.select(given)",
        "Patient.name // comment",
    ),
    *_expressions(
        False,
        "Patient.nam",
        "nam",
        "patient.name",
        "Observation.code",
        "Patient.name | Observation.code",
        "Patient.name.where(us = 'official')",
        "Patient.name.select(givn)",
        "Patient.name.foo()",
        "Patient.name.first(1)",
        "Patient.name.where()",
        "Patient.name['a']",
        "Patient.name.where(",
        "Patient.name.where(use = 'official)",
        "Patient..name",
        "Patient.name ]",
        "Patient.name Patient.telecom",
        "Patient.deceasedDateTime",
        "Patient.birthDate.foo",
        "Patient.contact.name.famly",
        "Patient.managingOrganization.referenc",
        "Patient.extension('http://ehr.test/x').valu",
        "%foo",
    ),
    case("search in two types", _search("Patient.name | Practitioner.name", "Patient", "Practitioner")),
    case("search by what one type has", _search("qualification", "Patient", "Practitioner")),
    case("search by what no type has", _search("qualifier", "Patient", "Practitioner"), _EXPRESSION),
    case("search in a type not searched", _search("Patient.name | Person.name", "Patient"), _EXPRESSION),
    case("search in all types", _search("Resource.id", "Resource")),
    case("search made from another", _search("Patient.gender", derivedFrom=_GENDER)),
    case("search made from one not known", _search("Patient.gender", derivedFrom="http://ehr.test/other")),
    case(
        "search made from one of another type",
        _search("Patient.gender", derivedFrom=_GENDER, type="string"),
        ("search-derived", "SearchParameter.type"),
    ),
    case(
        "search made from one for other types",
        _search("Observation.status", "Observation", derivedFrom=_GENDER),
        ("search-derived", "SearchParameter.base"),
    ),
    case("search offered as it is", _offered(_GENDER, "token")),
    case("search offered as of another type", _offered(_GENDER, "string"), _OFFERED),
    case("version of a search offered as of another type", _offered(_GENDER + "|4.0.1", "string"), _OFFERED),
    case("version not known of a search offered", _offered(_GENDER + "|9", "string")),
    case("search not known offered", _offered("http://hl7.org/fhir/SearchParameter/nope", "string")),
    case("operation on Parameters", operation(inputProfile=_CORE + "Parameters")),
    case(
        "operation on patients",
        operation(inputProfile=_CORE + "Patient"),
        ("operation-profile", "OperationDefinition.inputProfile"),
    ),
    case(
        "operation that gives what is not known",
        operation(outputProfile="http://ehr.test/nope"),
        ("operation-profile", "OperationDefinition.outputProfile"),
    ),
    case("operation made from one not known", operation(base="http://ehr.test/op")),
    case("guide with what it depends on", _guide(packageId="hl7.fhir.us.core", version="3.1.0")),
    case("guide that depends on no guide", _guide("http://hl7.org/fhir/us/core"), _DEPENDENCY),
    case("guide that depends on a version in the uri", _guide(_US_CORE + "|3"), _DEPENDENCY),
    case("guide that depends on a bar", _guide(_US_CORE + "|"), _DEPENDENCY),
    case("guide that depends on a version twice", _guide(_US_CORE + "|3", version="3")),
    case("guide that depends on a package of one word", _guide(packageId="core"), _DEPENDENCY),
    case("guide that depends on a package of numbers", _guide(packageId="1.2"), _DEPENDENCY),
    case("criterion of no library", measure("Good"), _CRITERION),
    case("criterion of a library not known", measure("Good", "http://ehr.test/nope"), _CRITERION),
    case("criterion in FHIRPath", measure("Patient.active", language="text/fhirpath")),
    case("criterion in CQL itself", measure("true", language="text/cql-expression")),
)
