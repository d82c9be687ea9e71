"""Codings, each with the findings that HL7's validator and the specification agree on."""

from __future__ import annotations

from tests.base_records import JsonObject, case, observation, patient

LOCAL = {"system": "local", "code": "x"}


def _questionnaire(**item: object) -> JsonObject:
    return {"resourceType": "Questionnaire", "status": "active", "item": [{"linkId": "1", "type": "choice", **item}]}


def _encounter(**coding: str) -> JsonObject:
    return {"resourceType": "Encounter", "status": "finished", "class": coding}


CODING_CASES = (
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
)
