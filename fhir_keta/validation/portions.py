"""Why a very large record is refused, asked of one portion after another.

The engine finds all errors before it gives the first, and keeps each with its message: a hostile record of many small
faults would fill the memory. So its arrays are divided, and who has read enough refusals asks for no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fhir_keta.records.parse import LEVELS, written
from fhir_keta.validation.refusal import Refusal

Path = tuple[str | int, ...]
Ask = Callable[[Any], Iterator[Refusal]]

PORTION = 5_000
"""Elements of arrays in one portion. Most records are one."""

_SHARE = 0.3  # of an instance that stands beside an array: so much is a portion of its own

# what they refuse in a part of an array may be right in the whole
_ABOUT_THE_WHOLE = frozenset({"anyOf", "contains", "minItems", "not", "oneOf"})


def in_portions(ask: Ask, instance: Any) -> Iterator[Refusal]:
    """The refusals of an instance, each portion asked only when those before it have been read.

    Of an instance of more than one portion, what only the whole of an array shows is given where nothing else is.
    """
    if _is_small(instance) or _elements(instance) <= PORTION:
        yield from ask(instance)
        return
    found = False
    for refusal in _divided(ask, instance):
        found = True
        yield refusal
    if not found:
        yield from ask(instance)


def _divided(ask: Ask, instance: Any) -> Iterator[Refusal]:
    if _elements(instance) <= PORTION or (path := _where_to_divide(instance)) is None:
        yield from ask(instance)
        return
    items: Any = instance
    for step in path:
        items = items[step]
    half = len(items) // 2
    for refusal in _divided(ask, _with(instance, path, items[:half])):
        if refusal.keyword not in _ABOUT_THE_WHOLE or refusal.path != path[: len(refusal.path)]:
            yield refusal
    alone, way = _alone(path, items[half:])
    for refusal in _divided(ask, alone):
        if len(refusal.path) > len(way) and refusal.path[: len(way)] == way:
            position = int(refusal.path[len(way)]) + half
            yield refusal._replace(path=(*path, position, *refusal.path[len(way) + 1 :]))


def _is_small(instance: Any) -> bool:
    """Whether an instance surely is one portion."""
    text = written(instance)  # None where nested too deep, or no JSON: the index may hold what is none
    return text is not None and (len(text) <= 2 * PORTION or text.count(b",") + text.count(b"[") <= PORTION)


def _elements(value: Any) -> int:
    """How many elements all arrays in a value have together. Without recursion: it may be nested too deep."""
    count = 0
    pending = [value] if type(value) is dict or type(value) is list else []
    while pending:
        value = pending.pop()
        if type(value) is list:
            count += len(value)
        for each in value.values() if type(value) is dict else value:
            if type(each) is dict or type(each) is list:
                pending.append(each)
    return count


def _where_to_divide(instance: Any) -> Path | None:
    """The way to the array that divides the instance best; None where it is nested too deep for a record."""
    enough = _elements(instance) * _SHARE
    beside = 0
    path: Path = ()
    value = instance
    while len(path) <= LEVELS and isinstance(value, dict | list):
        if isinstance(value, list) and (len(value) > 1 or beside > enough):
            return path
        sizes = {step: _elements(value[step]) for step in (value if isinstance(value, dict) else range(len(value)))}
        if not sizes:
            return None
        step = max(sizes, key=sizes.__getitem__)
        beside += sum(sizes.values()) - sizes[step]
        path, value = (*path, step), value[step]
    return None


def _with(value: Any, path: Path, items: list[Any]) -> Any:
    """A copy of a value with other items at a path."""
    if not path:
        return items
    copy = value.copy()
    copy[path[0]] = _with(value[path[0]], path[1:], items)
    return copy


def _alone(path: Path, items: list[Any]) -> tuple[Any, Path]:
    """The items with nothing beside the way to them, and that way."""
    value: Any = items
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return value, tuple(step if isinstance(step, str) else 0 for step in path)
