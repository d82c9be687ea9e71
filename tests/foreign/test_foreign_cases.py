"""Foreign profiles: every case gives the errors it names, whichever way it is asked."""

from __future__ import annotations

import json

import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.validator import Validator
from tests.foreign.case import ForeignCase
from tests.foreign.cases import DEFINITIONS, FOREIGN_CASES

VALIDATOR = Validator(bundled().with_resources(DEFINITIONS))


def errors(issues: list[Issue]) -> set[str]:
    return {issue.rule for issue in issues if issue.severity in ("error", "fatal")}


@pytest.mark.parametrize("case", FOREIGN_CASES, ids=lambda case: case.name)
def test_a_case_gives_its_errors(case: ForeignCase) -> None:
    assert errors(VALIDATOR.check(json.dumps(case.resource).encode())) == case.errors
    assert errors(VALIDATOR.check(case.resource)) == case.errors, "as an object, without the memory"


def rules(name: str) -> dict[str, str]:
    case = next(case for case in FOREIGN_CASES if case.name == name)
    return {issue.rule: issue.severity for issue in VALIDATOR.check(case.resource)}


def test_warnings() -> None:
    assert rules("bindings: extensible, out") == {"binding-extensible": "warning"}
    assert rules("bindings: extensible, in") == rules("bindings: extensible, only text") == {}
    assert rules("bindings: preferred, out") == {}
    assert rules("abstract: abstract") == {"profile-abstract": "warning"}
    assert rules("warned: only a warning") == {"w-1": "warning"}
    assert rules("warned: a warning further down") == {"w-3": "warning"}, "of w-2, which needs FHIRPath, nothing"
    assert rules("warned: no warning") == {}


def test_what_nobody_here_knows_is_said() -> None:
    for name in ("members: of a value set not known", "members: of SNOMED CT"):
        assert rules(name)["invariant-unevaluated"] == "information"


def test_places() -> None:
    found = {
        (issue.rule, issue.expression)
        for case in FOREIGN_CASES
        for issue in VALIDATOR.check(case.resource)
        if case.name in ("ordered: out of order", "subject-adult: contained, a child", "birth: birth too early")
    }
    assert found == {
        ("slice-order", "Patient.identifier[1]"),
        ("reference-profile", "Observation.subject"),
        ("value-range", "Patient.birthDate"),
    }


def test_what_the_record_around_decides_is_asked_of_each_record() -> None:
    """A name that was good in one record is not in another, where its extension asks the record."""
    met, broken = (
        next(case.resource for case in FOREIGN_CASES if case.name == f"extension: a constraint on the record, {name}")
        for name in ("further inside, met", "further inside")
    )
    inactive = {name: value for name, value in broken.items() if name != "name"}
    validator = Validator(bundled().with_resources(DEFINITIONS))
    for record in (met, inactive, {**inactive, "name": [{"text": "x"}]}) * 2:
        assert validator.check(json.dumps(record).encode()) == []
    assert errors(validator.check(json.dumps(broken).encode())) == {"x-3"}
