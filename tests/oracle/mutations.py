"""Valid examples with one mechanical change each: a value removed, emptied, of another type, written otherwise."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Mutation:
    """One change to one file: ``path`` is where, ``to`` the new value as JSON, empty for a removal."""

    file: Path
    path: tuple[str | int, ...]
    to: str

    def __str__(self) -> str:
        place = ".".join(map(str, self.path))
        return f"{self.file.stem}: {place} = {self.to}" if self.to else f"{self.file.stem}: no {place}"

    @property
    def data(self) -> bytes:
        """The changed file."""
        resource = json.loads(self.file.read_bytes())
        holder = resource
        for step in self.path[:-1]:
            holder = holder[step]
        if self.to:
            holder[self.path[-1]] = json.loads(self.to)
        else:
            del holder[self.path[-1]]
        return json.dumps(resource).encode()

    def is_chosen(self, one_in: int) -> bool:
        """A choice that stays the same when other examples or elements are added."""
        return int.from_bytes(hashlib.sha256(str(self).encode()).digest()[:4], "big") % one_in == 0


def mutations(file: Path) -> Iterator[Mutation]:
    """Every change to the file, in order."""
    for path, value in _nodes(json.loads(file.read_bytes())):
        if path not in ((), ("resourceType",)):
            yield Mutation(file, path, "")
            for other in _others(value):
                yield Mutation(file, path, json.dumps(other))


def _nodes(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    steps: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _nodes(inner, (*path, step))


def _others(value: Any) -> list[Any]:
    match value:
        case bool():
            return [not value, str(value).lower(), 1, None, [value]]
        case int() | float():
            return [-1, 1.5, 10**12, str(value), True, None]
        case str():
            return ["", "  ", "zzz", f"{value} ", value.upper(), f"{value}é", 7, True, None, [], {}, [value]]
        case list():
            return [[], None, {}, [*value, copy.deepcopy(value[0])], value[0]]
    unknown = {"url": "https://example.org/unknown", "valueString": "a"}
    return [{}, None, [value], "zzz", {**value, "zzz": 1}, {**value, "id": "a b"}, {**value, "extension": [unknown]}]
