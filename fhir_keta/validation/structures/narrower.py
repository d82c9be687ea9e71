"""Whether a profile allows no more of an element than its base (R4, Profiling FHIR, "Limitations of Use")."""

from __future__ import annotations

from typing import Any

from fhir_keta.errors import DefinitionError
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.structures.types import Types, codes_of, working_code

JsonObject = dict[str, Any]

# of more codes nobody says whether all are in the other set
_MANY = 1000

Problem = tuple[str, str]
"""A rule and what to say."""


def narrower(base: JsonObject, own: JsonObject, path: str, known: Types) -> tuple[JsonObject, list[Problem]]:
    """The element as the profile has it, and what is wrong with that."""
    problems: list[Problem] = []
    if not own:
        return base, problems
    low, least = own.get("min"), base.get("min")
    if isinstance(low, int) and isinstance(least, int) and low < least and "sliceName" not in own:
        problems.append(("differential-wider", "min is less than in the base"))
    if _number(own.get("max")) > _number(base.get("max", "*")):
        problems.append(("differential-wider", "max is more than in the base"))
    if base.get("mustSupport") is True and own.get("mustSupport") is False:
        problems.append(("differential-wider", "mustSupport was true in the base"))
    if "isSummary" in base and own.get("isSummary", base["isSummary"]) != base["isSummary"]:
        problems.append(("differential-wider", "isSummary is not that of the base"))
    if "binding" in own and "binding" in base:
        problems += _bindings(base["binding"], own["binding"], known)
    if "type" in own and base.get("type") and own["type"] != base["type"]:
        problems += _types(base, own, known)
    effective = {**base, **own}
    if "sliceName" in own and "min" not in own:
        effective["min"] = 0
    problems += _values(effective, path)
    return effective, problems


def _number(maximum: Any) -> float:
    if maximum == "*":
        return float("inf")
    return int(maximum) if isinstance(maximum, str) and maximum.isascii() and maximum.isdigit() else 0


def _bindings(base: JsonObject, own: JsonObject, known: Types) -> list[Problem]:
    if base.get("strength") != "required":
        return []
    if own.get("strength") != "required":
        return [("differential-wider", "the binding was required in the base")]
    sets = base.get("valueSet"), own.get("valueSet")
    if isinstance(sets[0], str) and isinstance(sets[1], str) and not _is_within(sets[1], sets[0], known):
        return [("differential-wider", "the value set has codes that the base's has not")]
    return []


def _is_within(inner: str, outer: str, known: Types) -> bool:
    """Whether all codes of a value set are in another one; where nobody can tell, they are."""
    try:
        codes, allowed = known.library.codes(inner), known.library.codes(outer)
    except DefinitionError:
        return True
    if codes is None or allowed is None or max(map(_size, (codes, allowed))) >= _MANY:
        return True
    if any(known.library.code_system(system) is None for system in (*codes.systems, *allowed.systems)):
        return True
    return all(code in allowed.systems.get(system, ()) for system, found in codes.systems.items() for code in found)


def _size(codes: Any) -> int:
    return sum(map(len, codes.systems.values()))


def _types(base: JsonObject, own: JsonObject, known: Types) -> list[Problem]:
    for type_ in objects(own["type"]):
        code = working_code(type_)
        allowed = objects(base["type"])
        # a reference is never one of the parts that an abstract type stands for
        narrowed = code != "Reference"
        fitting = [
            each
            for each in allowed
            if code == working_code(each) or (narrowed and known.may_become(code, working_code(each)))
        ]
        if not fitting:
            return [("differential-wider", "the base does not allow this type")]
        for target in type_.get("targetProfile", ()):
            if not all(_leads_within(text(target), each, known) for each in fitting):
                return [("differential-wider", "the base does not allow references to this target")]
    return []


def _leads_within(target: str, base: JsonObject, known: Types) -> bool:
    """Whether a target is one of those of the base, or made from one; one that is not known may be."""
    allowed = {text(each).partition("|")[0] for each in base.get("targetProfile", ())}
    if not allowed:
        return True
    last = None
    for each in known.lineage(target):
        last = each
        if each["url"] in allowed:
            return True
    if target.partition("|")[0] in allowed or last is None:
        return True
    return bool(above := text(last.get("baseDefinition"))) and known.definition(above) is None


def _values(element: JsonObject, path: str) -> list[Problem]:
    """Fixed values and patterns are of a type that the element has."""
    codes = set(codes_of(element)) if "." in path else {path}
    for key in element:
        for prefix in ("fixed", "pattern"):
            name = key.removeprefix(prefix)
            if name != key and name[:1].isupper() and not codes & {name, name[:1].lower() + name[1:]}:
                return [("element-value", "the fixed value or pattern is of a type that the element has not")]
    return []
