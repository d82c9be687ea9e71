"""When a listed kind of difference applies: asked of what stands at the finding's element, and of the record."""

from __future__ import annotations

import html.entities
import re
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.ucum import measure
from tests.oracle.places import above, at

_TYPE_AND_ID = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}(/_history/[A-Za-z0-9.-]{1,64})?")
_NAMES_A_TYPE = re.compile(r"(https?://\S+/)?[A-Z][A-Za-z]+/[A-Za-z0-9.-]+(/_history/[A-Za-z0-9.-]+)?(#.*)?")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
_BASE64 = re.compile(r"(\s*([0-9a-zA-Z+/=]){4}\s*)+")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)\.[0-9]+")

# systems of which the oracle has no codes without a terminology server
ELSEWHERE = ("http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org")


def leads_out_of_the_record(value: Any, record: Any, _expression: str) -> bool:
    """A reference that names the type of its target, to something that the record has not."""
    reference = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(reference, str) or not _NAMES_A_TYPE.fullmatch(reference):
        return False
    return not any(address.endswith(reference) for address in _addresses(record))


def _addresses(record: Any) -> Iterator[str]:
    for entry in record.get("entry", ()) if isinstance(record, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("fullUrl"), str):
            yield entry["fullUrl"]


def is_empty_text(value: Any, _record: Any, _expression: str) -> bool:
    return bool(value == "")


def is_empty_list(value: Any, record: Any, expression: str) -> bool:
    """An array with nothing in it; the finding may be about the null that stands in it, or name its first element."""
    values = value if isinstance(value, list) else at(record, expression.rpartition("[")[0])
    return isinstance(values, list) and not any(values)


def is_blank(value: Any, _record: Any, _expression: str) -> bool:
    return isinstance(value, str) and value != "" and not value.strip()


