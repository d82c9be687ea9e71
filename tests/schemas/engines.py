"""The three engines that the published schemas are run by: verdicts on (canonical, resource), true is accepted."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs

from tests import node
from tests.schemas.instances import documents

Json = dict[str, Any]
Question = tuple[str, Json]

HERE = Path(__file__).parent


@cache
def rust(canonical: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(documents()[canonical].schema, offline=True)


@cache
def python(canonical: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(documents()[canonical].schema)


def ajv(questions: Iterable[Question], schemas: Path) -> list[bool]:
    """The verdicts of ajv, which is installed at first; ``schemas`` is a folder to write the schemas to."""
    folder = node.install(HERE)
    names = {canonical: document.name for canonical, document in documents().items()}
    for document in documents().values():
        (schemas / document.name).write_text(json.dumps(document.schema), encoding="utf-8")
    lines = [json.dumps([names[canonical], resource]) for canonical, resource in questions]
    command = ["node", str(folder / "verdicts.js"), *(str(schemas / name) for name in names.values())]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "a keyword that ajv does not know, or cannot compile"
    return [json.loads(line) for line in done.stdout.splitlines()]
