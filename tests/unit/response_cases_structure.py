"""Which items and answers may stand where, how often and in what order."""

from __future__ import annotations

from tests.unit.response_cases import CORE, Case, Json, answered, coded, group, question, text, within

_TWO = [question("one", "string", text="One?"), question("two", "string", text="Two?")]
_INNER = question("in", "string")
_EXCLUSIVE = question(
    "q",
    "choice",
    repeats=True,
    answerOption=[
        {**coded("none"), "extension": [{"url": CORE + "questionnaire-optionExclusive", "valueBoolean": True}]},
        coded("a"),
        coded("b"),
    ],
)
_ABC = [text("a"), text("b"), text("c")]


def _often(**limits: int) -> Json:
    extensions = {f"{CORE}questionnaire-{name}": {"valueInteger": limit} for name, limit in limits.items()}
    return question("q", "string", repeats=True, extensions=extensions)


STRUCTURE = [
    Case("in-order", _TWO, [answered("one", text("x"), text="One?"), answered("two", text("y"))]),
    Case("empty-response", _TWO, []),
    Case("item-without-answer", _TWO, [{"linkId": "one"}]),
    Case(
        "out-of-order", _TWO, [answered("two", text("x")), answered("one", text("y"))], (("response-order", "item[1]"),)
    ),
    Case(
        "out-of-order-once",
        [question(name, "string") for name in "abc"],
        [answered(name, text("x")) for name in "cab"],
        (("response-order", "item[1]"),),
    ),
    Case("link-id-unknown", _TWO, [answered("three", text("x"))], (("response-link-id-unknown", "item[0]"),)),
    Case("text-of-another", _TWO, [answered("one", text("x"), text="Two?")], (("response-text", "item[0].text"),)),
    Case(
        "text-where-none",
        [question("q", "string")],
        [answered("q", text("x"), text="Mine?")],
        (("response-text", "item[0].text"),),
    ),
    Case("twice", _TWO, [answered("one", text("x")), answered("one", text("y"))], (("response-repeats", "item[1]"),)),
    Case("two-answers", _TWO, [answered("one", text("x"), text("y"))], (("response-answer-max", "item[0].answer[1]"),)),
    Case(
        "two-answers-with-items",
        [question("q", "string", _INNER)],
        [answered("q", *({**text("x"), "item": [answered("in", text("y"))]} for _ in range(2)))],
        (("response-answer-max", "item[0].answer[1]"),),
    ),
    Case("answers-repeat", [question("q", "string", repeats=True)], [answered("q", *_ABC)]),
    Case("items-of-one-question-repeat", [question("q", "string", repeats=True)], [answered("q", a) for a in _ABC]),
    Case(
        "items-of-one-question-differ",
        [question("q", "string", repeats=True)],
        [answered("q", text("x")), answered("q", {"valueInteger": 1})],
        (("response-answer-type", "item[1].answer[0].value.ofType(integer)"),),
    ),
    Case("nested", [group("g", _INNER)], [within("g", answered("in", text("x")))]),
    Case("not-nested", [group("g", _INNER)], [answered("in", text("x"))], (("response-nesting", "item[0]"),)),
    Case(
        "nested-in-another",
        [group("g", _INNER), group("h", question("ho", "string"))],
        [within("h", answered("in", text("x")))],
        (("response-nesting", "item[0].item[0]"),),
    ),
    Case(
        "group-twice",
        [group("g", _INNER)],
        [within("g", answered("in", text("x"))), within("g", answered("in", text("y")))],
        (("response-repeats", "item[1]"),),
    ),
    Case(
        "group-repeats",
        [group("g", _INNER, repeats=True)],
        [within("g", answered("in", text("x"))), within("g", answered("in", text("y")))],
    ),
    Case(
        "group-without-items",
        [group("g")],
        [within("g", {"linkId": "g"})],
        (("response-nesting", "item[0].item[0]"),),
    ),
    Case(
        "group-answered",
        [group("g", _INNER)],
        [answered("g", text("x"))],
        (("response-answer-prohibited", "item[0].answer[0]"),),
    ),
    Case(
        "display-answered",
        [question("d", "display", text="Read this.")],
        [answered("d", text("x"))],
        (("response-answer-prohibited", "item[0].answer[0]"),),
    ),
    Case("display-shown", [question("d", "display", text="Read this.")], [{"linkId": "d", "text": "Read this."}]),
    Case(
        "items-under-answer",
        [question("q", "string", _INNER)],
        [answered("q", {**text("x"), "item": [answered("in", text("y"))]})],
    ),
    Case(
        "items-beside-answer",
        [question("q", "string", _INNER)],
        [within("q", answered("in", text("y")))],
        (("response-nesting", "item[0].item[0]"),),
    ),
    Case(
        "items-under-answer-unknown",
        [question("q", "string")],
        [answered("q", {**text("x"), "item": [answered("in", text("y"))]})],
        (("response-link-id-unknown", "item[0].answer[0].item[0]"),),
    ),
    Case("exclusive-alone", [_EXCLUSIVE], [answered("q", coded("none"))]),
    Case("not-exclusive", [_EXCLUSIVE], [answered("q", coded("a"), coded("b"))]),
    Case(
        "exclusive-with-another",
        [_EXCLUSIVE],
        [answered("q", coded("a"), coded("none"))],
        (("response-option-exclusive", "item[0].answer[1].value.ofType(Coding)"),),
    ),
    Case("max-occurs-reached", [_often(maxOccurs=3)], [answered("q", *_ABC)]),
    Case("max-occurs", [_often(maxOccurs=2)], [answered("q", *_ABC)], (("response-max-occurs", "item[0].answer[2]"),)),
    Case("min-occurs-reached", [_often(minOccurs=3)], [answered("q", *_ABC)]),
    Case("min-occurs", [_often(minOccurs=4)], [answered("q", *_ABC)], (("response-min-occurs", "item[0]"),)),
    Case("min-occurs-unanswered", [_often(minOccurs=2)], []),
]

_OFTEN_GROUP = {
    "extension": [
        {"url": CORE + "questionnaire-minOccurs", "valueInteger": 2},
        {"url": CORE + "questionnaire-maxOccurs", "valueInteger": 3},
    ]
}
_TIMES = "for a group minOccurs and maxOccurs count its repetitions; the validator counts answers, of which it has none"


def _repetitions(number: int) -> list[Json]:
    return [within("g", answered("in", text("x"))) for _ in range(number)]


_REPEATING = [group("g", _INNER, repeats=True, **_OFTEN_GROUP)]
STRUCTURE += [
    Case("group-often-enough", _REPEATING, _repetitions(2), differs=_TIMES),
    Case("group-too-rare", _REPEATING, _repetitions(1), (("response-min-occurs", ""),)),
    Case("group-too-often", _REPEATING, _repetitions(4), (("response-max-occurs", "item[3]"),)),
]
