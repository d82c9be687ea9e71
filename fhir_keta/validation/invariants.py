"""The invariants of base R4 and of our profiles that no schema says, as small named functions by their key.

A function gets the object that carries the constraint and its scope, and returns whether the constraint is met. It must
accept any shape: what is malformed is another rule's finding, so where it cannot judge it returns True.
Sources: the constraint of that key in the R4 StructureDefinitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_keta.validation.xhtml import is_allowed_xhtml

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """``resource`` is FHIRPath's %resource, the nearest one; ``root`` its %rootResource, whose contained it is.

    ``entries`` are the resource types in the Bundle around it, by fullUrl.
    """

    resource: JsonObject
    root: JsonObject
    entries: Mapping[str, str]

    def type_of(self, reference: str) -> str | None:
        """The type of the resource that a reference leads to inside the record; None where it leads outside."""
        if reference.startswith("#"):
            contained = _objects(self.root.get("contained"))
            found = next((item for item in contained if item.get("id") == reference[1:]), None)
            return str(found.get("resourceType")) if found else None
        return self.entries.get(reference)


_UCUM = "http://unitsofmeasure.org"

Function = Callable[[JsonObject, Scope], bool]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One constraint of an element that is checked by a function."""

    key: str
    human: str
    holds: Function


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[JsonObject]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _descendants(value: Any) -> Iterator[JsonObject]:
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _distinct(values: list[Any]) -> bool:
    return len(values) == len(set(values))


def _no_nested_contained(value: JsonObject, _scope: Scope) -> bool:
    return not any("contained" in item for item in _objects(value.get("contained")))


def _contained_is_used(value: JsonObject, _scope: Scope) -> bool:
    """dom-3: every contained resource is referred to from elsewhere in the resource, or refers to its container."""
    contained = _objects(value.get("contained"))
    if not contained:
        return True
    named = {
        text for node in _descendants(value) for text in node.values() if isinstance(text, str) and text[:1] == "#"
    }
    for item in contained:
        refers_back = any(node.get("reference") == "#" for node in _descendants(item))
        if f"#{item.get('id')}" not in named and not refers_back:
            return False
    return True


def _reference_is_contained(value: JsonObject, scope: Scope) -> bool:
    reference = value.get("reference")
    if not isinstance(reference, str) or reference[:1] != "#" or reference == "#":
        return True
    return any(item.get("id") == reference[1:] for item in _objects(scope.root.get("contained")))


_DATE_TIME = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)?)?)?)?$")


def compare_dates(left: str, right: str) -> int | None:
    """-1, 0 or 1 for two FHIR dates or dateTimes; None where their precision leaves it open (FHIRPath N1, 6.2.3)."""
    first, second = _DATE_TIME.match(left), _DATE_TIME.match(right)
    if first is None or second is None:
        return None
    if first[4] and second[4] and first[7] and second[7]:
        a, b = _instant(first), _instant(second)
        return (a > b) - (a < b)
    for part, other in zip(first.groups()[:3], second.groups()[:3], strict=True):
        if part is None or other is None:
            return 0 if part is other else None
        if part != other:
            return 1 if part > other else -1
    return 0 if not first[4] and not second[4] else None


def _instant(match: re.Match[str]) -> float:
    from datetime import UTC, datetime, timedelta

    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    zone = match[7]
    offset = timedelta()
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    try:
        moment = datetime(year, month, day, hour, minute, tzinfo=UTC) - offset
    except (ValueError, OverflowError):
        return 0.0
    return moment.timestamp() + float(match[6])


def _period_in_order(value: JsonObject, _scope: Scope) -> bool:
    start, end = value.get("start"), value.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        return True
    order = compare_dates(start, end)
    return order is not None and order <= 0


def _range_in_order(value: JsonObject, _scope: Scope) -> bool:
    low, high = value.get("low"), value.get("high")
    if not isinstance(low, dict) or not isinstance(high, dict):
        return True
    if low.get("code", low.get("unit")) != high.get("code", high.get("unit")):
        return True
    first, second = low.get("value"), high.get("value")
    return not isinstance(first, int | float) or not isinstance(second, int | float) or first <= second


def _codings(value: Any) -> set[tuple[Any, Any]]:
    concept = value if isinstance(value, dict) else {}
    return {(coding.get("system"), coding.get("code")) for coding in _objects(concept.get("coding"))}


