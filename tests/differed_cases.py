"""Records on which HL7's validator and ours once differed, with the findings of the specification."""

from __future__ import annotations

from typing import Any

from tests.base_records import CATEGORY, DATA_ABSENT, URN, XHTML, JsonObject, bundle, case, observation, patient
from tests.differed_constraints import DIFFERED_CONSTRAINTS
from tests.differed_definitions import DIFFERED_DEFINITIONS, DIFFERED_SEARCHES

UCUM = "http://unitsofmeasure.org"
ABSENT = {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}
HASH = "qvTGHdzF6KLavt4PO0gs2a6pQ00="  # SHA-1 of "hello": printf hello | openssl sha1 -binary | base64


def _heart_rate(**value: Any) -> JsonObject:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2020-01-01",
        "valueQuantity": {"value": 70, "unit": "/min", "system": UCUM, "code": "/min", **value},
    }


def _attachment(**elements: Any) -> JsonObject:
    attachment = {"contentType": "text/plain", "data": "aGVsbG8=", **elements}
    return {"resourceType": "Media", "status": "completed", "content": attachment}


_PRIMITIVES = (
    case("id and no value", patient(active=True, _birthDate={"id": "a"}), ("element-empty", "Patient.birthDate")),
    case("id beside a value", patient(birthDate="2000", _birthDate={"id": "a"})),
    case(
        "id and no content",
        patient(maritalStatus={"id": "a"}),
        ("element-empty", "Patient.maritalStatus"),
        oracle=False,
    ),
    case(
        "id in place of a null",
        patient(name=[{"given": ["A", None], "_given": [None, {"id": "a"}]}]),
        ("element-empty", "Patient.name[0].given[1]"),
    ),
    case(
        "part of an extension that its definition does not know",
        patient(
            extension=[
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/patient-nationality",
                    "extension": [
                        {"url": "code", "valueCodeableConcept": {"text": "x"}},
                        {"url": "x", "valueCode": "y"},
                    ],
                }
            ]
        ),
        ("extension-unknown", "Patient.extension[0].extension[1]"),
    ),
    case("extension on an id", patient(id="a", _id=ABSENT), ("element-unknown", "Patient.id")),
    case(
        "extension on the url of an extension",
        patient(extension=[{"url": DATA_ABSENT, "_url": ABSENT, "valueCode": "unknown"}]),
        ("element-unknown", "Patient.extension[0].url"),
    ),
    case(
        "extension on a fixed value",
        _heart_rate(_code=ABSENT),
        ("value-fixed", "Observation.value.ofType(Quantity).code"),
    ),
    case("id on a fixed value", _heart_rate(_code={"id": "a"})),
    case("required code only as an extension", patient(_gender=ABSENT), ("cardinality-min", "Patient")),
    case(
        "required code in a list only as an extension",
        {
            "resourceType": "AllergyIntolerance",
            "patient": {"display": "x"},
            "clinicalStatus": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
                ]
            },
            "category": [None, "food"],
            "_category": [ABSENT, None],
        },
        ("element-empty", "AllergyIntolerance.category[0]"),
    ),
    case(
        "code of no value set in a list",
        {
            "resourceType": "AllergyIntolerance",
            "patient": {"display": "x"},
            "clinicalStatus": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
                ]
            },
            "category": ["wood"],
        },
        ("binding-required", "AllergyIntolerance.category[0]"),
    ),
    case(
        "code with a tab",
        observation(code={"coding": [{"system": "urn:x:y", "code": "a\tb"}]}),
        ("primitive-format", "Observation.code.coding[0].code"),
    ),
    case("base64 cut short", _attachment(data="aGVsbG8"), ("primitive-format", "Media.content.data")),
    case("base64 padded in the middle", _attachment(data="aGVsbG8=aGVs"), ("primitive-format", "Media.content.data")),
    case("base64 of padding", _attachment(data="===="), ("primitive-format", "Media.content.data")),
    case(
        "display with another space",
        observation(category=[{"coding": [{"system": CATEGORY, "code": "vital-signs", "display": "Vital  Signs"}]}]),
        ("display-wrong", "Observation.category[0].coding[0].display"),
    ),
)

_BOUND = (
    case(
        "text where a code of LOINC is required",
        {
            "resourceType": "MolecularSequence",
            "coordinateSystem": 0,
            "structureVariant": [{"variantType": {"text": "x"}}],
        },
        ("binding-required", "MolecularSequence.structureVariant[0].variantType"),
    ),
)

