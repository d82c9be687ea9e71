"""Where the parts of a JSON object stand in its text; for text that a parser has accepted."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"{}\[\],:]+')
_decode = json.JSONDecoder().raw_decode


class Member(NamedTuple):
    """A member of an object: its name, and the offsets of the name's quotation mark and of the value's end."""

    name: str
    start: int
    end: int


class Leaf(NamedTuple):
    """A string, number or literal: the names and indexes down to it, and its offsets (quotation marks included)."""

    path: tuple[str | int, ...]
    start: int
    end: int


def members(text: str, start: int = 0) -> tuple[list[Member], int] | None:
    """The members of the object that begins at ``start``, and the offset behind it.

    None where it is not written on one line with no blank but after colons and commas, or ends too early.
    """
    found: list[Member] = []
    position = start
    try:
        while text[position] == ("," if found else "{"):
            position = _after_blank(text, position + 1)
            name, end = _decode(text, position)
            if type(name) is not str or text[end] != ":":
                return None
            after = _decode(text, _after_blank(text, end + 1))[1]
            found.append(Member(name, position, after))
            position = after
        return (found, position + 1) if found and text[position] == "}" else None
    except (ValueError, IndexError):
        return None


def leaves(text: str, start: int) -> list[Leaf]:
    """All leaves of the value that begins at ``start``, in their order."""
    found: list[Leaf] = []
    _collect(text, start, (), found)
    return found


def _collect(text: str, position: int, path: tuple[str | int, ...], found: list[Leaf]) -> int:
    opening = text[position]
    if opening not in "{[":
        scalar = _SCALAR.match(text, position)
        assert scalar is not None
        found.append(Leaf(path, position, scalar.end()))
        return scalar.end()
    position = _after_blanks(text, position + 1)
    number = 0
    while text[position] not in "}]":
        step: str | int = number
        if opening == "{":
            name = _STRING.match(text, position)
            assert name is not None
            step = str(json.loads(name[0]))
            position = _after_blanks(text, _after_blanks(text, name.end()) + 1)
        position = _after_blanks(text, _collect(text, position, (*path, step), found))
        number += 1
        if text[position] == ",":
            position = _after_blanks(text, position + 1)
    return position + 1


def _after_blanks(text: str, position: int) -> int:
    """Past all white space, of which JSON allows any between two tokens."""
    while text[position] in " \t\r\n":
        position += 1
    return position


def _after_blank(text: str, position: int) -> int:
    return position + 1 if text[position] == " " else position
