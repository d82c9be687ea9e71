"""Responses against their questionnaire: our verdicts are those of HL7's validator.

Where they are not, the case says which (``differs``, citing the specification), and the test holds the validator to it:
a difference that is gone fails too. Totals are ours alone and left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.questionnaires.enablement import item_states
from fhir_keta.questionnaires.items import read_items
from fhir_keta.validation.responses.checker import compile_questionnaire
from tests.java import JavaError
from tests.oracle.oracle import DEFINITIONS, Oracle
from tests.oracle.verdicts import judged_responses
from tests.unit.forms import FORMS, form
from tests.unit.generated_responses import Questionnaires, Responses
from tests.unit.response_cases import Case
from tests.unit.response_cases_enablement import GIVEN_UP
from tests.unit.test_responses import CASES, EVERY, TOTALS

Json = dict[str, Any]

GENERATED = range(20)
RESPONSES = 25
# the validator gives up on an answer of another type than a condition asks for (it compares nothing of the kind)
GIVES_UP = "incompatible types"


@pytest.fixture(scope="module")
def foreign(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """The validator with all questionnaires of the cases and the generated ones."""
    folder: Path = tmp_path_factory.mktemp("questionnaires")
    for number, questionnaire in enumerate([*(case.questionnaire for case in EVERY), *map(generated, GENERATED)]):
        (folder / f"questionnaire-{number}.json").write_text(json.dumps(questionnaire), encoding="utf-8")
    yield oracle.with_definitions([folder, DEFINITIONS[-1]])


def generated(seed: int) -> Json:
    return Questionnaires(Random(seed)).questionnaire(f"generated-{seed}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(foreign: Oracle, case: Case) -> None:
    # without a terminology server the validator cannot tell MIME types, and answers now one way, now the other
    errors = [error for error in foreign.errors(case.response) if not error.expression.endswith(".contentType")]
    assert bool(errors) == (bool(case.findings) ^ bool(case.differs)), errors


@pytest.mark.parametrize("case", GIVEN_UP, ids=lambda case: case.name)
def test_what_the_validator_gives_up(foreign: Oracle, case: Case) -> None:
    with pytest.raises(JavaError, match=GIVES_UP):
        foreign.errors(case.response)


@pytest.mark.parametrize("seed", GENERATED)
def test_verdicts_on_generated_responses(foreign: Oracle, seed: int) -> None:
    assert list(disagreements(foreign, generated(seed), Random(seed))) == []


@pytest.mark.parametrize("form_id", FORMS)
def test_verdicts_on_our_forms(oracle: Oracle, form_id: str) -> None:
    assert list(disagreements(oracle, form(form_id), Random(form_id))) == []


def disagreements(oracle: Oracle, questionnaire: Json, randomness: Random) -> Iterator[tuple[Json, Any, Any]]:
    """Responses that one side refuses and the other does not, with what each said."""
    checker = compile_questionnaire(questionnaire, bundled())
    tree = read_items(questionnaire)
    responses = Responses(randomness, tree)
    for _ in range(RESPONSES):
        response = responses.mutant(randomness.choice((0, 1, 1, 2)))
        ours = [issue for issue in checker.check(response) if issue.rule not in TOTALS]
        try:
            theirs = oracle.errors(response)
        except JavaError as error:
            assert GIVES_UP in str(error)
            continue
        ours, theirs = judged_responses(item_states(tree, response), ours, theirs)
        if bool(ours) != bool(theirs):
            yield response, ours, theirs
