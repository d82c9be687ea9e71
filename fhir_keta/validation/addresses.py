"""Where references lead: the absolute address that is meant, and the references in a record (R4, Bundle, Resolving)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ON_A_SERVER = re.compile(r"(https?://.*/)([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})")


def is_absolute(url: str) -> bool:
    """Whether it has a scheme."""
    return _SCHEME.match(url) is not None


def absolute(reference: str, full_url: str) -> str:
    """The address that a reference means in an entry of this fullUrl: a relative one is of the entry's server."""
    server = None if is_absolute(reference) else _ON_A_SERVER.fullmatch(full_url)
    return reference if server is None else server[1] + reference


def type_and_id(full_url: str) -> tuple[str, str] | None:
    """What a server's URL says that it leads to."""
    found = _ON_A_SERVER.fullmatch(full_url)
    return (found[2], found[3]) if found else None


def references(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """The literal references below, each with its FHIRPath from here; a Bundle inside has addresses of its own."""
    if isinstance(node, list):
        for position, item in enumerate(node):
            yield from references(item, f"{place}[{position}]")
    elif isinstance(node, dict) and node.get("resourceType") != "Bundle":
        if isinstance(node.get("reference"), str):
            yield place, node["reference"]
        for key, content in node.items():
            if isinstance(content, dict | list):
                yield from references(content, f"{place}.{key}")
