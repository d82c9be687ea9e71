"""The JSON Schema engine: jsonschema-rs on CPython, the Python jsonschema library elsewhere, one shape of error.

Schemas are draft 2020-12; ``$comment`` on a schema object carries the id of the rule it states (see ``rules.py``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One leaf error of the engine.

    ``keyword`` is the JSON Schema keyword that refused ("required", "pattern", ...; "false" for a ``false`` schema),
    ``path`` the keys and indexes down to the instance, ``schema_path`` the canonical place of the keyword in the
    schema document (references resolved), ``detail`` the missing or unexpected property names, if any, and ``value``
    the instance (never for messages: it is patient data).
    """

    keyword: str
    path: tuple[str | int, ...]
    schema_path: tuple[str | int, ...]
    detail: tuple[str, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class Engine:
    """A compiled schema: ``is_valid`` is the accept path, ``refusals`` the explain path."""

    schema: JsonObject
    is_valid: Callable[[Any], bool]
    refusals: Callable[[Any], Iterator[Refusal]]

    def rules(self, refusal: Refusal) -> list[str]:
        """The ``$comment`` of every schema object on the way to the refusing keyword, innermost first."""
        found: list[str] = []
        node: Any = self.schema
        for segment in (*refusal.schema_path, None):
            if isinstance(node, dict) and isinstance(comment := node.get("$comment"), str):
                found.append(comment)
            if segment is None:
                break
            node = node[segment]
        return found[::-1]


def compile_schema(schema: JsonObject) -> Engine:
    """Build the engine for a draft 2020-12 schema whose references all stay inside it.

    Raises ValueError when the schema is not valid. ``FHIR_KETA_ENGINE=python`` forces the slow Python engine.
    """
    if os.environ.get("FHIR_KETA_ENGINE") != "python":
        try:
            import jsonschema_rs
        except ImportError:  # PyPy, Pyodide: see the environment marker in setup.cfg
            pass
        else:
            return _rust_engine(schema, jsonschema_rs)
    return _python_engine(schema)


def _rust_engine(schema: JsonObject, jsonschema_rs: Any) -> Engine:
    validator = jsonschema_rs.Draft202012Validator(schema, offline=True)

    def refusals(instance: Any) -> Iterator[Refusal]:
        for error in validator.iter_errors(instance):
            kind = error.kind.as_dict()
            if error.kind.name == "required":
                detail: tuple[str, ...] = (kind["property"],)
            else:
                detail = tuple(kind.get("unexpected", ()))
            keyword = "false" if error.kind.name == "falseSchema" else error.kind.name
            yield Refusal(keyword, tuple(error.instance_path), tuple(error.schema_path), detail, error.instance)

    return Engine(schema, validator.is_valid, refusals)


def _python_engine(schema: JsonObject) -> Engine:
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema)
    # FHIR speaks of JSON integers by their literal: 6.0 is not an integer (R4, Data Types, Primitive Types).
    checker = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _checker, value: isinstance(value, int) and not isinstance(value, bool)
    )
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=checker)(schema)

    def refusals(instance: Any) -> Iterator[Refusal]:
        for error in validator.iter_errors(instance):
            yield from _python_refusals(schema, error)

    return Engine(schema, validator.is_valid, refusals)


def _python_refusals(schema: JsonObject, error: Any) -> Iterator[Refusal]:
    path = tuple(error.absolute_path)
    schema_path = _canonical(schema, tuple(error.absolute_schema_path))
    keyword = error.validator or "false"
    if keyword == "required":
        # one error a missing name; the name stands first in the message, but the schema says it without parsing text
        missing = [name for name in error.validator_value if name not in error.instance]
        if schema_path and missing:
            index = error.message.split("'")[1] if "'" in error.message else missing[0]
            yield Refusal("required", path, schema_path, (index,), error.instance)
        return
    detail: tuple[str, ...] = ()
    if keyword == "additionalProperties":
        allowed = error.schema.get("properties", {})
        detail = tuple(name for name in error.instance if name not in allowed)
    yield Refusal(keyword, path, schema_path, detail, error.instance)


def _below(node: Any, segment: str | int) -> Any:
    if isinstance(node, list):
        return node[int(segment)]
    return node.get(segment) if isinstance(node, dict) else None


def _canonical(schema: JsonObject, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Replace the evaluation path through ``$ref`` by the place of the referenced schema."""
    canonical: list[str | int] = []
    node: Any = schema
    for segment in path:
        if segment == "$ref":
            canonical = [part for part in str(node["$ref"]).removeprefix("#").split("/") if part]
            node = schema
            for part in canonical:
                node = node[str(part)]
            continue
        canonical.append(segment)
        node = _below(node, segment)
    return tuple(canonical)
