"""Bundles: what their entries are called, so that references inside find them (R4, Bundle, Resource URL)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.shapes import text

JsonObject = dict[str, Any]

_WITHOUT_FULL_URL = frozenset({"transaction", "batch", "transaction-response", "batch-response"})
_RESPONSES = frozenset({"transaction-response", "batch-response"})
_UNNAMED = "The entry has no fullUrl, so that nothing can refer to it: only transactions and batches may"
_REFERS = "The entry has no fullUrl, so that what it refers to cannot be found: give it one (urn:uuid: if it is new)"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ON_A_SERVER = re.compile(r"https?://.*/([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})")


def entry_resources(bundle: JsonObject) -> dict[str, JsonObject]:
    """The resources in a Bundle by the names that references use."""
    found: dict[str, JsonObject] = {}
    for _, full_url, resource in _entries(bundle):
        if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            name = resource["resourceType"]
            if isinstance(full_url, str):
                found[full_url] = resource
            if isinstance(resource.get("id"), str):
                found[f"{name}/{resource['id']}"] = resource
    return found


def full_urls(bundle: JsonObject, expression: str, resource_types: frozenset[str]) -> Iterator[Issue]:
    """Each entry is named, absolutely, and by a server's URL only as that server would (R4, Bundle.entry.fullUrl)."""
    for position, full_url, resource in _entries(bundle):
        problem = ""
        if full_url is None:
            problem = _why_named(text(bundle.get("type")), resource)
        elif not isinstance(full_url, str):
            continue
        elif not _ABSOLUTE.match(full_url):
            problem = "The fullUrl is not absolute"
        elif not isinstance(resource, dict):
            continue
        elif _on_a_server(full_url, resource_types) not in (None, (resource.get("resourceType"), resource.get("id"))):
            problem = "The fullUrl looks like a server's, but does not end in the type and id of this resource"
        if problem:
            yield rules.issue("bundle-full-url", f"{expression}.entry[{position}]", problem=problem)


def _why_named(type_: str, resource: Any) -> str:
    """What is wrong with an entry without fullUrl, if anything.

    A history tells of resources that are gone; elsewhere an entry without a resource is another rule's finding. In a
    transaction references are resolved by the fullUrl of what they stand in (R4, Bundle, Resolving references).
    """
    if type_ not in _WITHOUT_FULL_URL:
        needs = isinstance(resource, dict) or (resource is None and type_ == "history")
        return _UNNAMED if needs else ""
    return _REFERS if type_ not in _RESPONSES and _refers_elsewhere(resource) else ""


def _refers_elsewhere(resource: Any) -> bool:
    """Whether a reference leads out of the resource; the entries of a Bundle in it have names of their own."""
    pending = [resource]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict) and node.get("resourceType") != "Bundle":
            if text(node.get("reference"))[:1] not in ("", "#"):
                return True
            pending.extend(node.values())
    return False


def _on_a_server(full_url: str, resource_types: frozenset[str]) -> tuple[str, str] | None:
    found = _ON_A_SERVER.fullmatch(full_url)
    return (found[1], found[2]) if found and found[1] in resource_types else None


def _entries(bundle: JsonObject) -> Iterator[tuple[int, Any, Any]]:
    entries = bundle.get("entry")
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield position, entry.get("fullUrl"), entry.get("resource")
