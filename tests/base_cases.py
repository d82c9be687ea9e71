"""Records of base R4, each with the findings that the specification asks for; empty findings: a valid record.

Used twice: by the validator's unit tests, and by the oracle tests, where error or no error must be HL7's verdict too.
"""

from __future__ import annotations

from tests.base_records import CATEGORY, DATA_ABSENT, URN, XHTML, BaseCase, bundle, case, observation, patient, without
from tests.bundle_cases import BUNDLE_CASES
from tests.coding_cases import CODING_CASES
from tests.condition_cases import CONDITION_CASES
from tests.definition_cases import DEFINITION_CASES
from tests.differed_cases import DIFFERED_CASES
from tests.inside_cases import INSIDE_CASES
from tests.narrative_cases import NARRATIVE_CASES
from tests.profile_cases import PROFILE_CASES
from tests.reference_cases import REFERENCE_CASES

_STRUCTURE = (
    case("smallest observation", observation()),
    case("smallest patient", patient(active=True)),
    case("unknown element", observation(colour="red"), ("element-unknown", "Observation.colour")),
    case(
        "unknown element deep",
        observation(note=[{"text": "x", "txt": "y"}]),
        ("element-unknown", "Observation.note[0].txt"),
    ),
    case("array for an object", observation(code=[{"text": "x"}]), ("element-type", "Observation.code")),
    case("object for an array", observation(note={"text": "x"}), ("element-type", "Observation.note")),
    case("object for a primitive", observation(issued={"value": "x"}), ("element-type", "Observation.issued")),
    case("null", observation(note=None), ("element-empty", "Observation.note")),
    case("empty array", observation(note=[]), ("element-empty", "Observation.note")),
    case("empty object", observation(method={}), ("element-empty", "Observation.method")),
    case("empty string", observation(valueString=""), ("element-empty", "Observation.value.ofType(string)")),
    case("comments of DSTU2", observation(fhir_comments=["x"]), ("element-unknown", "Observation.fhir_comments")),
    case("two values", observation(valueString="x", valueInteger=1), ("choice-multiple", "Observation")),
    case(
        "value of a foreign type",
        observation(valueAttachment={"url": "a"}),
        ("element-unknown", "Observation.valueAttachment"),
    ),
)

_CARDINALITY = (
    case("status missing", without(observation(), "status"), ("cardinality-min", "Observation")),
    case("code missing", without(observation(), "code"), ("cardinality-min", "Observation")),
    case(
        "component without code",
        observation(component=[{"valueString": "x"}]),
        ("cardinality-min", "Observation.component[0]"),
    ),
    case(
        "status only as an extension",
        {
            **without(observation(), "status"),
            "_status": {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]},
        },
        ("cardinality-min", "Observation"),
    ),
    case("link without type", patient(link=[{"other": {"display": "x"}}]), ("cardinality-min", "Patient.link[0]")),
)

