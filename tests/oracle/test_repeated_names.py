"""HL7's validator calls every name that stands twice in an object an error, as we do."""

from __future__ import annotations

from tests.oracle.oracle import Oracle
from tests.unit.test_repeated_names import OBSERVATION, PATIENT


def test_each_is_an_error(oracle: Oracle) -> None:
    assert sum("duplicate" in issue.message for issue in oracle.errors(PATIENT)) == 1
    assert sum("duplicate" in issue.message for issue in oracle.errors(OBSERVATION)) == 4
