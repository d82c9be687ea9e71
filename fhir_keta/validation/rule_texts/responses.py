"""Rules about a response and its Questionnaire. Each example contains a small form that it answers."""

from __future__ import annotations

from typing import Any

from fhir_keta.validation.rule_texts.text import CORE, KETA, JsonObject, RuleText

SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
_NOTES = "Source: FHIR R4, QuestionnaireResponse"
_ITEM = "Source: FHIR R4, Questionnaire.item"
_UCUM = "http://unitsofmeasure.org"
_SYSTEM = KETA + "CodeSystem/keta-yes-no"


def _response(questions: list[JsonObject], answers: list[JsonObject]) -> JsonObject:
    """A completed response that contains the form it answers."""
    form = {"resourceType": "Questionnaire", "id": "form", "status": "active", "item": questions}
    return {
        "resourceType": "QuestionnaireResponse",
        "contained": [form],
        "questionnaire": "#form",
        "status": "completed",
        "item": answers,
    }


def _question(link_id: str, kind: str, **more: object) -> JsonObject:
    return {"linkId": link_id, "type": kind, "text": link_id.capitalize(), **more}


def _answer(link_id: str, *values: JsonObject, **more: object) -> JsonObject:
    return {"linkId": link_id, "answer": list(values), **more}


def _limit(url: str, **value: object) -> JsonObject:
    return {"extension": [{"url": url, **value}]}


def _one(question: JsonObject, *values: JsonObject) -> JsonObject:
    """A form of one question and these answers to it."""
    return _response([question], [_answer(question["linkId"], *values)])


def _coding(code: str) -> JsonObject:
    return {"valueCoding": {"system": _SYSTEM, "code": code}}


def _option(code: str, **more: object) -> JsonObject:
    return {**_coding(code), **more}


def _total(total: int, *scores: str) -> JsonObject:
    """A form of two scored questions and their total."""
    options = [_option("no"), _option("yes")]
    given = "%resource.item.where(linkId = 'rest' or linkId = 'sleep').answer"
    formula = f"iif({given}.count() = 2, {given}.where(value.code = 'yes').count(), {{}})"
    expression = {"language": "text/fhirpath", "expression": formula}
    questions = [
        _question("rest", "choice", answerOption=options),
        _question("sleep", "choice", answerOption=options),
        _question(
            "total",
            "integer",
            readOnly=True,
            extension=[{"url": SDC + "sdc-questionnaire-calculatedExpression", "valueExpression": expression}],
        ),
    ]
    answers = [_answer(name, _coding(code)) for name, code in zip(("rest", "sleep"), scores, strict=False)]
    return _response(questions, [*answers, _answer("total", {"valueInteger": total})])


_NAUSEA = _question("nausea", "boolean")
_FEAR = _question("fear", "boolean")
_GROUP: dict[str, Any] = {"linkId": "during", "type": "group", "item": [_NAUSEA]}
_YES = {"valueBoolean": True}
_NO = {"valueBoolean": False}
_HOW_LONG = _question("how-long", "string", enableWhen=[{"question": "nausea", "operator": "=", "answerBoolean": True}])
_CHOICE = _question("driving", "choice", answerOption=[_option("yes"), _option("no")])
_DOSE = _question(
    "dose", "quantity", **_limit(CORE + "questionnaire-unitOption", valueCoding={"system": _UCUM, "code": "mg"})
)
_PHOTO = {"contentType": "image/png", "data": "aGVsbG8=", "size": 5}


