"""Mechanical changes to the valid examples: HL7's validator and ours agree on each, but for the kinds in the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhir_keta import Validator
from tests import java
from tests.oracle.differences import ONLY_OURS, ONLY_THEIRS
from tests.oracle.mutations import Mutation, mutations
from tests.oracle.oracle import Oracle
from tests.oracle.verdicts import broke_down

EXAMPLES = java.ROOT / "examples"
FILES = [
    path for folder in ("observations", "records", "responses") for path in sorted(EXAMPLES.glob(f"{folder}/*.json"))
]
ONE_IN = 30


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_both_agree_on_changed_records(oracle: Oracle, validator: Validator, path: Path) -> None:
    chosen = [mutation for mutation in mutations(path) if mutation.is_chosen(ONE_IN)]
    assert chosen
    assert [said for mutation in chosen if (said := difference(oracle, validator, mutation))] == []


def difference(oracle: Oracle, validator: Validator, mutation: Mutation) -> str:
    """How the verdicts differ, if they do and the table does not have it; nothing where HL7's validator breaks down."""
    data = mutation.data
    ours = {issue.rule for issue in validator.check(data) if issue.severity in ("error", "fatal")}
    try:
        found = oracle.check(data)
    except java.JavaError as error:
        return "" if re.search(r"the validator failed: \S+Exception", str(error)) else str(error)
    theirs = {issue.message_id for issue in found if issue.is_error}
    if bool(ours) is bool(theirs) or (broke_down(found) and not theirs):
        return ""
    table, said = (ONLY_OURS, ours) if ours else (ONLY_THEIRS, theirs)
    known = any(row.rule in said and re.search(row.change, str(mutation)) for row in table)
    return "" if known else f"{mutation}: ours {sorted(ours)}, theirs {sorted(theirs)}"
