"""The totals of PHQ-9 and GAD-7, computed by hand from the printed scoring: 0 to 3 a question, all answered or none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.forms import CALCULATED, evaluate, extensions, items_by_link_id, respond

PHQ_9 = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")
GAD_7 = ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7")
SCORES = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")
NOT_DIFFICULT, EXTREMELY_DIFFICULT = "LA6572-7", "LA6574-3"


def total(form_id: str, response: dict[str, Any]) -> list[Any]:
    (extension,) = extensions(items_by_link_id(form_id)[f"{form_id}.total"], CALCULATED)
    assert extension["valueExpression"]["language"] == "text/fhirpath"
    return evaluate(extension["valueExpression"]["expression"], response)


def scored(codes: tuple[str, ...], scores: str) -> dict[str, str]:
    return {code: SCORES[int(score)] for code, score in zip(codes, scores, strict=False)}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ("000000000", 0),
        ("100000000", 1),
        ("000000001", 1),
        ("000000002", 2),
        ("000000003", 3),
        ("111111111", 9),
        ("222222222", 18),
        ("333333333", 27),
        ("012301230", 12),
        ("332101023", 15),
        ("110110000", 4),
        ("110110100", 5),
    ],
)
def test_phq_9_total(scores: str, expected: int) -> None:
    assert total("phq-9", respond("phq-9", scored(PHQ_9, scores))) == [expected]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [("0000000", 0), ("1000000", 1), ("0000003", 3), ("1111111", 7), ("2222222", 14), ("3333333", 21), ("0123012", 9)],
)
def test_gad_7_total(scores: str, expected: int) -> None:
    assert total("gad-7", respond("gad-7", scored(GAD_7, scores))) == [expected]


@pytest.mark.parametrize(("form_id", "codes"), [("phq-9", PHQ_9), ("gad-7", GAD_7)])
def test_no_total_unless_every_item_is_answered(form_id: str, codes: tuple[str, ...]) -> None:
    complete = scored(codes, "3" * len(codes))
    for skipped in codes:
        answers = {code: answer for code, answer in complete.items() if code != skipped}
        assert total(form_id, respond(form_id, answers)) == [], skipped
    assert total(form_id, respond(form_id, {})) == []


def test_an_item_without_an_answer_does_not_count_as_answered() -> None:
    response = respond("phq-9", scored(PHQ_9, "111111111"))
    del response["item"][0]["item"][4]["answer"]
    assert total("phq-9", response) == []


def test_the_difficulty_item_is_neither_scored_nor_needed() -> None:
    answers = scored(PHQ_9, "100000000")
    assert total("phq-9", respond("phq-9", answers)) == [1]
    assert total("phq-9", respond("phq-9", answers | {"69722-7": EXTREMELY_DIFFICULT})) == [1]
    eight = scored(PHQ_9, "10000000") | {"69722-7": NOT_DIFFICULT}
    assert total("phq-9", respond("phq-9", eight)) == []


def test_a_total_that_stands_in_the_response_changes_nothing() -> None:
    answers: dict[str, Any] = scored(PHQ_9, "111111111") | {"phq-9.total": 27}
    assert total("phq-9", respond("phq-9", answers)) == [9]
