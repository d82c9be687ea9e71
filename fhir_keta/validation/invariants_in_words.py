"""What R4 says of a type in its text, without a constraint: small named functions by their rule in ``rules.py``.

As in ``invariants.py``: a function returns whether the rule is kept, and True where it cannot judge.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from fhir_keta.definitions.library import base
from fhir_keta.validation.scope import Function, Scope
from fhir_keta.validation.shapes import descendants, distinct, objects, text

JsonObject = dict[str, Any]

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?")
_TYPE_AND_ID = re.compile(r"(?:https?://.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?")


def _search_in_transaction(value: JsonObject, scope: Scope) -> bool:
    """R4, RESTful API, Conditional References: ``Patient?identifier=...`` instead of an id."""
    return scope.bundle == "transaction" or not _SEARCH.match(text(value.get("reference")))


def _relative_is_type_and_id(value: JsonObject, scope: Scope) -> bool:
    """R4, Bundle, Resolving references: what is neither absolute nor inside is ``[type]/[id]``, to be found by it."""
    reference = text(value.get("reference"))
    if not scope.bundle or not reference or _ABSOLUTE.match(reference) or reference[0] == "#":
        return True
    return bool(_TYPE_AND_ID.fullmatch(reference.partition("#")[0]) or _SEARCH.match(reference))


def _container_is_around(value: JsonObject, scope: Scope) -> bool:
    """R4, References, Contained Resources: ``#`` alone is the resource around a contained one."""
    return value.get("reference") != "#" or scope.is_contained


def _type_is_the_target(value: JsonObject, scope: Scope) -> bool:
    """R4, Reference.type: "both SHALL be consistent", as far as the reference names a type or leads inside."""
    reference, stated = value.get("reference"), value.get("type")
    if not isinstance(reference, str) or not isinstance(stated, str):
        return True
    named = _TYPE_AND_ID.fullmatch(reference)
    found = scope.type_of(reference) or (named[1] if named and named[1] in base().resource_types else None)
    return found is None or stated.removeprefix("http://hl7.org/fhir/StructureDefinition/") == found


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
    return content is None or base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode() == stated


def _contained_ids_distinct(value: JsonObject, _scope: Scope) -> bool:
    """R4, References, Contained Resources: the id is what the container refers to it by."""
    return distinct([text(item["id"]) for item in objects(value.get("contained")) if "id" in item])


def _conditions_have_questions(value: JsonObject, _scope: Scope) -> bool:
    """R4, Questionnaire.item.enableWhen.question: the linkId of another item of this form."""
    items = [node for node in descendants(value.get("item")) if "linkId" in node]
    known = {text(item["linkId"]) for item in items}
    for item in items:
        for condition in objects(item.get("enableWhen")):
            question = condition.get("question")
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


# by type; "Resource" are all of them
IN_WORDS: dict[str, dict[str, Function]] = {
    "Resource": {"contained-id": _contained_ids_distinct},
    "Reference": {
        "reference-relative": _relative_is_type_and_id,
        "reference-search": _search_in_transaction,
        "reference-container": _container_is_around,
        "reference-type": _type_is_the_target,
    },
    "Attachment": {"attachment-size": _size_is_the_size, "attachment-hash": _hash_is_the_hash},
    "Questionnaire": {"questionnaire-condition": _conditions_have_questions},
    "CodeSystem": {"code-system-count": _count_is_the_count},
}