_VITAL_SIGNS = (
    case(
        "oxygen saturation by a narrower code alone",
        {
            **_heart_rate(unit="%", code="%"),
            "code": {"coding": [{"system": "http://loinc.org", "code": "59408-5"}]},
        },
        ("slice-min", "Observation.code"),
    ),
    case(
        "oxygen saturation by a narrower code beside R4's",
        {
            **_heart_rate(unit="%", code="%"),
            "code": {"coding": [{"system": "http://loinc.org", "code": code} for code in ("59408-5", "2708-6")]},
        },
    ),
)

_IDS = (
    case(
        "element id twice",
        patient(birthDate="2000", _birthDate={"id": "a"}, name=[{"id": "a", "text": "x"}]),
        ("element-id", "Patient.name[0]"),
    ),
    case("element id like the resource's", patient(id="a", name=[{"id": "a", "text": "x"}])),
    case(
        "element id in two resources",
        observation(
            contained=[patient(id="p", name=[{"id": "a", "text": "x"}])], subject={"reference": "#p", "id": "a"}
        ),
    ),
    case(
        "two contained of one id",
        observation(contained=[patient(id="p", active=True)] * 2, subject={"reference": "#p"}),
        ("contained-id", "Observation"),
    ),
)


def _subject(reference: str, **elements: Any) -> JsonObject:
    return observation(subject={"reference": reference, **elements})


def _sent(type_: str) -> JsonObject:
    entry = {"fullUrl": f"{URN}1", "resource": _subject("Patient?active=true")}
    return {
        "resourceType": "Bundle",
        "type": type_,
        "entry": [{**entry, "request": {"method": "POST", "url": "Observation"}}],
    }


_REFERENCES = (
    case("reference with a space", _subject("Patient/ 1"), ("reference-format", "Observation.subject.reference")),
    case(
        "relative reference in a Bundle that is not type and id",
        bundle(URN + "1", _subject("someone")),
        ("reference-relative", "Bundle.entry[0].resource.subject"),
    ),
    case("relative reference alone that is not type and id", _subject("someone")),
    *(
        case(
            f"{reference} said to be an Observation",
            _subject(reference, type="Observation"),
            ("reference-target", "Observation.subject"),
        )
        for reference in ("someone", "a/b/c", "Foo/1")
    ),
    case("a reference said to be a Patient", _subject("someone", type="Patient")),
    case("reference by a search", _subject("Patient?active=true"), ("reference-search", "Observation.subject")),
    case("reference by a search in a transaction", _sent("transaction")),
    case("reference by a search in a batch", _sent("batch"), ("reference-search", "Bundle.entry[0].resource.subject")),
    case("reference to a container that is none", _subject("#"), ("reference-container", "Observation.subject")),
    case(
        "contained that refers to its container",
        observation(contained=[{**_subject("Patient/1"), "id": "o", "derivedFrom": [{"reference": "#"}]}]),
    ),
    case("type of another resource", _subject("Patient/1", type="Group"), ("reference-type", "Observation.subject")),
    case(
        "type of another contained resource",
        observation(contained=[patient(id="p", active=True)], subject={"reference": "#p", "type": "Group"}),
        ("reference-type", "Observation.subject"),
    ),
    case("type beside a URL of no resource", _subject("https://ehr.test/Persons/1", type="Patient")),
    case("type of the resource", _subject("Patient/1", type="Patient")),
    case("type without a literal reference", observation(subject={"type": "Patient", "display": "x"})),
    case(
        "identifier of a relative system",
        patient(identifier=[{"system": "local", "value": "z"}]),
        ("uri-absolute", "Patient.identifier[0].system"),
    ),
    case(
        "unit of a relative system",
        observation(valueQuantity={"value": 1, "system": "local", "code": "a"}),
        ("uri-absolute", "Observation.value.ofType(Quantity).system"),
    ),
)

