"""Faults of definitions beside what else is known: each case has the very findings that it should."""

from __future__ import annotations

import pytest

from fhir_keta.validation.validator import Validator
from tests.base_records import BaseCase
from tests.definition_fault_cases import DEFINITION_FAULT_CASES

VALIDATOR = Validator()


@pytest.mark.parametrize("case", DEFINITION_FAULT_CASES, ids=lambda case: case.name)
def test_the_findings_are_those_expected(case: BaseCase) -> None:
    found = VALIDATOR.check(case.resource)
    assert tuple((issue.rule, issue.expression) for issue in found if issue.severity == "error") == case.findings


def test_the_cases_have_names_of_their_own() -> None:
    assert len({case.name for case in DEFINITION_FAULT_CASES}) == len(DEFINITION_FAULT_CASES)
