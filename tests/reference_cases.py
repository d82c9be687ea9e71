"""What R4 says of a reference and the type beside it: each form of reference with each way to give a type."""

from __future__ import annotations

from typing import Any

from tests.base_records import URN, BaseCase, JsonObject, bundle, case, observation, patient

DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
ELSEWHERE = f"{URN}2"
SUBJECT, FOCUS = "Observation.subject", "Observation.focus[0]"

# HL7's validator takes the part before the id for the type, whatever stands in front of it
_NAME_A_PATIENT = (
    "Patient/1",
    "Patient/1/_history/2",
    "Patient/1#part",
    "Patient/a_b",
    "/Patient/1",
    "base/Patient/1",
    "https://ehr.test/fhir/Patient/1",
    "https://ehr.test/fhir/Patient/1/_history/2",
    "https://ehr.test/fhir/Patient/1/",
    "https://ehr.test/fhir/Patient/1?active=true",
    "https://ehr.test/fhir/Medication/1/Patient/1",
    "ftp://ehr.test/Patient/1",
)
_NAME_NO_TYPE = ("someone", "https://ehr.test/Patient", "urn:Patient/1", ELSEWHERE)


def _subject(type_: str, **elements: Any) -> JsonObject:
    return observation(subject={**elements, "type": type_})


def _focus(type_: str, **elements: Any) -> JsonObject:
    return observation(focus=[{**elements, "type": type_}])


def _with_contained(record: JsonObject) -> JsonObject:
    return {**record, "contained": [patient(id="p", active=True)]}


def _sent(reference: str, **elements: Any) -> JsonObject:
    """A transaction whose one entry has such a reference, to anything."""
    entry = {"fullUrl": f"{URN}1", "resource": observation(focus=[{"reference": reference, **elements}])}
    request = {"method": "POST", "url": "Observation"}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{**entry, "request": request}]}


def _beside(type_: str) -> JsonObject:
    """A Bundle in which a reference leads to a patient."""
    about = {"reference": ELSEWHERE, "type": type_}
    found = bundle(f"{URN}1", observation(subject=about))
    return {**found, "entry": [*found["entry"], {"fullUrl": ELSEWHERE, "resource": patient(active=True)}]}


def _types(reference: str) -> tuple[BaseCase, ...]:
    """A reference that names a patient: only that type, by its name, where any resource may stand as where few may."""
    wrong = ("Medication", "Nothing", "patient", f"{DEFINITION}Patient")
    return (
        case(f"type of {reference}", _focus("Patient", reference=reference)),
        *(
            case(f"{type_} as type of {reference}", _focus(type_, reference=reference), ("reference-type", FOCUS))
            for type_ in wrong
        ),
        case(
            f"type of {reference} by URL where few may stand",
            _subject(f"{DEFINITION}Patient", reference=reference),
            ("reference-type", SUBJECT),
        ),
    )


def _any_type(reference: str) -> tuple[BaseCase, ...]:
    """A reference that names no type: any one may be said, and where few may stand, one of these, by name or URL."""
    return (
        *(
            case(f"{type_} as type of {reference}", _focus(type_, reference=reference))
            for type_ in ("Nothing", f"{DEFINITION}Medication")
        ),
        case(f"type of {reference} by URL where few may stand", _subject(f"{DEFINITION}Patient", reference=reference)),
        *(
            case(
                f"{type_} as type of {reference} where few may stand",
                _subject(type_, reference=reference),
                ("reference-target", SUBJECT),
            )
            for type_ in ("Medication", "Nothing", f"{DEFINITION}Medication", "Resource")
        ),
    )


_SEARCH = "Patient?active=true"
_SENT = "Bundle.entry[0].resource.focus[0]"

REFERENCE_CASES = (
    *(each for reference in _NAME_A_PATIENT for each in _types(reference)),
    *(each for reference in _NAME_NO_TYPE for each in _any_type(reference)),
    case("blank type", _subject(" ", reference="someone"), ("primitive-format", f"{SUBJECT}.type"), oracle=False),
    case("blank type of a patient", _focus("", reference="Patient/1"), ("element-empty", f"{FOCUS}.type")),
    case("type beside an identifier", _subject("Medication", identifier={"value": "1"})),
    case("type beside words", _subject("Nothing", display="someone")),
    case("type by URL beside words", _subject(f"{DEFINITION}Medication", display="someone")),
    case("type of a contained resource", _with_contained(_subject("Patient", reference="#p"))),
    case(
        "type of a contained resource by URL",
        _with_contained(_subject(f"{DEFINITION}Patient", reference="#p")),
        ("reference-type", SUBJECT),
    ),
    case(
        "type of the container by URL",
        patient(contained=[{**_subject(f"{DEFINITION}Patient", reference="#"), "id": "o"}]),
        ("reference-type", "Patient.contained[0].subject"),
    ),
    case("type of another entry", _beside("Patient")),
    case(
        "type of another entry by URL",
        _beside(f"{DEFINITION}Patient"),
        ("reference-type", "Bundle.entry[0].resource.subject"),
    ),
    case("data type before an id", _focus("Patient", reference="HumanName/1"), ("reference-type", FOCUS)),
    case(
        "reference by a path said to be what may not stand there",
        _subject("Medication", reference="base/Medication/1"),
        ("reference-target", SUBJECT),
    ),
    case(
        "reference by another protocol said to be what may not stand there",
        _subject("Medication", reference="ftp://ehr.test/Medication/1"),
        ("reference-target", SUBJECT),
    ),
    case("type beside a search", _sent(_SEARCH, type="Patient")),
    case("another type beside a search", _sent(_SEARCH, type="Group"), ("reference-type", _SENT)),
    case("type beside a search by URL", _sent(_SEARCH, type=f"{DEFINITION}Patient"), ("reference-type", _SENT)),
    *(
        case(f"search with {parameters}", _sent(f"Patient?{parameters}"))
        for parameters in ("_id=1", "name:exact=a&active=", "link.other=a&", "identifier=urn:x|a/b")
    ),
    *(
        case(f"search with {parameters or 'nothing'}", _sent(f"Patient?{parameters}"), ("reference-relative", _SENT))
        for parameters in ("", "name", "=a", "name=a=b", "1=a", "name=a&b", "-name=a", "a/b=c")
    ),
    case("search of no type in a transaction", _sent("Nothing?name=a"), ("reference-relative", _SENT)),
    case("search of no type", observation(focus=[{"reference": "Nothing?name=a"}])),
    case("search of a data type", observation(focus=[{"reference": "HumanName?text=a"}])),
    case("search without parameters", observation(focus=[{"reference": "Patient?"}]), ("reference-search", FOCUS)),
)