_DATA_TYPES = (
    case("attachment of its size and hash", _attachment(size=5, hash=HASH)),
    case("attachment of another size", _attachment(size=8), ("attachment-size", "Media.content")),
    case("attachment of another hash", _attachment(hash="aGVsbG8="), ("attachment-hash", "Media.content")),
    case(
        "range without an upper number",
        observation(valueRange={"low": {"value": 1}, "high": {"unit": "mg"}}),
        ("rng-2", "Observation.value.ofType(Range)"),
    ),
    case(
        "offset from two events",
        observation(effectiveTiming={"repeat": {"offset": 30, "when": ["MORN", "NIGHT"]}}),
    ),
    case(
        "modified before it was written",
        {
            "resourceType": "Task",
            "status": "draft",
            "intent": "order",
            "authoredOn": "2020-01-02",
            "lastModified": "2020-01-01",
        },
        ("inv-1", "Task"),
    ),
    case(
        "prediction without a probability",
        {
            "resourceType": "RiskAssessment",
            "status": "final",
            "subject": {"display": "x"},
            "prediction": [{"outcome": {"text": "x"}}],
        },
    ),
    case(
        "probability above 100",
        {
            "resourceType": "RiskAssessment",
            "status": "final",
            "subject": {"display": "x"},
            "prediction": [{"probabilityDecimal": 101}],
        },
        ("ras-2", "RiskAssessment.prediction[0]"),
    ),
)

DIFFERED_CASES = (
    case(
        "OID that is none",
        patient(identifier=[{"system": "urn:oid:3.1", "value": "z"}]),
        ("primitive-format", "Patient.identifier[0].system"),
    ),
    case(
        "UUID that is none",
        patient(identifier=[{"system": "urn:uuid:zz", "value": "z"}]),
        ("primitive-format", "Patient.identifier[0].system"),
    ),
    case(
        "UUID in upper case",
        patient(identifier=[{"system": (URN + "1").upper().replace("URN:UUID", "urn:uuid"), "value": "z"}]),
        ("primitive-format", "Patient.identifier[0].system"),
    ),
    case(
        "canonical that is relative",
        {"resourceType": "Questionnaire", "status": "draft", "derivedFrom": ["foo"]},
        ("primitive-format", "Questionnaire.derivedFrom[0]"),
    ),
    case(
        "canonical of an OID that is none",
        {"resourceType": "Questionnaire", "status": "draft", "derivedFrom": ["urn:oid:01.2"]},
        ("primitive-format", "Questionnaire.derivedFrom[0]"),
    ),
    case(
        "definition with a relative url",
        {"resourceType": "Questionnaire", "status": "draft", "url": "foo"},
        ("uri-absolute", "Questionnaire.url"),
    ),
    case(
        "entry without a name",
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": patient(active=True)}]},
        ("bundle-full-url", "Bundle.entry[0]"),
    ),
    case("entry named relatively", bundle("Patient/1", patient(id="1")), ("bundle-full-url", "Bundle.entry[0]")),
    case(
        "entry named after another",
        bundle("https://ehr.test/Patient/2", patient(id="1")),
        ("bundle-full-url", "Bundle.entry[0]"),
    ),
    case(
        "entry named after a server without an id",
        bundle("https://ehr.test/Patient/2", patient(active=True)),
        ("bundle-full-url", "Bundle.entry[0]"),
    ),
    case("entry named as on its server", bundle("https://ehr.test/Patient/2", patient(id="2"))),
    case("absent reason on a resource", patient(extension=[{"url": DATA_ABSENT, "valueCode": "unknown"}])),
    case(
        "absent reason as a modifier",
        patient(modifierExtension=[{"url": DATA_ABSENT, "valueCode": "unknown"}]),
        ("extension-modifier", "Patient.modifierExtension[0]"),
    ),
    case(
        "fragment to a type not allowed",
        observation(
            contained=[{"resourceType": "Medication", "id": "m", "status": "active"}], subject={"reference": "#m"}
        ),
        ("reference-target", "Observation.subject"),
    ),
    case(
        "duration below zero",
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "subject": {"display": "x"},
            "occurrenceTiming": {"repeat": {"duration": -1, "durationUnit": "h"}},
        },
        ("tim-4", "ServiceRequest.occurrence.ofType(Timing).repeat"),
    ),
    case(
        "narrative with an entity of HTML",
        observation(text={"status": "generated", "div": f"<div {XHTML}>x&nbsp;y</div>"}),
        ("txt-1", "Observation.text"),
    ),
    case(
        "narrative of white space",
        observation(text={"status": "generated", "div": f"<div {XHTML}> </div>"}),
        ("txt-2", "Observation.text"),
    ),
    *_PRIMITIVES,
    *_BOUND,
    *_VITAL_SIGNS,
    *_IDS,
    *_REFERENCES,
    *_DATA_TYPES,
    *DIFFERED_DEFINITIONS,
    *DIFFERED_SEARCHES,
    *DIFFERED_CONSTRAINTS,
)
