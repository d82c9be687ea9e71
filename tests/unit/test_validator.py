import json

import pytest

from fhir_keta.validation.validator import Validator
from tests.base_cases import BASE_CASES, BaseCase


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_findings_are_those_of_the_specification(case: BaseCase, validator: Validator) -> None:
    found = validator.check(json.dumps(case.resource).encode())
    errors = tuple((issue.rule, issue.expression) for issue in found if issue.severity in ("error", "fatal"))
    assert errors == case.findings
