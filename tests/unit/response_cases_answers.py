"""What one answer may be, by the type of its item: values, options, value sets, limits, units, attachments."""

from __future__ import annotations

from typing import Any

from tests.unit.response_cases import (
    CORE,
    GENDER,
    GENDERS,
    ONE,
    OTHER,
    SDC,
    UCUM,
    Case,
    Json,
    answered,
    coded,
    quantity,
    question,
    text,
    yes,
)

VALUE = "item[0].answer[0].value.ofType({})"
CHOICES = [coded("a"), coded("b", display="B"), coded("a", OTHER), coded("n", None), coded(None, ONE, display="only")]
CHOICE = question("q", "choice", answerOption=CHOICES)
VALUE_SET = {
    "resourceType": "ValueSet",
    "id": "own",
    "status": "active",
    "compose": {"include": [{"system": GENDERS, "concept": [{"code": "male"}, {"code": "other"}]}]},
}
FOREIGN_SET = {**VALUE_SET, "id": "foreign", "compose": {"include": [{"system": ONE, "concept": [{"code": "a"}]}]}}
DECLINED = {"extension": [{"url": CORE + "data-absent-reason", "valueCode": "asked-declined"}]}


def limited(type_code: str, minimum: Json | None = None, maximum: Json | None = None) -> Json:
    limits = {CORE + "minValue": minimum, CORE + "maxValue": maximum}
    return question("q", type_code, extensions={url: limit for url, limit in limits.items() if limit is not None})


def _one(name: str, item: Json, answer: Json, rule: str = "", type_code: str = "", **more: Any) -> Case:
    """One question ``q`` with one answer; a rule is broken by its value."""
    findings = ((rule, VALUE.format(type_code) if type_code else "item[0]"),) if rule else ()
    return Case(name, [item], [answered("q", answer)], findings, **more)


def _types() -> list[Case]:
    """Every item type with an answer of its type, and with one of another."""
    values: dict[str, Json] = {
        "boolean": yes(),
        "decimal": {"valueDecimal": 1.5},
        "integer": {"valueInteger": 3},
        "date": {"valueDate": "2026-05-01"},
        "dateTime": {"valueDateTime": "2026-05-01T10:00:00Z"},
        "time": {"valueTime": "10:00:00"},
        "string": text("words"),
        "text": text("words"),
        "url": {"valueUri": "http://foreign.test/page"},
        "quantity": quantity(5, "mg"),
        "reference": {"valueReference": {"reference": "Patient/one"}},
    }
    cases = [_one(f"type-{name}", question("q", name), value) for name, value in values.items()]
    for name in values:
        wrong = text("no") if name == "boolean" else yes()
        type_code = "string" if name == "boolean" else "boolean"
        cases.append(_one(f"type-{name}-wrong", question("q", name), wrong, "response-answer-type", type_code))
    return cases


