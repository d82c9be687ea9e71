"""Concept maps: the value sets that they are between, and the codes that they map (R4, ConceptMap.source[x], group)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_NOT_LISTED = frozenset({"http://snomed.info/sct", "http://loinc.org"})


def faults(concept_map: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on a ConceptMap."""
    value_sets: dict[str, JsonObject | None] = {}
    for side in ("source", "target"):
        canonical = _canonical(concept_map, side)
        found = terminology.library.find(canonical) if canonical else None
        is_value_set = found is not None and found["resourceType"] == "ValueSet"
        if found is not None and not is_value_set:
            yield rules.issue("concept-map-value-set", f"{expression}.{side}", found=found["resourceType"])
        value_sets[side] = found if is_value_set else None
    for place, side, code, group in _mapped(concept_map, expression):
        system, version = _system(group, side, value_sets[side])
        if terminology.verdict(system, code, None, version) == "code-unknown":
            yield rules.issue("code-unknown", place, system=system, suggestion="")
        elif not _is_in(value_sets[side], system, version, code, terminology.library):
            yield rules.issue("concept-map-code", place, side=side)


def _canonical(concept_map: JsonObject, side: str) -> str:
    return text(concept_map.get(f"{side}Canonical")) or text(concept_map.get(f"{side}Uri"))


def _mapped(concept_map: JsonObject, expression: str) -> Iterator[tuple[str, str, Any, JsonObject]]:
    """Each code with its place, its side and its group."""
    for number, group in enumerate(objects(concept_map.get("group"))):
        for position, element in enumerate(objects(group.get("element"))):
            place = f"{expression}.group[{number}].element[{position}]"
            yield f"{place}.code", "source", element.get("code"), group
            for at, each in enumerate(objects(element.get("target"))):
                yield f"{place}.target[{at}].code", "target", each.get("code"), group


def _system(group: JsonObject, side: str, value_set: JsonObject | None) -> tuple[str, str]:
    """The system of a group's codes and its version: its own, or else that of the value set they are from."""
    system, _, version = text(group.get(side)).partition("|")
    version = text(group.get(f"{side}Version")) or version
    compose = value_set.get("compose") if value_set and not version else None
    for part in objects(compose.get("include")) if isinstance(compose, dict) else ():
        if part.get("system") == system:
            version = text(part.get("version")) or version
    return system, version


def _is_in(value_set: JsonObject | None, system: str, version: str, code: Any, library: Library) -> bool:
    """Whether a code of a system known completely is in the value set, or nobody here can tell."""
    if value_set is None or not isinstance(code, str) or system in _NOT_LISTED:
        return True
    known = library.code_system(f"{system}|{version}" if version else system)
    if known is None or known.get("content") != "complete":
        return True
    codes = library.possible_codes(value_set["url"])
    return codes is None or codes.contains(system, code)
