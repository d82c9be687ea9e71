"""``fhir-keta schema export``: the files that it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def export(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fhir_keta", "schema", "export", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas") / "not" / "there"
    done = export(folder)
    assert (done.returncode, done.stdout) == (0, f"23 schemas written to {folder}.\n"), done.stderr
    return folder


def test_the_same_files_at_each_run_each_a_schema_of_its_own(exported: Path, tmp_path: Path) -> None:
    assert export(tmp_path).returncode == 0
    names = sorted(file.name for file in exported.iterdir())
    assert names == sorted(file.name for file in tmp_path.iterdir())
    ids = set()
    for name in names:
        written = (exported / name).read_bytes()
        assert written == (tmp_path / name).read_bytes()
        assert written.endswith(b"}\n")
        ids.add(json.loads(written)["$id"])
    assert len(ids) == len(names) == 23
    assert "https://w3id.org/fhir-keta/schema/StructureDefinition/keta-experience" in ids


def test_a_written_schema_gives_verdicts_by_itself(exported: Path) -> None:
    schema = json.loads((exported / "Questionnaire-phq-9.schema.json").read_bytes())
    response = json.loads((EXAMPLES / "responses" / "phq-9.json").read_bytes())
    validator = jsonschema_rs.Draft202012Validator(schema, offline=True)
    assert validator.is_valid(response)
    assert not validator.is_valid({**response, "item": response["item"][::-1]})
    assert not validator.is_valid({**response, "status": "done"})


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        done = export(folder)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert "file" in done.stderr
