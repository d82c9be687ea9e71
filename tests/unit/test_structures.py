"""StructureDefinitions against their base and in themselves: each case has the very findings that it should."""

from __future__ import annotations

import pytest

from fhir_keta.validation.validator import Validator
from tests.base_records import BaseCase
from tests.differential_cases import DIFFERENTIAL_CASES
from tests.structure_cases import STRUCTURE_CASES

CASES = (*STRUCTURE_CASES, *DIFFERENTIAL_CASES)
VALIDATOR = Validator()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_findings_are_those_expected(case: BaseCase) -> None:
    found = VALIDATOR.check(case.resource)
    assert tuple((issue.rule, issue.expression) for issue in found if issue.severity == "error") == case.findings


def test_the_cases_have_names_of_their_own() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
