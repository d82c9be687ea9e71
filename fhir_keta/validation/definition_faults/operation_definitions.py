"""Operations: what they are based on, and the profiles of their parameters (R4, OperationDefinition.base, inputProfile,
outputProfile).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]


def faults(operation: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on an OperationDefinition."""
    if _is_its_own_base(operation, terminology.library):
        yield rules.issue("operation-base", f"{expression}.base")
    for name in ("inputProfile", "outputProfile"):
        profile = operation.get(name)
        if not isinstance(profile, str):
            continue
        found = terminology.library.find(profile)
        if found is None or found["resourceType"] != "StructureDefinition":
            yield rules.issue("operation-profile", f"{expression}.{name}", problem="it is not known here")
        elif found.get("type") != "Parameters":
            yield rules.issue("operation-profile", f"{expression}.{name}", problem="it is not for Parameters")


def _is_its_own_base(operation: JsonObject, library: Library) -> bool:
    """Whether what the operation is based on is based on it, as far as that is known here."""
    url, base = operation.get("url"), text(operation.get("base"))
    seen: set[str] = set()
    while base and base not in seen:
        seen.add(base)
        found = library.find(base)
        if found is None or found["resourceType"] != "OperationDefinition":
            return False
        if found["url"] == url:
            return True
        base = text(found.get("base"))
    return False
