"""Constraints that are warnings: those that a schema says, so that they cost next to nothing.

R4 marks some of its own as best practice (a narrative in every record): these are left to those who want them, as are
the ones that ask for a name that programs can use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_keta.validation.elements import Element
from fhir_keta.validation.engine import Engine, compile_schema
from fhir_keta.validation.fhirpath.existence import Children, existence_schema
from fhir_keta.validation.scope import Invariant, Scope

JsonObject = dict[str, Any]

_BEST_PRACTICE = "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice"


def advice(constraint: JsonObject, element: Element, children: Children) -> list[Invariant]:
    """The constraint as a warning; none where it is not one, is best practice, or needs more than a schema."""
    if constraint.get("severity") != "warning" or _is_best_practice(constraint):
        return []
    stated = constraint.get("expression", "")
    schema = existence_schema(stated, element, children)
    return [Invariant(constraint["key"], constraint["human"], _Advice(schema), stated, "warning")] if schema else []


def _is_best_practice(constraint: JsonObject) -> bool:
    return any(extension.get("url") == _BEST_PRACTICE for extension in constraint.get("extension", ()))


@dataclass(slots=True)
class _Advice:
    """Whether a value is as the schema says; the engine is built for the first one."""

    schema: JsonObject
    _engine: Engine | None = None

    def __call__(self, value: JsonObject, _scope: Scope) -> bool:
        if self._engine is None:
            self._engine = compile_schema(self.schema)
        return self._engine.is_valid(value)