ANSWERS = [
    *_types(),
    _one("integer-for-decimal", question("q", "decimal"), {"valueInteger": 1}, "response-answer-type", "integer"),
    _one("answer-without-value", question("q", "string"), DECLINED),
    _one("value-declined", question("q", "string"), {"_valueString": DECLINED}),
    _one(
        "integer-declined",
        question("q", "integer"),
        {"_valueInteger": DECLINED},
        differs="an extension may stand for a primitive's value (Extensibility), so there is none to check",
    ),
    # options
    _one("option", CHOICE, coded("a")),
    _one("option-other-system", CHOICE, coded("a", OTHER)),
    _one("option-display-free", CHOICE, coded("b", display="another display")),
    _one("option-without-system", CHOICE, coded("n", None)),
    _one("option-without-code", CHOICE, coded(None, ONE, display="only")),
    _one("option-not-offered", CHOICE, coded("c"), "response-option", "Coding"),
    _one("option-system-missing", CHOICE, coded("b", None), "response-option", "Coding"),
    _one("option-system-wrong", CHOICE, coded("b", OTHER), "response-option", "Coding"),
    _one("option-other-type", CHOICE, {"valueInteger": 1}, "response-answer-type", "integer"),
    _one("option-text", CHOICE, text("a"), "response-answer-type", "string"),
    _one("option-open-text", question("q", "open-choice", answerOption=CHOICES), text("my own")),
    _one(
        "option-open-code", question("q", "open-choice", answerOption=CHOICES), coded("c"), "response-option", "Coding"
    ),
    _one("option-integer", question("q", "choice", answerOption=[{"valueInteger": 1}]), {"valueInteger": 1}),
    _one(
        "option-integer-other",
        question("q", "choice", answerOption=[{"valueInteger": 1}]),
        {"valueInteger": 2},
        "response-option",
        "integer",
    ),
    _one(
        "option-string-other",
        question("q", "choice", answerOption=[text("a")]),
        text("b"),
        "response-option",
        "string",
    ),
    _one(
        "option-date", question("q", "choice", answerOption=[{"valueDate": "2026-05-01"}]), {"valueDate": "2026-05-01"}
    ),
    _one(
        "option-reference",
        question("q", "choice", answerOption=[{"valueReference": {"reference": "Patient/one"}}]),
        {"valueReference": {"reference": "Patient/one"}},
        differs="Questionnaire.item.answerOption.value[x] may be a Reference",
    ),
    _one("choice-without-options", question("q", "choice"), coded("whatever")),
    # value sets
    _one("value-set", question("q", "choice", answerValueSet=GENDER), coded("male", GENDERS)),
    _one(
        "value-set-not-in",
        question("q", "choice", answerValueSet=GENDER),
        coded("male", ONE),
        "response-option",
        "Coding",
    ),
    _one(
        "value-set-text",
        question("q", "choice", answerValueSet=GENDER),
        text("male"),
        "response-answer-type",
        "string",
        differs="a choice is answered with a Coding of the answerValueSet (item-type); only open-choice takes text",
    ),
    _one("value-set-open-text", question("q", "open-choice", answerValueSet=GENDER), text("male, I think")),
    _one("value-set-unknown", question("q", "choice", answerValueSet=ONE + "/unknown"), coded("whatever")),
    _one("value-set-of-string", question("q", "string", answerValueSet=GENDER), text("male")),
    _one(
        "value-set-of-string-not-in",
        question("q", "string", answerValueSet=GENDER),
        text("mail"),
        "response-option",
        "string",
    ),
    _one(
        "value-set-contained",
        question("q", "choice", answerValueSet="#own"),
        coded("other", GENDERS),
        contained=(VALUE_SET,),
    ),
    _one(
        "value-set-contained-not-in",
        question("q", "choice", answerValueSet="#own"),
        coded("female", GENDERS),
        "response-option",
        "Coding",
        contained=(VALUE_SET,),
    ),
    _one(
        "value-set-of-foreign-system-not-in",
        question("q", "choice", answerValueSet="#foreign"),
        coded("c"),
        "response-option",
        "Coding",
        contained=(FOREIGN_SET,),
        differs="a value set that lists its codes has no others; without their system the validator only warns",
    ),
    # numbers, dates, times
    _one("min-value-reached", limited("integer", {"valueInteger": 2}), {"valueInteger": 2}),
    _one("min-value", limited("integer", {"valueInteger": 2}), {"valueInteger": 1}, "response-min-value", "integer"),
    _one(
        "max-value", limited("integer", None, {"valueInteger": 2}), {"valueInteger": 3}, "response-max-value", "integer"
    ),
    _one("max-value-decimal", limited("decimal", None, {"valueDecimal": 2.5}), {"valueDecimal": 2.5}),
    _one(
        "max-value-decimal-above",
        limited("decimal", None, {"valueDecimal": 2.5}),
        {"valueDecimal": 2.51},
        "response-max-value",
        "decimal",
    ),
    _one("min-date", limited("date", {"valueDate": "2026-05-01"}), {"valueDate": "2026-05-01"}),
    _one(
        "min-date-before",
        limited("date", {"valueDate": "2026-05-01"}),
        {"valueDate": "2026-04-30"},
        "response-min-value",
        "date",
    ),
    _one(
        "max-date-time-in-another-zone",
        limited("dateTime", None, {"valueDateTime": "2026-05-01T10:00:00Z"}),
        {"valueDateTime": "2026-05-01T12:00:00+02:00"},
    ),
    _one(
        "max-date-time-after",
        limited("dateTime", None, {"valueDateTime": "2026-05-01T10:00:00Z"}),
        {"valueDateTime": "2026-05-01T10:00:00-01:00"},
        "response-max-value",
        "dateTime",
    ),
    _one(
        "min-time-before",
        limited("time", {"valueTime": "08:30:00"}),
        {"valueTime": "08:29:59"},
        "response-min-value",
        "time",
    ),
    # text
    _one("max-length", question("q", "string", maxLength=3), text("abc")),
    _one("max-length-over", question("q", "string", maxLength=3), text("abcd"), "response-max-length", "string"),
    _one(
        "max-length-of-text",
        question("q", "text", maxLength=3),
        text("abcd"),
        "response-max-length",
        "string",
        differs="Questionnaire.item.maxLength is for every answer of text, not for type string alone",
    ),
    _one(
        "max-length-in-characters",
        question("q", "string", maxLength=1),
        text("\N{GRINNING FACE}"),
        differs="maxLength counts characters, and this is one of them",
    ),
    _one(
        "min-length",
        question("q", "string", extensions={CORE + "minLength": {"valueInteger": 3}}),
        text("ab"),
        "response-min-length",
        "string",
    ),
    _one("pattern", question("q", "string", extensions={CORE + "regex": {"valueString": "[a-c]+"}}), text("abc")),
    _one(
        "pattern-unmatched",
        question("q", "string", extensions={CORE + "regex": {"valueString": "[a-c]+"}}),
        text("abcd"),
        "response-pattern",
        "string",
    ),
    _one(
        "decimal-places",
        question("q", "decimal", extensions={CORE + "maxDecimalPlaces": {"valueInteger": 1}}),
        {"valueDecimal": 1.25},
        "response-decimal-places",
        "decimal",
    ),
]

