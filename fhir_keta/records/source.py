"""Where records come from: files, folders, NDJSON, Bundles, gzip and standard input."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the input something stands. Lines and columns count from 1; ``None`` where not known."""

    path: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The bytes of one record as read, and where they start."""

    data: bytes
    place: Place
