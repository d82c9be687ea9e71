"""StructureDefinitions: whether a definition fits its base, and its elements one another.

The rules of R4's StructureDefinition, ElementDefinition and Profiling FHIR that no invariant says. A definition whose
base is not known here is judged without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.definitions.library import CORE, MALFORMED, Library
from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.structures.constraints import constraint_problems, context_invariant_problems
from fhir_keta.validation.structures.contexts import context_problems
from fhir_keta.validation.structures.differential import misfits
from fhir_keta.validation.structures.elements import View, element_problems
from fhir_keta.validation.structures.inherited import inherited_value_problems
from fhir_keta.validation.structures.slicing import slicing_problems
from fhir_keta.validation.structures.types import Types

JsonObject = dict[str, Any]


def structure_faults(resource: JsonObject, expression: str, library: Library) -> Iterator[Issue]:
    """What is wrong with a StructureDefinition in which the schema found nothing."""
    known = Types(library)
    for place, rule, problem in (*_type_problems(resource, known), *context_problems(resource, known)):
        yield rules.issue(rule, f"{expression}{place}", problem=problem)
    canonical = text(resource.get("baseDefinition"))
    base = known.definition(canonical)
    if base is None:
        return
    for problem in _base_problems(resource, base, known):
        yield rules.issue("structure-base", expression, problem=problem)
    for place, rule, problem in context_invariant_problems(resource, known):
        yield rules.issue(rule, f"{expression}{place}", problem=problem)
    if problem := _extension_url(resource):
        yield rules.issue("structure-extension-url", expression, problem=problem)
    whole = known.with_snapshot(canonical)
    if whole is None or known.root(whole["url"]) is None:
        yield rules.issue("structure-base", expression, problem="no snapshot can be made of the base")
        return
    try:
        found = list(_elements(resource, whole, expression, known))
    except MALFORMED:  # so may be what --definitions names
        found = [rules.issue("structure-base", expression, problem="the base, or what it is made of, is malformed")]
    yield from found


def _elements(resource: JsonObject, base: JsonObject, expression: str, known: Types) -> Iterator[Issue]:
    is_profile = resource.get("derivation") == "constraint"
    type_ = text(resource.get("type"))
    differential = _view(resource, "differential")
    types: dict[str, set[str]] = {}
    if is_profile and type_ == base.get("type"):
        found, types = misfits(known, base, differential)
        types = types if not found else {}
        for misfit in found:
            place = f"{expression}.differential.element[{misfit.position}]"
            yield rules.issue(misfit.rule, place, problem=misfit.problem)
    for name in ("differential", "snapshot"):
        is_snapshot = name == "snapshot"
        elements = differential if not is_snapshot else _view(resource, name)
        tail = type_.rpartition("/")[2]
        view = View(known, tail, is_snapshot, is_profile, resource.get("kind") == "logical", types)
        for position, element in enumerate(elements):
            problems = [*element_problems(element, view), *slicing_problems(element, known)]
            if not is_snapshot:
                problems += inherited_value_problems(element, base)
            for rule, problem in problems:
                yield rules.issue(rule, f"{expression}.{name}.element[{position}]", problem=problem)
        for position, number, problem in constraint_problems(resource, elements, is_snapshot, base, known):
            place = f"{expression}.{name}.element[{position}].constraint[{number}]"
            yield rules.issue("element-constraint", place, problem=problem)


def _view(resource: JsonObject, name: str) -> list[JsonObject]:
    holder = resource.get(name)
    return objects(holder.get("element")) if isinstance(holder, dict) else []


def _type_problems(resource: JsonObject, known: Types) -> Iterator[tuple[str, str, str]]:
    """R4, StructureDefinition.type: a type of FHIR, of which there is one definition, or of a logical model a URL."""
    name = text(resource.get("type"))
    if ":" in name:
        if resource.get("kind") != "logical":
            yield ".type", "structure-type", "only a logical model has a type of its own URL"
        return
    definition = known.definition(name)
    if definition is None or definition.get("type") != name:
        if resource.get("kind") != "logical":
            yield ".type", "structure-type", "FHIR has no such type"
    elif resource.get("url") != CORE + name and resource.get("derivation") != "constraint":
        yield ".type", "structure-type", "the type has its definition already: this one can only be a constraint"


def _base_problems(resource: JsonObject, base: JsonObject, known: Types) -> Iterator[str]:
    """R4, StructureDefinition.derivation, kind and baseDefinition."""
    if any(each["url"] == resource.get("url") for each in known.lineage(base["url"])):
        yield "the definition is built on itself"
    derivation = resource.get("derivation")
    if derivation is None:
        yield "derivation does not say what it makes of its base"
        return
    if resource.get("kind") != base.get("kind") and (derivation == "constraint" or not base.get("abstract")):
        yield "the kind is not that of the base"
    is_same = resource.get("type") == base.get("type")
    if derivation == "constraint" and not is_same:
        yield "the type is not that of the base"
    elif derivation == "specialization" and is_same:
        yield "a specialization is of a type of its own"


def _extension_url(resource: JsonObject) -> str:
    """R4, Defining Extensions: an extension's url is the canonical URL of its definition."""
    if resource.get("type") != "Extension" or resource.get("baseDefinition") != f"{CORE}Extension":
        return ""
    if "url" not in resource:
        return ""
    named = next((each for each in _view(resource, "differential") if each.get("path") == "Extension.url"), {})
    fixed = next((value for key, value in named.items() if key.startswith("fixed")), None)
    if fixed is None:
        return "no url is fixed"
    return "" if fixed == resource["url"] else "the url that is fixed is another"
