"""Capability statements: the search parameters that they offer (R4, CapabilityStatement.rest.resource.searchParam)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.definitions.registered import search_parameter
from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]


def faults(statement: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on a CapabilityStatement."""
    for number, rest in enumerate(objects(statement.get("rest"))):
        for position, resource in enumerate(objects(rest.get("resource"))):
            for at, offered in enumerate(objects(resource.get("searchParam"))):
                definition = text(offered.get("definition"))
                known = search_parameter(definition, terminology.library) if definition else None
                if known is not None and offered.get("type") != known.type:
                    place = f"{expression}.rest[{number}].resource[{position}].searchParam[{at}].type"
                    yield rules.issue("search-type", place, expected=known.type)
