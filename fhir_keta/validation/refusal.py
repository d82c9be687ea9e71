"""What an engine says of an instance that it refuses."""

from __future__ import annotations

from typing import Any, NamedTuple


class Refusal(NamedTuple):
    """One leaf error of the engine.

    ``keyword`` is the JSON Schema keyword that refused ("required", "pattern", ...; no schema of ours is ``false``),
    ``path`` the keys and indexes down to the instance, ``schema_path`` the canonical place of the keyword in the
    schema document (references resolved), ``detail`` the missing or unexpected property names, if any, and ``value``
    the instance (never for messages: it is patient data).
    """

    keyword: str
    path: tuple[str | int, ...]
    schema_path: tuple[str | int, ...]
    detail: tuple[str, ...]
    value: Any
