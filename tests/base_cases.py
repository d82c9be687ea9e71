"""Records of base R4, each with the findings that the specification asks for; empty findings: a valid record.

Used twice: by the validator's unit tests, and by the oracle tests, where error or no error must be HL7's verdict too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]
Finding = tuple[str, str]

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
URN = "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a1"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


@dataclass(frozen=True)
class BaseCase:
    """``findings`` are (rule, FHIRPath) of every error; ``oracle`` is False where HL7's validator differs."""

    name: str
    resource: JsonObject
    findings: tuple[Finding, ...] = ()
    oracle: bool = True


def observation(**elements: Any) -> JsonObject:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "a measurement"}, **elements}


def patient(**elements: Any) -> JsonObject:
    return {"resourceType": "Patient", **elements}


def _without(resource: JsonObject, *names: str) -> JsonObject:
    return {name: value for name, value in resource.items() if name not in names}


def _case(name: str, resource: JsonObject, *findings: Finding, oracle: bool = True) -> BaseCase:
    return BaseCase(name, resource, findings, oracle)


_STRUCTURE = (
    _case("smallest observation", observation()),
    _case("smallest patient", patient(active=True)),
    _case("unknown element", observation(colour="red"), ("element-unknown", "Observation.colour")),
    _case(
        "unknown element deep",
        observation(note=[{"text": "x", "txt": "y"}]),
        ("element-unknown", "Observation.note[0].txt"),
    ),
    _case("array for an object", observation(code=[{"text": "x"}]), ("element-type", "Observation.code")),
    _case("object for an array", observation(note={"text": "x"}), ("element-type", "Observation.note")),
    _case("object for a primitive", observation(issued={"value": "x"}), ("element-type", "Observation.issued")),
    _case("null", observation(note=None), ("element-empty", "Observation.note")),
    _case("empty array", observation(note=[]), ("element-empty", "Observation.note")),
    _case("empty object", observation(method={}), ("element-empty", "Observation.method")),
    _case("empty string", observation(valueString=""), ("element-empty", "Observation.value.ofType(string)")),
    _case("comments of DSTU2", observation(fhir_comments=["x"]), ("element-unknown", "Observation.fhir_comments")),
    _case("two values", observation(valueString="x", valueInteger=1), ("choice-multiple", "Observation")),
    _case(
        "value of a foreign type",
        observation(valueAttachment={"url": "a"}),
        ("element-unknown", "Observation.valueAttachment"),
    ),
)

_CARDINALITY = (
    _case("status missing", _without(observation(), "status"), ("cardinality-min", "Observation")),
    _case("code missing", _without(observation(), "code"), ("cardinality-min", "Observation")),
    _case(
        "component without code",
        observation(component=[{"valueString": "x"}]),
        ("cardinality-min", "Observation.component[0]"),
    ),
    _case(
        "status only as an extension",
        {**_without(observation(), "status"), "_status": {"id": "a"}},
        ("cardinality-min", "Observation"),
    ),
    _case("link without type", patient(link=[{"other": {"display": "x"}}]), ("cardinality-min", "Patient.link[0]")),
)

