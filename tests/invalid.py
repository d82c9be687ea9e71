"""The files of examples/invalid: a valid parent, one fault as a JSON Patch, and the finding it must give."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonpatch

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True)
class Case:
    """One file. ``name`` is its name without .json; ``rule`` and ``expression`` are the finding it must give."""

    name: str
    description: str
    parent: Path
    patch: tuple[dict[str, Any], ...]
    rule: str
    expression: str

    @property
    def family(self) -> str:
        """The rule family: the first word of the name."""
        return self.name.partition("-")[0]

    @cached_property
    def valid(self) -> dict[str, Any]:
        """The parent, before the fault."""
        resource: dict[str, Any] = json.loads(self.parent.read_text("utf-8"))
        return resource

    @property
    def resource(self) -> dict[str, Any]:
        """The faulty resource: the parent with the patch applied. Raises JsonPatchException if it cannot be."""
        patched: dict[str, Any] = jsonpatch.apply_patch(self.valid, list(self.patch))
        return patched

    def __str__(self) -> str:
        return self.name


def cases() -> list[Case]:
    """All cases, sorted by name."""
    return [_case(path) for path in sorted((EXAMPLES / "invalid").glob("*.json"))]


def _case(path: Path) -> Case:
    content = json.loads(path.read_text("utf-8"))
    return Case(
        path.stem,
        content["description"],
        EXAMPLES / content["parent"],
        tuple(content["patch"]),
        content["finding"]["rule"],
        content["finding"]["expression"],
    )
