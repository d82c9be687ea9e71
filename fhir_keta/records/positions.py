"""Where in the bytes of a record a FHIRPath stands. Asked only for findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fhir_keta.records.parse import TO_BRACKET, position

_STEP = re.compile(
    r"""\.ofType\((?P<type>[^)]*)\)
      | \[(?P<index>[0-9]+)\]
      | \.`(?P<quoted>[^`]*)`
      | \.(?P<name>[^.\[(`]+)(?![^.\[]*\()
    """,
    re.VERBOSE,
)
_ROOT = re.compile(r"[^.\[]*")
_NAME = re.compile(rb'[ \t\r\n]*+("(?:[^"\\]++|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
_SCALAR = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^][{},:"\s]++', re.DOTALL)
_COMMA = re.compile(rb"[ \t\r\n]*+,[ \t\r\n]*+")
_SPACE = re.compile(rb"[ \t\r\n]*+")
_OBJECT, _ARRAY, _ARRAY_END, _NULL = b"{[]n"


@dataclass(slots=True)
class _Wanted:
    """A node of the tree of asked-for paths: what stands below by name or index, and where it was found."""

    below: dict[str | int, _Wanted] = field(default_factory=dict)
    key: int | None = None
    value: int | None = None


def locate(data: bytes, expression: str, *, of_name: bool = False) -> tuple[int, int] | None:
    """Line and column (from 1, in characters) of an element's value in the JSON ``data``.

    ``expression`` is a FHIRPath of plain steps, indexes and ``ofType``, as in ``Observation.component[0].value
    .ofType(Quantity).unit``. Of a primitive, the value comes before its extensions (``birthDate`` before
    ``_birthDate``). ``of_name`` asks for the element's name in front of the value instead. What is not there is
    placed at its nearest parent that is. ``None`` when there is not even a beginning of JSON.
    """
    return locate_all(data, [(expression, of_name)])[0]


def locate_all(data: bytes, asked: Iterable[tuple[str, bool]]) -> list[tuple[int, int] | None]:
    """What ``locate`` does, for many pairs of expression and ``of_name`` in one pass over the bytes."""
    root = _Wanted()
    trails: list[tuple[list[_Wanted], bool]] = []
    for expression, of_name in asked:
        trail = [root]
        for step in steps(expression):
            trail.append(trail[-1].below.setdefault(step, _Wanted()))
        trails.append((trail, of_name))
    _Scanner(data).value(_after_space(data, 0), root)
    offsets = [_offset(trail, of_name) for trail, of_name in trails]
    places = _places(data, sorted({offset for offset in offsets if offset is not None}))
    return [None if offset is None else places[offset] for offset in offsets]


def _offset(trail: list[_Wanted], of_name: bool) -> int | None:
    for node in reversed(trail):
        if node.value is not None:
            return node.key if of_name and node is trail[-1] and node.key is not None else node.value
    return None


def _places(data: bytes, offsets: list[int]) -> dict[int, tuple[int, int]]:
    """Line and column of ascending offsets, in one pass: a record may have many findings on one long line."""
    places: dict[int, tuple[int, int]] = {}
    line, column, reached = 1, 1, 0
    for offset in offsets:
        lines_down, across = position(data[reached:offset], offset - reached)
        line, column = line + lines_down - 1, across if lines_down > 1 else column + across - 1
        places[offset] = line, column
        reached = offset
    return places


def steps(expression: str) -> list[str | int]:
    """The names and indexes of a FHIRPath after its first, the type; it ends at the first step of another kind.

    ``value.ofType(Quantity)`` is one step, the name ``valueQuantity``; ``resource.ofType(Patient)`` is ``resource``.
    """
    found: list[str | int] = []
    offset = _ROOT.match(expression).end()  # type: ignore[union-attr]
    while step := _STEP.match(expression, offset):
        offset = step.end()
        if step["index"] is not None:
            found.append(int(step["index"]))
        elif step["type"] is not None:
            if found and isinstance(found[-1], str) and found[-1] != "resource":
                name = step["type"].rpartition(".")[2]
                found[-1] += name[:1].upper() + name[1:]
        else:
            found.append(step["quoted"] if step["quoted"] is not None else step["name"])
    return found


def _after_space(data: bytes, offset: int) -> int:
    return _SPACE.match(data, offset).end()  # type: ignore[union-attr]


class _Scanner:
    """Walks JSON once, only into what is wanted. Tolerates broken JSON: it stops where it understands no more."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def value(self, offset: int, wanted: _Wanted | None) -> int:
        """Note the value at ``offset``, go into it where more is wanted, and give the offset after it.

        A null never displaces what was found under another name (``_given`` beside ``given``).
        """
        data = self.data
        if wanted is None or offset >= len(data):
            return self._skip(offset)
        if wanted.value is None or data[offset] != _NULL:
            wanted.value = offset
        if not wanted.below:
            return self._skip(offset)
        if data[offset] == _OBJECT:
            return self._object(offset + 1, wanted.below)
        if data[offset] == _ARRAY:
            return self._array(offset + 1, wanted.below)
        return self._skip(offset)

    def _skip(self, offset: int) -> int:
        data = self.data
        if data[offset : offset + 1] not in (b"[", b"{"):
            found = _SCALAR.match(data, offset)
            return found.end() if found else len(data)
        depth = 0
        while found := TO_BRACKET.match(data, offset):
            offset = found.end()
            depth += 1 if data[offset - 1] in b"[{" else -1
            if depth == 0:
                return offset
        return len(data)

    def _array(self, offset: int, below: dict[str | int, _Wanted]) -> int:
        data = self.data
        index = 0
        offset = _after_space(data, offset)
        while offset < len(data) and data[offset] != _ARRAY_END:
            offset = self.value(offset, below.get(index))
            if (comma := _COMMA.match(data, offset)) is None:
                break
            offset = comma.end()
            index += 1
        return _after_space(data, offset) + 1

    def _object(self, offset: int, below: dict[str | int, _Wanted]) -> int:
        data = self.data
        while name := _NAME.match(data, offset):
            offset = self._member(name.start(1), _text(name[1]), name.end(), below)
            if (comma := _COMMA.match(data, offset)) is None:
                break
            offset = comma.end()
        return _after_space(data, offset) + 1

    def _member(self, key_offset: int, key: str, offset: int, below: dict[str | int, _Wanted]) -> int:
        if (wanted := below.get(key)) is not None:
            wanted.key = key_offset
            return self.value(offset, wanted)
        if (wanted := below.get(key[1:]) if key.startswith("_") else _choice(key, below)) is None:
            return self.value(offset, None)
        apart = _without_places(wanted)
        end = self.value(offset, apart)
        apart.key = key_offset
        self._fill_in(wanted, apart)
        return end

    def _fill_in(self, wanted: _Wanted, other: _Wanted) -> None:
        """Take over what the second-best name holds (``_birthDate`` for ``birthDate``) where the best has nothing."""
        if other.value is not None and (wanted.value is None or self.data[wanted.value] == _NULL):
            wanted.key, wanted.value = other.key, other.value
        for step, node in wanted.below.items():
            self._fill_in(node, other.below[step])


def _choice(key: str, below: dict[str | int, _Wanted]) -> _Wanted | None:
    """What is wanted of ``value`` without a type, where the key is ``valueQuantity``."""
    for step, wanted in below.items():
        if isinstance(step, str) and key.startswith(step) and key[len(step) :][:1].isupper():
            return wanted
    return None


def _without_places(wanted: _Wanted) -> _Wanted:
    return _Wanted({step: _without_places(node) for step, node in wanted.below.items()})


def _text(name: bytes) -> str:
    if b"\\" not in name:
        return name[1:-1].decode(errors="replace")
    try:
        return str(json.loads(name))
    except ValueError:
        return name.decode(errors="replace")
