"""The pieces that are known, as a tree of their tokens: see ``pieces``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.validation.piece import COMMA, VARIES, Piece, Varying
from fhir_keta.validation.varying import REFERENCE

_REFERENCES = 10_000  # known by heart: a patient's records follow one another
_FORMS = 16  # of one token with values that vary
_TOKENS = 150  # beyond so many, a record is read in one way only

# how a token with a value that varies is matched, what may follow, the role of the value, the pattern
_Form = tuple[Callable[[bytes], "re.Match[bytes] | None"], Any, str, str]
_NO_FORMS: dict[bytes, list[_Form]] = {}
# after a token: the tokens that may follow it, or the piece that ends with it; under None the forms, by token's name
_Following = dict[bytes | None, Any]


@dataclass(slots=True, eq=False)
class PieceTree:
    """Reads tokens as pieces. ``size`` is about how many bytes it takes."""

    size: int = 0
    _start: _Following = field(default_factory=dict)
    _met: list[tuple[_Following, bytes]] = field(default_factory=list)

    def read(self, tokens: Sequence[bytes]) -> tuple[Piece, ...] | None:
        """The pieces of these tokens, with what varies in them as it may; None where there are no such pieces."""
        pieces: list[Piece] = []
        following = start = self._start
        earlier = b""  # the start of the Period that is being read
        for token in tokens:
            after = following.get(token)
            if after is None:
                for form in following.get(None, _NO_FORMS).get(token[: token.find(b'":')], ()):
                    if found := form[0](token):
                        break
                else:
                    return self._read_otherwise(tokens, pieces) if following is not start else None
                _, after, role, _ = form
                if role == REFERENCE:
                    self._meet(following, token, after)
                elif role == "start":
                    earlier = found[1]
                elif role == "end" and not _in_order(earlier, found[1]):
                    return None
            if type(after) is dict:
                following = after
            else:
                pieces.append(after)
                following = start
        return tuple(pieces) if following is start else None

    def _read_otherwise(self, tokens: Sequence[bytes], pieces: list[Piece]) -> tuple[Piece, ...] | None:
        """Read on after ``pieces``, where a token is known as it is and also as one that varies.

        What follows decides; so the piece that could not be read is read again from its beginning.
        """
        if len(tokens) > _TOKENS:
            return None
        position = sum(piece.length for piece in pieces)
        while position < len(tokens):
            found = self._next(tokens, position, self._start, b"")
            if found is None:
                return None
            piece, position = found
            pieces.append(piece)
        return tuple(pieces)

    def _next(
        self, tokens: Sequence[bytes], position: int, following: _Following, earlier: bytes
    ) -> tuple[Piece, int] | None:
        """The piece that begins or goes on at ``position``, and where it ends."""
        if position == len(tokens):
            return None
        token = tokens[position]
        ways = [(after, earlier)] if (after := following.get(token)) is not None else []
        for match, after, role, _ in following.get(None, _NO_FORMS).get(token[: token.find(b'":')], ()):
            found = match(token)
            if found and (role != "end" or _in_order(earlier, found[1])):
                ways.append((after, found[1] if role == "start" else earlier))
        for after, start in ways:
            if type(after) is not dict:
                return after, position + 1
            inner = self._next(tokens, position + 1, after, start)
            if inner is not None:
                return inner
        return None

    def add(self, piece: Piece, places: Sequence[Varying], spaced: int) -> Piece | None:
        """The piece, or the one that said the same before; None where there are too many like it."""
        following = self._start
        values = iter(places)
        tokens = piece.text.split(COMMA[spaced].decode())
        for number, token in enumerate(tokens, start=1):
            after: Any = piece if number == len(tokens) else {}
            if VARIES in token:
                inside = [next(values) for _ in range(token.count(VARIES))]
                if len(inside) > 1 and any(value.role in ("start", "end") for value in inside):
                    return None  # only one that stands alone in its token is compared
                role, pattern = inside[0].role if len(inside) == 1 else "", _pattern(token, inside)
                forms = following.setdefault(None, {}).setdefault(token[: token.find('":')].encode(), [])
                same = [form for form in forms if form[2:] == (role, pattern)]
                if not same and len(forms) >= _FORMS:
                    return None
                if not same:
                    forms.append((re.compile(pattern.encode()).fullmatch, after, role, pattern))
                after = same[0][1] if same else after
            else:
                after = following.setdefault(token.encode(), after)
            self.size += len(token) + 200
            if isinstance(after, Piece):
                return after if after.says_the_same(piece) else None
            following = after
        return None

    def forget(self) -> None:
        """Empty the tree; who is reading in it reads on."""
        self._start = {}
        self._met = []
        self.size = 0

    def _meet(self, following: _Following, token: bytes, after: Any) -> None:
        if len(self._met) > _REFERENCES:
            met, self._met = self._met, []
            for where, each in met:
                where.pop(each, None)
        following[token] = after
        self._met.append((following, token))


def _pattern(token: str, inside: list[Varying]) -> str:
    """The regular expression of a token with these values."""
    first, *rest = token.split(VARIES)
    parts = [value.pattern + re.escape(part) for value, part in zip(inside, rest, strict=True)]
    return re.escape(first) + "".join(parts)


def _in_order(start: bytes, end: bytes) -> bool:
    """Whether one time is not after the other; only said where both are written alike, in the same zone."""
    return len(start) == len(end) and start[19:] == end[19:] and start <= end
