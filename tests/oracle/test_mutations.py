"""Mechanical changes to the valid examples: HL7's validator and ours agree on each, but for the kinds in the table."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fhir_keta import Validator
from tests import java
from tests.oracle.listed import rows
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
    ours = [issue for issue in validator.check(data) if issue.severity in ("error", "fatal")]
    try:
        found = oracle.check(data)
    except java.JavaError as error:
        return "" if re.search(r"the validator failed: \S+Exception", str(error)) else str(error)
    theirs = [issue for issue in found if issue.is_error]
    if bool(ours) is bool(theirs) or (broke_down(found) and not theirs):
        return ""
    if rows(str(mutation), json.loads(data), ours, theirs) is not None:
        return ""
    return f"{mutation}: ours {[issue.rule for issue in ours]}, theirs {[issue.message_id for issue in theirs]}"
