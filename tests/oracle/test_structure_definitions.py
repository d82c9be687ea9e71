"""StructureDefinitions: HL7's validator and ours give the same verdict on each case, and on random profiles."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.validation.validator import Validator
from tests.base_records import BaseCase
from tests.differential_cases import DIFFERENTIAL_CASES
from tests.oracle.made_structures import made
from tests.oracle.oracle import Oracle
from tests.structure_cases import STRUCTURE_CASES
from tests.unit.r4_source import structures
from tests.unit.test_r4_structures import FAULTY

SEED = 20261122
PARTS = 10
OF_EACH = 40

# its policy on URLs such as http://www.acme.com, and what it does not know of R4 (see differences.py)
OTHERWISE = ("TYPE_SPECIFIC_CHECKS_DT_URL_EXAMPLE", "ED_CONTEXT_INVARIANT_EXPRESSION_ERROR")
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


def _bare(structure: dict[str, Any]) -> dict[str, Any]:
    """Without narrative, and without the extension by which HL7's validator asks for the publisher of today."""
    return {name: value for name, value in structure.items() if name not in ("text", "extension")}


# a key that another type has, too: HL7's validator says so only once it has met that type in the same process
_BY_WHAT_IT_MET = {"Task", "TestReport", "allergyintolerance-substanceExposureRisk"}


def test_r4_has_the_faults_that_are_listed(oracle: Oracle) -> None:
    names = FAULTY.keys() - _BY_WHAT_IT_MET
    listed = [structure for structure in structures().values() if structure["id"] in names]
    assert len(listed) == len(names) == 5
    for structure in listed:
        assert oracle.has_error(_bare(structure)), structure["id"]


@pytest.mark.parametrize("part", range(8))
def test_r4_has_no_faults_but_those(oracle: Oracle, part: int) -> None:
    """One in eight, with its snapshot where that is not long."""
    for structure in list(structures().values())[part::64]:
        if structure["id"] in FAULTY or len(structure["snapshot"]["element"]) > 60:
            continue
        errors = oracle.errors(_bare(structure))
        assert [error.message_id for error in errors if error.message_id not in OTHERWISE] == [], structure["id"]