_PRIMITIVES = (
    _case(
        "day that does not exist",
        observation(effectiveDateTime="2021-02-29"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    _case("leap day", observation(effectiveDateTime="2024-02-29")),
    _case(
        "leap day of a century",
        observation(effectiveDateTime="1900-02-29"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    _case("leap day of 2000", observation(effectiveDateTime="2000-02-29")),
    _case(
        "hour 24",
        observation(effectiveDateTime="2020-01-01T24:00:00Z"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    _case(
        "time without zone",
        observation(effectiveDateTime="2020-01-01T10:00:00"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    _case(
        "time without seconds",
        observation(effectiveDateTime="2020-01-01T10:00Z"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    _case("year and month", observation(effectiveDateTime="2020-01")),
    _case(
        "month 13",
        observation(effectiveDateTime="2020-13"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    _case("instant without time", observation(issued="2020-01-01"), ("primitive-format", "Observation.issued")),
    _case("birth date with time", patient(birthDate="2020-01-01T10:00:00Z"), ("primitive-format", "Patient.birthDate")),
    _case("boolean as text", patient(active="true"), ("primitive-format", "Patient.active")),
    _case("integer as text", observation(valueInteger="6"), ("primitive-format", "Observation.value.ofType(integer)")),
    _case(
        "integer with a fraction",
        observation(valueInteger=6.5),
        ("primitive-format", "Observation.value.ofType(integer)"),
    ),
    _case(
        "integer of 33 bits",
        observation(valueInteger=2147483648),
        ("primitive-format", "Observation.value.ofType(integer)"),
    ),
    _case(
        "decimal as text",
        observation(valueQuantity={"value": "6.5"}),
        ("primitive-format", "Observation.value.ofType(Quantity).value"),
    ),
    _case(
        "positive integer of zero",
        patient(telecom=[{"system": "phone", "value": "1", "rank": 0}]),
        ("primitive-format", "Patient.telecom[0].rank"),
    ),
    _case("uri with a space", observation(implicitRules="a b"), ("primitive-format", "Observation.implicitRules")),
    _case("id with an underscore", observation(id="a_b"), ("primitive-format", "Observation.id")),
    _case("id of 65 characters", observation(id="a" * 65), ("primitive-format", "Observation.id")),
    _case(
        "code with two spaces",
        observation(code={"coding": [{"system": "urn:x:y", "code": "a  b"}]}),
        ("primitive-format", "Observation.code.coding[0].code"),
    ),
    _case("text with space around", observation(valueString=" a ")),
)

_CODES = (
    _case("status of no value set", observation() | {"status": "done"}, ("binding-required", "Observation.status")),
    _case("gender of no value set", patient(gender="f"), ("binding-required", "Patient.gender")),
    _case(
        "code the system lacks",
        observation(category=[{"coding": [{"system": CATEGORY, "code": "zzz"}]}]),
        ("code-unknown", "Observation.category[0].coding[0].code"),
    ),
    _case(
        "code without binding the system lacks",
        observation(method={"coding": [{"system": CATEGORY, "code": "zzz"}]}),
        ("code-unknown", "Observation.method.coding[0].code"),
    ),
    _case(
        "display of another code",
        observation(category=[{"coding": [{"system": CATEGORY, "code": "survey", "display": "Exam"}]}]),
        ("display-wrong", "Observation.category[0].coding[0].display"),
    ),
    _case(
        "display in other case",
        observation(category=[{"coding": [{"system": CATEGORY, "code": "survey", "display": "SURVEY"}]}]),
    ),
    _case(
        "code of a system not known here",
        observation(interpretation=[{"coding": [{"system": "urn:oid:2.16.840.1.113883.19", "code": "zzz"}]}]),
    ),
)

_REFERENCES = (
    _case(
        "reference to a type not allowed",
        observation(subject={"reference": "Medication/1"}),
        ("reference-target", "Observation.subject"),
    ),
    _case(
        "absolute reference to a type not allowed",
        observation(subject={"reference": "https://ehr.test/fhir/Medication/1"}),
        ("reference-target", "Observation.subject"),
    ),
    _case("reference to a type allowed", observation(subject={"reference": "Patient/1"})),
    _case("reference by display", observation(subject={"display": "someone"})),
    _case("reference by urn", observation(subject={"reference": "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11"})),
    _case("fragment that leads nowhere", observation(subject={"reference": "#p"}), ("ref-1", "Observation.subject")),
    _case(
        "fragment to a contained patient",
        observation(contained=[patient(id="p", active=True)], subject={"reference": "#p"}),
    ),
    _case(
        "contained that nothing refers to",
        observation(contained=[patient(id="p", active=True)]),
        ("dom-3", "Observation"),
    ),
    _case(
        "fault in a contained patient",
        observation(contained=[patient(id="p", gender="f")], subject={"reference": "#p"}),
        ("binding-required", "Observation.contained[0].gender"),
    ),
)

_INVARIANTS = (
    _case(
        "end before start",
        observation(effectivePeriod={"start": "2020-01-02", "end": "2020-01-01"}),
        ("per-1", "Observation.effective.ofType(Period)"),
    ),
    _case("start equals end", observation(effectivePeriod={"start": "2020-01-02", "end": "2020-01-02"})),
    _case(
        "start and end in two zones",
        observation(effectivePeriod={"start": "2020-01-01T12:00:00+02:00", "end": "2020-01-01T10:30:00Z"}),
    ),
    _case(
        "end before start in two zones",
        observation(effectivePeriod={"start": "2020-01-01T12:00:00+02:00", "end": "2020-01-01T09:30:00Z"}),
        ("per-1", "Observation.effective.ofType(Period)"),
    ),
    _case(
        "month against day",
        observation(effectivePeriod={"start": "2020-01", "end": "2020-01-05"}),
        ("per-1", "Observation.effective.ofType(Period)"),
    ),
    _case(
        "unit code without system",
        observation(valueQuantity={"value": 1, "code": "mg"}),
        ("qty-3", "Observation.value.ofType(Quantity)"),
    ),
    _case(
        "value and reason for its absence",
        observation(valueString="x", dataAbsentReason={"text": "y"}),
        ("obs-6", "Observation"),
    ),
    _case(
        "component repeats the code beside a value",
        observation(valueString="x", component=[{"code": {"coding": [{"system": "urn:x:y", "code": "a"}]}}])
        | {"code": {"coding": [{"system": "urn:x:y", "code": "a"}]}},
        ("obs-7", "Observation"),
    ),
    _case(
        "empty reference range",
        observation(referenceRange=[{"type": {"text": "x"}}]),
        ("obs-3", "Observation.referenceRange[0]"),
    ),
    _case("contact without anything", patient(contact=[{"gender": "other"}]), ("pat-1", "Patient.contact[0]")),
    _case("contact point without system", patient(telecom=[{"value": "1"}]), ("cpt-2", "Patient.telecom[0]")),
    _case(
        "narrative with a script",
        observation(text={"status": "generated", "div": f"<div {XHTML}><script>x</script></div>"}),
        ("txt-1", "Observation.text"),
    ),
    _case(
        "narrative that is not closed",
        observation(text={"status": "generated", "div": f"<div {XHTML}><p>x</div>"}),
        ("txt-1", "Observation.text"),
    ),
    _case("narrative", observation(text={"status": "generated", "div": f"<div {XHTML}><p>x y</p></div>"})),
)

_EXTENSIONS = (
    _case(
        "extension not known",
        observation(extension=[{"url": "https://ehr.test/unknown", "valueString": "x"}]),
        ("extension-unknown", "Observation.extension[0]"),
    ),
    _case(
        "birth time on the birth date",
        patient(
            birthDate="2000-01-01",
            _birthDate={
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
                        "valueDateTime": "2000-01-01T10:00:00Z",
                    }
                ]
            },
        ),
    ),
    _case(
        "birth time on the patient",
        patient(
            extension=[
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
                    "valueDateTime": "2000-01-01T10:00:00Z",
                }
            ]
        ),
        ("extension-context", "Patient.extension[0]"),
    ),
    _case(
        "birth time as a string",
        patient(
            birthDate="2000-01-01",
            _birthDate={
                "extension": [
                    {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueString": "ten"}
                ]
            },
        ),
        ("choice-type", "Patient.birthDate.extension[0].value.ofType(string)"),
    ),
    _case(
        "extension with value and extensions",
        patient(
            extension=[
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/patient-importance",
                    "valueCodeableConcept": {"text": "x"},
                    "extension": [
                        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
                    ],
                }
            ]
        ),
        ("element-prohibited", "Patient.extension[0].extension"),
        ("ext-1", "Patient.extension[0]"),
    ),
    _case(
        "absent reason on a primitive",
        patient(
            _birthDate={
                "extension": [
                    {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
                ]
            }
        ),
    ),
    _case(
        "nulls in line with their extensions",
        patient(
            name=[
                {
                    "given": [None, "B"],
                    "_given": [
                        {
                            "extension": [
                                {
                                    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                                    "valueCode": "masked",
                                }
                            ]
                        },
                        None,
                    ],
                }
            ]
        ),
    ),
)

_PROFILES = (
    _case("profile not known is a warning", observation(meta={"profile": ["https://ehr.test/unknown"]})),
    _case(
        "profile of another type",
        observation(meta={"profile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}),
        ("profile-mismatch", "Observation.meta.profile[0]"),
    ),
    _case(
        "heart rate is a vital sign by its code",
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": "Patient/1"},
            "effectiveDateTime": "2020-01-01",
            "valueQuantity": {"value": 70, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "mg"},
        },
        ("value-fixed", "Observation.value.ofType(Quantity).code"),
    ),
)

_BUNDLES = (
    _case(
        "collection",
        {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": URN + "1", "resource": observation()}]},
    ),
    _case(
        "fault in an entry",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"fullUrl": URN + "1", "resource": observation()},
                {"fullUrl": URN + "2", "resource": patient(gender="f")},
            ],
        },
        ("binding-required", "Bundle.entry[1].resource.gender"),
    ),
    _case(
        "transaction without request",
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": observation()}]},
        ("bdl-3", "Bundle"),
    ),
    _case("total outside a search", {"resourceType": "Bundle", "type": "collection", "total": 1}, ("bdl-1", "Bundle")),
    _case(
        "document without identifier",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"fullUrl": "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11"}],
        },
        ("bdl-5", "Bundle.entry[0]"),
    ),
)

DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def _bundle(full_url: str, resource: JsonObject, type_: str = "collection") -> JsonObject:
    return {"resourceType": "Bundle", "type": type_, "entry": [{"fullUrl": full_url, "resource": resource}]}


_FROM_THE_ORACLE = (
    _case(
        "OID that is none",
        patient(identifier=[{"system": "urn:oid:3.1", "value": "z"}]),
        ("primitive-format", "Patient.identifier[0].system"),
    ),
    _case(
        "UUID that is none",
        patient(identifier=[{"system": "urn:uuid:zz", "value": "z"}]),
        ("primitive-format", "Patient.identifier[0].system"),
    ),
    _case(
        "UUID in upper case",
        patient(identifier=[{"system": (URN + "1").upper().replace("URN:UUID", "urn:uuid"), "value": "z"}]),
        ("primitive-format", "Patient.identifier[0].system"),
    ),
    _case(
        "canonical that is relative",
        {"resourceType": "Questionnaire", "status": "draft", "derivedFrom": ["foo"]},
        ("primitive-format", "Questionnaire.derivedFrom[0]"),
    ),
    _case(
        "definition with a relative url",
        {"resourceType": "Questionnaire", "status": "draft", "url": "foo"},
        ("canonical-absolute", "Questionnaire.url"),
    ),
    _case(
        "entry without a name",
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": patient(active=True)}]},
        ("bundle-full-url", "Bundle.entry[0]"),
    ),
    _case("entry named relatively", _bundle("Patient/1", patient(id="1")), ("bundle-full-url", "Bundle.entry[0]")),
    _case(
        "entry named after another",
        _bundle("https://ehr.test/Patient/2", patient(id="1")),
        ("bundle-full-url", "Bundle.entry[0]"),
    ),
    _case(
        "entry named after a server without an id",
        _bundle("https://ehr.test/Patient/2", patient(active=True)),
        ("bundle-full-url", "Bundle.entry[0]"),
    ),
    _case("entry named as on its server", _bundle("https://ehr.test/Patient/2", patient(id="2"))),
    _case("absent reason on a resource", patient(extension=[{"url": DATA_ABSENT, "valueCode": "unknown"}])),
    _case(
        "absent reason as a modifier",
        patient(modifierExtension=[{"url": DATA_ABSENT, "valueCode": "unknown"}]),
        ("extension-modifier", "Patient.modifierExtension[0]"),
    ),
    _case(
        "fragment to a type not allowed",
        observation(
            contained=[{"resourceType": "Medication", "id": "m", "status": "active"}], subject={"reference": "#m"}
        ),
        ("reference-target", "Observation.subject"),
    ),
    _case(
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
    _case(
        "narrative with an entity of HTML",
        observation(text={"status": "generated", "div": f"<div {XHTML}>x&nbsp;y</div>"}),
        ("txt-1", "Observation.text"),
    ),
    _case(
        "narrative of white space",
        observation(text={"status": "generated", "div": f"<div {XHTML}> </div>"}),
        ("txt-1", "Observation.text"),
    ),
)

BASE_CASES = (
    *_FROM_THE_ORACLE,
    *_STRUCTURE,
    *_CARDINALITY,
    *_PRIMITIVES,
    *_CODES,
    *_REFERENCES,
    *_INVARIANTS,
    *_EXTENSIONS,
    *_PROFILES,
    *_BUNDLES,
)
