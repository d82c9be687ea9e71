"""Error or no error: HL7's validator gives the same verdict on every base case, but for those said to differ."""

from __future__ import annotations

import pytest

from tests.base_cases import BASE_CASES
from tests.base_records import BaseCase
from tests.oracle.oracle import Oracle

# no definition of these code systems is to be had offline: their codes are errors there, whatever they are
_WITHOUT_CODES = ("http://hl7.org/fhir/ValueSet/mimetypes",)


@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_the_verdict_is_the_same(case: BaseCase, oracle: Oracle) -> None:
    errors = [
        issue for issue in oracle.errors(case.resource) if not any(name in issue.message for name in _WITHOUT_CODES)
    ]
    assert (bool(errors) == bool(case.findings)) is case.oracle, [str(error) for error in errors]
