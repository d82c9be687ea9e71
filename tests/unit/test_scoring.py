"""Totals read out of questionnaires, and the severity bands of PHQ-9 and GAD-7 (their published scoring)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.questionnaires.items import read_items
from fhir_keta.questionnaires.scoring import band, bands, not_evaluated, read_count_by_code, total_value, totals
from tests.unit.forms import FORMS, form, items_by_link_id
from tests.unit.response_cases import SDC, answered, coded, group, question
from tests.unit.test_questionnaire_scores import GAD_7, PHQ_9, SCORES

Json = dict[str, Any]

MEMBERS = "%resource.item.where(linkId='g').item.where(linkId='a' or linkId='b').answer"
EXPRESSION = (
    f"iif({MEMBERS}.count() = 2, {MEMBERS}.where(value.code = 'x').count()"
    f" + 3 * {MEMBERS}.where(value.code='y').count(), {{}})"
)


@pytest.mark.parametrize(("form_id", "codes"), [("phq-9", PHQ_9), ("gad-7", GAD_7)])
def test_the_totals_of_the_instruments(form_id: str, codes: tuple[str, ...]) -> None:
    (total,) = totals(read_items(form(form_id)))
    assert (total.link_id, total.members) == (f"{form_id}.total", codes)
    assert total.weights == {code: score for score, code in enumerate(SCORES)}
    assert not_evaluated(read_items(form(form_id))) == ()


@pytest.mark.parametrize("form_id", FORMS)
def test_weights_are_the_scores_of_the_options(form_id: str) -> None:
    tree = read_items(form(form_id))
    for total in totals(tree):
        for member in total.members:
            for option in tree.by_link_id[member].options:
                assert total.weights[option.value.value["code"]] == option.score


def test_own_items_are_never_summed() -> None:
    assert [form_id for form_id in FORMS if totals(read_items(form(form_id)))] == ["phq-9", "gad-7"]


def _items(codes: tuple[str, ...], scores: str) -> dict[str, Json]:
    given = zip(codes, scores, strict=False)
    return {code: answered(code, coded(SCORES[int(score)], "http://loinc.org")) for code, score in given}


@pytest.mark.parametrize(
    ("codes", "form_id", "scores", "expected"),
    [
        (PHQ_9, "phq-9", "000000000", 0),
        (PHQ_9, "phq-9", "333333333", 27),
        (PHQ_9, "phq-9", "012301230", 12),
        (PHQ_9, "phq-9", "01230123", None),
        (GAD_7, "gad-7", "3210321", 12),
        (GAD_7, "gad-7", "", None),
    ],
)
def test_scores(codes: tuple[str, ...], form_id: str, scores: str, expected: int | None) -> None:
    (total,) = totals(read_items(form(form_id)))
    assert total.score(_items(codes, scores)) == expected


def test_no_score_from_answers_that_are_none() -> None:
    (total,) = totals(read_items(form("gad-7")))
    for wrong in (
        answered(GAD_7[2], coded("LA6572-7")),
        answered(GAD_7[2], coded(SCORES[1]), coded(SCORES[1])),
        answered(GAD_7[2], {"valueInteger": 1}),
        {"linkId": GAD_7[2]},
        {"linkId": GAD_7[2], "answer": None},
        {"linkId": GAD_7[2], "answer": [None]},
        {"linkId": GAD_7[2], "answer": [{"valueCoding": {"code": []}}]},
        None,
    ):
        assert total.score({**_items(GAD_7, "1111111"), GAD_7[2]: wrong}) is None  # type: ignore[dict-item]


def _form_with_total(expression: object, language: str = "text/fhirpath", **member: Any) -> Json:
    options = [coded("x"), coded("y"), coded("z")]
    calculated = {"valueExpression": {"language": language, "expression": expression}}
    questions = [question(name, "choice", **{"answerOption": options, **member}) for name in ("a", "b")]
    total = question("t", "integer", extensions={SDC + "calculatedExpression": calculated})
    return {"resourceType": "Questionnaire", "item": [group("g", *questions), total]}


def test_a_total_of_a_foreign_form() -> None:
    tree = read_items(_form_with_total(EXPRESSION))
    (total,) = totals(tree)
    assert (total.link_id, total.members, total.weights) == ("t", ("a", "b"), {"x": 1, "y": 3, "z": 0})
    given = {"a": answered("a", coded("y")), "b": answered("b", coded("z"))}
    assert total.score(given) == 3


def test_a_code_may_be_counted_in_several_terms() -> None:
    again = EXPRESSION.replace(", {})", f" + {MEMBERS}.where(value.code = 'x').count(), {{}})")
    (total,) = totals(read_items(_form_with_total(again)))
    assert total.weights == {"x": 2, "y": 3, "z": 0}


@pytest.mark.parametrize(
    "changed",
    [
        EXPRESSION.replace("= 2,", "= 3,"),
        EXPRESSION.replace("iif(", "iif (1 = 1 and ").replace("{}", "0"),
        EXPRESSION.replace("{}", "0"),
        EXPRESSION + ".first()",
        EXPRESSION[:-1],
        EXPRESSION.replace("value.code = 'x'", "value.display = 'x'"),
        EXPRESSION.replace("3 *", "3 +"),
        EXPRESSION.replace("linkId='b'", "linkId='a'"),
        EXPRESSION.replace("or linkId='b').answer.where(value.code='y')", ").answer.where(value.code='y')"),
        EXPRESSION.replace("linkId='g'", "linkId='g' or linkId='h'"),
        "%resource.item.answer.value.ordinal().sum()",
        "iif(%resource.answer.count() = 0, %resource.answer.where(value.code = 'x').count(), {})",
        "",
        "''' unbalanced",
        "iif(",
        None,
        7,
    ],
)
def test_other_expressions_are_not_evaluated(changed: object) -> None:
    assert read_count_by_code(changed) is None
    tree = read_items(_form_with_total(changed))
    assert totals(tree) == ()
    assert [item.link_id for item in not_evaluated(tree)] == ["t"]


def test_a_total_must_fit_its_form() -> None:
    assert totals(read_items(_form_with_total(EXPRESSION, language="text/cql"))) == ()
    assert totals(read_items(_form_with_total(EXPRESSION, repeats=True))) == ()
    assert totals(read_items(_form_with_total(EXPRESSION, answerOption=[]))) == ()
    assert totals(read_items(_form_with_total(EXPRESSION.replace("'g'", "'h'")))) == ()
    repeating = _form_with_total(EXPRESSION)
    repeating["item"][0]["repeats"] = True
    assert totals(read_items(repeating)) == ()


# PHQ-9: 0-4, 5-9, 10-14, 15-19, 20-27; GAD-7: 0-4, 5-9, 10-14, 15-21
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "44261-6",
            {-1: None, 0: "minimal", 4: "minimal", 5: "mild", 9: "mild", 10: "moderate", 14: "moderate"}
            | {15: "moderately severe", 19: "moderately severe", 20: "severe", 27: "severe", 28: None},
        ),
        (
            "70274-6",
            {-1: None, 0: "minimal", 4: "minimal", 5: "mild", 9: "mild", 10: "moderate", 14: "moderate"}
            | {15: "severe", 21: "severe", 22: None},
        ),
    ],
)
def test_bands(code: str, expected: dict[int, str | None]) -> None:
    score = {"system": "http://loinc.org", "code": code, "display": "any"}
    for value, name in expected.items():
        found = band(score, value)
        assert (found and found.name) == name


def test_only_known_scores_have_bands() -> None:
    for other in ({"system": "http://loinc.org", "code": "44262-4"}, {"code": "44261-6"}, {}, None, "44261-6"):
        assert bands(other) == ()
        assert band(other, 3) is None


@pytest.mark.parametrize(("form_id", "code"), [("phq-9", "44261-6"), ("gad-7", "70274-6")])
def test_the_forms_name_their_scores(form_id: str, code: str) -> None:
    (coding,) = items_by_link_id(form_id)[f"{form_id}.total"]["code"]
    (total,) = totals(read_items(form(form_id)))
    assert coding["code"] == code
    assert bands(coding)[-1].high == len(total.members) * max(total.weights.values())


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (answered("t", {"valueInteger": 0}), 0),
        (answered("t", {"valueDecimal": 2.5}), 2.5),
        (answered("t", {"valueString": "3"}), None),
        (answered("t", {"valueInteger": True}), None),
        ({"linkId": "t"}, None),
        ({"linkId": "t", "answer": {}}, None),
        ({"linkId": "t", "answer": [None]}, None),
    ],
)
def test_the_number_given_as_a_total(item: Json, expected: float | None) -> None:
    assert total_value(item) == expected
