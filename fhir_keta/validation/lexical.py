"""What only the text of a record shows: JSON has one kind of number, FHIR's integers are written without a point."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.compiler import Compiled
from fhir_keta.validation.explain import element_name
from fhir_keta.validation.index import BY_SLICE
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.primitives import primitive_remedy

JsonObject = dict[str, Any]

_POINT_OR_EXPONENT = re.compile(rb"[0-9](?:\.0+(?![0-9])|[eE])")


def integer_literals(data: bytes, resource: JsonObject, compiled: Compiled) -> Iterator[Issue]:
    """Integers written like ``6.0`` or ``1e2`` (R4, Data Types, integer): a schema engine takes them for integers.

    Called for records without another finding, so the shapes are those of the definition.
    """
    if _POINT_OR_EXPONENT.search(data):
        yield from _floats(resource, compiled.schema, compiled, compiled.type)


def _floats(value: Any, schema: JsonObject, compiled: Compiled, expression: str) -> Iterator[Issue]:
    if "$ref" in schema:
        schema = compiled.schema["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if isinstance(value, float):
        if "integer" in schema.get("type", ()):
            type_name = schema.get("description", "integer")
            yield rules.issue("primitive-format", expression, type=type_name, remedy=primitive_remedy(type_name))
    elif isinstance(value, list):
        items = schema.get("items", {})
        for position, item in enumerate(value):
            yield from _floats(item, items, compiled, f"{expression}[{position}]")
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        for key, content in value.items():
            by_slice = properties.get(f"{key}{BY_SLICE}")
            if by_slice:  # all slices are of the element's type: any of them says which numbers are integers
                items = next(iter(reversed(by_slice["properties"].values())))
                yield from _floats(content, items, compiled, f"{expression}.{element_name(compiled, key)}")
            elif key in properties:
                yield from _floats(content, properties[key], compiled, f"{expression}.{element_name(compiled, key)}")
