"""Where a StructureDefinition says that an extension may stand (R4, StructureDefinition.context)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.definitions.elements import Node
from fhir_keta.definitions.library import CORE
from fhir_keta.validation.shapes import items, objects, text
from fhir_keta.validation.structures.expressions import Spot
from fhir_keta.validation.structures.types import Types, codes_of, referred

JsonObject = dict[str, Any]

# R4 names these groups of resources without defining them: what all of one have, this one has
_GROUPS = {"CanonicalResource": "CodeSystem", "MetadataResource": "PlanDefinition"}


def context_problems(resource: JsonObject, known: Types) -> Iterator[tuple[str, str, str]]:
    """The contexts that are none: place below the definition, rule, words."""
    for position, context in enumerate(objects(resource.get("context"))):
        place = f".context[{position}]"
        if resource.get("type") != "Extension":
            yield place, "structure-context", "only an extension says where it may stand"
        elif context.get("type") == "element" and not context_spot(text(context.get("expression")), known):
            yield place, "structure-context", "there is no such element"
    if resource.get("type") != "Extension":
        for position, _ in enumerate(items(resource.get("contextInvariant"))):
            yield f".contextInvariant[{position}]", "structure-context", "only an extension says where it may stand"


def context_spot(expression: str, known: Types) -> Spot | None:
    """The element that a context names; None where there is none of this name."""
    url, separator, path = expression.rpartition("#")
    names = path.rstrip(".").split(".")
    if not separator:
        names[0] = _GROUPS.get(names[0], names[0])
        url = CORE + names[0]
    if not all(names[1:]):
        return None
    root = known.root(url) if known.definition(url) else None
    if root is None:
        return None
    node = root
    for name in names[1:]:
        part = _part(node, name, root, known)
        if part is None:
            return None
        node = part
    return Spot(node, root)


def _part(node: Node, name: str, root: Node, known: Types) -> Node | None:
    """The part of an element by its name, with or without the [x] of a choice."""
    parts = node.children or _parts_elsewhere(node, root, known)
    return parts.get(name) or parts.get(f"{name}[x]")


def _parts_elsewhere(node: Node, root: Node, known: Types) -> dict[str, Node]:
    """The parts that its type has, or the element that it refers to."""
    if "contentReference" in node.element:
        target = referred(root, text(node.element["contentReference"]))
        return target.children if target else {}
    codes = codes_of(node.element)
    of_type = known.root(codes[0]) if len(codes) == 1 else None
    return of_type.children if of_type else {}
