"""Documents and messages: what the first entry names is in the Bundle, and what is in a document belongs to it.

R4, Documents, and Messaging using FHIR Resources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.addresses import absolute, references
from fhir_keta.validation.bundles import own_address
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.shapes import items, objects, text

JsonObject = dict[str, Any]

# R4, Documents, "resources referenced in ... SHALL be included": all below these but extensions
_INCLUDED = frozenset({"subject", "encounter", "author", "attester", "custodian", "event", "section"})
_FIRST = {"document": "Composition", "message": "MessageHeader"}


def document_faults(bundle: JsonObject, expression: str) -> Iterator[Issue]:
    """What a document or message lacks, and what does not belong to a document; nothing for other Bundles."""
    entries = [entry if isinstance(entry, dict) else {} for entry in items(bundle.get("entry"))]
    resources = [entry.get("resource") for entry in entries]
    type_ = text(bundle.get("type"))
    if type_ not in _FIRST or not _is(resources[:1], _FIRST[type_]):
        return  # another type, bdl-11 or bdl-12
    names = _names(entries)
    links: dict[int, set[int]] = {position: set() for position in range(len(entries))}
    for position, entry in enumerate(entries):
        for place, reference in references(resources[position]):
            target = names.get(absolute(reference.partition("#")[0], text(entry.get("fullUrl"))))
            if target is not None:
                links[position].add(target)
                links[target].add(position)
            elif position == 0 and reference[:1] != "#" and _must_be_included(place, type_):
                yield rules.issue("reference-unresolved", f"{expression}.entry[0].resource{place}")
    if type_ == "document":
        reached = _reachable(links) | _stylesheets(bundle, resources)
        for position in range(len(resources)):
            if position not in reached:
                yield rules.issue("bundle-orphan", f"{expression}.entry[{position}]")


def _names(entries: list[JsonObject]) -> dict[str, int]:
    names: dict[str, int] = {}
    for position, entry in enumerate(entries):
        full_url, resource = text(entry.get("fullUrl")), entry.get("resource")
        names[full_url] = position
        meta = resource.get("meta") if isinstance(resource, dict) else None
        if isinstance(meta, dict):
            names[f"{full_url}/_history/{meta.get('versionId')}"] = position
    return names


def _is(resources: list[Any], name: str) -> bool:
    return any(isinstance(resource, dict) and resource.get("resourceType") == name for resource in resources)


def _must_be_included(place: str, type_: str) -> bool:
    first = re.split(r"[.\[]", place)[1]
    if type_ == "message":
        return first == "focus"
    return first in _INCLUDED and "xtension[" not in place


def _stylesheets(bundle: JsonObject, resources: list[Any]) -> set[int]:
    urls = {text(link.get("url")) for link in objects(bundle.get("link")) if link.get("relation") == "stylesheet"}
    return {position for position, resource in enumerate(resources) if own_address(resource) in urls - {""}}


def _reachable(links: dict[int, set[int]]) -> set[int]:
    reached: set[int] = set()
    pending = [0]
    while pending:
        position = pending.pop()
        if position not in reached:
            reached.add(position)
            pending.extend(links[position])
    return reached
