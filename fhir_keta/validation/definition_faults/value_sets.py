"""Value sets: the systems that they take codes from, and expansions (R4, ValueSet.compose and expansion)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.definitions.registered import code_system_of_oid
from fhir_keta.validation import rules
from fhir_keta.validation.definition_faults.filters import filter_problem
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import descendants, objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]


def faults(value_set: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on a ValueSet."""
    compose = value_set.get("compose")
    for key in ("include", "exclude"):
        for position, part in enumerate(objects(compose.get(key)) if isinstance(compose, dict) else ()):
            place = f"{expression}.compose.{key}[{position}]"
            if problem := _system_problem(part, terminology.library):
                yield rules.issue("value-set-system", f"{place}.system", problem=problem)
            for number, each in enumerate(objects(part.get("filter"))):
                if problem := filter_problem(each, part, terminology):
                    yield rules.issue("value-set-filter", f"{place}.filter[{number}]", problem=problem)
    expansion = value_set.get("expansion")
    if isinstance(expansion, dict) and _names_versions_of_one(expansion):
        yield rules.issue("value-set-expansion", f"{expression}.expansion")


def _system_problem(part: JsonObject, library: Library) -> str:
    """What is wrong with the system of an include or exclude, as far as it is known here."""
    system, bar, version = text(part.get("system")).partition("|")
    if bar and version:
        return "its version stands in version, not behind a |"
    known = library.code_system(system)
    if known is None:
        named = code_system_of_oid(system) if system.startswith("urn:oid:") else None
        if named is not None:
            return f"this is an identifier of {named}"
        return "this is a value set: name it in valueSet" if library.is_value_set(system) else ""
    return "this is a supplement: name the system that it adds to" if known.get("content") == "supplement" else ""


def _names_versions_of_one(expansion: JsonObject) -> bool:
    """Whether a code is of a system of which the expansion used several versions, and does not say of which."""
    used = {
        text(next((value for key, value in parameter.items() if key.startswith("value")), ""))
        for parameter in objects(expansion.get("parameter"))
        if parameter.get("name") == "used-codesystem"
    }
    nodes = descendants({"contains": expansion.get("contains")})
    contained = (each for node in nodes for each in objects(node.get("contains")))
    systems = {text(each.get("system")) for each in contained if "version" not in each} - {""}
    return any(sum(canonical.startswith(f"{system}|") for canonical in used) > 1 for system in systems)
