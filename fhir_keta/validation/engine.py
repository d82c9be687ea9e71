"""The JSON Schema engine: jsonschema-rs on CPython, the Python jsonschema library elsewhere, one shape of error.

Schemas are draft 2020-12; ``$comment`` on a schema object carries the id of the rule it states (see ``rules.py``). Of
formats they know one of our own, see ``reference_format``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fhir_keta.validation import reference_format
from fhir_keta.validation.portions import Path, in_portions
from fhir_keta.validation.refusal import Refusal

JsonObject = dict[str, Any]

# a $ that is an anchor: neither escaped nor in a class
_DOLLAR = r"((?:[^\\\[$]|\\.|\[\^?\]?(?:[^\\\]]|\\.)*\])*+)\$"


@dataclass(frozen=True, slots=True)
class Engine:
    """A compiled schema: ``is_valid`` is the accept path, ``refusals`` the explain path; read on, it finds more.

    ``stated`` is room for what was found out about the schema at places where it refused something.
    """

    schema: JsonObject
    is_valid: Callable[[Any], bool]
    refusals: Callable[[Any], Iterator[Refusal]]
    stated: dict[Path, Any] = field(default_factory=dict, compare=False, repr=False)


def compile_schema(schema: JsonObject) -> Engine:
    """Build the engine for a draft 2020-12 schema whose references all stay inside it.

    Raises the engine's own error when the schema is not valid, a fault in this package.
    ``FHIR_KETA_ENGINE=python`` forces the slow Python engine.
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
    # messages are never read, so none needs to quote a whole record; no pattern looks around, so the plainer regular
    # expressions do, which are quicker to make
    plain = jsonschema_rs.RegexOptions()
    own = {reference_format.TYPED: reference_format.is_typed}
    validator = jsonschema_rs.Draft202012Validator(
        schema, offline=True, mask="", pattern_options=plain, formats=own, validate_formats=True
    )

    def refusals(instance: Any) -> Iterator[Refusal]:
        for error in validator.iter_errors(instance):
            kind = error.kind
            keyword = kind.name
            detail: tuple[str, ...] = ()
            if keyword == "required":
                detail = (kind.property,)
            elif keyword == "additionalProperties":
                detail = tuple(kind.unexpected)
            yield Refusal(keyword, tuple(error.instance_path), tuple(error.schema_path), detail, error.instance)

    return Engine(schema, validator.is_valid, partial(in_portions, refusals))


def _python_engine(schema: JsonObject) -> Engine:
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema)
    own = {"pattern": _pattern, "required": _required}
    formats = jsonschema.FormatChecker(formats=())
    formats.checks(reference_format.TYPED)(reference_format.is_typed)
    extended = jsonschema.validators.extend(jsonschema.Draft202012Validator, own)
    validator = extended(schema, format_checker=formats)

    def refusals(instance: Any) -> Iterator[Refusal]:
        for error in validator.iter_errors(instance):
            yield from _python_refusals(schema, error)

    return Engine(schema, validator.is_valid, refusals)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    """As in ECMA 262: for Python a line end may follow ``$``."""
    import jsonschema

    if isinstance(instance, str) and not re.search(re.sub(_DOLLAR, r"\g<1>\\Z", pattern), instance):
        yield jsonschema.ValidationError("")


def _required(_validator: Any, names: list[str], instance: Any, _schema: Any) -> Iterator[Any]:
    """An error a missing name, with the name as its message."""
    import jsonschema

    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield jsonschema.ValidationError(name)


def _python_refusals(schema: JsonObject, error: Any) -> Iterator[Refusal]:
    keyword = error.validator
    evaluated = list(error.absolute_schema_path)[:-1]
    place = next(place for place, node in _places(schema, schema, (), evaluated) if node is error.schema)
    detail: tuple[str, ...] = (error.message,) if keyword == "required" else ()
    if keyword == "additionalProperties":
        allowed = error.schema.get("properties", {})
        detail = tuple(name for name in error.instance if name not in allowed)
    yield Refusal(keyword, tuple(error.absolute_path), (*place, keyword), detail, error.instance)


def _places(
    schema: JsonObject, node: Any, place: tuple[str | int, ...], path: list[str | int]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Where in the document an evaluation path may end: it passes through references without saying so."""
    if not path:
        yield place, node
    elif isinstance(node, list):
        yield from _places(schema, node[int(path[0])], (*place, path[0]), path[1:])
    elif isinstance(node, dict) and path[0] in node:
        yield from _places(schema, node[str(path[0])], (*place, path[0]), path[1:])
    if isinstance(node, dict) and "$ref" in node:
        names = str(node["$ref"]).removeprefix("#/").split("/")
        target: Any = schema
        for name in names:
            target = target[name]
        yield from _places(schema, target, tuple(names), path)