TEXTS = {
    "response-link-id-unknown": RuleText(
        "Every linkId of a response is one of its questionnaire.",
        f"An answer to no question means nothing. {_NOTES}.item.linkId.",
        "Correct the linkId, or name the version of the questionnaire that was answered.",
        _response([_NAUSEA], [_answer("nausee", _YES)]),
        _response([_NAUSEA], [_answer("nausea", _YES)]),
    ),
    "response-nesting": RuleText(
        "Items stand in the groups and under the answers where the questionnaire has them.",
        f"Readers go down the same way as the form. {_NOTES}, notes.",
        "Put the item into the group or under the answer that the message names.",
        _response([_GROUP], [_answer("nausea", _YES)]),
        _response([_GROUP], [{"linkId": "during", "item": [_answer("nausea", _YES)]}]),
    ),
    "response-order": RuleText(
        "Items stand in the order of the questionnaire.",
        f"Readers rely on it. {_NOTES}, notes.",
        "Sort them; items without an answer may be left out.",
        _response([_NAUSEA, _FEAR], [_answer("fear", _NO), _answer("nausea", _YES)]),
        _response([_NAUSEA, _FEAR], [_answer("nausea", _YES), _answer("fear", _NO)]),
    ),
    "response-repeats": RuleText(
        "An item that does not repeat stands once.",
        f"Of two, readers would take one or the other. {_ITEM}.repeats.",
        "Keep one. A repeating group repeats the item, a repeating question the answer.",
        _response([_NAUSEA], [_answer("nausea", _YES), _answer("nausea", _NO)]),
        _response([_NAUSEA], [_answer("nausea", _YES)]),
    ),
    "response-answer-max": RuleText(
        "A question that does not repeat has one answer.",
        f"Of two, readers would take one or the other. {_ITEM}.repeats.",
        "Keep one answer.",
        _one(_NAUSEA, _YES, _NO),
        _one(_NAUSEA, _YES),
    ),
    "response-answer-type": RuleText(
        "An answer has the type that its question asks for.",
        f"The same words as a string and as a code are not the same to software. {_ITEM}.type.",
        "Write the answer as value[x] of the type that the message names.",
        _one(_NAUSEA, {"valueString": "yes"}),
        _one(_NAUSEA, _YES),
    ),
    "response-answer-prohibited": RuleText(
        "Groups and displays have no answers.",
        f"They ask nothing. {_ITEM}.type.",
        "Move the answer to the question it belongs to.",
        _response([_GROUP], [_answer("during", _YES)]),
        _response([_GROUP], [{"linkId": "during", "item": [_answer("nausea", _YES)]}]),
    ),
    "response-required": RuleText(
        "A completed response answers every required question that is enabled.",
        f"Completed says that nothing is missing. {_ITEM}.required; QuestionnaireResponse.status.",
        "Add the answer, or let the status be in-progress.",
        _response([{**_NAUSEA, "required": True}, _FEAR], [_answer("fear", _NO)]),
        _response([{**_NAUSEA, "required": True}, _FEAR], [_answer("nausea", _YES), _answer("fear", _NO)]),
    ),
    "response-disabled": RuleText(
        "What is not enabled is not answered.",
        f"The question was not asked then, so the answer belongs to something else. {_ITEM}.enableWhen.",
        "Take the answer out, or correct the answer that its condition asks for.",
        _response([_NAUSEA, _HOW_LONG], [_answer("nausea", _NO), _answer("how-long", {"valueString": "An hour"})]),
        _response([_NAUSEA, _HOW_LONG], [_answer("nausea", _YES), _answer("how-long", {"valueString": "An hour"})]),
    ),
    "response-option": RuleText(
        "The answer is one of the options offered; an open choice also takes a text.",
        f"Scores and alerts know only the options. {_ITEM}.answerOption and answerValueSet.",
        "Take an option, with its system.",
        _one(_CHOICE, _coding("prefer-not-to-say")),
        _one(_CHOICE, _coding("no")),
    ),
    "response-min-value": RuleText(
        "The answer is not below the question's minimum.",
        "It is a slip of the pen, or on another scale. Source: FHIR R4, extension minValue.",
        "Correct the answer.",
        _one(_question("pain", "integer", **_limit(CORE + "minValue", valueInteger=0)), {"valueInteger": -1}),
        _one(_question("pain", "integer", **_limit(CORE + "minValue", valueInteger=0)), {"valueInteger": 0}),
    ),
    "response-max-value": RuleText(
        "The answer is not above the question's maximum.",
        "It is a slip of the pen, or on another scale. Source: FHIR R4, extension maxValue.",
        "Correct the answer.",
        _one(_question("pain", "integer", **_limit(CORE + "maxValue", valueInteger=10)), {"valueInteger": 11}),
        _one(_question("pain", "integer", **_limit(CORE + "maxValue", valueInteger=10)), {"valueInteger": 10}),
    ),
    "response-max-length": RuleText(
        "The answer is no longer than the question allows.",
        f"Readers may cut off the rest. {_ITEM}.maxLength.",
        "Shorten it.",
        _one(_question("room", "string", maxLength=3), {"valueString": "Room 12"}),
        _one(_question("room", "string", maxLength=3), {"valueString": "12"}),
    ),
    "response-min-length": RuleText(
        "The answer is no shorter than the question asks.",
        "The question says how much is needed. Source: FHIR R4, extension minLength.",
        "Answer in full.",
        _one(_question("room", "string", **_limit(CORE + "minLength", valueInteger=2)), {"valueString": "1"}),
        _one(_question("room", "string", **_limit(CORE + "minLength", valueInteger=2)), {"valueString": "12"}),
    ),
    "response-pattern": RuleText(
        "The answer is written as the question's regular expression says.",
        "Software reads it by that. Source: FHIR R4, extension regex.",
        "Write it so.",
        _one(_question("room", "string", **_limit(CORE + "regex", valueString="[0-9]+")), {"valueString": "twelve"}),
        _one(_question("room", "string", **_limit(CORE + "regex", valueString="[0-9]+")), {"valueString": "12"}),
    ),
    "response-decimal-places": RuleText(
        "The answer has no more decimal places than the question allows.",
        "More would claim a precision that was not measured. Source: FHIR R4, extension maxDecimalPlaces.",
        "Round it.",
        _one(
            _question("weight", "decimal", **_limit(CORE + "maxDecimalPlaces", valueInteger=1)), {"valueDecimal": 71.25}
        ),
        _one(
            _question("weight", "decimal", **_limit(CORE + "maxDecimalPlaces", valueInteger=1)), {"valueDecimal": 71.2}
        ),
    ),
    "response-unit": RuleText(
        "The answer's unit is one that the question allows.",
        "Readers do not convert. Source: FHIR R4, extensions questionnaire-unitOption and questionnaire-unitValueSet.",
        "Convert the value, and give the unit's system and code.",
        _one(_DOSE, {"valueQuantity": {"value": 0.035, "system": _UCUM, "code": "g"}}),
        _one(_DOSE, {"valueQuantity": {"value": 35, "system": _UCUM, "code": "mg"}}),
    ),
    "response-min-occurs": RuleText(
        "A completed response has as many of the item as the questionnaire asks for.",
        "The form says how many are needed. Source: FHIR R4, extension questionnaire-minOccurs.",
        "Add the missing ones, or let the status be in-progress.",
        _one(
            _question(
                "wish",
                "string",
                required=True,
                repeats=True,
                **_limit(CORE + "questionnaire-minOccurs", valueInteger=2),
            ),
            {"valueString": "Music"},
        ),
        _one(
            _question(
                "wish",
                "string",
                required=True,
                repeats=True,
                **_limit(CORE + "questionnaire-minOccurs", valueInteger=2),
            ),
            {"valueString": "Music"},
            {"valueString": "Silence"},
        ),
    ),
    "response-max-occurs": RuleText(
        "A response has no more of the item than the questionnaire allows.",
        "Readers have room for so many. Source: FHIR R4, extension questionnaire-maxOccurs.",
        "Keep the most important ones.",
        _one(
            _question("wish", "string", repeats=True, **_limit(CORE + "questionnaire-maxOccurs", valueInteger=1)),
            {"valueString": "Music"},
            {"valueString": "Silence"},
        ),
        _one(
            _question("wish", "string", repeats=True, **_limit(CORE + "questionnaire-maxOccurs", valueInteger=1)),
            {"valueString": "Music"},
        ),
    ),
    "response-option-exclusive": RuleText(
        "An option that excludes the others is given alone.",
        '"None of these" and one of these contradict each other. '
        "Source: FHIR R4, extension questionnaire-optionExclusive.",
        "Keep either that option or the others.",
        _one(
            _question(
                "effects",
                "choice",
                repeats=True,
                answerOption=[
                    _option("no", **_limit(CORE + "questionnaire-optionExclusive", valueBoolean=True)),
                    _option("yes"),
                ],
            ),
            _coding("no"),
            _coding("yes"),
        ),
        _one(
            _question(
                "effects",
                "choice",
                repeats=True,
                answerOption=[
                    _option("no", **_limit(CORE + "questionnaire-optionExclusive", valueBoolean=True)),
                    _option("yes"),
                ],
            ),
            _coding("no"),
        ),
    ),
    "response-attachment-type": RuleText(
        "An attachment's contentType is one that the question allows.",
        "Readers can show only those. Source: FHIR R4, extension mimeType.",
        "Convert the file.",
        _one(
            _question("photo", "attachment", **_limit(CORE + "mimeType", valueCode="image/jpeg")),
            {"valueAttachment": _PHOTO},
        ),
        _one(
            _question("photo", "attachment", **_limit(CORE + "mimeType", valueCode="image/png")),
            {"valueAttachment": _PHOTO},
        ),
    ),
    "response-attachment-size": RuleText(
        "An attachment is no larger than the question allows.",
        "Servers refuse more. Source: FHIR R4, extension maxSize.",
        "Make it smaller.",
        _one(
            _question("photo", "attachment", **_limit(CORE + "maxSize", valueDecimal=4)),
            {"valueAttachment": _PHOTO},
        ),
        _one(_question("photo", "attachment", **_limit(CORE + "maxSize", valueDecimal=5)), {"valueAttachment": _PHOTO}),
    ),
    "response-text": RuleText(
        "An item's text, where given, is the questionnaire's.",
        f"What was asked must be what the form asks. {_NOTES}.item.text.",
        "Copy the text of the questionnaire, or leave it out.",
        _response([_NAUSEA], [_answer("nausea", _YES, text="Vomiting")]),
        _response([_NAUSEA], [_answer("nausea", _YES, text="Nausea")]),
    ),
    "response-total": RuleText(
        "A total is the sum that its expression gives over the answers.",
        "People act on totals; a wrong one is worse than none. Source: SDC, calculatedExpression.",
        "Add again, or correct the answers.",
        _total(2, "no", "yes"),
        _total(1, "no", "yes"),
    ),
    "response-total-incomplete": RuleText(
        "A total is given only where every scored item is answered.",
        "A sum over a part looks like a low score. Source: SDC, calculatedExpression; the instruments' scoring rules.",
        "Leave the total out, or ask for the missing answers.",
        _total(1, "yes"),
        _total(2, "yes", "yes"),
    ),
}