def _no_component_repeats_the_code(value: JsonObject, scope: Scope) -> bool:
    if not any(key.lstrip("_").startswith("value") for key in value):
        return True
    own = _codings(scope.resource.get("code"))
    return not any(own & _codings(component.get("code")) for component in _objects(value.get("component")))


def _entries(kind: str, key: str) -> Function:
    kinds = {
        "request": ("batch", "transaction", "history"),
        "response": ("batch-response", "transaction-response", "history"),
    }[key]

    def holds(value: JsonObject, _scope: Scope) -> bool:
        expected = value.get("type") in kinds
        return all((key in entry) is expected for entry in _objects(value.get("entry")))

    return holds


def _full_urls_distinct(value: JsonObject, _scope: Scope) -> bool:
    if value.get("type") == "history":
        return True
    found = []
    for entry in _objects(value.get("entry")):
        if "fullUrl" in entry:
            resource = entry.get("resource")
            meta = resource.get("meta") if isinstance(resource, dict) else None
            version = meta.get("versionId") if isinstance(meta, dict) else None
            found.append((str(entry["fullUrl"]), str(version)))
    return _distinct(found)


def _first_entry_is(kind: str, resource_type: str) -> Function:
    def holds(value: JsonObject, _scope: Scope) -> bool:
        if value.get("type") != kind:
            return True
        entries = _objects(value.get("entry"))
        resource = entries[0].get("resource") if entries else None
        return isinstance(resource, dict) and resource.get("resourceType") == resource_type

    return holds


def _link_ids_distinct(value: JsonObject, _scope: Scope) -> bool:
    found = [node["linkId"] for node in _descendants(value.get("item")) if isinstance(node.get("linkId"), str)]
    return _distinct(found)


def _group_or_display_items(value: JsonObject, _scope: Scope) -> bool:
    return (
        ("item" in value) if value.get("type") == "group" else not (value.get("type") == "display" and "item" in value)
    )


def _concept_codes_distinct(value: JsonObject, _scope: Scope) -> bool:
    codes: list[str] = []
    stack = _objects(value.get("concept"))
    while stack:
        concept = stack.pop()
        if isinstance(concept.get("code"), str):
            codes.append(concept["code"])
        stack.extend(_objects(concept.get("concept")))
    return _distinct(codes)


def _distinct_by(key: str, name: str) -> Function:
    """The ``name`` of the objects under ``key`` are distinct."""

    def holds(value: JsonObject, _scope: Scope) -> bool:
        return _distinct([item[name] for item in _objects(value.get(key)) if isinstance(item.get(name), str)])

    return holds


def _at_most_one_type(prefix: str) -> Function:
    def holds(value: JsonObject, _scope: Scope) -> bool:
        return not any(key.startswith(prefix) for key in value) or len(_list(value.get("type"))) <= 1

    return holds


def _element_paths(value: JsonObject, scope: Scope) -> bool:
    """sdf-8, sdf-8a: the first element is the type itself, all others stand below it."""
    paths = [_text(element.get("path")) for element in _objects(value.get("element"))]
    if not paths:
        return True
    root = paths[0].partition(".")[0]
    if scope.resource.get("kind") != "logical" and root != scope.resource.get("type"):
        return False
    return all(path.startswith(f"{root}.") for path in paths[1:])


def _ids_distinct(view: str) -> Function:
    def holds(value: JsonObject, _scope: Scope) -> bool:
        elements = _objects((value.get(view) or {}).get("element")) if isinstance(value.get(view), dict) else []
        return all("id" in element for element in elements) and _distinct([str(e.get("id")) for e in elements])

    return holds


def _ucum(value: JsonObject) -> bool:
    if "value" in value and "code" not in value:
        return False
    return bool(value.get("system", _UCUM) == _UCUM)


def _choice_is(prefix: str, key: str) -> Callable[[JsonObject], bool]:
    return lambda value: all(name == key for name in value if name.startswith(prefix) and name[len(prefix)].isupper())


def _is_negative(value: Any) -> bool:
    return isinstance(value, int | float) and value < 0


def _extension_or_value(value: JsonObject, _scope: Scope) -> bool:
    has_value = any(key.startswith(("value", "_value")) for key in value)
    return ("extension" in value) is not has_value


def _xhtml_allowed(value: JsonObject, _scope: Scope) -> bool:
    div = value.get("div")
    return not isinstance(div, str) or is_allowed_xhtml(div)


def _starts_with_scheme(value: JsonObject, _scope: Scope) -> bool:
    return "valueSet" not in value or _text(value["valueSet"]).startswith(("http:", "https", "urn:"))


