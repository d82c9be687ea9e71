"""Where a reference leads by what it says: ``Type/id``, relative or absolute (R4, References).

A JSON Schema says it with a pattern of all resource types, which takes an engine longer to make than all else. So the
schemas in use have a keyword of their own for it, and only those that are published have the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from fhir_keta.definitions.library import base

JsonObject = dict[str, Any]

KEYWORD = "referenceTargets"
"""The keyword: the resource types that a text in ``Reference.reference`` may lead to."""

_ID = r"[A-Za-z0-9\-\.]+(?:/_history/[A-Za-z0-9\-\.]+)?"
_BASE = r"(?:https?://[^ \t\r\n]*/)?"

_TYPE_AND_ID = re.compile(rf"(?:^|/)([A-Za-z]+)/{_ID}(?=#|\Z)")
_SCHEME = re.compile("https?://")
_SPACE = re.compile(r"[ \t\r\n]")


def may_lead_to(allowed: Collection[str], reference: object) -> bool:
    """Whether a reference may lead to one of these types: one that names its type is held to it, any other may."""
    if not isinstance(reference, str):
        return True
    named = {*_types_named(reference)} & base().resource_types
    return not named or not named.isdisjoint(allowed)


def _types_named(reference: str) -> Iterator[str]:
    """What stands where a type may: more than one only where there are several #."""
    scheme = _SCHEME.match(reference)
    space = _SPACE.search(reference)
    last_line = reference.rfind("\n")
    for found in _TYPE_AND_ID.finditer(reference):
        slash = found.start(1) - 1
        if slash >= 0 and (scheme is None or slash < scheme.end() or (space and space.start() < slash)):
            continue
        if last_line < found.end():
            yield found[1]


def as_patterns(allowed: Iterable[str]) -> JsonObject:
    """The keyword with these types as patterns, for engines that do not know it."""
    return {
        "anyOf": [{"pattern": _pattern(allowed)}, {"not": {"pattern": _pattern(base().resource_types)}}],
    }


def _pattern(types: Iterable[str]) -> str:
    return f"^{_BASE}(?:{'|'.join(map(re.escape, sorted(types)))})/{_ID}(?:#.*)?$"
