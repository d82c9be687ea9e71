"""What ``--format sarif`` writes, against the JSON Schema of SARIF 2.1.0, from the npm package that carries it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests import node
from tests.conftest import require
from tests.schemas.engines import HERE

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft4Validator:
    require(node.missing())
    file = node.install(HERE) / "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
    return jsonschema.Draft4Validator(json.loads(file.read_bytes()), format_checker=jsonschema.FormatChecker())


def _written(*arguments: str) -> Any:
    command = [sys.executable, "-m", "fhir_keta", "validate", "--format", "sarif", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return json.loads(done.stdout)


@pytest.fixture
def awkward(tmp_path: Path) -> Path:
    folder = tmp_path / "ä ü,:%#"
    folder.mkdir()
    (folder / "a.ndjson").write_text('{"resourceType":"Patient","gendr":"x","a b\'c":1}\n\n{"x":1}\nno\n')
    (folder / "empty.json").write_bytes(b"")
    (folder / "broken.json.gz").write_bytes(b"no gzip")
    (folder / "many.json").write_text(json.dumps({"resourceType": "Patient", **{f"n{n}": n for n in range(2000)}}))
    invariant = {"resourceType": "Patient", "contact": [{"gender": "male"}], "meta": {"profile": ["http://x.org/p"]}}
    (folder / "invariant.json").write_text(json.dumps(invariant, indent=2))
    return folder


def test_the_schema_refuses(schema: jsonschema.Draft4Validator) -> None:
    log = _written(str(EXAMPLES / "export" / "Patient.ndjson"))
    assert schema.is_valid(log)
    log["runs"][0]["results"] = [{"message": {}}]
    assert not schema.is_valid(log)


@pytest.mark.parametrize("arguments", [(), ("--max-findings", "3"), ("--show-values",), ("--max-findings", "0")])
def test_whatever_is_found_is_sarif(
    arguments: tuple[str, ...], awkward: Path, schema: jsonschema.Draft4Validator
) -> None:
    log = _written(str(awkward), *arguments)
    assert [f"{error.json_path}: {error.message[:200]}" for error in schema.iter_errors(log)] == []
    rules = {result["ruleId"] for result in log["runs"][0]["results"]}
    expected = {"element-unknown", "json-syntax", "input-gzip", "pat-1", "profile-unknown", "findings-limit"}
    assert "--max-findings" in arguments or expected <= rules
