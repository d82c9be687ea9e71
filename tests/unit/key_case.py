"""A constraint key of base R4 with a record that meets it and the one change that breaks it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class KeyCase:
    """``key`` as R4 writes it, with the resource type in front where R4 uses it twice ("Parameters inv-1").

    ``met`` is valid. ``change`` gives new values by dotted path, None takes away what is there. ``place`` is where the
    broken record must be reported, ``also`` what else that change cannot but break. ``rule`` is what findings call it.
    """

    key: str
    met: JsonObject
    change: JsonObject
    place: str
    also: frozenset[str] = frozenset()
    rule: str = ""

    def __post_init__(self) -> None:
        if not self.rule:
            object.__setattr__(self, "rule", self.key.rpartition(" ")[2])

    @cached_property
    def broken(self) -> JsonObject:
        """The record after the change."""
        record = copy.deepcopy(self.met)
        for path, value in self.change.items():
            _set(record, [int(step) if step.isdigit() else step for step in path.split(".")], value)
        return record


def case(key: str, met: JsonObject, change: JsonObject, place: str, *also: str) -> KeyCase:
    return KeyCase(key, met, change, place, frozenset(also))


def _set(record: Any, path: list[str | int], value: Any) -> None:
    *way, last = path
    for step in way:
        record = record[step]
    if value is None:
        del record[last]
    else:
        record[last] = value
