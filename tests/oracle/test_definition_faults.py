"""Faults of definitions beside what else is known: HL7's validator and ours give the same verdict on each case."""

from __future__ import annotations

import json

import pytest

from tests.base_records import BaseCase
from tests.definition_fault_cases import DEFINITION_FAULT_CASES
from tests.given_definition_cases import GIVEN, GIVEN_DEFINITION_CASES
from tests.oracle.oracle import Oracle
from tests.search_cases import SEARCH_CASES
from tests.structure_map_cases import STRUCTURE_MAP_CASES


@pytest.mark.parametrize(
    "case", (*DEFINITION_FAULT_CASES, *SEARCH_CASES, *STRUCTURE_MAP_CASES), ids=lambda case: case.name
)
def test_the_verdict_is_the_same(case: BaseCase, oracle: Oracle) -> None:
    errors = oracle.errors(case.resource)
    assert (bool(errors) == bool(case.findings)) is case.oracle, [str(error) for error in errors]


@pytest.fixture(scope="module")
def with_given(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    folder = tmp_path_factory.mktemp("given")
    for number, resource in enumerate(GIVEN):
        (folder / f"{number}.json").write_text(json.dumps(resource), encoding="utf-8")
    return oracle.with_definitions([folder])


@pytest.mark.parametrize("case", GIVEN_DEFINITION_CASES, ids=lambda case: case.name)
def test_the_verdict_is_the_same_beside_what_was_given(case: BaseCase, with_given: Oracle) -> None:
    errors = with_given.errors(case.resource)
    assert (bool(errors) == bool(case.findings)) is case.oracle, [str(error) for error in errors]
