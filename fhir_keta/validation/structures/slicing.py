"""Slicing of a single element: whether it can be sliced, and what its discriminators lead to (R4, Discriminator)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.structures.expressions import expression_problem, node_at, spots_of
from fhir_keta.validation.structures.types import Types

JsonObject = dict[str, Any]


def slicing_problems(element: JsonObject, known: Types) -> Iterator[tuple[str, str]]:
    """What is wrong with an element's slicing."""
    slicing = element.get("slicing")
    path = text(element.get("path"))
    if not isinstance(slicing, dict):
        return
    root = known.root(path.partition(".")[0])
    defined = node_at(root, path)
    if defined is None:
        return
    if defined.element.get("max") == "1" and "[x]" not in path:
        yield "element-slicing", "the element does not repeat, so it has no slices"
    focus = spots_of(element, defined, root, known)
    for discriminator in objects(slicing.get("discriminator")):
        if focus is not None and expression_problem(text(discriminator.get("path")), focus, known, True):
            yield "element-slicing", "a discriminator leads nowhere"
