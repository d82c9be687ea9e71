"""Responses against their questionnaire: each rule broken and kept, in both engines, on any shape of input."""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.questionnaires.enablement import item_states
from fhir_keta.questionnaires.items import read_items
from fhir_keta.validation.responses import explain as responses_explain
from fhir_keta.validation.responses.checker import ResponseChecker, check_response, compile_questionnaire
from fhir_keta.validation.responses.schema import ResponseCompiler
from fhir_keta.validation.rules import RULES
from tests.unit.forms import FORMS, form, respond
from tests.unit.generated_responses import Questionnaires, Responses
from tests.unit.response_cases import ONE, OTHER, Case, answered, coded, group, question, text, within
from tests.unit.response_cases_answers import ANSWERS, MEASURES
from tests.unit.response_cases_enablement import ENABLEMENT, GIVEN_UP
from tests.unit.response_cases_required import REQUIRED
from tests.unit.response_cases_structure import STRUCTURE
from tests.unit.test_questionnaire_scores import GAD_7, PHQ_9, SCORES

Json = dict[str, Any]

CASES = [*ANSWERS, *MEASURES, *STRUCTURE, *ENABLEMENT, *REQUIRED]
EVERY = [*CASES, *GIVEN_UP]
TOTALS = {"response-total", "response-total-incomplete"}


def findings(checker: ResponseChecker, response: Json) -> list[tuple[str, str]]:
    return [
        (issue.rule, issue.expression.removeprefix("QuestionnaireResponse").removeprefix("."))
        for issue in checker.check(response)
    ]


