"""Reading JSON whose shape nobody vouches for: what is not of the expected kind is as if it were not there."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

JsonObject = dict[str, Any]


def items(value: Any) -> list[Any]:
    """The items of an array; none where it is none."""
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[JsonObject]:
    """The objects in an array; none where it is none."""
    return [item for item in items(value) if isinstance(item, dict)]


def text(value: Any) -> str:
    """A string; empty where it is none."""
    return value if isinstance(value, str) else ""


def without_value(value: JsonObject, name: str) -> bool:
    """Whether a primitive has extensions only: to FHIRPath it exists, and what compares its value is empty."""
    return name not in value and f"_{name}" in value


def number(value: Any) -> int | float | None:
    """A number; None where it is none (JSON's true and false are none)."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def descendants(value: Any) -> Iterator[JsonObject]:
    """All objects in a value, itself first."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def distinct(values: list[Hashable]) -> bool:
    """FHIRPath's isDistinct (N1, 5.2.7)."""
    return len(values) == len(set(values))
