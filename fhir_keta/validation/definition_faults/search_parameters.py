"""Search parameters: their expressions, and what they are made from (R4, SearchParameter.expression, derivedFrom)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.definitions.registered import search_parameter
from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import items, text
from fhir_keta.validation.structures.expressions import Spot, expression_problem
from fhir_keta.validation.structures.types import Types
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]


def faults(parameter: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on a SearchParameter."""
    library = terminology.library
    bases = [text(base) for base in items(parameter.get("base"))]
    searched = parameter.get("expression")
    if isinstance(searched, str) and bases:
        known = Types(library)
        roots = [known.root(base) for base in bases]
        spots = [Spot(root, root) for root in roots if root is not None]
        problem = expression_problem(searched, spots, known) if len(spots) == len(bases) else ""
        if problem:
            yield rules.issue("search-expression", f"{expression}.expression", problem=problem)
    derived = text(parameter.get("derivedFrom"))
    origin = search_parameter(derived, library) if derived else None
    if origin is None:
        return
    if parameter.get("type", origin.type) != origin.type:
        yield rules.issue("search-derived", f"{expression}.type", problem=f"that is of type {origin.type}")
    if "Resource" not in origin.bases and not set(bases) <= set(origin.bases):
        problem = f"that is for {', '.join(origin.bases)}"
        yield rules.issue("search-derived", f"{expression}.base", problem=problem)
