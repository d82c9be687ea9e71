"""The pieces that are known, as a tree of their tokens: see ``pieces``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.validation.accepted.layouts import Match, VaryingToken, in_order
from fhir_keta.validation.accepted.piece import COMMA, VARIES, Piece, Varying

_FORMS = 16  # of one token with values that vary
_TOKENS = 150  # beyond so many, a record is read in one way only

# after a token: the tokens that may follow it, or the piece that ends with it; under None the forms, by token's name
_Following = dict[bytes | None, Any]


@dataclass(frozen=True, slots=True)
class _Form:
    """How a token with a value that varies is matched, what may follow, the role of the value, the pattern."""

    match: Match
    after: Any
    role: str
    pattern: str

    def at(self, position: int) -> VaryingToken:
        return VaryingToken(position, self.pattern, self.match, self.role == "end")


Matched = tuple[int, _Form]
"""A token, by its position, and how it was matched."""

_NO_FORMS: dict[bytes, list[_Form]] = {}


@dataclass(slots=True, eq=False)
class PieceTree:
    """Reads tokens as pieces. ``size`` is about how many bytes it takes."""

    size: int = 0
    _start: _Following = field(default_factory=dict)

    def read(self, tokens: Sequence[bytes]) -> tuple[tuple[Piece, ...], list[Matched]] | None:
        """The pieces of these tokens, and those tokens in which something varies, as it may; None where there are no
        such pieces."""
        pieces: list[Piece] = []
        varying: list[Matched] = []
        following = start = self._start
        earlier = b""  # the start of the Period that is being read
        for position, token in enumerate(tokens):
            after = following.get(token)
            if after is None:
                for form in following.get(None, _NO_FORMS).get(token[: token.find(b'":')], ()):
                    if found := form.match(token):
                        break
                else:
                    return self._read_otherwise(tokens, pieces, varying) if following is not start else None
                if form.role == "start":
                    earlier = found[1]
                elif form.role == "end" and not in_order(earlier, found[1]):
                    return None
                varying.append((position, form))
                after = form.after
            if type(after) is dict:
                following = after
            else:
                pieces.append(after)
                following = start
        return (tuple(pieces), varying) if following is start else None

    def _read_otherwise(
        self, tokens: Sequence[bytes], pieces: list[Piece], varying: list[Matched]
    ) -> tuple[tuple[Piece, ...], list[Matched]] | None:
        """Read on after ``pieces``, where a token is known as it is and also as one that varies.

        What follows decides; so the piece that could not be read is read again from its beginning.
        """
        if len(tokens) > _TOKENS:
            return None
        position = sum(piece.length for piece in pieces)
        varying = [each for each in varying if each[0] < position]
        while position < len(tokens):
            found = self._next(tokens, position, self._start, b"")
            if found is None:
                return None
            piece, inside = found
            pieces.append(piece)
            varying += inside
            position += piece.length
        return tuple(pieces), varying

    def _next(
        self, tokens: Sequence[bytes], position: int, following: _Following, earlier: bytes
    ) -> tuple[Piece, list[Matched]] | None:
        """The piece that begins or goes on at ``position``, and what varies from there to its end."""
        if position == len(tokens):
            return None
        token = tokens[position]
        ways: list[tuple[Any, bytes, list[Matched]]] = []
        if (after := following.get(token)) is not None:
            ways.append((after, earlier, []))
        for form in following.get(None, _NO_FORMS).get(token[: token.find(b'":')], ()):
            found = form.match(token)
            if found and (form.role != "end" or in_order(earlier, found[1])):
                ways.append((form.after, found[1] if form.role == "start" else earlier, [(position, form)]))
        for after, start, varying in ways:
            if type(after) is not dict:
                return after, varying
            inner = self._next(tokens, position + 1, after, start)
            if inner is not None:
                return inner[0], varying + inner[1]
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
                same = [form for form in forms if (form.role, form.pattern) == (role, pattern)]
                if not same and len(forms) >= _FORMS:
                    return None
                if not same:
                    forms.append(_Form(re.compile(pattern.encode()).fullmatch, after, role, pattern))
                after = same[0].after if same else after
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
        self.size = 0


def varying_tokens(varying: Sequence[Matched]) -> list[VaryingToken]:
    """What ``layouts`` has to know of tokens in which something varies."""
    return [form.at(position) for position, form in varying]


def _pattern(token: str, inside: list[Varying]) -> str:
    """The regular expression of a token with these values."""
    first, *rest = token.split(VARIES)
    parts = [value.pattern + re.escape(part) for value, part in zip(inside, rest, strict=True)]
    return re.escape(first) + "".join(parts)
