"""StructureDefinitions against their base and in themselves: each case has the very findings that it should."""

from __future__ import annotations

import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.validator import Validator
from tests.base_records import BaseCase, case
from tests.differential_cases import DIFFERENTIAL_CASES
from tests.structure_cases import STRUCTURE_CASES
from tests.structure_records import at, constraint, of, profile

CASES = (*STRUCTURE_CASES, *DIFFERENTIAL_CASES)
VALIDATOR = Validator()
UNKNOWN = ("structure-type", "StructureDefinition.type")
UNFIT = ("structure-base", "StructureDefinition")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_findings_are_those_expected(case: BaseCase) -> None:
    found = VALIDATOR.check(case.resource)
    assert tuple((issue.rule, issue.expression) for issue in found if issue.severity == "error") == case.findings


def test_the_cases_have_names_of_their_own() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


# here HL7's validator breaks down (java.lang.Error) instead of giving a verdict
BEYOND = (
    case("another summary", profile(of("Observation.status", isSummary=False)), at(1, "differential-wider")),
    case("the base's summary", profile(of("Observation.status", isSummary=True))),
    case("a type of no name", profile(type="Zzz"), ("sdf-8a", "StructureDefinition.differential"), UNKNOWN, UNFIT),
    case("a path of many names", profile(of("Observation" + ".extension" * 200)), at(1, "differential-element")),
)


@pytest.mark.parametrize("case", BEYOND, ids=lambda case: case.name)
def test_the_findings_are_those_expected_where_there_is_nobody_to_ask(case: BaseCase) -> None:
    found = VALIDATOR.check(case.resource)
    assert tuple((issue.rule, issue.expression) for issue in found if issue.severity == "error") == case.findings


@pytest.mark.parametrize("snapshot", [[], {"element": [{}]}, {"element": [{"path": "Observation", "type": "x"}]}])
def test_a_base_that_is_malformed_is_a_finding(snapshot: object) -> None:
    base = {**profile(), "url": "https://ehr.test/malformed", "snapshot": snapshot}
    validator = Validator(bundled().with_resources([base]))
    found = validator.check(profile(of("Observation.code", min=1), baseDefinition="https://ehr.test/malformed"))
    assert {issue.rule for issue in found if issue.severity == "error"} <= {"structure-base", "differential-element"}
    assert found


@pytest.mark.parametrize("expression", ["(" * 5000 + "true" + ")" * 5000, "true" + " and true" * 5000])
def test_an_endless_expression_is_not_judged(expression: str) -> None:
    whole = {"id": "Observation", "path": "Observation", "min": 0, "max": "*", "definition": "x"}
    whole |= {"base": {"path": "Observation", "min": 0, "max": "*"}, "constraint": [constraint(expression=expression)]}
    assert VALIDATOR.check(profile(snapshot={"element": [whole]})) == []