def _codings(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        return []
    codings = value.get("coding") if "coding" in value else [value]
    return [each for each in codings if isinstance(each, dict)] if isinstance(codings, list) else []


def _is_half(coding: dict[str, Any]) -> bool:
    return any(not isinstance(text := coding.get(name), str) or not text.strip() for name in ("system", "code"))


def has_half_a_code(value: Any, _record: Any, _expression: str) -> bool:
    """Codings without a system or without a code, and no whole one."""
    return bool(_codings(value)) and all(map(_is_half, _codings(value)))


def has_a_code_of_elsewhere(value: Any, _record: Any, _expression: str) -> bool:
    """A coding of a system that it does not know, and no whole one of another."""
    codings = [each for each in _codings(value) if not _is_half(each)]
    return bool(codings) and all(each["system"] in ELSEWHERE for each in codings)


def is_beside_a_code_of_elsewhere(_value: Any, record: Any, expression: str) -> bool:
    """A coding of a concept that has another one of a system that it does not know."""
    concept = at(record, above(expression, "coding").rpartition(".")[0])
    return any(each.get("system") in ELSEWHERE for each in _codings(concept))


def is_no_type_and_id(value: Any, _record: Any, _expression: str) -> bool:
    reference = value.get("reference") if isinstance(value, dict) else value
    return isinstance(reference, str) and ":" not in reference and not _TYPE_AND_ID.fullmatch(reference)


def has_an_id_only(value: Any, _record: Any, _expression: str) -> bool:
    return isinstance(value, dict) and set(value) == {"id"}


def has_a_scheme_it_does_not_know(value: Any, _record: Any, _expression: str) -> bool:
    """A URI with a scheme (RFC 3986) other than those few, or with one in capitals, or nothing behind it."""
    texts = [value, *value.values()] if isinstance(value, dict) else [value]
    schemes = r"(?!(?:https?|urn):.)[A-Za-z][A-Za-z0-9+.-]*:"
    return any(isinstance(text, str) and re.match(schemes, text) for text in texts)


def is_a_short_oid(value: Any, _record: Any, _expression: str) -> bool:
    return isinstance(value, str) and _OID.fullmatch(value) is not None


def is_base64_with_white_space(value: Any, _record: Any, _expression: str) -> bool:
    data = value.get("data") if isinstance(value, dict) else value
    return isinstance(data, str) and any(map(str.isspace, data)) and _BASE64.fullmatch(data) is not None


def is_counted_but_not_base64(value: Any, _record: Any, expression: str) -> bool:
    """Four characters, or a multiple, of base64Binary, whatever they are."""
    if not isinstance(value, str) or len("".join(value.split())) % 4:
        return False
    return re.search(r"(\.data|\.query|\.carrierAIDC|\.ofType\(base64Binary\))$", expression) is not None


def is_a_system_it_does_not_look_at(value: Any, record: Any, expression: str) -> bool:
    """Of a quantity without a code, or one of terminology.hl7.org that may not be known."""
    quantity = at(record, expression.rpartition(".")[0])
    is_alone = isinstance(quantity, dict) and "code" not in quantity
    return is_alone or str(value).startswith("https://terminology.hl7.org/")


def is_an_effective_description(_value: Any, _record: Any, expression: str) -> bool:
    """An element whose name begins with that of another, which is one of a choice of types."""
    return expression.endswith(("participantEffectiveDescription", "studyEffectiveDescription"))


def is_a_range_it_cannot_convert(value: Any, _record: Any, _expression: str) -> bool:
    """Two values of which one has a code that is no unit of UCUM known here, or one with a zero of its own (Cel).

    Or two in order, of which one has no words for its unit.
    """
    low, high = (value.get(name, {}) for name in ("low", "high")) if isinstance(value, dict) else ({}, {})
    values = [low.get("value"), high.get("value")]
    if not all(isinstance(each, int | float) for each in values) or not all("code" in each for each in (low, high)):
        return False
    units = [measure(str(each["code"])) for each in (low, high)]
    if any(unit is None or unit.zero for unit in units):
        return True
    return bool(values[0] <= values[1]) and ("unit" in low) is not ("unit" in high)


def is_beside_an_id(_value: Any, record: Any, expression: str) -> bool:
    """What is unknown is ``_id``, of an element or a resource inside."""
    around, _, name = expression.rpartition(".")
    return name == "id" and isinstance(around := at(record, around), dict) and "_id" in around


def is_a_range_of_two_kinds(value: Any, _record: Any, _expression: str) -> bool:
    """Two values in units that measure different things, or only one of them with a unit."""
    codes = [value[name].get("code") for name in ("low", "high")]
    low, high = (measure(str(code)) for code in codes)
    if low is None or high is None:
        return (codes[0] is None) is not (codes[1] is None)
    return low.powers != high.powers


def is_of_a_list_it_lacks(value: Any, _record: Any, _expression: str) -> bool:
    """A MIME type, or a currency."""
    return isinstance(value, str) and re.fullmatch(r"[a-z]+/[a-z0-9][a-z0-9!#$&^_.+-]*|[A-Z]{3}", value) is not None


def is_a_time_with_fractions(value: Any, _record: Any, _expression: str) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _narrative(value: Any) -> str:
    div = value.get("div") if isinstance(value, dict) else value
    return div if isinstance(div, str) else ""


def is_no_xml(value: Any, _record: Any, _expression: str) -> bool:
    """A narrative that a parser of XML refuses, which would also know the entities of HTML."""
    div = re.sub(
        r"&(\w+);", lambda found: "" if found[1] in html.entities.name2codepoint else found[0], _narrative(value)
    )
    try:
        expat.ParserCreate().Parse(re.sub("&apos;", "", div), True)
    except expat.ExpatError:
        return True
    return False


def is_no_plain_div(value: Any, _record: Any, _expression: str) -> bool:
    return not re.match(r"\s*<div\b(?!:)", _narrative(value))


def has_a_blank_in_an_end_tag(value: Any, _record: Any, _expression: str) -> bool:
    return re.search(r"</\w+\s+>", _narrative(value)) is not None


def has_text_in_cdata(value: Any, _record: Any, _expression: str) -> bool:
    return re.search(r"<!\[CDATA\[\s*[^\s\]]", _narrative(value)) is not None


def is_named_with_a_line_end(value: Any, _record: Any, _expression: str) -> bool:
    names = (value.get("path"), value.get("sliceName")) if isinstance(value, dict) else ()
    return any(isinstance(name, str) and re.search(r"\S\n\Z", name) for name in names)


def is_long(value: Any, _record: Any, _expression: str) -> bool:
    return isinstance(value, str) and len(value) > 2**20


def is_short_but_for_surrogates(value: Any, _record: Any, _expression: str) -> bool:
    return isinstance(value, str) and len(value) <= 2**20 < len(value.encode("utf-16-le")) // 2


def is_an_extension_of_items(value: Any, record: Any, expression: str) -> bool:
    """An extension for items and items in items, at the root of a form or a response."""
    structure = (
        bundled().structure(value["url"]) if isinstance(value, dict) and isinstance(value.get("url"), str) else {}
    )
    name = record.get("resourceType")
    contexts = {context.get("expression") for context in (structure or {}).get("context", ())}
    return f"{name}.item.item" in contexts and re.fullmatch(rf"{name}\.extension\[\d+\]", expression) is not None


def filters_a_system_elsewhere(_value: Any, record: Any, expression: str) -> bool:
    """A filter on a system of which the oracle has no codes."""
    part = above(expression, "include") or above(expression, "exclude")
    found = at(record, part) if part else None
    return isinstance(found, dict) and found.get("system") in ELSEWHERE


def is_of_a_supplement(_value: Any, record: Any, _expression: str) -> bool:
    return isinstance(record, dict) and record.get("content") == "supplement"


def is_of_hl7(_value: Any, record: Any, _expression: str) -> bool:
    """A definition whose url is HL7's."""
    return isinstance(record, dict) and str(record.get("url")).startswith(("http://hl7.org/fhir", "http://terminology"))


def is_below_another_concept(_value: Any, _record: Any, expression: str) -> bool:
    return re.search(r"concept\[\d+\]\.concept\[\d+\]", expression) is not None


def is_mapped_in_any_case(_value: Any, record: Any, expression: str) -> bool:
    """A code that a map takes from, or leads to, a system that is not case sensitive."""
    group = at(record, above(expression, "group"))
    side = "target" if ".target[" in expression else "source"
    canonical = group.get(side) if isinstance(group, dict) else None
    system = bundled().code_system(canonical.partition("|")[0]) if isinstance(canonical, str) else None
    return system is not None and not system.get("caseSensitive", False)


def is_an_example(value: Any, _record: Any, _expression: str) -> bool:
    return isinstance(value, str) and re.search(r"example\.org|acme\.com", value) is not None