@pytest.mark.parametrize("engine", ["rust", "python"])
@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_findings_of_a_response(case: Case, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_KETA_ENGINE", engine)
    checker = compile_questionnaire(case.questionnaire, bundled())
    before = copy.deepcopy(case.response)
    response = case.response
    assert findings(checker, response) == list(case.findings)
    assert response == before


def test_the_cases_break_and_keep_every_rule() -> None:
    assert len({case.name for case in EVERY}) == len(EVERY)
    broken = {rule for case in CASES for rule, _ in case.findings}
    assert broken == {rule for rule in RULES if rule.startswith("response-")} - TOTALS
    assert {case.name for case in CASES if not case.findings}


def test_every_rule_of_a_schema_is_in_the_table() -> None:
    def comments(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if "$comment" in node:
                yield node["$comment"]
            for value in node.values():
                yield from comments(value)
        elif isinstance(node, list):
            for value in node:
                yield from comments(value)

    for case in CASES:
        compiler = ResponseCompiler(read_items(case.questionnaire), bundled())
        for complete in (True, False):
            schema = compiler.schema(complete)
            jsonschema.Draft202012Validator.check_schema(schema)
            assert set(comments(schema)) <= RULES.keys()


@pytest.mark.parametrize("form_id", FORMS)
def test_a_form_without_answers_lacks_only_what_it_requires(form_id: str) -> None:
    checker = compile_questionnaire(form(form_id), bundled())
    empty = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    assert {rule for rule, _ in findings(checker, empty)} <= {"response-required"}
    assert findings(checker, {**empty, "status": "in-progress"}) == []


# totals: SDC calculatedExpression; PHQ-9 and GAD-7 sum items of 0 to 3


def _scored(form_id: str, codes: tuple[str, ...], scores: str, total: int | None) -> Json:
    answers: dict[str, Any] = {code: SCORES[int(score)] for code, score in zip(codes, scores, strict=False)}
    if total is not None:
        answers[f"{form_id}.total"] = total
    return respond(form_id, answers)


def _total_place(response: Json, link_id: str) -> str:
    (index,) = [index for index, item in enumerate(response["item"]) if item["linkId"] == link_id]
    return f"item[{index}].answer[0].value.ofType(integer)"


@pytest.mark.parametrize(
    ("form_id", "codes", "scores", "total", "rule"),
    [
        ("phq-9", PHQ_9, "012301230", 12, None),
        ("phq-9", PHQ_9, "333333333", 27, None),
        ("phq-9", PHQ_9, "000000000", 0, None),
        ("phq-9", PHQ_9, "012301230", 13, "response-total"),
        ("phq-9", PHQ_9, "000000000", 27, "response-total"),
        ("phq-9", PHQ_9, "01230123", 12, "response-total-incomplete"),
        ("phq-9", PHQ_9, "012301230", None, None),
        ("phq-9", PHQ_9, "0123", None, None),
        ("phq-9", PHQ_9, "", 0, "response-total-incomplete"),
        ("gad-7", GAD_7, "0123012", 9, None),
        ("gad-7", GAD_7, "0123012", 8, "response-total"),
        ("gad-7", GAD_7, "012301", 7, "response-total-incomplete"),
    ],
)
def test_totals(form_id: str, codes: tuple[str, ...], scores: str, total: int | None, rule: str | None) -> None:
    response = _scored(form_id, codes, scores, total)
    checker = compile_questionnaire(form(form_id), bundled())
    expected = [] if rule is None else [(rule, _total_place(response, f"{form_id}.total"))]
    assert findings(checker, response) == expected


def test_a_total_is_not_blamed_for_a_wrong_answer() -> None:
    response = _scored("gad-7", GAD_7, "0123012", 9)
    items = next(item["item"] for item in response["item"] if item["linkId"] == "gad-7-group")
    items[0]["answer"][0]["valueCoding"]["code"] = "LA6568-6"
    (finding,) = findings(compile_questionnaire(form("gad-7"), bundled()), response)
    assert finding[0] == "response-option"


def test_a_total_out_of_range_is_not_wrong_twice() -> None:
    response = _scored("phq-9", PHQ_9, "012301230", 28)
    expected = [("response-max-value", _total_place(response, "phq-9.total"))]
    assert findings(compile_questionnaire(form("phq-9"), bundled()), response) == expected


def test_a_total_is_not_blamed_for_a_misspelt_question() -> None:
    response = _scored("gad-7", GAD_7, "0123012", 9)
    items = next(item["item"] for item in response["item"] if item["linkId"] == "gad-7-group")
    items[0]["linkId"] = "69725-1"
    (finding,) = findings(compile_questionnaire(form("gad-7"), bundled()), response)
    assert finding[0] == "response-link-id-unknown"


@pytest.mark.parametrize("case_sensitive", [True, False])
def test_large_value_sets(case_sensitive: bool) -> None:
    """As many codes as no schema lists, and codes in any case (R4, CodeSystem.caseSensitive)."""
    concepts = [{"code": f"Code{number}"} for number in range(1000)]
    system = {"resourceType": "CodeSystem", "url": ONE, "content": "complete", "caseSensitive": case_sensitive}
    codes = {"resourceType": "ValueSet", "url": ONE + "/all", "compose": {"include": [{"system": ONE}]}}
    library = bundled().with_resources([{**system, "concept": concepts}, codes])
    questionnaire = {
        "resourceType": "Questionnaire",
        "item": [
            question("q", "choice", answerValueSet=ONE + "/all"),
            question("r", "open-choice", answerValueSet=ONE + "/all"),
        ],
    }
    checker = compile_questionnaire(questionnaire, library)
    assert findings(checker, {"item": [answered("q", coded("Code999")), answered("r", coded("Code0"))]}) == []
    assert findings(checker, {"item": [answered("r", text("my own"))]}) == []
    place = "item[0].answer[0].value.ofType({})"
    for wrong in (coded("Code1000"), coded("Code1", OTHER), coded("Code1", None), coded(None)):
        assert findings(checker, {"item": [answered("q", wrong)]}) == [("response-option", place.format("Coding"))]
    other_case = findings(checker, {"item": [answered("q", coded("code1"))]})
    assert bool(other_case) == case_sensitive
    wrong_type = findings(checker, {"item": [answered("q", text("Code1"))]})
    assert wrong_type == [("response-answer-type", place.format("string"))]


# what only follows from another fault stays out


def test_what_depends_on_a_misplaced_question_is_not_blamed() -> None:
    condition = {"question": "asked", "operator": "=", "answerBoolean": True}
    questionnaire = {
        "resourceType": "Questionnaire",
        "item": [
            group("g", question("asked", "boolean", required=True)),
            question("then", "string", enableWhen=[condition]),
        ],
    }
    asked = answered("asked", {"valueBoolean": True})
    response = {"status": "completed", "item": [within("g", asked), answered("then", text("x"))]}
    assert check_response(response, questionnaire, bundled()) == []
    moved = {"status": "completed", "item": [{"linkId": "g"}, answered("then", text("x")), asked]}
    (issue,) = check_response(moved, questionnaire, bundled())
    assert (issue.rule, issue.expression) == ("response-nesting", "QuestionnaireResponse.item[2]")
    assert "inside 'g'" in issue.message


def test_inside_a_disabled_group_only_the_group_is_reported() -> None:
    condition = {"question": "asked", "operator": "=", "answerBoolean": True}
    questionnaire = {
        "resourceType": "Questionnaire",
        "item": [question("asked", "boolean"), group("g", question("in", "integer"), enableWhen=[condition])],
    }
    response = {"status": "completed", "item": [within("g", answered("in", text("x")), answered("in", text("y")))]}
    (issue,) = check_response(response, questionnaire, bundled())
    assert (issue.rule, issue.expression) == ("response-disabled", "QuestionnaireResponse.item[0]")


# messages


def test_messages_name_the_questionnaire_and_never_the_patient() -> None:
    secret = "my secret words"
    for case in CASES:
        case_text = json.dumps(case.answers).replace('"valueString": "x"', f'"valueString": "{secret}"')
        response = {**case.response, "item": json.loads(case_text)}
        for issue in check_response(response, case.questionnaire, bundled()):
            assert secret not in issue.message
            assert issue.message.endswith((".", "?"))
            assert "{" not in issue.message
            assert "None" not in issue.message


def test_similar_names_are_suggested() -> None:
    questionnaire = {
        "resourceType": "Questionnaire",
        "item": [question("nausea", "choice", answerOption=[coded("strongly"), coded("slightly")])],
    }
    (issue,) = check_response({"item": [answered("nausae", coded("slightly"))]}, questionnaire, bundled())
    assert issue.message.endswith("Did you mean 'nausea'?")
    (issue,) = check_response({"item": [answered("nausea", coded("strongley"))]}, questionnaire, bundled())
    assert issue.message.endswith("Did you mean 'strongly'?")
    (issue,) = check_response({"item": [answered("nausea", coded("x" * 65))]}, questionnaire, bundled())
    assert "Did you mean" not in issue.message


# any input

_ODD: list[Any] = [None, True, 3, "text", [], {}, [None], [[]], {"a": 1}, [3, "x"]]


@pytest.mark.parametrize("odd", _ODD, ids=repr)
def test_odd_shapes_never_raise(odd: Any) -> None:
    checker = compile_questionnaire(form("phq-9"), bundled())
    response = _scored("phq-9", PHQ_9, "012301230", 12)
    group_index = next(index for index, item in enumerate(response["item"]) if item["linkId"] == "phq-9-group")
    for path in (
        ("item",),
        ("item", group_index),
        ("item", group_index, "linkId"),
        ("item", group_index, "text"),
        ("item", group_index, "item"),
        ("item", group_index, "item", 2),
        ("item", group_index, "item", 2, "linkId"),
        ("item", group_index, "item", 2, "answer"),
        ("item", group_index, "item", 2, "answer", 0),
        ("item", group_index, "item", 2, "answer", 0, "valueCoding"),
        ("item", group_index, "item", 2, "answer", 0, "valueCoding", "code"),
        ("item", -1, "answer"),
        ("item", -1, "answer", 0),
        ("item", -1, "answer", 0, "valueInteger"),
        ("status",),
    ):
        broken = copy.deepcopy(response)
        node: Any = broken
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = odd
        for issue in checker.check(broken):
            assert issue.rule in RULES


def test_any_depth_is_survived() -> None:
    questionnaire = {"resourceType": "Questionnaire", "item": [group("g", question("q", "string"))]}
    nested: Json = {"linkId": "q"}
    for _ in range(3000):
        nested = within("g", nested)
    (issue,) = check_response({"item": [nested]}, questionnaire, bundled())
    assert (issue.rule, issue.expression) == ("response-nesting", "QuestionnaireResponse.item[0].item[0]")


def test_an_element_shared_in_memory_is_found_at_its_own_place() -> None:
    questionnaire = {"resourceType": "Questionnaire", "item": [group("g", question("q", "integer"), repeats=True)]}
    shared = within("g", answered("q", text("x")))
    issues = check_response({"item": [shared, shared]}, questionnaire, bundled())
    assert [issue.expression for issue in issues] == [
        f"QuestionnaireResponse.item[{index}].item[0].answer[0].value.ofType(string)" for index in (0, 1)
    ]


@pytest.mark.parametrize(
    "broken",
    [{}, {"item": None}, {"item": [3, {"linkId": 5}, {"linkId": "q", "type": "choice", "answerOption": [{}]}]}],
    ids=repr,
)
def test_a_broken_questionnaire_never_raises(broken: Json) -> None:
    check_response({"item": [answered("q", coded("a"))]}, {"resourceType": "Questionnaire", **broken}, bundled())


def test_a_checker_can_be_pickled() -> None:
    checker = compile_questionnaire(form("phq-9"), bundled())
    response = _scored("phq-9", PHQ_9, "012301230", 13)
    again = pickle.loads(pickle.dumps(checker))
    assert again.check(response) == checker.check(response) != []


# generated questionnaires and responses


@pytest.mark.parametrize("seed", range(40))
def test_accepting_explaining_and_enablement_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused has a finding, what is accepted has none, and the schema disables what enablement.py disables."""
    randomness = random.Random(seed)
    questionnaire = Questionnaires(randomness).questionnaire(f"generated-{seed}")
    checker = compile_questionnaire(questionnaire, bundled())
    tree = read_items(questionnaire)
    responses = Responses(randomness, tree)
    explained: list[Json] = []
    explain = responses_explain.Explanation.issues

    def noted(self: Any, *arguments: Any) -> Any:
        issues = explain(self, *arguments)
        explained.append({"issues": issues})
        return issues

    monkeypatch.setattr(responses_explain.Explanation, "issues", noted)
    for _ in range(25):
        response = responses.mutant(randomness.choice((0, 1, 1, 2)))
        explained.clear()
        issues = checker.check(response)
        assert len(explained) == bool(issues)
        disabled = {
            state.expression
            for state in item_states(tree, response)
            if state.enabled is False and state.element is not None and {"answer", "item"} & state.element.keys()
        }
        outermost = {one for one in disabled if not any(one.startswith(other + ".") for other in disabled)}
        if {issue.rule for issue in issues} <= {"response-disabled"}:
            assert {issue.expression for issue in issues} == outermost
