"""One root element of a record as text, with room for the values in it that may vary: see ``pieces``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from fhir_keta.records.json_text import Leaf, Member, leaves
from fhir_keta.validation.accepted.written import REFERENCE, written

Path = tuple[str | int, ...]

# between tokens, without and with a blank after colon and comma
COMMA = (b',"', b', "')
# what an item of a response begins with, likewise
LINK_ID = (b'{"linkId":"', b'{"linkId": "')
RESPONSE = (b'{"resourceType":"QuestionnaireResponse"', b'{"resourceType": "QuestionnaireResponse"')

VARIES = "\0"
"""Stands for a value that varies in the text of a piece; in JSON it would be escaped."""

_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/(?=[A-Za-z0-9.\-]{1,64}$)")


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A root element as text: its name, the text with ``VARIES`` for what varies, and how that may be written.

    ``length`` is how many tokens it has.
    """

    key: str
    text: str
    patterns: tuple[str, ...]
    length: int

    def says_the_same(self, other: Piece) -> bool:
        return self.text == other.text and self.patterns == other.patterns


@dataclass(frozen=True, slots=True)
class Varying:
    """A value that varies: where it stands in the text, how it may be written, and its role.

    The role is "start" or "end" of what has both (a Period), or nothing.
    """

    start: int
    end: int
    pattern: str
    role: str = ""


def is_spaced(data: bytes) -> int:
    """Whether there is a blank after colon and comma, as an index into ``COMMA`` and ``LINK_ID``."""
    return data[16:17] == b" "


def cut(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """The tokens of a record, and of a response the texts of its items, each as it follows ``LINK_ID``."""
    spaced = is_spaced(data)
    if not data.endswith(b"}"):
        return [], []
    if not data.startswith(RESPONSE):
        return data[2:-1].split(COMMA[spaced]), []
    head, *items = data[2:-1].split(LINK_ID[spaced])
    tokens = head.split(COMMA[spaced])
    if items and (end := items[-1].find(b"]" + COMMA[spaced])) >= 0:  # what follows the items
        tokens += items[-1][end + 1 + len(COMMA[spaced]) :].split(COMMA[spaced])
        items[-1] = items[-1][: end + 1]
    return tokens, items


def piece_of(
    text: str, member: Member, spaced: int, type_of: Callable[[Path], str | None]
) -> tuple[Piece, list[Varying]]:
    """The piece that a root element is, and what varies in it.

    ``type_of`` says within which type the value at a path (from the root) may vary, and None where it may not.
    """
    places = _places(text, member, type_of)
    parts, start = [], member.start + 1
    for place in places:
        parts += [text[start : place.start], VARIES]
        start = place.end
    whole = "".join(parts) + text[start : member.end]
    length = whole.count(COMMA[spaced].decode()) + 1
    return Piece(member.name, whole, tuple([place.pattern for place in places]), length), places


def _places(text: str, member: Member, type_of: Callable[[Path], str | None]) -> list[Varying]:
    written = text[member.start : member.end]
    if 'xtension"' in written or member.name == "contained" or VARIES in written or written.endswith("["):
        return []  # behind a bracket that is left open, the items of a response follow
    every = leaves(text, member.end - len(written.partition(":")[2].removeprefix(" ")))
    found: dict[Path, Varying] = {}
    for leaf in every:
        named = not leaf.path or isinstance(leaf.path[-1], str)
        if named and (place := _place(text, leaf, type_of((member.name, *leaf.path)))):
            found[leaf.path] = place
    paths = {leaf.path for leaf in every}
    return [place for path in found if (place := _in_period(path, found, paths))]


def _in_period(path: Path, found: dict[Path, Varying], paths: set[Path]) -> Varying | None:
    """The place as it is, or as one end of a Period: both of its ends vary, in their order, or none does."""
    if path[-1:] not in (("start",), ("end",)):
        return found[path]
    start, end = (*path[:-1], "start"), (*path[:-1], "end")
    if not {start, end} <= paths:
        return found[path]
    if not {start, end} <= found.keys() or found[start].start > found[end].start:
        return None
    return replace(found[path], role=str(path[-1]), pattern=f"({found[path].pattern})")


def _place(text: str, leaf: Leaf, type_name: str | None) -> Varying | None:
    if type_name is None:
        return None
    quoted = text[leaf.start] == '"'
    start, end = leaf.start + quoted, leaf.end - quoted
    if type_name == REFERENCE:
        named = _REFERENCE.match(text[start:end])
        if named is None:
            return None
        start += named.end()
    pattern = written(type_name, text[start:end])
    return Varying(start, end, pattern) if pattern else None
