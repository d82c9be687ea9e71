"""Faults of definitions that nothing but their own type's rules show: value sets, code systems, maps, searches, forms.

What R4 says of these types in words, and what follows from other definitions that are known here. Each type's rules
are in a module of their own, read when the first such definition is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]
Faults = Callable[[JsonObject, str, Scope, Terminology], Iterator[Issue]]
"""A resource, its FHIRPath, what is around it and what is known."""

_MODULES = {
    "CapabilityStatement": "capability_statements",
    "CodeSystem": "code_systems",
    "ConceptMap": "concept_maps",
    "ImplementationGuide": "implementation_guides",
    "Measure": "measures",
    "OperationDefinition": "operation_definitions",
    "Questionnaire": "questionnaires",
    "SearchParameter": "search_parameters",
    "StructureMap": "structure_maps",
    "ValueSet": "value_sets",
}

DEFINITIONS = frozenset(_MODULES)
"""The types with such rules: they look at a record as a whole, and at other definitions."""


def definition_faults(resource: JsonObject, expression: str, scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on one resource of a type in ``DEFINITIONS``."""
    yield from _faults(resource["resourceType"])(resource, expression, scope, terminology)


@cache
def _faults(resource_type: str) -> Faults:
    faults: Faults = import_module(f"{__name__}.{_MODULES[resource_type]}").faults
    return faults
