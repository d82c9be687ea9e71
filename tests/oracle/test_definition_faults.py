"""Faults of definitions beside what else is known: HL7's validator and ours give the same verdict on each case."""

from __future__ import annotations

import pytest

from tests.base_records import BaseCase
from tests.definition_fault_cases import DEFINITION_FAULT_CASES
from tests.oracle.oracle import Oracle


@pytest.mark.parametrize("case", DEFINITION_FAULT_CASES, ids=lambda case: case.name)
def test_the_verdict_is_the_same(case: BaseCase, oracle: Oracle) -> None:
    errors = oracle.errors(case.resource)
    assert (bool(errors) == bool(case.findings)) is case.oracle, [str(error) for error in errors]