def _minimum_below_maximum(value: JsonObject, _scope: Scope) -> bool:
    low, high = value.get("min"), _text(value.get("max"))
    return not isinstance(low, int) or not high.isdecimal() or low <= int(high)


_RECALL_OR_EXTRACT = frozenset(
    {
        "https://w3id.org/fhir-keta/StructureDefinition/keta-recall",
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract",
    }
)
_ORDINAL_VALUE = frozenset({"http://hl7.org/fhir/StructureDefinition/ordinalValue"})
_SCALES = frozenset(
    f"https://w3id.org/fhir-keta/CodeSystem/{name}" for name in ("keta-intensity", "keta-how-it-felt", "keta-change")
)
_INSTRUMENT_ANSWERS = frozenset({"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"})


def _questions(value: JsonObject) -> Iterator[JsonObject]:
    return (
        node
        for item in _objects(value.get("item"))
        for node in _descendants({"item": [item]})
        if "linkId" in node and node.get("type") not in ("group", "display")
    )


def _has_extension(value: JsonObject, urls: frozenset[str]) -> bool:
    return any(extension.get("url") in urls for extension in _objects(value.get("extension")))


def _scored_options_have_values(value: JsonObject, _scope: Scope) -> bool:
    for question in _questions(value):
        for option in _objects(question.get("answerOption")):
            coding = option.get("valueCoding")
            if not isinstance(coding, dict):
                continue
            scored = coding.get("system") in _SCALES or coding.get("code") in _INSTRUMENT_ANSWERS
            if scored and not (_has_extension(option, _ORDINAL_VALUE) and _has_extension(coding, _ORDINAL_VALUE)):
                return False
    return True


FUNCTIONS: dict[str, Function] = {
    "keta-questionnaire-1": lambda value, _: all("code" in question for question in _questions(value)),
    "keta-questionnaire-2": lambda value, _: all(
        _has_extension(each, _RECALL_OR_EXTRACT) for each in _questions(value)
    ),
    "keta-questionnaire-3": _scored_options_have_values,
    "dom-2": _no_nested_contained,
    "dom-3": _contained_is_used,
    "ref-1": _reference_is_contained,
    "ext-1": _extension_or_value,
    "txt-1": _xhtml_allowed,
    "per-1": _period_in_order,
    "rng-2": _range_in_order,
    "obs-7": _no_component_repeats_the_code,
    "bdl-3": _entries("batch", "request"),
    "bdl-4": _entries("batch-response", "response"),
    "bdl-7": _full_urls_distinct,
    "bdl-8": lambda value, _: "/_history/" not in _text(value.get("fullUrl")),
    "bdl-11": _first_entry_is("document", "Composition"),
    "bdl-12": _first_entry_is("message", "MessageHeader"),
    "que-1": _group_or_display_items,
    "que-2": _link_ids_distinct,
    "que-7": lambda value, _: value.get("operator") != "exists" or _choice_is("answer", "answerBoolean")(value),
    "que-12": lambda value, _: len(_list(value.get("enableWhen"))) <= 2 or "enableBehavior" in value,
    "que-13": lambda value, _: value.get("repeats") is True or len(_list(value.get("initial"))) <= 1,
    "csd-1": _concept_codes_distinct,
    "tim-4": lambda value, _: not _is_negative(value.get("duration")),
    "tim-5": lambda value, _: not _is_negative(value.get("period")),
    "age-1": lambda value, _: _ucum(value) and (not isinstance(value.get("value"), int | float) or value["value"] > 0),
    "cnt-3": lambda value, _: _ucum(value) and value.get("code", "1") == "1",
    "drt-1": lambda value, _: "code" not in value or ("value" in value and "system" in value and _ucum(value)),
    "eld-2": _minimum_below_maximum,
    "eld-6": _at_most_one_type("fixed"),
    "eld-7": _at_most_one_type("pattern"),
    "eld-12": _starts_with_scheme,
    "eld-13": _distinct_by("type", "code"),
    "eld-14": _distinct_by("constraint", "key"),
    "sdf-8": _element_paths,
    "sdf-8a": _element_paths,
    "sdf-16": _ids_distinct("snapshot"),
    "sdf-17": _ids_distinct("differential"),
    "org-1": lambda value, _: "identifier" in value or "name" in value or "_name" in value,
    "lnk-1": lambda value, _: len(_list(value.get("item"))) > 1,
}
