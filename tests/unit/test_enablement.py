"""Enablement (R4, Questionnaire.item.enableWhen); conditions in whole responses are in response_cases_enablement."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.questionnaires.enablement import ItemState, holds, item_states
from fhir_keta.questionnaires.items import Condition, read_items
from fhir_keta.questionnaires.values import TypedValue, compare, typed_value
from tests.unit.forms import form, respond
from tests.unit.response_cases import (
    ONE,
    OTHER,
    SDC,
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
from tests.unit.response_cases_enablement import ENABLEMENT, GIVEN_UP
from tests.unit.response_cases_required import REQUIRED

Json = dict[str, Any]


def condition(operator: str, **answer: Any) -> Condition:
    return Condition("asked", operator, typed_value(answer, "answer"))


# R4, questionnaire-enable-operator: "at least one answer has a value that is ..."
@pytest.mark.parametrize(
    ("asked", "answers", "expected"),
    [
        (condition("exists", answerBoolean=True), [text("x")], True),
        (condition("exists", answerBoolean=True), [], False),
        (condition("exists", answerBoolean=False), [], True),
        (condition("exists", answerBoolean=False), [text("x")], False),
        (condition("=", answerString="x"), [text("y"), text("x")], True),
        (condition("=", answerString="x"), [text("X")], False),
        (condition("=", answerString="x"), [], False),
        (condition("!=", answerString="x"), [text("y")], True),
        (condition("!=", answerString="x"), [text("x")], False),
        (condition("!=", answerString="x"), [], False),
        (condition(">", answerInteger=2), [{"valueInteger": 2}, {"valueInteger": 3}], True),
        (condition(">", answerInteger=2), [{"valueInteger": 2}], False),
        (condition("<=", answerDecimal=2.5), [{"valueDecimal": 2.5}], True),
        (condition("<", answerDecimal=2.5), [{"valueDecimal": 2.5}], False),
        (condition(">=", answerDate="2026-05-01"), [{"valueDate": "2026-05-01"}], True),
        (condition("<", answerTime="09:00:00"), [{"valueTime": "08:59:59.9"}], True),
        (condition("=", answerCoding={"system": ONE, "code": "a"}), [coded("a", display="other")], True),
        (condition("=", answerCoding={"system": ONE, "code": "a"}), [coded("a", OTHER)], False),
        (condition("=", answerCoding={"code": "a"}), [coded("a", OTHER)], True),
        (condition(">", answerCoding={"code": "a"}), [coded("b")], False),
        (condition("=", answerQuantity={"value": 5}), [quantity(5, "mg")], True),
        (condition(">", answerQuantity={"value": 5}), [quantity(5, "mg")], False),
        (
            condition("=", answerReference={"reference": "Patient/a"}),
            [{"valueReference": {"reference": "Patient/a"}}],
            True,
        ),
        (condition("=", answerReference={"reference": "Patient/a"}), [{"valueReference": {"display": "a"}}], False),
        (condition("=", answerInteger=1), [yes()], False),
        (condition("=", answerBoolean=True), [{"valueInteger": 1}], False),
        (condition("=", answerCoding={"code": "a"}), [text("a")], False),
        (condition("nearly", answerInteger=1), [{"valueInteger": 1}], False),
        (Condition("asked", "=", None), [text("x")], False),
        (condition("=", answerString="x"), [{"extension": []}], False),
    ],
)
def test_a_condition_holds(asked: Condition, answers: list[Json], expected: bool) -> None:
    assert holds(asked, answers) is expected


@pytest.mark.parametrize(
    ("type_code", "left", "right", "expected"),
    [
        ("date", "2026-05", "2026-05-01", 0),
        ("date", "2026", "2026-05-01", -1),
        ("dateTime", "2026-05-01T10:00:00+02:00", "2026-05-01T08:00:00Z", 0),
        ("dateTime", "2026-05-01T00:30:00+01:00", "2026-04-30", 1),
        ("dateTime", "2026-05-01T10:00:00.5Z", "2026-05-01T10:00:00.49Z", 1),
        ("dateTime", "2026-06-30T23:59:60Z", "2026-07-01T00:00:00Z", 0),
        ("date", "2026-02-30", "2026-02-28", None),
        ("date", "soon", "2026-02-28", None),
        ("time", "09:00:00", "09:00:00.000", 0),
        ("time", "9 o'clock", "09:00:00", None),
        ("integer", 2, 10, -1),
        ("integer", "2", 10, None),
        ("boolean", True, False, 1),
        ("string", "b", "a", 1),
        ("Attachment", {}, {}, None),
    ],
)
def test_how_values_compare(type_code: str, left: Any, right: Any, expected: int | None) -> None:
    assert compare(TypedValue(type_code, left), TypedValue(type_code, right)) == expected
    back = None if expected is None else -expected
    assert compare(TypedValue(type_code, right), TypedValue(type_code, left)) == back


# UCUM: 1 g = 1000 mg, 1 h = 60 min; conversions by hand
@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (quantity(1, "g"), quantity(1000, "mg"), 0),
        (quantity(0.3, "g"), quantity(300, "mg"), 0),
        (quantity(999, "ug"), quantity(1, "mg"), -1),
        (quantity(1, "h"), quantity(59, "min"), 1),
        (quantity(2, "wk"), quantity(14, "d"), 0),
        (quantity(1, "L"), quantity(10, "dL"), 0),
        (quantity(1, "mg"), quantity(1, "mL"), None),
        (quantity(1, "[iU]"), quantity(2, "[iU]"), -1),
        (quantity(1, "[iU]"), quantity(1, "mg"), None),
        (quantity(1, None), quantity(1, "mg"), None),
        ({"valueQuantity": {"unit": "mg"}}, quantity(1, "mg"), None),
    ],
)
def test_how_quantities_compare(left: Json, right: Json, expected: int | None) -> None:
    assert (
        compare(TypedValue("Quantity", left["valueQuantity"]), TypedValue("Quantity", right["valueQuantity"]))
        == expected
    )


def test_what_is_inside_a_disabled_item_is_disabled() -> None:
    asked = when("asked", "=", answerBoolean=True)
    tree = read_items(
        {"item": [question("asked", "boolean"), group("g", group("h", question("q", "string")), enableWhen=[asked])]}
    )
    inside = within("g", within("h", answered("q", text("x"))))
    states = list(item_states(tree, {"item": [answered("asked", yes(False)), inside]}))
    assert [(state.item.link_id, state.expression, state.enabled) for state in states] == [
        ("asked", "QuestionnaireResponse.item[0]", True),
        ("g", "QuestionnaireResponse.item[1]", False),
        ("h", "QuestionnaireResponse.item[1].item[0]", False),
        ("q", "QuestionnaireResponse.item[1].item[0].item[0]", False),
    ]
    states = list(item_states(tree, {"item": [answered("asked", yes()), inside]}))
    assert [state.enabled for state in states] == [True, True, True, True]


def test_missing_items_are_told_where_they_would_stand() -> None:
    tree = read_items({"item": [group("g", question("q", "string"), question("r", "string")), question("s", "string")]})
    states = list(item_states(tree, {"item": [within("g", answered("r", text("x")))]}))
    missing = [(state.item.link_id, state.expression) for state in states if state.element is None]
    assert missing == [("q", "QuestionnaireResponse.item[0]"), ("s", "QuestionnaireResponse")]


def test_an_expression_is_not_evaluated() -> None:
    expression = {"valueExpression": {"language": "text/fhirpath", "expression": "true"}}
    by_expression = group("g", question("q", "string"), extensions={SDC + "enableWhenExpression": expression})
    tree = read_items({"item": [by_expression]})
    states = list(item_states(tree, {"item": [within("g", answered("q", text("x")))]}))
    assert [state.enabled for state in states] == [None, None]


@pytest.mark.parametrize("case", [*ENABLEMENT, *GIVEN_UP, *REQUIRED], ids=lambda case: case.name)
def test_states_of_whole_responses(case: Any) -> None:
    """The disabled items with content are those that the case expects to be found."""
    found = [
        state.expression.removeprefix("QuestionnaireResponse.")
        for state in item_states(read_items(case.questionnaire), case.response)
        if _has_content(state) and state.enabled is False
    ]
    expected = [expression for rule, expression in case.findings if rule == "response-disabled"]
    assert [one for one in found if not any(one.startswith(other + ".") for other in found)] == expected


def _has_content(state: ItemState) -> bool:
    return state.element is not None and bool({"answer", "item"} & state.element.keys())


def test_our_forms_ask_how_an_effect_felt_only_where_it_was_noticed() -> None:
    tree = read_items(form("keta-after"))

    def felt(intensity: str | None) -> bool | None:
        answers = {} if intensity is None else {"floating": intensity}
        states = item_states(tree, respond("keta-after", answers))
        return next((state.enabled for state in states if state.item.link_id == "floating.how-it-felt"), None)

    assert (felt("not-at-all"), felt("slightly"), felt("extremely")) == (False, True, True)


@pytest.mark.parametrize("odd", [None, 3, "text", [], {}, [None], [3], [[]]], ids=repr)
def test_odd_shapes_never_raise(odd: Any) -> None:
    tree = read_items({"item": [group("g", question("asked", "boolean", question("q", "string")), repeats=True)]})
    for response in (
        {"item": odd},
        {"item": [{"linkId": odd}]},
        {"item": [{"linkId": "g", "item": odd}]},
        {"item": [within("g", {"linkId": "asked", "answer": odd})]},
        {"item": [within("g", answered("asked", {"item": odd}))]},
    ):
        assert all(state.enabled for state in item_states(tree, response))
