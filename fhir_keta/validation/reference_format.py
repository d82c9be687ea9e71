"""References that name the type of what they lead to: ``Type/id``, relative or absolute (R4, References).

The pattern that says so for all types takes an engine longer to make than any other, and is seldom asked. So schemas in
use have a ``format`` for it, and only those that are published have the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fhir_keta.definitions.library import base

TYPED = "fhir-reference-with-type"
"""The format of references that name a resource type."""

_ID = r"[A-Za-z0-9\-\.]+(?:/_history/[A-Za-z0-9\-\.]+)?"

_TYPE_AND_ID = re.compile(rf"(?:^|/)([A-Za-z]+)/{_ID}(?=#|\Z)")
_SCHEME = re.compile("https?://")
_SPACE = re.compile(r"[ \t\r\n]")


def pattern(types: Iterable[str]) -> str:
    """The regular expression of references that name one of these types."""
    named = "|".join(map(re.escape, sorted(types)))
    return rf"^(?:https?://[^ \t\r\n]*/)?(?:{named})/{_ID}(?:#.*)?$"


def pattern_of_typed() -> str:
    """The format as a regular expression, for engines that do not know it."""
    return pattern(base().resource_types)


def is_typed(reference: object) -> bool:
    """Whether a reference has the format."""
    return isinstance(reference, str) and not base().resource_types.isdisjoint(_types_named(reference))


def _types_named(reference: str) -> Iterator[str]:
    """What stands where a type may: more than one only where there are several #. In one pass, however many."""
    scheme = _SCHEME.match(reference)
    space = _SPACE.search(reference)
    last_line = reference.rfind("\n")
    for found in _TYPE_AND_ID.finditer(reference):
        slash = found.start(1) - 1
        if slash >= 0 and (scheme is None or slash < scheme.end() or (space and space.start() < slash)):
            continue
        if last_line < found.end():
            yield found[1]