_PRIMITIVES = (
    case(
        "day that does not exist",
        observation(effectiveDateTime="2021-02-29"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    case("leap day", observation(effectiveDateTime="2024-02-29")),
    case(
        "leap day of a century",
        observation(effectiveDateTime="1900-02-29"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    case("leap day of 2000", observation(effectiveDateTime="2000-02-29")),
    case(
        "hour 24",
        observation(effectiveDateTime="2020-01-01T24:00:00Z"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    case(
        "time without zone",
        observation(effectiveDateTime="2020-01-01T10:00:00"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    case(
        "time without seconds",
        observation(effectiveDateTime="2020-01-01T10:00Z"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    case("year and month", observation(effectiveDateTime="2020-01")),
    case(
        "month 13",
        observation(effectiveDateTime="2020-13"),
        ("primitive-format", "Observation.effective.ofType(dateTime)"),
    ),
    case("instant without time", observation(issued="2020-01-01"), ("primitive-format", "Observation.issued")),
    case("birth date with time", patient(birthDate="2020-01-01T10:00:00Z"), ("primitive-format", "Patient.birthDate")),
    case("boolean as text", patient(active="true"), ("primitive-format", "Patient.active")),
    case("integer as text", observation(valueInteger="6"), ("primitive-format", "Observation.value.ofType(integer)")),
    case(
        "integer with a fraction",
        observation(valueInteger=6.5),
        ("primitive-format", "Observation.value.ofType(integer)"),
    ),
    case(
        "integer of 33 bits",
        observation(valueInteger=2147483648),
        ("primitive-format", "Observation.value.ofType(integer)"),
    ),
    case(
        "decimal as text",
        observation(valueQuantity={"value": "6.5"}),
        ("primitive-format", "Observation.value.ofType(Quantity).value"),
    ),
    case(
        "positive integer of zero",
        patient(telecom=[{"system": "phone", "value": "1", "rank": 0}]),
        ("primitive-format", "Patient.telecom[0].rank"),
    ),
    case("uri with a space", observation(implicitRules="a b"), ("primitive-format", "Observation.implicitRules")),
    case("id with an underscore", observation(id="a_b"), ("primitive-format", "Observation.id")),
    case("id of 65 characters", observation(id="a" * 65), ("primitive-format", "Observation.id")),
    case(
        "code with two spaces",
        observation(code={"coding": [{"system": "urn:x:y", "code": "a  b"}]}),
        ("primitive-format", "Observation.code.coding[0].code"),
    ),
    case("text with space around", observation(valueString=" a ")),
)

_CODES = (
    case("status of no value set", observation() | {"status": "done"}, ("binding-required", "Observation.status")),
    case("gender of no value set", patient(gender="f"), ("binding-required", "Patient.gender")),
    case(
        "code the system lacks",
        observation(category=[{"coding": [{"system": CATEGORY, "code": "zzz"}]}]),
        ("code-unknown", "Observation.category[0].coding[0].code"),
    ),
    case(
        "code without binding the system lacks",
        observation(method={"coding": [{"system": CATEGORY, "code": "zzz"}]}),
        ("code-unknown", "Observation.method.coding[0].code"),
    ),
    case(
        "display of another code",
        observation(category=[{"coding": [{"system": CATEGORY, "code": "survey", "display": "Exam"}]}]),
        ("display-wrong", "Observation.category[0].coding[0].display"),
    ),
    case(
        "display in other case",
        observation(category=[{"coding": [{"system": CATEGORY, "code": "survey", "display": "SURVEY"}]}]),
    ),
    case(
        "code of a system not known here",
        observation(interpretation=[{"coding": [{"system": "urn:oid:2.16.840.1.113883.19", "code": "zzz"}]}]),
    ),
)

_REFERENCES = (
    case(
        "URL said to lead to a type not allowed",
        observation(subject={"reference": "https://ehr.test/x", "type": "Medication"}),
        ("reference-target", "Observation.subject"),
    ),
    case(
        "URL said to lead to a type allowed",
        observation(
            subject={"reference": "https://ehr.test/x", "type": "http://hl7.org/fhir/StructureDefinition/Patient"}
        ),
    ),
    case(
        "type alone as a relative reference in a Bundle",
        bundle(URN + "1", observation(subject={"reference": "Patient"})),
        ("reference-relative", "Bundle.entry[0].resource.subject"),
    ),
    case(
        "reference to a type not allowed",
        observation(subject={"reference": "Medication/1"}),
        ("reference-target", "Observation.subject"),
        oracle=False,
    ),
    case(
        "absolute reference to a type not allowed",
        observation(subject={"reference": "https://ehr.test/fhir/Medication/1"}),
        ("reference-target", "Observation.subject"),
        oracle=False,
    ),
    case("reference to a type allowed", observation(subject={"reference": "Patient/1"})),
    case("reference by display", observation(subject={"display": "someone"})),
    case("reference by urn", observation(subject={"reference": "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11"})),
    case("fragment that leads nowhere", observation(subject={"reference": "#p"}), ("ref-1", "Observation.subject")),
    case(
        "fragment to a contained patient",
        observation(contained=[patient(id="p", active=True)], subject={"reference": "#p"}),
    ),
    case(
        "contained that nothing refers to",
        observation(contained=[patient(id="p", active=True)]),
        ("dom-3", "Observation"),
    ),
    case(
        "fault in a contained patient",
        observation(contained=[patient(id="p", gender="f")], subject={"reference": "#p"}),
        ("binding-required", "Observation.contained[0].gender"),
    ),
)

_INVARIANTS = (
    case(
        "end before start",
        observation(effectivePeriod={"start": "2020-01-02", "end": "2020-01-01"}),
        ("per-1", "Observation.effective.ofType(Period)"),
    ),
    case("start equals end", observation(effectivePeriod={"start": "2020-01-02", "end": "2020-01-02"})),
    case(
        "start and end in two zones",
        observation(effectivePeriod={"start": "2020-01-01T12:00:00+02:00", "end": "2020-01-01T10:30:00Z"}),
    ),
    case(
        "end before start in two zones",
        observation(effectivePeriod={"start": "2020-01-01T12:00:00+02:00", "end": "2020-01-01T09:30:00Z"}),
        ("per-1", "Observation.effective.ofType(Period)"),
    ),
    case(
        "month against day",
        observation(effectivePeriod={"start": "2020-01", "end": "2020-01-05"}),
        ("per-1", "Observation.effective.ofType(Period)"),
    ),
    case(
        "unit code without system",
        observation(valueQuantity={"value": 1, "code": "mg"}),
        ("qty-3", "Observation.value.ofType(Quantity)"),
    ),
    case(
        "value and reason for its absence",
        observation(valueString="x", dataAbsentReason={"text": "y"}),
        ("obs-6", "Observation"),
    ),
    case(
        "component repeats the code beside a value",
        observation(valueString="x", component=[{"code": {"coding": [{"system": "urn:x:y", "code": "a"}]}}])
        | {"code": {"coding": [{"system": "urn:x:y", "code": "a"}]}},
        ("obs-7", "Observation"),
    ),
    case(
        "empty reference range",
        observation(referenceRange=[{"type": {"text": "x"}}]),
        ("obs-3", "Observation.referenceRange[0]"),
    ),
    case("contact without anything", patient(contact=[{"gender": "other"}]), ("pat-1", "Patient.contact[0]")),
    case("contact point without system", patient(telecom=[{"value": "1"}]), ("cpt-2", "Patient.telecom[0]")),
    case(
        "narrative with a script",
        observation(text={"status": "generated", "div": f"<div {XHTML}><script>x</script></div>"}),
        ("txt-1", "Observation.text"),
    ),
    case(
        "narrative that is not closed",
        observation(text={"status": "generated", "div": f"<div {XHTML}><p>x</div>"}),
        ("txt-1", "Observation.text"),
    ),
    case("narrative", observation(text={"status": "generated", "div": f"<div {XHTML}><p>x y</p></div>"})),
)

_EXTENSIONS = (
    case(
        "extension not known",
        observation(extension=[{"url": "https://ehr.test/unknown", "valueString": "x"}]),
        ("extension-unknown", "Observation.extension[0]"),
    ),
    case(
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
    case(
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
    case(
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
    case(
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
    case(
        "absent reason on a primitive",
        patient(
            _birthDate={
                "extension": [
                    {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
                ]
            }
        ),
    ),
    case(
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
    case("profile not known is a warning", observation(meta={"profile": ["https://ehr.test/unknown"]})),
    case(
        "profile of another type",
        observation(meta={"profile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}),
        ("profile-mismatch", "Observation.meta.profile[0]"),
    ),
    case(
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

BASE_CASES: tuple[BaseCase, ...] = (
    *DIFFERED_CASES,
    *_STRUCTURE,
    *_CARDINALITY,
    *_PRIMITIVES,
    *_CODES,
    *_REFERENCES,
    *_INVARIANTS,
    *_EXTENSIONS,
    *_PROFILES,
    *BUNDLE_CASES,
    *CODING_CASES,
    *CONDITION_CASES,
    *INSIDE_CASES,
    *PROFILE_CASES,
    *NARRATIVE_CASES,
    *REFERENCE_CASES,
    *DEFINITION_CASES,
)
