"""What R4 says of a type in its text, without a constraint: small named functions by their rule in ``rules.py``.

As in ``invariants/records.py``: a function returns whether the rule is kept, and True where it cannot judge.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from typing import Any

from fhir_keta.definitions.library import CORE, base
from fhir_keta.validation.code_systems import (
    composite_has_components,
    content_is_as_stated,
    properties_are_defined_well,
    properties_are_used_well,
)
from fhir_keta.validation.scope import Function, Scope
from fhir_keta.validation.shapes import descendants, distinct, objects, text, without_value
from fhir_keta.validation.xhtml import is_link, is_url, read_narrative

JsonObject = dict[str, Any]

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*|[ixIX](?:-[A-Za-z0-9]{1,8})+")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*=[^=]*")
_TYPE_AND_ID = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?")


def _searched_type(reference: str) -> str:
    """The type of which a conditional reference (``Patient?identifier=...``) is a search; empty: it is none."""
    name, found, _ = reference.partition("?")
    return name if found and name in base().resource_types else ""


def _search_in_transaction(value: JsonObject, scope: Scope) -> bool:
    """R4, RESTful API, Conditional References: ``Patient?identifier=...`` instead of an id."""
    return scope.bundle == "transaction" or not _searched_type(text(value.get("reference")))


def _relative_is_type_and_id(value: JsonObject, scope: Scope) -> bool:
    """R4, Bundle, Resolving references: what is neither absolute nor inside is ``[type]/[id]``, to be found by it.

    Or a search, which has parameters with values.
    """
    reference = text(value.get("reference"))
    if not scope.bundle or not reference or _ABSOLUTE.match(reference) or reference[0] == "#":
        return True
    if _searched_type(reference):
        parameters = [each for each in reference.partition("?")[2].split("&") if each]
        return bool(parameters) and all(map(_PARAMETER.fullmatch, parameters))
    return bool(_TYPE_AND_ID.fullmatch(reference.partition("#")[0]))


def _container_is_around(value: JsonObject, scope: Scope) -> bool:
    """R4, References, Contained Resources: ``#`` alone is the resource around a contained one."""
    return value.get("reference") != "#" or scope.is_contained


def _type_is_the_target(value: JsonObject, scope: Scope) -> bool:
    """R4, Reference.type: "both SHALL be consistent", as far as the reference names a type or leads inside.

    A type of R4 is given by its name: "absolute URLs are only allowed for logical models".
    """
    reference, stated = value.get("reference"), value.get("type")
    if not isinstance(reference, str) or not isinstance(stated, str) or not stated.strip():
        return True
    return (scope.type_of(reference) or _named_type(reference) or stated) == stated


def _named_type(reference: str) -> str:
    """The type that a reference names: before the id, whatever stands in front, or before a search; empty: none.

    HL7's validator takes all that R4 defines for a type, so that ``HumanName/1`` names one, too.
    """
    parts = reference.rstrip("/").split("/")
    place = -4 if len(parts) > 3 and parts[-2] == "_history" else -2
    name = parts[place] if len(parts) > 1 else ""
    is_known = name in base().resource_types or base().find(f"{CORE}{name}") is not None
    return name if is_known else _searched_type(reference)


def _content(value: JsonObject) -> bytes | None:
    data = value.get("data")
    try:
        return base64.b64decode(data) if isinstance(data, str) else None
    except ValueError:  # no base64, or not even ASCII: another rule's finding
        return None


def _size_is_the_size(value: JsonObject, _scope: Scope) -> bool:
    """R4, Attachment.size: the number of bytes before base64 encoding."""
    size = value.get("size")
    content = _content(value) if isinstance(size, int) else None
    return content is None or len(content) == size


def _hash_is_the_hash(value: JsonObject, _scope: Scope) -> bool:
    """R4, Attachment.hash: SHA-1 of the data, in base64."""
    stated = value.get("hash")
    content = _content(value) if isinstance(stated, str) else None
    import hashlib  # takes longer to import than most modules here

    return content is None or base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode() == stated


def _contained_ids_distinct(value: JsonObject, _scope: Scope) -> bool:
    """R4, References, Contained Resources: the id is what the container refers to it by, so each has its own."""
    contained = objects(value.get("contained"))
    return all("id" in item for item in contained) and distinct([text(item["id"]) for item in contained])


def _conditions_have_questions(value: JsonObject, _scope: Scope) -> bool:
    """R4, Questionnaire.item.enableWhen.question: the linkId of another item of this form."""
    items = [node for node in descendants(value.get("item")) if "linkId" in node]
    known = {text(item["linkId"]) for item in items}
    for item in items:
        for condition in objects(item.get("enableWhen")):
            question = condition.get("question")
            if without_value(condition, "question"):
                return False
            if isinstance(question, str) and (question not in known or question == item["linkId"]):
                return False
    return True


