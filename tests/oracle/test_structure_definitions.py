"""StructureDefinitions: HL7's validator and ours give the same verdict on each case, and on random profiles."""

from __future__ import annotations

import pytest

from fhir_keta.validation.validator import Validator
from tests.base_records import BaseCase
from tests.differential_cases import DIFFERENTIAL_CASES
from tests.oracle.made_structures import made
from tests.oracle.oracle import Oracle
from tests.structure_cases import STRUCTURE_CASES

SEED = 20261122
PARTS = 10
OF_EACH = 40

# where it cannot ask a terminology server for a value set that it does not know
_OFFLINE = '"tc" is null'


@pytest.mark.parametrize("case", (*STRUCTURE_CASES, *DIFFERENTIAL_CASES), ids=lambda case: case.name)
def test_the_verdict_is_the_same(case: BaseCase, oracle: Oracle) -> None:
    errors = oracle.errors(case.resource)
    assert (bool(errors) == bool(case.findings)) is case.oracle, [str(error) for error in errors]


@pytest.mark.parametrize("part", range(PARTS))
def test_the_verdict_is_the_same_on_random_profiles(part: int, oracle: Oracle) -> None:
    validator = Validator()
    valid = 0
    for number in range(part, PARTS * OF_EACH, PARTS):
        profile = made(SEED, number)
        ours = [str(issue) for issue in validator.check(profile) if issue.severity in ("error", "fatal")]
        theirs = [str(error) for error in oracle.errors(profile) if _OFFLINE not in error.message]
        assert bool(ours) is bool(theirs), (number, ours, theirs)
        valid += not ours
    assert OF_EACH / 3 < valid < OF_EACH * 5 / 6
