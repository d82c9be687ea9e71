"""What is enabled, by which answers in which scope."""

from __future__ import annotations

from tests.unit.response_cases import (
    GENDER,
    GENDERS,
    ONE,
    OTHER,
    Case,
    Json,
    answered,
    coded,
    group,
    quantity,
    question,
    text,
    when,
    within,
    yes,
)

_DISABLED = (("response-disabled", "item[1]"),)
IF_YES = when("asked", "=", answerBoolean=True)


def _depends(name: str, asked: Json, condition: Json, *given: Json, enabled: bool) -> Case:
    """A question that depends on one that is asked before it; both are answered."""
    items = [asked, question("then", "string", enableWhen=[condition])]
    answers = [answered("asked", *given), answered("then", text("x"))] if given else [answered("then", text("x"))]
    place = _DISABLED if given else (("response-disabled", "item[0]"),)
    return Case(name, items, answers, () if enabled else place)


ASKED = question("asked", "boolean")
_INTEGER = question("asked", "integer")
_SEVERAL = question("asked", "string", repeats=True)
_DATE = question("asked", "date")
_MOMENT = question("asked", "dateTime")
_CODED = question("asked", "choice", answerOption=[coded("a"), coded("b"), coded("a", OTHER)])
_AMOUNT = question("asked", "quantity")

_OPERATORS = [
    _depends("equals", ASKED, IF_YES, yes(), enabled=True),
    _depends("equals-not", ASKED, IF_YES, yes(False), enabled=False),
    _depends("equals-unanswered", ASKED, IF_YES, enabled=False),
    _depends("exists", ASKED, when("asked", "exists", answerBoolean=True), yes(False), enabled=True),
    _depends("exists-unanswered", ASKED, when("asked", "exists", answerBoolean=True), enabled=False),
    _depends("exists-not", ASKED, when("asked", "exists", answerBoolean=False), enabled=True),
    _depends("exists-not-answered", ASKED, when("asked", "exists", answerBoolean=False), yes(), enabled=False),
    *(
        _depends(
            f"order-{number}-{name}",
            _INTEGER,
            when("asked", operator, answerInteger=5),
            {"valueInteger": number},
            enabled=number in enabling,
        )
        for operator, name, enabling in (
            (">", "above", (6,)),
            ("<", "below", (4,)),
            (">=", "from", (5, 6)),
            ("<=", "to", (4, 5)),
            ("=", "is", (5,)),
            ("!=", "is-not", (4, 6)),
        )
        for number in (4, 5, 6)
    ),
    _depends("coding", _CODED, when("asked", "=", answerCoding={"system": ONE, "code": "a"}), coded("a"), enabled=True),
    _depends(
        "coding-of-another-system",
        _CODED,
        when("asked", "=", answerCoding={"system": ONE, "code": "a"}),
        coded("a", OTHER),
        enabled=False,
    ),
    _depends(
        "coding-system-not-asked",
        _CODED,
        when("asked", "=", answerCoding={"code": "a"}),
        coded("a", OTHER),
        enabled=True,
    ),
    _depends(
        "coding-is-not",
        _CODED,
        when("asked", "!=", answerCoding={"system": ONE, "code": "a"}),
        coded("b"),
        enabled=True,
    ),
    _depends(
        "coding-of-value-set",
        question("asked", "choice", answerValueSet=GENDER),
        when("asked", "=", answerCoding={"system": GENDERS, "code": "male"}),
        coded("female", GENDERS),
        enabled=False,
    ),
    _depends("text-equals", _SEVERAL, when("asked", "=", answerString="x"), text("X"), enabled=False),
    _depends("text-after", _SEVERAL, when("asked", ">", answerString="m"), text("n"), enabled=True),
    _depends("any-answer-equals", _SEVERAL, when("asked", "=", answerString="y"), text("x"), text("y"), enabled=True),
    # R4 says of != "no answer has a value that is equal"; without an answer, or with several, as the validator reads it
    _depends("is-not-unanswered", _SEVERAL, when("asked", "!=", answerString="y"), enabled=False),
    _depends("is-not-all", _SEVERAL, when("asked", "!=", answerString="x"), text("x"), text("y"), enabled=True),
    _depends(
        "date-after", _DATE, when("asked", ">", answerDate="2026-05-01"), {"valueDate": "2026-05-02"}, enabled=True
    ),
    _depends(
        "date-not-after", _DATE, when("asked", ">", answerDate="2026-05"), {"valueDate": "2026-05-01"}, enabled=False
    ),
    _depends(
        "moment-in-another-zone",
        _MOMENT,
        when("asked", "=", answerDateTime="2026-05-01T10:00:00Z"),
        {"valueDateTime": "2026-05-01T12:00:00+02:00"},
        enabled=True,
    ),
    _depends(
        "time-before",
        question("asked", "time"),
        when("asked", "<", answerTime="12:00:00"),
        {"valueTime": "12:00:01"},
        enabled=False,
    ),
    _depends("amount", _AMOUNT, when("asked", ">=", answerQuantity={"value": 5}), quantity(5, "mg"), enabled=True),
    _depends(
        "amount-less", _AMOUNT, when("asked", ">=", answerQuantity={"value": 5}), quantity(4.5, "mg"), enabled=False
    ),
    _depends(
        "decimal",
        question("asked", "decimal"),
        when("asked", "=", answerDecimal=2.0),
        {"valueDecimal": 2},
        enabled=True,
    ),
]


