"""Faults of definitions beside what else is known: each case has the very findings that it should."""

from __future__ import annotations

import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.validator import Validator
from tests.base_records import BaseCase
from tests.definition_fault_cases import DEFINITION_FAULT_CASES
from tests.given_definition_cases import GIVEN, GIVEN_DEFINITION_CASES
from tests.search_cases import SEARCH_CASES
from tests.structure_map_cases import STRUCTURE_MAP_CASES

CASES = (*DEFINITION_FAULT_CASES, *SEARCH_CASES, *STRUCTURE_MAP_CASES)
VALIDATOR = Validator()
WITH_GIVEN = Validator(bundled().with_resources(GIVEN))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_findings_are_those_expected(case: BaseCase) -> None:
    found = VALIDATOR.check(case.resource)
    assert tuple((issue.rule, issue.expression) for issue in found if issue.severity == "error") == case.findings


@pytest.mark.parametrize("case", GIVEN_DEFINITION_CASES, ids=lambda case: case.name)
def test_the_findings_beside_what_was_given_are_those_expected(case: BaseCase) -> None:
    found = WITH_GIVEN.check(case.resource)
    assert tuple((issue.rule, issue.expression) for issue in found if issue.severity == "error") == case.findings


def test_the_cases_have_names_of_their_own() -> None:
    names = [case.name for case in (*CASES, *GIVEN_DEFINITION_CASES)]
    assert len(set(names)) == len(names)
