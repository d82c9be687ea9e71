"""Questionnaires that ours are not like: repeating groups, questions in answers, conditions of all kinds, generated."""

from __future__ import annotations

from random import Random
from typing import Any

import jsonschema_rs
import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.questionnaires.items import MAX_OCCURS, MIN_OCCURS, read_items
from fhir_keta.validation.engine import compile_schema
from fhir_keta.validation.published.responses import ORDERED, PureResponses, pure_responses
from fhir_keta.validation.published.unsaid import unsaid_of_answers
from fhir_keta.validation.responses.checker import COMPLETE
from fhir_keta.validation.responses.explain import without_odd_shapes
from fhir_keta.validation.responses.index import index_response
from fhir_keta.validation.responses.schema import ResponseCompiler
from tests.unit.generated_responses import Questionnaires, Responses
from tests.unit.response_cases import Case, answered, group, question, text, when, within, yes
from tests.unit.test_responses import EVERY

Json = dict[str, Any]

RESPONSES = 40


class Form:
    """A questionnaire compiled both ways."""

    def __init__(self, questionnaire: Json) -> None:
        self.tree = read_items(questionnaire)
        compiler = ResponseCompiler(self.tree, bundled())
        self._plan = compiler.plan()
        complete, incomplete = compiler.schema(complete=True), compiler.schema(complete=False)
        self._complete, self._incomplete = compile_schema(complete), compile_schema(incomplete)
        self.said: PureResponses = pure_responses(self._plan, complete, incomplete, COMPLETE)
        schema = {"allOf": self.said.demands, "$defs": self.said.definitions}
        assert jsonschema_rs.meta.is_valid(schema)
        self._pure = jsonschema_rs.Draft202012Validator(schema, offline=True)
        left = unsaid_of_answers(compiler.rules, False, self.said)
        self._by_function = {each.rule for each in left if each.words.startswith("limits")}

    def pure(self, response: Json) -> bool:
        return bool(self._pure.is_valid(response))

    def compiled(self, response: Json) -> bool:
        scope, faults = index_response(response, self._plan)
        if any(fault.rule not in self._by_function for fault in faults):
            return False
        return (self._complete if response["status"] in COMPLETE else self._incomplete).is_valid(scope)


def holds(form: Form, response: Json) -> bool:
    """Whether the pure schema says what the compiled one does: never more, and no less where it can state all."""
    pure, compiled = form.pure(response), form.compiled(response)
    return pure or not compiled if form.said.not_stated else pure is compiled


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_a_case_has_the_same_verdict(case: Case) -> None:
    response = case.response
    if without_odd_shapes(response) == response:
        assert holds(Form(case.questionnaire), response)


@pytest.mark.parametrize("seed", range(60))
def test_generated_responses_have_the_same_verdict(seed: int) -> None:
    randomness = Random(seed)
    form = Form(Questionnaires(randomness).questionnaire(f"generated-{seed}"))
    responses = Responses(randomness, form.tree)
    made = [responses.mutant(randomness.choice((0, 1, 1, 2))) for _ in range(RESPONSES)]
    assert [response for response in made if not holds(form, response)] == []


def test_enough_generated_forms_are_stated_completely() -> None:
    """So that the test above is of both directions."""
    forms = [Form(Questionnaires(Random(seed)).questionnaire("generated")) for seed in range(60)]
    assert sum(not form.said.not_stated for form in forms) >= 10


def form_of(*items: Json) -> Form:
    return Form({"resourceType": "Questionnaire", "item": list(items)})


def responds(*items: Json) -> Json:
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": list(items)}


def test_order_is_said_of_so_many_elements_where_an_item_repeats() -> None:
    form = form_of(question("a", "string", repeats=True), question("b", "string"))
    assert form.said.unordered
    first, second = answered("a", text("x")), answered("b", text("y"))
    for before in range(ORDERED):
        assert form.pure(responds(*[first] * before, second))
        assert not form.pure(responds(*[first] * before, second, first))
    assert form.pure(responds(*[first] * ORDERED, second, first))
    assert not form.pure(responds(second, second))
    assert not form.pure(responds(*[first] * ORDERED, second, second))


def test_what_a_repeating_group_requires_it_requires_in_each_repetition() -> None:
    form = form_of(group("g", question("q", "string", required=True), question("r", "string"), repeats=True))
    full, half = within("g", answered("q", text("x"))), within("g", answered("r", text("x")))
    assert form.pure(responds(full, full))
    assert not form.pure(responds(full, half))
    assert form.pure({**responds(full, half), "status": "in-progress"})


def test_how_often_a_group_may_stand_holds_whatever_the_status() -> None:
    most = {"url": MAX_OCCURS, "valueInteger": 2}
    form = form_of(group("g", question("q", "string"), repeats=True, extension=[most]))
    one = within("g", answered("q", text("x")))
    for status in ("completed", "in-progress"):
        assert form.pure({**responds(one, one), "status": status})
        assert not form.pure({**responds(one, one, one), "status": status})


def test_what_an_enabled_item_must_have_also_holds_before_the_response_is_completed() -> None:
    least = {"url": MIN_OCCURS, "valueInteger": 1}
    condition = when("a", "=", answerBoolean=True)
    asked = question("b", "string", required=True, repeats=True, extension=[least], enableWhen=[condition])
    form = form_of(question("a", "boolean"), asked)
    for status in ("completed", "in-progress"):
        assert form.pure({**responds(answered("a", yes()), answered("b", text("x"))), "status": status})
        assert not form.pure({**responds(answered("a", yes()), {"linkId": "b"}), "status": status})
        assert form.pure({**responds(answered("a", yes(False)), {"linkId": "b"}), "status": status})