def _both(behavior: str | None, first: bool, second: bool, *, enabled: bool) -> Case:
    conditions = [when("one", "=", answerBoolean=True), when("two", "=", answerBoolean=True)]
    more: Json = {"enableBehavior": behavior} if behavior else {}
    return Case(
        f"behavior-{behavior}-{first}-{second}".lower(),
        [
            question("one", "boolean"),
            question("two", "boolean"),
            question("then", "string", enableWhen=conditions, **more),
        ],
        [answered("one", yes(first)), answered("two", yes(second)), answered("then", text("x"))],
        () if enabled else (("response-disabled", "item[2]"),),
    )


_BEHAVIOR = [
    _both("all", True, True, enabled=True),
    _both("all", True, False, enabled=False),
    _both("any", False, True, enabled=True),
    _both("any", False, False, enabled=False),
    _both(None, False, False, enabled=True),  # que-12 forbids it and R4 gives it no meaning: nothing is refused
]

_WHEN_ASKED = question("then", "string", enableWhen=[IF_YES])
_ROUND = group("round", ASKED, _WHEN_ASKED, repeats=True)
_MEDICATION = question(
    "medication",
    "string",
    question("taken", "boolean"),
    question("dose", "string", required=True, enableWhen=[when("taken", "=", answerBoolean=True)]),
    repeats=True,
)


def _medication(name: str, taken: bool, dose: str | None) -> Json:
    inside = [answered("taken", yes(taken))] + ([answered("dose", text(dose))] if dose else [])
    return {**text(name), "item": inside}


def _round(asked: bool | None, then: bool) -> Json:
    inside = [] if asked is None else [answered("asked", yes(asked))]
    return within("round", *inside, *([answered("then", text("x"))] if then else []))


_A, _B = (when("asked", "=", answerCoding={"system": ONE, "code": code}) for code in ("a", "b"))
_TOO = {**_B, "question": "too"}
_NEAREST = "the nearest occurrence of the question is the one under the same answer (enableWhen.question)"

