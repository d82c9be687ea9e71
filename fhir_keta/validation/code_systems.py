"""Code systems and searches: what R4 says of their parts beyond each part's own definition.

As in ``invariants/records.py``: a function returns whether the rule is kept, and True where it cannot judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_keta.validation.addresses import is_absolute
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import objects, text

JsonObject = dict[str, Any]

_PROPERTIES = "http://hl7.org/fhir/concept-properties#"
# the type of each property that HL7 defines
_TYPES = {
    **dict.fromkeys(("status", "parent", "child", "partOf", "synonym"), "code"),
    **dict.fromkeys(("inactive", "notSelectable"), "boolean"),
    **dict.fromkeys(("effectiveDate", "deprecationDate", "retirementDate"), "dateTime"),
    "comment": "string",
    "itemWeight": "decimal",
}
_OF_R4 = re.compile(r"http://hl7\.org/fhir/[^/]*")
_OTHER_CODES = frozenset({"parent", "child", "partOf", "synonym"})


def properties_are_defined_well(value: JsonObject, _scope: Scope) -> bool:
    """R4, CodeSystem.property: each with a code and uri of its own, one of HL7's with that one's code and type."""
    properties = objects(value.get("property"))
    uris = [text(each["uri"]) for each in properties if "uri" in each]
    codes = [text(each.get("code")) for each in properties]
    if len(set(uris)) < len(uris) or len(set(codes)) < len(codes):
        return False
    url = text(value.get("url"))
    return all(map(is_absolute, uris)) and all(_is_as_hl7_has_it(each, url) for each in properties)


def _is_as_hl7_has_it(declared: JsonObject, url: str) -> bool:
    """A uri of HL7's is one that it has given, but where the system at ``url`` is HL7's own or has the property."""
    uri = text(declared.get("uri"))
    name, code = uri.removeprefix(_PROPERTIES), text(declared.get("code"))
    if uri.startswith(_PROPERTIES) and name in _TYPES:
        return declared.get("type") in (None, _TYPES[name]) and (code == name or code not in _TYPES)
    return "://hl7.org/fhir" not in uri or _OF_R4.fullmatch(url) is not None or (url != "" and uri.startswith(url))


def properties_are_used_well(value: JsonObject, _scope: Scope) -> bool:
    """R4, CodeSystem.concept.property: of the type declared; what leads to a concept leads to one of this system."""
    declared = {text(each.get("code")): each for each in objects(value.get("property"))}
    concepts = list(_concepts(value))
    codes = {text(concept.get("code")) for concept in concepts}
    for given in (given for concept in concepts for given in objects(concept.get("property"))):
        name = text(given.get("code"))
        kind = next((key.removeprefix("value") for key in given if key.startswith("value")), "")
        if name not in declared or not kind:
            continue
        if kind[:1].lower() + kind[1:] != declared[name].get("type", ""):
            return False
        leads_to_code = text(declared[name].get("uri")).removeprefix(_PROPERTIES) in _OTHER_CODES
        if leads_to_code and "supplements" not in value and text(given.get("valueCode")) not in codes:
            return False
    return True


def _concepts(node: JsonObject) -> Iterator[JsonObject]:
    pending = objects(node.get("concept"))
    while pending:
        concept = pending.pop()
        yield concept
        pending.extend(objects(concept.get("concept")))


def content_is_as_stated(value: JsonObject, _scope: Scope) -> bool:
    """R4, CodeSystem.content: a system that is not present has no concepts, a supplement says of what it is one."""
    content = value.get("content")
    if content == "supplement" or "supplements" in value:
        return content == "supplement" and "supplements" in value and "caseSensitive" not in value
    return content != "not-present" or not objects(value.get("concept"))


def composite_has_components(value: JsonObject, _scope: Scope) -> bool:
    """R4, SearchParameter.component: a composite search is of two values or more."""
    return value.get("type") != "composite" or len(objects(value.get("component"))) > 1
