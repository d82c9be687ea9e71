"""The hook that .pre-commit-hooks.yaml offers, run as pre-commit runs it: its entry, then the names of staged files."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOOK = dict(re.findall(r"^[- ] (\w+): (.+)$", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE))
FINE = b'{"resourceType": "Patient"}\n'
WRONG = b'{"resourceType": "Patient", "gender": "Female"}\n'


def run(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    command = [*shlex.split(HOOK["entry"]), *files]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_hook_is_one_that_pre_commit_can_install() -> None:
    """``python``: pre-commit installs this package, so the entry is a command of ours."""
    assert HOOK["id"] == "fhir-keta-validate"
    assert HOOK["language"] == "python"
    assert HOOK["entry"].startswith("fhir-keta ")


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a/b.json", True),
        ("export.ndjson", True),
        ("export.jsonl", True),
        ("notes.md", False),
        ("json", False),
        ("a.json.txt", False),
    ],
)
def test_the_files_it_takes(name: str, taken: bool) -> None:
    assert bool(re.search(HOOK["files"], name)) is taken


def test_it_passes_and_fails(tmp_path: Path) -> None:
    (tmp_path / "fine.json").write_bytes(FINE)
    (tmp_path / "many.ndjson").write_bytes(FINE + WRONG)
    assert run(tmp_path, "fine.json").returncode == 0
    done = run(tmp_path, "fine.json", "many.ndjson")
    assert done.returncode == 1
    assert done.stdout.startswith("many.ndjson:2:39: error Patient Patient.gender [binding-required] ")
    assert "Did you mean 'female'?" in done.stdout