_SCOPES = [
    Case("later-question", [_WHEN_ASKED, ASKED], [answered("then", text("x")), answered("asked", yes())]),
    Case(
        "disabled-group",
        [ASKED, group("g", question("in", "string"), enableWhen=[IF_YES])],
        [answered("asked", yes(False)), within("g", answered("in", text("x")))],
        _DISABLED,
    ),
    Case("disabled-without-answer", [ASKED, _WHEN_ASKED], [answered("asked", yes(False)), {"linkId": "then"}]),
    Case("repetition-by-repetition", [_ROUND], [_round(True, True), _round(False, False)]),
    Case(
        "repetition-of-another",
        [_ROUND],
        [_round(True, False), _round(False, True)],
        (("response-disabled", "item[1].item[1]"),),
    ),
    Case(
        "outside-the-repetition",
        [ASKED, group("round", _WHEN_ASKED, repeats=True)],
        [answered("asked", yes(False)), within("round", answered("then", text("x")))],
        (("response-disabled", "item[1].item[0]"),),
    ),
    Case(
        "any-repetition",
        [group("round", ASKED, repeats=True), _WHEN_ASKED],
        [_round(False, False), _round(True, False), answered("then", text("x"))],
    ),
    Case(
        "no-repetition",
        [group("round", ASKED, repeats=True), _WHEN_ASKED],
        [_round(False, False), _round(False, False), answered("then", text("x"))],
        (("response-disabled", "item[2]"),),
    ),
    Case(
        "parent-question",
        [question("asked", "boolean", _WHEN_ASKED)],
        [answered("asked", {**yes(False), "item": [answered("then", text("x"))]})],
        (("response-disabled", "item[0].answer[0].item[0]"),),
    ),
    Case(
        "parent-question-enabling",
        [question("asked", "boolean", _WHEN_ASKED)],
        [answered("asked", {**yes(), "item": [answered("then", text("x"))]})],
    ),
    Case(
        "several-items-of-one-question",
        [_SEVERAL, question("then", "string", enableWhen=[when("asked", "=", answerString="y")])],
        [answered("asked", text("x")), answered("asked", text("y")), answered("then", text("z"))],
    ),
    Case(
        "several-disabled-items-of-one-question",
        [ASKED, question("then", "string", repeats=True, enableWhen=[IF_YES])],
        [answered("asked", yes(False)), {"linkId": "then"}, answered("then", text("x"))],
        (("response-disabled", "item[2]"),),
    ),
    Case(
        "one-of-several-codes",
        [_CODED, question("then", "string", enableWhen=[_A, _B], enableBehavior="any")],
        [answered("asked", coded("b")), answered("then", text("x"))],
    ),
    Case(
        "none-of-several-codes",
        [_CODED, question("then", "string", enableWhen=[_A, _B], enableBehavior="any")],
        [answered("asked", coded("a", OTHER)), answered("then", text("x"))],
        _DISABLED,
    ),
    Case(
        "codes-of-two-questions",
        [_CODED, {**_CODED, "linkId": "too"}, question("then", "string", enableWhen=[_A, _TOO], enableBehavior="any")],
        [answered("asked", coded("a", OTHER)), answered("too", coded("b")), answered("then", text("x"))],
    ),
    Case("answer-by-answer-of-one", [_MEDICATION], [answered("medication", _medication("a", True, "1"))]),
    Case(
        "answer-by-answer",
        [_MEDICATION],
        [answered("medication", _medication("a", True, "1"), _medication("b", False, None))],
        differs=_NEAREST,
    ),
    Case(
        "answer-by-answer-disabled",
        [_MEDICATION],
        [answered("medication", _medication("a", True, "1"), _medication("b", False, "2"))],
        (("response-disabled", "item[0].answer[1].item[1]"),),
        differs=_NEAREST,
    ),
    Case(
        "answer-by-answer-required",
        [_MEDICATION],
        [answered("medication", _medication("a", True, "1"), _medication("b", True, None))],
        (("response-required", "item[0].answer[1]"),),
    ),
    Case(
        "conditions-on-no-item",
        [question("then", "string", enableWhen=[when("nowhere", "exists", answerBoolean=True)])],
        [answered("then", text("x"))],
        (("response-disabled", "item[0]"),),
    ),
]

# the validator gives up where an answer is of another type than the condition's
_OPEN = question("asked", "open-choice", answerOption=[coded("a")])
_NOT_A = {**_A, "operator": "!="}
GIVEN_UP = [
    _depends(
        "coding-is-not-a-text",
        _OPEN,
        when("asked", "!=", answerCoding={"system": ONE, "code": "a"}),
        text("a"),
        enabled=True,
    ),
    _depends(
        "coding-is-a-text",
        _OPEN,
        when("asked", "=", answerCoding={"system": ONE, "code": "a"}),
        text("a"),
        enabled=False,
    ),
]
ENABLEMENT = [*_OPERATORS, *_BEHAVIOR, *_SCOPES]
