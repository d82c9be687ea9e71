"""StructureDefinitions: HL7's validator and ours give the same verdict on each case."""

from __future__ import annotations

import pytest

from tests.base_records import BaseCase
from tests.differential_cases import DIFFERENTIAL_CASES
from tests.oracle.oracle import Oracle
from tests.structure_cases import STRUCTURE_CASES


@pytest.mark.parametrize("case", (*STRUCTURE_CASES, *DIFFERENTIAL_CASES), ids=lambda case: case.name)
def test_the_verdict_is_the_same(case: BaseCase, oracle: Oracle) -> None:
    errors = oracle.errors(case.resource)
    assert (bool(errors) == bool(case.findings)) is case.oracle, [str(error) for error in errors]