def _count_is_the_count(value: JsonObject, _scope: Scope) -> bool:
    """R4, CodeSystem.count: the total number of concepts; a complete system has them all here."""
    count = value.get("count")
    if value.get("content") != "complete" or not isinstance(count, int):
        return True
    nodes = descendants({"concept": value.get("concept")})
    return sum(len(objects(node.get("concept"))) for node in nodes) == count


def _search_result_fits(value: JsonObject, scope: Scope) -> bool:
    """R4, Bundle.entry.search.mode and Search, self link; results are on a server, so they have an id (Resource.id)."""
    bundle, search, resource = scope.resource, value.get("search"), value.get("resource")
    if bundle.get("type") != "searchset" or not isinstance(search, dict) or not isinstance(resource, dict):
        return True
    mode, type_ = search.get("mode"), text(resource.get("resourceType"))
    if mode == "outcome":
        return type_ == "OperationOutcome"
    if mode not in ("match", "include"):
        return True
    return "id" in resource and (mode == "include" or type_ in (_searched_types(bundle) or {type_}))


def _searched_types(bundle: JsonObject) -> set[str]:
    """The types that a search was for: the last part of its URL's path, or the parameter _type; empty: any."""
    links = (link for link in objects(bundle.get("link")) if link.get("relation") == "self")
    path, _, query = text(next(links, {}).get("url")).partition("?")
    if (last := path.rpartition("/")[2]) in base().resource_types:
        return {last}
    parameters = (parameter.partition("=") for parameter in query.split("&"))
    return {type_ for name, _, types in parameters if name == "_type" for type_ in types.split(",")}


def _narrative_in_place(value: JsonObject, _scope: Scope) -> bool:
    """R4, Narrative: XHTML, so an item is in a list, a cell in a row, and no block in a paragraph (XHTML 1.0)."""
    return read_narrative(text(value.get("div"))).is_in_place


def _narrative_leads_somewhere(value: JsonObject, scope: Scope) -> bool:
    """R4, Narrative: links and images are URLs, of something in this resource where they begin with #."""
    narrative = read_narrative(text(value.get("div")))
    links = [url for url in narrative.links if url != "#"]
    if not all(map(is_url, narrative.images)) or not all(map(is_link, links)):
        return False
    if not any(url[:1] == "#" for url in (*links, *narrative.images)):
        return True
    ids: Counter[str] = Counter()
    for node in descendants(scope.root):
        ids.update([text(node.get("id")), *(read_narrative(text(node["div"])).ids if "div" in node else ())])
    known = ids.keys() | {*narrative.names}
    if scope.bundle:
        known |= {text(node.get("id")) for entry in scope.resources.values() for node in descendants(entry)}
    shown = all(ids[url[1:]] == 1 for url in narrative.images if url[:1] == "#")
    return shown and all(url[1:] in known for url in links if url[:1] == "#")


def _language_is_a_tag(value: JsonObject, _scope: Scope) -> bool:
    """R4, Resource.language: one of all languages, a tag of BCP 47; which are registered is not known here."""
    language = value.get("language")
    return not isinstance(language, str) or _LANGUAGE.fullmatch(language) is not None


def _labels_distinct(value: JsonObject, _scope: Scope) -> bool:
    """R4, Meta.security: a set of labels, each by its system and code."""
    labels = objects(value.get("security"))
    return distinct([(text(label.get("system")), text(label.get("code"))) for label in labels])


# by type or element; "Resource" are all of them
IN_WORDS: dict[str, dict[str, Function]] = {
    "Resource": {"contained-id": _contained_ids_distinct, "language-tag": _language_is_a_tag},
    "Reference": {
        "reference-relative": _relative_is_type_and_id,
        "reference-search": _search_in_transaction,
        "reference-container": _container_is_around,
        "reference-type": _type_is_the_target,
    },
    "Attachment": {"attachment-size": _size_is_the_size, "attachment-hash": _hash_is_the_hash},
    "Questionnaire": {"questionnaire-condition": _conditions_have_questions},
    "CodeSystem": {
        "code-system-count": _count_is_the_count,
        "code-system-content": content_is_as_stated,
        "code-system-property": properties_are_defined_well,
        "code-system-property-value": properties_are_used_well,
    },
    "SearchParameter": {"search-components": composite_has_components},
    "Bundle.entry": {"bundle-search": _search_result_fits},
    "Meta": {"security-repeated": _labels_distinct},
    "Narrative": {"narrative-structure": _narrative_in_place, "narrative-link": _narrative_leads_somewhere},
}

# what they read, for those that read little: see ``scope.Invariant``
READ_IN_WORDS = {
    "reference-relative": "reference",
    "reference-search": "reference",
    "reference-container": "reference",
    "reference-type": "reference type",
    "attachment-size": "data size",
    "attachment-hash": "data hash",
    "language-tag": "language",
    "security-repeated": "security",
    "narrative-structure": "div",
    "narrative-link": "div",
}
