"""Codes, languages and identifiers, each with the findings that HL7's validator and the specification agree on."""

from __future__ import annotations

from tests.base_records import CATEGORY, URN, BaseCase, JsonObject, case, observation, patient

OF_VALUE_SET = {"system": "http://hl7.org/fhir/ValueSet/observation-status", "code": "final"}
LOCAL = {"system": "local", "code": "x"}


def _questionnaire(**item: object) -> JsonObject:
    return {"resourceType": "Questionnaire", "status": "active", "item": [{"linkId": "1", "type": "choice", **item}]}


def _encounter(**coding: str) -> JsonObject:
    return {"resourceType": "Encounter", "status": "finished", "class": coding}


def _measured(system: str, **elements: object) -> JsonObject:
    return observation(valueQuantity={"value": 1, "unit": "mg", "system": system, **elements})


def _answered(system: str) -> JsonObject:
    item = {"linkId": "1", "answer": [{"valueCoding": {"system": system, "code": "x"}}]}
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item]}


def _miswritten(system: str) -> tuple[BaseCase, ...]:
    """A system that is nearly one of those published: of a quantity, a tag, an answer; elsewhere only a warning."""
    coding = {"system": system, "code": "x"}
    answer = "QuestionnaireResponse.item[0].answer[0].value.ofType(Coding).system"
    return (
        case(
            f"quantity of {system}",
            _measured(system, code="mg"),
            ("system-spelling", "Observation.value.ofType(Quantity).system"),
        ),
        case(f"tag of {system}", patient(meta={"tag": [coding]}), ("system-spelling", "Patient.meta.tag[0].system")),
        case(f"answer of {system}", _answered(system), ("system-spelling", answer)),
        case(f"security label of {system}", patient(active=True, meta={"security": [coding]})),
        case(f"class of {system}", _encounter(**coding)),
        case(f"concept of {system}", observation(method={"coding": [coding]})),
        case(f"tag of {system} without a code", patient(active=True, meta={"tag": [{"system": system}]})),
    )


def _identified(value: str) -> JsonObject:
    return patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": value}])


_MISWRITTEN = (
    "http://loinc.org/",
    "https://loinc.org",
    "http://snomed.info/sct/900000000000207008",
    "http://unitsofmeasure.org|2.1",
    "http://www.nlm.nih.gov/research/umls/rxnorms",
    "https://terminology.hl7.org/CodeSystem/v3-ActCode",
    "https://hl7.org/fhir/observation-status",
)

CODING_CASES = (
    *(each for system in _MISWRITTEN for each in _miswritten(system)),
    *(
        case(f"quantity of {system}", _measured(system, code="mg"))
        for system in ("http://snomed.info/sct", "https://unitsofmeasure.org/", "https://hl7.org/codes", "urn:x:y")
    ),
    case(
        "quantity of a miswritten system without a code",
        _measured("https://loinc.org"),
        ("system-spelling", "Observation.value.ofType(Quantity).system"),
        oracle=False,
    ),
    case("relative system of a tag", patient(meta={"tag": [LOCAL]}), ("uri-absolute", "Patient.meta.tag[0].system")),
    case("relative system of a class", _encounter(**LOCAL), ("uri-absolute", "Encounter.class.system")),
    case("relative system without a code", _encounter(system="local", display="x")),
    case("relative system in a concept", observation(code={"coding": [LOCAL]})),
    case("relative system in a concept of a value", observation(valueCodeableConcept={"coding": [LOCAL]})),
    case(
        "relative system of a question",
        _questionnaire(code=[LOCAL]),
        ("uri-absolute", "Questionnaire.item[0].code[0].system"),
    ),
    case(
        "relative system of an option",
        _questionnaire(answerOption=[{"valueCoding": LOCAL}]),
        ("uri-absolute", "Questionnaire.item[0].answerOption[0].value.ofType(Coding).system"),
    ),
    case(
        "relative system of an answer",
        {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "item": [{"linkId": "1", "answer": [{"valueCoding": LOCAL}]}],
        },
        ("uri-absolute", "QuestionnaireResponse.item[0].answer[0].value.ofType(Coding).system"),
    ),
    case(
        "code of a quantity that its system does not have",
        observation(valueQuantity={"value": 1, "system": CATEGORY, "code": "nope"}),
        ("code-unknown", "Observation.value.ofType(Quantity).code"),
    ),
    case(
        "code of a limit that its system does not have",
        observation(referenceRange=[{"low": {"value": 1, "system": CATEGORY, "code": "nope"}}]),
        ("code-unknown", "Observation.referenceRange[0].low.code"),
    ),
    case(
        "code of a quantity with another unit in words",
        observation(valueQuantity={"value": 1, "unit": "x", "system": CATEGORY, "code": "survey"}),
    ),
    case(
        "code of a version that is not known",
        observation(category=[{"coding": [{"system": CATEGORY, "version": "9", "code": "nope"}]}]),
    ),
    case(
        "code of a version that is known",
        observation(category=[{"coding": [{"system": CATEGORY, "version": "4.0.1", "code": "nope"}]}]),
        ("code-unknown", "Observation.category[0].coding[0].code"),
    ),
    case(
        "value set as the system of a tag",
        patient(meta={"tag": [OF_VALUE_SET]}),
        ("system-value-set", "Patient.meta.tag[0].system"),
    ),
    case(
        "value set as the system of a unit",
        observation(valueQuantity={"value": 1, **OF_VALUE_SET}),
        ("system-value-set", "Observation.value.ofType(Quantity).system"),
    ),
    case("value set as the system in a concept", observation(method={"coding": [OF_VALUE_SET]})),
    *(case(f"language {tag}", patient(active=True, language=tag)) for tag in ("en", "de-CH-1901", "sr-Latn-RS", "gsw")),
    *(
        case(f"language {tag}", patient(active=True, language=tag), ("language-tag", "Patient"))
        for tag in ("!!", "en us", "en_US", "e")
    ),
    *(case(f"identifier {uri}", _identified(uri)) for uri in (f"{URN}1", "urn:oid:1.2.3", "https://ehr.test/1")),
    *(
        case(f"identifier {text}", _identified(text), ("identifier-uri", "Patient.identifier[0].value"))
        for text in (URN[9:] + "1", "1.2.3", "#1", "/1")
    ),
    case("identifier of the system of URIs without value", patient(identifier=[{"system": "urn:ietf:rfc:3986"}])),
)
