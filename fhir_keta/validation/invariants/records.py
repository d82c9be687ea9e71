"""The invariants of base R4 and of our profiles that no schema says, as small named functions by their key.

A function gets the object that carries the constraint and its scope, and returns whether the constraint is met. It must
accept any shape: what is malformed is another rule's finding, so where it cannot judge it returns True.
Sources: the constraint of that key in the R4 StructureDefinitions. Those of definitions are in
``invariants/definitions.py``.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from fhir_keta.validation.dates import compare_dates
from fhir_keta.validation.invariants.definitions import DEFINITION_FUNCTIONS
from fhir_keta.validation.scope import Function, Scope
from fhir_keta.validation.shapes import descendants, distinct, items, number, objects, text, without_value
from fhir_keta.validation.ucum import measure
from fhir_keta.validation.xhtml import has_content, is_allowed_xhtml

JsonObject = dict[str, Any]

_LINKS = re.compile(r"""(?:href|src)\s*=\s*["']#([^"']+)""")
UCUM = "http://unitsofmeasure.org"


def invariant_function(path: str, key: str) -> Function | None:
    """The function for the constraint ``key`` of the element at ``path``; None where a schema says it, or nothing.

    R4 uses the key inv-1 three times: such keys are listed with their resource type in front.
    """
    return FUNCTIONS.get(key) or FUNCTIONS.get(f"{path.partition('.')[0]} {key}")


def _no_nested_contained(value: JsonObject, _scope: Scope) -> bool:
    return not any("contained" in item for item in objects(value.get("contained")))


def _contained_is_used(value: JsonObject, _scope: Scope) -> bool:
    """dom-3: every contained resource is referred to from elsewhere in the resource, or refers to its container."""
    contained = objects(value.get("contained"))
    if not contained:
        return True
    inside = [_fragments(item) for item in contained]
    around = _fragments({name: content for name, content in value.items() if name != "contained"})
    for position, item in enumerate(contained):
        others = around.union(*(named for other, named in enumerate(inside) if other != position))
        name = item.get("id")
        if not (isinstance(name, str) and name in others) and "" not in inside[position]:
            return False
    return True


def _fragments(value: Any) -> set[str]:
    """What is referred to as ``#...``: by references, URLs and canonicals, and by links and images in narratives."""
    words = [word for node in descendants(value) for content in node.values() for word in (content, *items(content))]
    found = {word[1:] for word in words if isinstance(word, str) and word[:1] == "#"}
    return found.union(*(_LINKS.findall(text(node.get("div"))) for node in descendants(value)))


def _reference_is_contained(value: JsonObject, scope: Scope) -> bool:
    reference = value.get("reference")
    if not isinstance(reference, str) or reference[:1] != "#" or reference == "#":
        return True
    return any(item.get("id") == reference[1:] for item in objects(scope.root.get("contained")))


def _not_before(first: str, second: str) -> Function:
    """Where both are given, ``second`` is the same or later; what precision leaves open is not met (FHIRPath N1)."""

    def holds(value: JsonObject, _scope: Scope) -> bool:
        start, end = value.get(first), value.get(second)
        if not isinstance(start, str) or not isinstance(end, str):
            return True
        order = compare_dates(start, end)
        return order is not None and order <= 0

    return holds


def _both_not_before(first: str, second: str) -> Function:
    """The same of two that are there, if only with extensions: what has no value is not earlier than anything."""
    in_order = _not_before(first, second)

    def holds(value: JsonObject, scope: Scope) -> bool:
        if without_value(value, first) or without_value(value, second):
            return not all(name in value or without_value(value, name) for name in (first, second))
        return in_order(value, scope)

    return holds


def _range_in_order(value: JsonObject, _scope: Scope) -> bool:
    """rng-2: low <= high; without a value, or in units that measure something else, they cannot be compared: not met.

    Units of UCUM are converted, where they are known here.
    """
    low, high = value.get("low"), value.get("high")
    if not isinstance(low, dict) or not isinstance(high, dict):
        return True
    if "value" not in low or "value" not in high:
        return False
    if low.get("unit") != high.get("unit"):
        if not all(each.get("system") == UCUM and "code" in each for each in (low, high)):
            return False
        if low["code"] != high["code"]:
            return _converted_in_order(low, high)
    first, second = number(low["value"]), number(high["value"])
    return first is None or second is None or first <= second


def _converted_in_order(low: JsonObject, high: JsonObject) -> bool:
    first, second = (number(each["value"]) for each in (low, high))
    of, to = measure(text(low["code"])), measure(text(high["code"]))
    if first is None or second is None or of is None or to is None:
        return True
    return of.powers == to.powers and (_exact(first) * of.factor + of.zero <= _exact(second) * to.factor + to.zero)


def _exact(value: float) -> Fraction:
    """As it is written, not as a float has it."""
    return Fraction(value) if isinstance(value, int) else Fraction(str(value))


def _codings(value: Any) -> list[JsonObject]:
    return objects(value.get("coding")) if isinstance(value, dict) else []


def _says_the_same(component: JsonObject, own: JsonObject) -> bool:
    """As HL7's validator takes the equality of Codings: the component's may say more, and nothing else."""
    return all(component.get(key) == content for key, content in own.items())


def _no_component_repeats_the_code(value: JsonObject, scope: Scope) -> bool:
    components = objects(value.get("component"))
    if not components or not any(key.lstrip("_").startswith("value") for key in value):
        return True
    own = _codings(scope.resource.get("code"))
    codings = (coding for component in components for coding in _codings(component.get("code")))
    return not any(_says_the_same(coding, each) for coding in codings for each in own)


def _entries_have(name: str, *types: str) -> Function:
    def holds(value: JsonObject, _scope: Scope) -> bool:
        expected = value.get("type") in types
        return all((name in entry) is expected for entry in objects(value.get("entry")))

    return holds


def _no_version_in_full_url(value: JsonObject, _scope: Scope) -> bool:
    """bdl-8: as FHIRPath it is empty, so not met, for the entries that need no fullUrl; nobody reads it so."""
    return "/_history/" not in text(value.get("fullUrl"))


def _full_urls_distinct(value: JsonObject, _scope: Scope) -> bool:
    if value.get("type") == "history":
        return True
    found = []
    for entry in objects(value.get("entry")):
        if "fullUrl" in entry:
            resource = entry.get("resource")
            meta = resource.get("meta") if isinstance(resource, dict) else None
            version = meta.get("versionId") if isinstance(meta, dict) else None
            found.append((str(entry["fullUrl"]), str(version)))
    return distinct([*found])


def _first_entry_is(kind: str, resource_type: str) -> Function:
    def holds(value: JsonObject, _scope: Scope) -> bool:
        if value.get("type") != kind:
            return True
        entries = objects(value.get("entry"))
        resource = entries[0].get("resource") if entries else None
        return isinstance(resource, dict) and resource.get("resourceType") == resource_type

    return holds


def _extension_or_value(value: JsonObject, _scope: Scope) -> bool:
    """ext-1: as a schema it would name all fifty types a value may have, twice."""
    has_value = any(key.startswith(("value", "_value")) for key in value)
    return ("extension" in value) is not has_value


def _xhtml_allowed(value: JsonObject, _scope: Scope) -> bool:
    div = value.get("div")
    return not isinstance(div, str) or is_allowed_xhtml(div)


def _narrative_says_something(value: JsonObject, _scope: Scope) -> bool:
    """txt-2: R4's expression is that of txt-1; what it means stands in its text."""
    div = value.get("div")
    return not isinstance(div, str) or has_content(div)


_MEALS = frozenset({"C", "CM", "CD", "CV"})


def _offset_has_event(value: JsonObject, _scope: Scope) -> bool:
    """tim-9: an offset needs a ``when`` that is no meal; the FHIRPath says so of one, HL7's validator of each."""
    when = items(value.get("when"))
    given = "offset" in value or without_value(value, "offset")
    return not given or (bool(when) and not any(text(each) in _MEALS for each in when))


def _count_is_whole(value: JsonObject, _scope: Scope) -> bool:
    """cnt-3: ``value.toString()`` has no point."""
    if without_value(value, "code") or without_value(value, "system"):
        return False
    coded = value.get("code") == "1" if "code" in value else "value" not in value
    return coded and value.get("system", UCUM) == UCUM and not isinstance(value.get("value"), float)


FUNCTIONS: dict[str, Function] = {
    **DEFINITION_FUNCTIONS,
    "dom-2": _no_nested_contained,
    "dom-3": _contained_is_used,
    "ref-1": _reference_is_contained,
    "ext-1": _extension_or_value,
    "txt-1": _xhtml_allowed,
    "txt-2": _narrative_says_something,
    "per-1": _not_before("start", "end"),
    "rng-2": _range_in_order,
    "cnt-3": _count_is_whole,
    "tim-9": _offset_has_event,
    "obs-7": _no_component_repeats_the_code,
    "mdd-1": _both_not_before("whenPrepared", "whenHandedOver"),
    "Task inv-1": _both_not_before("authoredOn", "lastModified"),
    "bdl-3": _entries_have("request", "batch", "transaction", "history"),
    "bdl-4": _entries_have("response", "batch-response", "transaction-response", "history"),
    "bdl-7": _full_urls_distinct,
    "bdl-8": _no_version_in_full_url,
    "bdl-11": _first_entry_is("document", "Composition"),
    "bdl-12": _first_entry_is("message", "MessageHeader"),
}
