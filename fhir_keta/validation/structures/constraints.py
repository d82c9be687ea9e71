"""The constraints of elements: their keys, sources and expressions (R4, ElementDefinition.constraint)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from fhir_keta.definitions.library import base as base_library
from fhir_keta.validation.shapes import items, objects, text
from fhir_keta.validation.structures.contexts import context_spot
from fhir_keta.validation.structures.expressions import expression_problem, node_at, spots_of
from fhir_keta.validation.structures.types import Types

JsonObject = dict[str, Any]


def constraint_problems(
    resource: JsonObject, elements: list[JsonObject], is_snapshot: bool, base: JsonObject, known: Types
) -> Iterator[tuple[int, int, str]]:
    """What is wrong with the constraints: the element's place, the constraint's, words."""
    url = text(resource.get("url"))
    own = {url, f"{url}|{resource.get('version')}"} if "version" in resource else {url}
    stated: dict[str, str] = {}
    root = known.root(base["url"])
    inherited = _expressions(base) if not is_snapshot else {}
    for position, element in enumerate(elements):
        for number, constraint in enumerate(objects(element.get("constraint"))):
            key, expression = text(constraint.get("key")), text(constraint.get("expression"))
            if not key or not expression:
                continue
            if is_snapshot:
                if stated.setdefault(key, expression) != expression and key != "ele-1":
                    yield position, number, "another constraint with this key has another expression"
                if constraint.get("source", url) == url:
                    path = text(element.get("path"))
                    problem = expression_problem(expression, spots_of(element, node_at(root, path), root, known), known)
                    if problem:
                        yield position, number, problem
            elif "source" in constraint and constraint["source"] not in own:
                yield position, number, "its source is another definition"
            else:
                before = inherited[key] if key in inherited else _of_types().get(key, expression)
                if expression not in (before, *([before] if before is None else ())):
                    yield position, number, "the base, or a type of FHIR, has another constraint with this key"
                elif stated.setdefault(key, expression) != expression:
                    yield position, number, "another constraint with this key has another expression"


def _expressions(definition: JsonObject) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for element in objects(definition["snapshot"]["element"]):
        for constraint in objects(element.get("constraint")):
            found.setdefault(text(constraint.get("key")), constraint.get("expression"))
    return found


@cache
def _of_types() -> dict[str, str | None]:
    """The constraints of all types of FHIR, by key; of several with one key the first."""
    found: dict[str, str | None] = {}
    for definition in base_library().of_type("StructureDefinition"):
        if definition.get("derivation") == "specialization":
            for key, expression in _expressions(definition).items():
                found.setdefault(key, expression)
    return found


def context_invariant_problems(resource: JsonObject, known: Types) -> Iterator[tuple[str, str, str]]:
    """The conditions of an extension's contexts that cannot be read, or ask for what is not there."""
    contexts = [
        text(each.get("expression")) for each in objects(resource.get("context")) if each.get("type") == "element"
    ]
    spots = [spot for context in contexts if (spot := context_spot(context, known))]
    if not contexts or len(spots) < len(contexts):
        return
    for position, expression in enumerate(items(resource.get("contextInvariant"))):
        if problem := expression_problem(text(expression), spots, known):
            yield f".contextInvariant[{position}]", "element-constraint", problem
