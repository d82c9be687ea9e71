"""Rules of an ElementDefinition that no schema says: ranges, extensible bindings, profiles of types, where references
lead, and the limits that HL7's extensions of an ElementDefinition set.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.compiled import Check
from fhir_keta.validation.constraints import describe
from fhir_keta.validation.dates import compare_dates
from fhir_keta.validation.elements import Element, type_code
from fhir_keta.validation.fhirpath.deadline import TooLong, within
from fhir_keta.validation.index import contains_pattern
from fhir_keta.validation.known_addresses import is_unknown_to_hl7
from fhir_keta.validation.primitives import INTEGER_TYPES, PRIMITIVE_TYPES
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import descendants, number, objects

JsonObject = dict[str, Any]

_SECONDS = 2.0
_DATES = frozenset({"date", "dateTime", "instant"})
# resources are met where they stand, extensions by their url; a profile on a primitive has nothing to say
_NOT_OF_PROFILES = PRIMITIVE_TYPES | {"Extension", "Resource", "DomainResource", "Element", "BackboneElement"}
_CODED = frozenset({"code", "Coding", "CodeableConcept", "Quantity"})


def value_checks(element: Element, code: str, library: Library) -> Iterator[Check]:
    """The checks of one value of this type."""
    if element.values:
        yield from _checks_of_values(element.values, code)
    binding = element.definition.get("binding", {})
    if binding.get("strength") == "extensible" and code in _CODED and "valueSet" in binding:
        value_set = binding["valueSet"]
        yield Check("binding-extensible", {"value_set": value_set}, partial(_has_code, library, value_set))
    if code == "Reference":
        modes = frozenset(mode for type_ in element.types for mode in type_.get("aggregation", ()))
        if modes:
            yield Check("reference-aggregation", {"allowed": " or ".join(sorted(modes))}, partial(_aggregated, modes))
    for extension in element.definition.get("extension", ()):
        yield from _limits(extension, code)
    if code == "canonical":
        yield Check("reference-unresolved", {}, _is_inside)
    if code in ("uri", "url") and not _is_judged_elsewhere(element):
        yield Check("address-unknown", {}, partial(_leads_somewhere, library))
    profiles = type_profiles(element, code)
    if len(profiles) > 1 and code not in _NOT_OF_PROFILES and code not in library.resource_types:
        for profile in profiles:
            if library.structure(profile) is None:
                raise DefinitionError(f"The profile {profile} is not known. Add its definition with --definitions.")
        yield Check("type-profile", {"allowed": " or ".join(profiles)}, partial(_meets_one, profiles))


def _checks_of_values(values: JsonObject, code: str) -> Iterator[Check]:
    compare = _comparison(code)
    for name, sign, words in (("minValue", 1, "at least"), ("maxValue", -1, "at most")) if compare else ():
        bound = values.get(name)
        if compare is not None and bound is not None:
            shown = f"{words} {bound.get('value') if isinstance(bound, dict) else bound}"
            yield Check("value-range", {"bound": shown}, partial(_inside, compare, bound, sign))
    for name in ("fixed", "pattern") if code not in INTEGER_TYPES else ():
        demanded = values.get(name)
        if _has_numbers(demanded):
            yield Check(f"value-{name}", {"pattern": describe(demanded)}, partial(_written_alike, demanded))


def _has_numbers(value: Any) -> bool:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return number(value) is not None or any(map(_has_numbers, below))


def _written_alike(demanded: Any, value: Any, _scope: Scope) -> bool:
    """Whether decimals are written as demanded: 1.0 is not 1 (R4, Datatypes, decimal). That they are equal as numbers
    is what the schema says."""
    return contains_pattern(value, demanded) or not contains_pattern(_as_numbers(value), _as_numbers(demanded))


def _as_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_numbers(each) for each in value]
    return float(value) if number(value) is not None else value


def _is_judged_elsewhere(element: Element) -> bool:
    """Whether an address is a resource's or an extension's own, or a system that is looked up with its code."""
    path = str(element.definition["path"])
    base = element.definition.get("base", {}).get("path", path)
    if base in ("Coding.system", "Quantity.system"):
        return path.partition(".")[0] not in ("Age", "Count", "Distance", "Duration")
    return base in ("Bundle.entry.fullUrl", "Extension.url") or re.fullmatch(r"[A-Z]\w+\.url", base) is not None


def _leads_somewhere(library: Library, value: Any, _scope: Scope) -> bool:
    return not isinstance(value, str) or not is_unknown_to_hl7(value, library)


def _limits(extension: JsonObject, code: str) -> Iterator[Check]:
    """What an extension of an ElementDefinition asks of a value of this type."""
    name = str(extension.get("url")).removeprefix("http://hl7.org/fhir/StructureDefinition/")
    limit = next((value for key, value in extension.items() if key.startswith("value")), None)
    if name == "regex" and isinstance(limit, str) and code in PRIMITIVE_TYPES:
        yield Check("value-regex", {}, partial(_is_written, limit))
    elif name == "maxDecimalPlaces" and isinstance(limit, int) and code in ("decimal", "Quantity"):
        yield Check("value-decimal-places", {"limit": str(limit)}, partial(_has_decimal_places, limit))
    elif name == "maxSize" and isinstance(limit, int | float) and code in ("base64Binary", "Attachment"):
        yield Check("value-bytes", {"limit": str(limit)}, partial(_has_bytes, limit))


def _is_written(regex: str, value: Any, _scope: Scope) -> bool | None:
    """Whether all of the value is as the regular expression says; None where nobody can tell, or not in time."""
    if not isinstance(value, str):
        return True
    try:
        return within(_SECONDS, lambda: re.fullmatch(regex, value) is not None)
    except (re.error, TooLong):
        return None


def _has_decimal_places(most: int, value: Any, _scope: Scope) -> bool:
    shown = value.get("value") if isinstance(value, dict) else value
    if number(shown) is None:
        return True
    exponent = Decimal(str(shown)).normalize().as_tuple().exponent
    return not isinstance(exponent, int) or -exponent <= most


def _has_bytes(most: float, value: Any, _scope: Scope) -> bool:
    data = value.get("data") if isinstance(value, dict) else value
    try:
        return not isinstance(data, str) or len(base64.b64decode(data)) <= most
    except ValueError:  # no base64: another rule's finding
        return True


def _aggregated(modes: frozenset[str], value: Any, scope: Scope) -> bool:
    """Whether what is referred to is where the profile wants it (R4, ElementDefinition.type.aggregation)."""
    reference = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(reference, str):
        return True
    if scope.find(reference) is None:
        return "referenced" in modes
    if reference[:1] == "#":
        return "contained" in modes
    return bool(modes & {"bundled", "referenced"})


def type_profiles(element: Element, code: str) -> list[str]:
    """The profiles that the element names for this type: a value has to meet one of them."""
    return [profile for type_ in element.types for profile in type_.get("profile", ()) if type_code(type_) == code]


def _comparison(code: str) -> Callable[[Any, Any], int | None] | None:
    if code in _DATES:
        return _dates
    return {"time": _times, "Quantity": _quantities}.get(code)


def _inside(compare: Callable[[Any, Any], int | None], bound: Any, sign: int, value: Any, _scope: Scope) -> bool:
    """Whether the value is on the right side; what cannot be compared is another rule's, or nobody's."""
    order = compare(value, bound)
    return order is None or order * sign >= 0


def _dates(value: Any, bound: Any) -> int | None:
    return compare_dates(value, bound) if isinstance(value, str) and isinstance(bound, str) else None


def _times(value: Any, bound: Any) -> int | None:
    if not isinstance(value, str) or not isinstance(bound, str):
        return None
    return (value > bound) - (value < bound)


def _quantities(value: Any, bound: Any) -> int | None:
    """In one unit; there is no conversion between units here."""
    if not isinstance(value, dict) or not isinstance(bound, dict):
        return None
    first, second = number(value.get("value")), number(bound.get("value"))
    if first is None or second is None or value.get("comparator") or _unit(value) != _unit(bound):
        return None
    return (first > second) - (first < second)


def _unit(quantity: JsonObject) -> tuple[Any, Any]:
    return (quantity.get("system"), quantity["code"]) if "code" in quantity else (None, quantity.get("unit"))


def _has_code(library: Library, value_set: str, value: Any, _scope: Scope) -> bool:
    """Whether one of the codes given is of the set; without any there is only text, which is allowed.

    The set is enumerated for the first value: most are never asked about.
    """
    codes = library.possible_codes(value_set)
    if codes is None:
        return True
    if isinstance(value, str):
        return codes.contains(None, value)
    if not isinstance(value, dict):
        return True
    codings = objects(value.get("coding")) if "coding" in value else [value]
    given = [each for each in codings if isinstance(each.get("code"), str) and isinstance(each.get("system"), str)]
    return not given or any(codes.contains(each["system"], each["code"]) for each in given)


def _is_inside(value: Any, scope: Scope) -> bool:
    """Whether a canonical that leads into the record finds something there (R4, References, canonical)."""
    if not isinstance(value, str) or value[:1] != "#":
        return True
    return any(node.get("id") == value[1:] for node in descendants(scope.root))


def _meets_one(profiles: list[str], value: Any, scope: Scope) -> bool | None:
    if scope.conforms is None:
        return None
    return not isinstance(value, dict) or any(scope.meets(value, profile) for profile in profiles)


def _to_the_day(value: Any, _scope: Scope) -> bool:
    """vs-1: a dateTime of eight characters or more."""
    return not isinstance(value, str) or len(value) >= len("20200101")


# constraints on values of primitive types that are met too often to be left to FHIRPath
VALUE_CONSTRAINTS: dict[str, Callable[[Any, Scope], bool | None]] = {"vs-1": _to_the_day}
