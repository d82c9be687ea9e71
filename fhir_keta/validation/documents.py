"""Documents: what the Composition names is in the Bundle, and what is in the Bundle belongs to it (R4, Documents)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.shapes import items, text

JsonObject = dict[str, Any]

# R4, Documents, "resources referenced in ... SHALL be included": all below these but extensions
_INCLUDED = frozenset({"subject", "encounter", "author", "attester", "custodian", "event", "section"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ON_A_SERVER = re.compile(r"(https?://.*/)[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")


def document_faults(bundle: JsonObject, expression: str) -> Iterator[Issue]:
    """What a document lacks, and what does not belong to it; nothing for other Bundles."""
    entries = [entry if isinstance(entry, dict) else {} for entry in items(bundle.get("entry"))]
    resources = [entry.get("resource") for entry in entries]
    if bundle.get("type") != "document" or not _is(resources[:1], "Composition"):
        return  # without a Composition: bdl-11
    names: dict[str, int] = {}
    for position, entry in enumerate(entries):
        full_url, resource = text(entry.get("fullUrl")), resources[position]
        names[full_url] = position
        meta = resource.get("meta") if isinstance(resource, dict) else None
        if isinstance(meta, dict):
            names[f"{full_url}/_history/{meta.get('versionId')}"] = position
    links: dict[int, set[int]] = {position: set() for position in range(len(entries))}
    for position, entry in enumerate(entries):
        for place, reference in _references(resources[position], ""):
            target = names.get(_absolute(reference, text(entry.get("fullUrl"))))
            if target is not None:
                links[position].add(target)
                links[target].add(position)
            elif position == 0 and reference[:1] != "#" and _must_be_included(place):
                yield rules.issue("reference-unresolved", f"{expression}.entry[0].resource{place}")
    reached = _reachable(links)
    for position, resource in enumerate(resources):
        if position not in reached and not _is([resource], "Binary"):  # a Binary may be the stylesheet
            yield rules.issue("bundle-orphan", f"{expression}.entry[{position}]")


def _is(resources: list[Any], name: str) -> bool:
    return any(isinstance(resource, dict) and resource.get("resourceType") == name for resource in resources)


def _must_be_included(place: str) -> bool:
    return re.split(r"[.\[]", place)[1] in _INCLUDED and "xtension[" not in place


def _references(node: Any, place: str) -> Iterator[tuple[str, str]]:
    """The literal references below, with their FHIRPath from here."""
    if isinstance(node, list):
        for position, item in enumerate(node):
            yield from _references(item, f"{place}[{position}]")
    elif isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield place, node["reference"]
        for key, content in node.items():
            if isinstance(content, dict | list):
                yield from _references(content, f"{place}.{key}")


def _absolute(reference: str, full_url: str) -> str:
    """R4, Bundle, Resolving references: a relative one is one of the server that the entry is from."""
    reference = reference.partition("#")[0]
    server = _ON_A_SERVER.fullmatch(full_url)
    return reference if server is None or _SCHEME.match(reference) else server[1] + reference


def _reachable(links: dict[int, set[int]]) -> set[int]:
    reached: set[int] = set()
    pending = [0]
    while pending:
        position = pending.pop()
        if position not in reached:
            reached.add(position)
            pending.extend(links[position])
    return reached
