"""The small records for and against each profile, asked of HL7's validator."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.oracle import Oracle
from tests.unit.profile_faults import INVALID
from tests.unit.profile_probes import VALID

# What it does not see, and why; ours does.
UNSEEN = {
    # references are not followed, so the type they name is not held against the profile (R4, References: targetProfile)
    "a group",
    "part of an image",
    "the patient judged",
    "a device suspected",
}


@pytest.mark.parametrize("name", VALID)
def test_accepts(oracle: Oracle, name: str) -> None:
    assert [str(issue) for issue in oracle.check(VALID[name]) if issue.is_error] == []


@pytest.mark.parametrize(("name", "resource", "rule", "place"), INVALID, ids=[row[0] for row in INVALID])
def test_refuses(oracle: Oracle, name: str, resource: dict[str, Any], rule: str, place: str) -> None:
    found = [str(issue) for issue in oracle.check(resource) if issue.is_error]
    assert bool(found) is (name not in UNSEEN)
    if rule.startswith("keta-"):
        assert any(f"#{rule}]" in issue for issue in found)


def test_the_unseen_are_among_the_faults() -> None:
    assert {row[0] for row in INVALID} >= UNSEEN
