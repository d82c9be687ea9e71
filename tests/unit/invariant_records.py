"""The smallest records that carry an invariant: forms, definitions, Bundles, a Task."""

from __future__ import annotations

from typing import Any

from tests.base_records import URN, observation, patient

JsonObject = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
R4 = "http://hl7.org/fhir/StructureDefinition/"
OURS = "https://ehr.test/StructureDefinition/a"
BOUND = {"strength": "example", "description": "x"}
STRING = [{"code": "string"}]
KETA = "https://w3id.org/fhir-keta/"
ORDINAL = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 0}


def questionnaire(*items: JsonObject) -> JsonObject:
    return {"resourceType": "Questionnaire", "status": "draft", "item": list(items)}


def form(*items: JsonObject) -> JsonObject:
    return {
        **questionnaire(*items),
        "meta": {"profile": [f"{KETA}StructureDefinition/keta-questionnaire"]},
        "url": "https://ehr.test/Questionnaire/a",
        "version": "1",
        "title": "A",
        "name": "A",
        "subjectType": ["Patient"],
        "publisher": "us",
        "date": "2026",
        "description": "x",
        "copyright": "x",
    }


def question(**elements: Any) -> JsonObject:
    return {
        "linkId": "a",
        "text": "A?",
        "type": "choice",
        "code": [{"system": f"{KETA}CodeSystem/keta-concepts", "code": "mood"}],
        "extension": [{"url": f"{KETA}StructureDefinition/keta-recall", "valueCode": "now"}],
        "answerOption": [
            {
                "extension": [ORDINAL],
                "valueCoding": {
                    "extension": [ORDINAL],
                    "system": f"{KETA}CodeSystem/keta-intensity",
                    "code": "not-at-all",
                },
            }
        ],
        **elements,
    }


def code_system(*concepts: JsonObject) -> JsonObject:
    return {
        "resourceType": "CodeSystem",
        "url": "https://ehr.test/CodeSystem/a",
        "status": "draft",
        "content": "fragment",
        "concept": list(concepts),
    }


def structure(view: str, *elements: JsonObject, **members: Any) -> JsonObject:
    base = {"short": "x", "definition": "x", "min": 0, "max": "*", "base": {"path": "Basic", "min": 0, "max": "*"}}
    filled = [{"id": each["path"], **(base if view == "snapshot" else {}), **each} for each in elements]
    return {
        "resourceType": "StructureDefinition",
        "url": OURS,
        "name": "A",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Basic",
        "baseDefinition": f"{R4}Basic",
        "derivation": "constraint",
        view: {"element": filled},
        **members,
    }


def differential(**members: Any) -> JsonObject:
    return structure("differential", {"path": "Basic"}, {"path": "Basic.code", **members})


def extension(*elements: JsonObject) -> JsonObject:
    """The definition of an extension; what ``elements`` say is after its root, and around its url as R4 orders them."""
    url = {"path": "Extension.url", "fixedUri": OURS}
    ordered = sorted([*elements, url], key=lambda element: element["path"])
    return {
        **structure("differential", {"path": "Extension"}, *ordered),
        "kind": "complex-type",
        "type": "Extension",
        "baseDefinition": f"{R4}Extension",
        "context": [{"type": "element", "expression": "Patient"}],
        "contextInvariant": ["true"],
    }


def extension_value(**value: Any) -> JsonObject:
    return extension({"path": "Extension.value[x]", **value})


def logical(**element: Any) -> JsonObject:
    """A model of its own: only there has an element a default value."""
    type_ = {} if "contentReference" in element else {"type": STRING}
    one = {"path": "a.b", "definition": "x", "min": 0, "max": "1", **type_, **element}
    return {
        **structure("differential", {"path": "a", "definition": "x", "min": 0, "max": "*"}, one),
        "kind": "logical",
        "type": OURS,
        "baseDefinition": f"{R4}Element",
        "derivation": "specialization",
    }


SLICED = {
    "path": "Extension.extension",
    "slicing": {"rules": "open", "discriminator": [{"type": "value", "path": "url"}]},
}
SLICE = {"path": "Extension.extension", "id": "Extension.extension:a-1"}
BELOW_ROOT = {"path": "Basic.code", "type": [{"code": "CodeableConcept"}]}
ROOT_TYPE = [{"code": "CodeableConcept"}]


def guide(**members: Any) -> JsonObject:
    resource = {"reference": {"reference": "Basic/1"}, **members.pop("resource", {})}
    definition = {"grouping": [{"id": "g", "name": "G"}], "resource": [resource]}
    return {
        "resourceType": "ImplementationGuide",
        "url": "https://ehr.test/ImplementationGuide/a",
        "name": "A",
        "status": "draft",
        "packageId": "test.a",
        "fhirVersion": ["4.0.1"],
        "definition": definition,
    }


def capabilities(**members: Any) -> JsonObject:
    return {
        "resourceType": "CapabilityStatement",
        "status": "draft",
        "date": "2026",
        "kind": "requirements",
        "description": "x",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        **members,
    }


def operation(**parameter: Any) -> JsonObject:
    return {
        "resourceType": "OperationDefinition",
        "name": "A",
        "status": "draft",
        "kind": "operation",
        "code": "a",
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [{"name": "a", "use": "in", "min": 0, "max": "1", **parameter}],
    }


def rest(*resources: JsonObject) -> JsonObject:
    return capabilities(rest=[{"mode": "server", "resource": list(resources)}])


def bundle(type_: str, *entries: JsonObject, **members: Any) -> JsonObject:
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries), **members}


def entry(number: int, resource: JsonObject, **members: Any) -> JsonObject:
    return {"fullUrl": f"{URN}{number}", "resource": resource, **members}


REQUEST = {"request": {"method": "POST", "url": "Patient"}}
RESPONSE = {"response": {"status": "200"}}
HEADER = {"resourceType": "MessageHeader", "eventUri": "urn:x:y", "source": {"endpoint": "https://ehr.test"}}
COMPOSITION = {
    "resourceType": "Composition",
    "status": "final",
    "type": {"text": "x"},
    "date": "2026",
    "author": [{"display": "x"}],
    "title": "x",
}
DOCUMENT = {"identifier": {"system": "urn:x:y", "value": "1"}, "timestamp": "2026-01-01T10:00:00Z"}
PERSON = patient(active=True)


def divided(div: str) -> JsonObject:
    return patient(text={"status": "generated", "div": div})


def dispensed(prepared: str, handed_over: str) -> JsonObject:
    return {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"display": "x"},
        "whenPrepared": prepared,
        "whenHandedOver": handed_over,
    }


def task(authored: str, modified: str) -> JsonObject:
    return {
        "resourceType": "Task",
        "status": "draft",
        "intent": "order",
        "authoredOn": authored,
        "lastModified": modified,
    }


def timed(**repeat: Any) -> JsonObject:
    return observation(effectiveTiming={"repeat": repeat})


def counted(**count: Any) -> JsonObject:
    """A Count is nowhere in R4's resources but as a parameter."""
    return {"resourceType": "Parameters", "parameter": [{"name": "n", "valueCount": count}]}


def coded(*component_codes: str) -> JsonObject:
    def concept(code: str) -> JsonObject:
        return {"coding": [{"system": "urn:x:y", "code": code}]}

    components = [{"code": concept(code), "valueString": "x"} for code in component_codes]
    return observation(code=concept("a"), valueString="x", component=components)


CONTAINED = patient(id="p", active=True)