_DOSE = question(
    "q",
    "quantity",
    extensions={
        SDC + "minQuantity": quantity(1, "mg", "mg"),
        SDC + "maxQuantity": quantity(2, "g", "g"),
    },
)
_UNITS = {
    "linkId": "q",
    "type": "quantity",
    "extension": [
        {"url": CORE + "questionnaire-unitOption", "valueCoding": {"system": UCUM, "code": "mg", "display": "mg"}},
        {"url": CORE + "questionnaire-unitOption", "valueCoding": {"system": UCUM, "code": "g"}},
    ],
}
_PICTURE = question(
    "q", "attachment", extensions={CORE + "mimeType": {"valueCode": "image/png"}, CORE + "maxSize": {"valueDecimal": 3}}
)

MEASURES = [
    _one("quantity-min", _DOSE, quantity(1, "mg")),
    _one("quantity-below", _DOSE, quantity(0.5, "mg"), "response-min-value", "Quantity"),
    _one("quantity-converted", _DOSE, quantity(2000, "mg")),
    _one("quantity-converted-above", _DOSE, quantity(2001, "mg"), "response-max-value", "Quantity"),
    _one("quantity-converted-below", _DOSE, quantity(999, "ug"), "response-min-value", "Quantity"),
    _one("quantity-not-comparable", _DOSE, quantity(5, "mL"), "response-unit", "Quantity"),
    _one("quantity-as-text", _DOSE, text("5 mg"), "response-answer-type", "string"),
    _one("quantity-without-unit", _DOSE, quantity(5, None), "response-unit", "Quantity"),
    _one("unit", _UNITS, quantity(5, "mg", "mg")),
    _one("unit-by-code", _UNITS, quantity(5, "g")),
    _one("unit-named-otherwise", _UNITS, quantity(5, "mg", "milligram"), "response-unit", "Quantity"),
    _one("unit-other", _UNITS, quantity(5, "kg", "kg"), "response-unit", "Quantity"),
    _one("attachment", _PICTURE, {"valueAttachment": {"contentType": "image/png", "data": "AAA="}}),
    _one(
        "attachment-at-limit",
        _PICTURE,
        {"valueAttachment": {"contentType": "image/png", "data": "AAAA"}},
        differs="maxSize is the largest size allowed, so 3 bytes fit",
    ),
    _one(
        "attachment-too-large",
        _PICTURE,
        {"valueAttachment": {"contentType": "image/png", "data": "AAAAAA=="}},
        "response-attachment-size",
        "Attachment",
    ),
    _one(
        "attachment-type",
        _PICTURE,
        {"valueAttachment": {"contentType": "image/gif", "data": "AA=="}},
        "response-attachment-type",
        "Attachment",
    ),
]
