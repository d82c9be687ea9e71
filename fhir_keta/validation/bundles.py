"""Bundles: what their entries are called, so that references inside find them, and their links (R4, Bundle)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.addresses import absolute, is_absolute, references, type_and_id
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.shapes import items, text

JsonObject = dict[str, Any]

_WITHOUT_FULL_URL = frozenset({"transaction", "batch", "transaction-response", "batch-response"})
_RESPONSES = frozenset({"transaction-response", "batch-response"})
_SEARCHES = frozenset({"searchset", "history"})
_PAGES = frozenset({"first", "previous", "next", "last"})

_UNNAMED = "The entry has no fullUrl, so that nothing can refer to it: only transactions and batches may"
_REFERS = "The entry has no fullUrl, so that what it refers to cannot be found: give it one (urn:uuid: if it is new)"
_RELATIVE = "The fullUrl is not absolute"
_ANOTHER = "The fullUrl looks like a server's, but does not end in the type and id of this resource"
_CANONICAL = "The fullUrl is the canonical url of the definition: give the URL where this resource lives"

# R4's own definitions of versions 2 and 3 live where their canonical url says
_OF_VERSIONS_2_AND_3 = ("http://hl7.org/fhir/v2/", "http://hl7.org/fhir/v3/", "http://terminology.hl7.org/")


def entry_resources(bundle: JsonObject) -> dict[str, JsonObject]:
    """The resources in a Bundle by the absolute URLs that references mean, with their version too."""
    found: dict[str, JsonObject] = {}
    for _, full_url, resource in _entries(bundle):
        if isinstance(full_url, str) and isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            found[full_url] = resource
            if version := _version(resource):
                found[f"{full_url}/_history/{version}"] = resource
    return found


def entry_addresses(bundle: JsonObject) -> dict[int, str]:
    """The fullUrl of each resource in a Bundle, by its id(): what relative references in it start from."""
    return {id(resource): full_url for _, full_url, resource in _entries(bundle) if isinstance(full_url, str)}


def bundle_faults(bundle: JsonObject, expression: str, resource_types: frozenset[str]) -> Iterator[Issue]:
    """What is wrong with the names and links of a Bundle as a whole."""
    yield from _full_urls(bundle, expression, resource_types)
    yield from _ambiguous(bundle, expression)
    yield from _links(bundle, expression)


def _full_urls(bundle: JsonObject, expression: str, resource_types: frozenset[str]) -> Iterator[Issue]:
    """Each entry is named, absolutely, and by a server's URL only as that server would (R4, Bundle.entry.fullUrl)."""
    for position, full_url, resource in _entries(bundle):
        problem = ""
        if full_url is None:
            problem = _why_named(text(bundle.get("type")), resource)
        elif not isinstance(full_url, str):
            continue
        elif not is_absolute(full_url):
            problem = _RELATIVE
        elif not isinstance(resource, dict):
            continue
        elif (found := type_and_id(full_url)) and found[0] in resource_types:
            problem = "" if found == (resource.get("resourceType"), resource.get("id")) else _ANOTHER
        elif full_url == resource.get("url") and not full_url.startswith(_OF_VERSIONS_2_AND_3):
            problem = _CANONICAL
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
    refers = type_ not in _RESPONSES and any(name[:1] not in ("", "#") for _, name in references(resource))
    return _REFERS if refers else ""


def _ambiguous(bundle: JsonObject, expression: str) -> Iterator[Issue]:
    """A reference to a resource of which there are several versions says which (R4, Bundle, Resolving references)."""
    entries = list(_entries(bundle))
    named = Counter(full_url for _, full_url, _ in entries if isinstance(full_url, str))
    several = {name for name, count in named.items() if count > 1}
    if not several:
        return
    for position, full_url, resource in entries:
        for place, reference in references(resource):
            if absolute(reference, text(full_url)) in several:
                yield rules.issue("reference-ambiguous", f"{expression}.entry[{position}].resource{place}")


def _links(bundle: JsonObject, expression: str) -> Iterator[Issue]:
    """Pages are of searches and histories, each relation of one page; a stylesheet is in the document."""
    type_ = text(bundle.get("type"))
    seen: set[str] = set()
    for position, link in enumerate(items(bundle.get("link"))):
        relation = text(link.get("relation")) if isinstance(link, dict) else ""
        problem = ""
        if relation in _PAGES and type_ not in _SEARCHES:
            problem = f"'{relation}' is a page of a search or history, which this Bundle is not"
        elif relation in _PAGES | {"self"} and relation in seen:
            problem = f"There may be only one link '{relation}'"
        elif relation == "stylesheet" and type_ == "document" and not _is_here(text(link.get("url")), bundle):
            problem = "The stylesheet is not in this document"
        if problem:
            yield rules.issue("bundle-link", f"{expression}.link[{position}]", problem=problem)
        seen.add(relation)


def _is_here(url: str, bundle: JsonObject) -> bool:
    return is_absolute(url) or any(own_address(resource) == url for _, _, resource in _entries(bundle))


def own_address(resource: Any) -> str:
    """Type and id of a resource, as a stylesheet is named; empty without them."""
    if not isinstance(resource, dict) or not text(resource.get("id")):
        return ""
    return f"{resource.get('resourceType')}/{resource['id']}"


def _version(resource: JsonObject) -> str:
    meta = resource.get("meta")
    return text(meta.get("versionId")) if isinstance(meta, dict) else ""


def _entries(bundle: JsonObject) -> Iterator[tuple[int, Any, Any]]:
    for position, entry in enumerate(items(bundle.get("entry"))):
        if isinstance(entry, dict):
            yield position, entry.get("fullUrl"), entry.get("resource")
