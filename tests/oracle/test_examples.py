"""Every valid example, alone, as a line of the export and inside its bundle: HL7's validator objects to nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.java import ROOT
from tests.oracle.oracle import Oracle
from tests.oracle.verdicts import objections

EXAMPLES = ROOT / "examples"
FILES = sorted(
    path for path in EXAMPLES.rglob("*") if path.suffix in (".json", ".ndjson") and path.parent != EXAMPLES / "invalid"
)


def test_the_examples_are_there() -> None:
    assert {"course", "export"} <= {path.parent.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(EXAMPLES)) for path in FILES])
def test_a_valid_example_has_no_fault(oracle: Oracle, path: Path) -> None:
    records = path.read_bytes().splitlines() if path.suffix == ".ndjson" else [path.read_bytes()]
    assert records
    for number, record in enumerate(records, 1):
        assert objections(oracle.check(record)) == [], f"record {number}"


def test_the_profiles_are_enforced(oracle: Oracle) -> None:
    """Each fault breaks our profile only: base R4 alone has nothing against it."""
    rating = json.loads((EXAMPLES / "observations/keta-rating.json").read_bytes())
    profile = rating["meta"]["profile"][0]
    for fault in ({"component": [{"code": {"text": "more"}, "valueString": "more"}]}, {"subject": None}):
        record = {key: value for key, value in {**rating, **fault}.items() if value is not None}
        assert oracle.has_error(record)
        del record["meta"]
        assert not oracle.has_error(record)
        assert oracle.has_error(record, [profile])


def test_a_response_is_held_to_its_form(oracle: Oracle) -> None:
    response = json.loads((EXAMPLES / "responses/phq-9.json").read_bytes())
    assert not oracle.has_error(response)
    response["item"][0]["linkId"] = "unknown"
    assert oracle.has_error(response)
