"""The options of ``validate`` that say how much of the findings is written, and what makes the run fail."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from fhir_keta.cli.main import main
from tests.oracle.oracle import NO_NARRATIVE, Oracle

FINE = {"resourceType": "Patient", "id": "fine"}
NO_STATUS = {"resourceType": "Observation", "id": "no-status", "code": {"text": "weight"}}
WRONG_GENDER = {"resourceType": "Patient", "id": "p1", "gender": "Millerova"}
UNKNOWN_PROFILE = {"resourceType": "Patient", "id": "w", "meta": {"profile": ["https://example.org/profile"]}}


@pytest.fixture(params=["1", "2"])
def jobs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("fhir_keta.reporting.checking.ALONE_RECORDS", 0)
    return str(request.param)


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["validate", *arguments], input=given)


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files: three errors and a warning in one, one error in the other."""
    (tmp_path / "a.ndjson").write_bytes(lines(NO_STATUS, FINE, NO_STATUS, WRONG_GENDER, UNKNOWN_PROFILE))
    (tmp_path / "b.json").write_bytes(lines(NO_STATUS))
    return tmp_path


def test_max_findings_stops_writing_and_says_how_many_more(folder: Path, jobs: str) -> None:
    result = run("--max-findings", "2", "--jobs", jobs, str(folder))
    assert [line.partition(": ")[0] for line in result.stdout.splitlines()] == [
        f"{folder}/a.ndjson:1:1",
        f"{folder}/a.ndjson:3:1",
    ]
    assert result.stderr == "3 more findings not shown.\nChecked 6 records: 4 errors, 1 warning.\n"
    assert result.exit_code == 1


def test_the_exit_code_is_true_even_where_nothing_is_shown(folder: Path) -> None:
    result = run("--max-findings", "0", str(folder))
    assert (result.stdout, result.exit_code) == ("", 1)
    warned = run("--max-findings", "0", "--fail-on", "warning", "-", given=lines(UNKNOWN_PROFILE))
    assert (warned.stdout, warned.exit_code) == ("", 1)


def test_summary_as_text(folder: Path) -> None:
    result = run("--summary", "--max-findings", "0", str(folder))
    assert result.stdout.splitlines() == [
        "Findings by rule:",
        "       3  cardinality-min",
        "       1  binding-required",
        "       1  profile-unknown",
        "Findings by file:",
        f"       4  {folder}/a.ndjson",
        f"       1  {folder}/b.json",
    ]
    assert result.exit_code == 1


def test_summary_as_json(folder: Path) -> None:
    document = json.loads(run("--summary", "--format", "json", str(folder)).stdout)
    assert len(document["findings"]) == 5
    assert document["summary"] == {
        "rules": {"cardinality-min": 3, "binding-required": 1, "profile-unknown": 1},
        "files": {f"{folder}/a.ndjson": 4, f"{folder}/b.json": 1},
    }


def test_summary_in_a_format_without_one(folder: Path) -> None:
    result = run("--summary", "--format", "sarif", str(folder))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == ("Error: --summary goes with --format text or json: leave it out, or change the format.\n")


def test_fail_on_none_reports_and_passes(folder: Path) -> None:
    result = run("--fail-on", "none", str(folder))
    assert (result.stdout.count("\n"), result.exit_code) == (5, 0)


def test_values_are_quoted_only_where_asked_for(jobs: str) -> None:
    given = lines(WRONG_GENDER)
    assert "Millerova" not in run("--jobs", jobs, "-", given=given).output
    assert run("--jobs", jobs, "--show-values", "-", given=given).stdout.endswith(' Found: "Millerova"\n')


def test_formats_for_machines(folder: Path) -> None:
    sarif = json.loads(run("--format", "sarif", str(folder)).stdout)
    assert len(sarif["runs"][0]["results"]) == 5
    suite = ElementTree.fromstring(run("--format", "junit", str(folder)).stdout)[0]
    assert (suite.get("tests"), suite.get("failures")) == ("6", "4")
    assert len(run("--format", "github", str(folder)).stdout.splitlines()) == 5
    findings = [json.loads(line) for line in run("--format", "ndjson", str(folder)).stdout.splitlines()]
    assert [finding["line"] for finding in findings] == [1, 3, 4, 5, 1]


def test_hl7s_validator_has_nothing_to_remark_on_an_outcome_but_its_missing_narrative(
    folder: Path, oracle: Oracle
) -> None:
    outcomes = run("--format", "outcome", "--max-findings", "3", str(folder)).stdout.encode().splitlines()
    assert len(outcomes) == 6
    remarks = [issue for outcome in outcomes for issue in oracle.check(outcome) if issue.message_id != NO_NARRATIVE]
    assert remarks == []
