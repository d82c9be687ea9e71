"""Every file of examples/invalid: HL7's validator and ours agree that it is invalid, and where."""

from __future__ import annotations

import json
import re

import pytest

from fhir_keta import Validator
from tests import invalid
from tests.oracle.differences import PLACES, VERDICTS
from tests.oracle.oracle import Oracle, OracleIssue

CASES = invalid.cases()


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_give_the_same_verdict(oracle: Oracle, validator: Validator, case: invalid.Case) -> None:
    data = json.dumps(case.resource).encode()
    ours = [
        f"{issue.rule} {issue.expression}" for issue in validator.check(data) if issue.severity in ("error", "fatal")
    ]
    theirs = oracle.errors(data)
    expected = VERDICTS.get(case.name)
    if expected is None:
        assert bool(ours) is bool(theirs), f"ours: {ours}, theirs: {[str(issue) for issue in theirs]}"
    else:
        assert (bool(ours), bool(theirs)) == (expected.ours, expected.theirs)


@pytest.mark.parametrize("case", [case for case in CASES if case.name not in VERDICTS], ids=str)
def test_both_point_to_the_same_place(oracle: Oracle, case: invalid.Case) -> None:
    """The element, one inside it or one around it: HL7's validator often reports at the parent."""
    found = {place(issue) for issue in oracle.errors(case.resource)}
    expected = plain(case.expression)
    same = any(inside(one, expected) or inside(expected, one) for one in found)
    assert same is (case.name not in PLACES), f"expected {expected}, found {sorted(found)}"


def test_the_parents_are_valid(oracle: Oracle) -> None:
    for parent in sorted({case.parent for case in CASES}):
        assert not oracle.has_error(parent.read_bytes()), parent.name


def test_the_differences_are_of_files_that_are_there() -> None:
    assert VERDICTS.keys() | PLACES.keys() <= {case.name for case in CASES}
    assert all(row.ours is not row.theirs and row.source.startswith("http") for row in VERDICTS.values())


def place(issue: OracleIssue) -> str:
    """The validator's FHIRPath without its comments (Bundle.entry[0].resource/*Observation/1*/.code)."""
    return plain(re.sub(r"/\*.*?\*/", "", issue.expression))


def plain(expression: str) -> str:
    """The elements alone: values of any type as value."""
    return re.sub(r"\.ofType\(\w+\)|\[x\]", "", expression)


def inside(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))
