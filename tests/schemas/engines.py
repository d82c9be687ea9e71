"""The three engines that the published schemas are run by: verdicts on (canonical, resource), true is accepted."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs

from tests.schemas.instances import documents

Json = dict[str, Any]
Question = tuple[str, Json]

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".cache" / "ajv"
_FILES = ("package.json", "package-lock.json", "verdicts.js")
REMEDY = "install Node.js 20 or newer with npm, e.g. apt-get install nodejs npm"


@cache
def rust(canonical: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(documents()[canonical].schema, offline=True)


@cache
def python(canonical: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(documents()[canonical].schema)


def ajv_missing() -> str | None:
    """One line that says what to install, or None when Node and npm are there."""
    absent = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    return f"{', '.join(absent)} not found: {REMEDY}" if absent else None


def ajv(questions: Iterable[Question], schemas: Path) -> list[bool]:
    """The verdicts of ajv, which is installed at first; ``schemas`` is a folder to write the schemas to."""
    install()
    names = {canonical: document.name for canonical, document in documents().items()}
    for document in documents().values():
        (schemas / document.name).write_text(json.dumps(document.schema), encoding="utf-8")
    lines = [json.dumps([names[canonical], resource]) for canonical, resource in questions]
    command = ["node", str(FOLDER / "verdicts.js"), *(str(schemas / name) for name in names.values())]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "a keyword that ajv does not know, or cannot compile"
    return [json.loads(line) for line in done.stdout.splitlines()]


def install() -> Path:
    """What the lockfile says, in a folder of its own that git does not see; once, unless the lockfile changes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _FILES)).hexdigest()
    stamp = FOLDER / "installed-from.txt"
    with (FOLDER.parent / "ajv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == digest:
            return FOLDER
        for name in _FILES:
            shutil.copyfile(HERE / name, FOLDER / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"npm ci failed: run it in {FOLDER}\n{done.stderr[-2000:]}"
        stamp.write_text(digest)
    return FOLDER
