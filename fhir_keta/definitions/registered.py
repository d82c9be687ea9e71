"""What R4 has under another name than its canonical, or beside the library: read when first asked for."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from fhir_keta.definitions.library import Library, r4_file

_SEARCHES = "http://hl7.org/fhir/SearchParameter/"


class Search(NamedTuple):
    """A search parameter: its type (R4, search-param-type) and the resource types that it searches."""

    type: str
    bases: tuple[str, ...]


def search_parameter(canonical: str, library: Library) -> Search | None:
    """Return a search parameter that the library has, or one of R4's own; None for others."""
    url, _, version = canonical.partition("|")
    found = library.find(canonical)
    if found is not None:
        if found["resourceType"] != "SearchParameter":
            return None
        type_, bases = found.get("type"), found.get("base")
        bases = [base for base in bases if isinstance(base, str)] if isinstance(bases, list) else []
        return Search(type_ if isinstance(type_, str) else "", tuple(bases))
    if not url.startswith(_SEARCHES) or version not in ("", "4.0.1"):
        return None
    of_r4 = _registered()["searchParameters"].get(url.removeprefix(_SEARCHES))
    return Search(of_r4[0], tuple(of_r4[1:])) if of_r4 else None


def code_system_of_oid(oid: str) -> str | None:
    """Return the canonical of R4's code system with this OID (urn:oid:...), or None."""
    found: str | None = _registered()["codeSystems"].get(oid)
    return found


@cache
def _registered() -> dict[str, Any]:
    registered: dict[str, Any] = json.loads(r4_file("registered.json"))
    return registered
