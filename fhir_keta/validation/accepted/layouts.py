"""Records told by all of their tokens at once: see ``pieces``.

Records that one program wrote have their tokens in the same order, and it is the same ones that vary. Of a record that
was read token by token and found good, it is remembered which tokens vary and how, and what all others were. So a
record like it is found by one look-up, with what was said of the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import call, itemgetter
from typing import Any, Generic, TypeVar

Outcome = TypeVar("Outcome")
Match = Callable[[bytes], "re.Match[bytes] | None"]

_REMEMBERED = 20_000  # records: a bound on memory
_OFTEN = 100  # times, until a regular expression is worth the millisecond of its making
_BETWEEN = b"\n"  # in no token that varies: JSON has it escaped in a string


@dataclass(frozen=True, slots=True)
class VaryingToken:
    """A token with values that vary: which of the record's tokens it is, its pattern, and how that is matched.

    ``is_end`` is whether it has the end of a Period whose start is in the varying token before; the first group of both
    is the time then.
    """

    position: int
    pattern: str
    match: Match
    is_end: bool = False


@dataclass(slots=True, eq=False)
class _Varying:
    """What varies in a record: how each is matched, and, once it was asked for often, all at once."""

    tokens: tuple[VaryingToken, ...]
    matches: tuple[Match, ...]
    periods: list[tuple[VaryingToken, VaryingToken]]
    whole: Match | None = None
    asked: int = 0

    def matches_each(self, varying: Sequence[bytes], tokens: Sequence[bytes]) -> bool:
        """Whether each of these tokens is as it may be; ``tokens`` are all of the record."""
        self.asked += 1
        if self.asked > _OFTEN:
            patterns = [f"(?:{each.pattern})".encode() for each in self.tokens]
            self.whole = re.compile(_BETWEEN.join(patterns)).fullmatch
        return all(map(call, self.matches, varying)) and all(
            in_order(_time(start, tokens), _time(end, tokens)) for start, end in self.periods
        )


@dataclass(slots=True, eq=False)
class _Layout(Generic[Outcome]):
    """Records of so many tokens of which the same ones vary; ``known`` by those that do not."""

    same: Callable[[Sequence[bytes]], Any]
    varying: Callable[[Sequence[bytes]], Sequence[bytes]]
    known: dict[Any, list[tuple[_Varying, Outcome]]] = field(default_factory=dict)
    found: int = 0


@dataclass(slots=True, eq=False)
class Layouts(Generic[Outcome]):
    """What was said of records, by their tokens."""

    _by_length: dict[int, tuple[_Layout[Outcome], ...]] = field(default_factory=dict)
    _by_places: dict[tuple[int, ...], _Layout[Outcome]] = field(default_factory=dict)
    _varying: dict[tuple[tuple[int, str], ...], _Varying] = field(default_factory=dict)
    _tokens: dict[bytes, bytes] = field(default_factory=dict)
    _count: int = 0

    def find(self, tokens: Sequence[bytes]) -> Outcome | None:
        """What was said of a record whose tokens were these, but for values that vary; None where there was none."""
        for layout in self._by_length.get(len(tokens), ()):
            for varying, outcome in layout.known.get(layout.same(tokens), ()):
                given = layout.varying(tokens)
                if varying.whole is None:
                    matched = varying.matches_each(given, tokens)
                elif found := varying.whole(_BETWEEN.join(given)):
                    matched = not varying.periods or _all_in_order(*found.groups())
                else:
                    matched = False
                if matched:
                    layout.found += 1
                    return outcome
        return None

    def learn(self, tokens: Sequence[bytes], varying: Sequence[VaryingToken], outcome: Outcome) -> None:
        """Remember what was said of a record with these tokens, of which some vary."""
        if len(varying) == len(tokens) or self._is_full():
            return
        layout = self._layout(len(tokens), [each.position for each in varying])
        self._count += 1
        same = layout.same([self._tokens.setdefault(token, token) for token in tokens])
        layout.known.setdefault(same, []).append((self._known(varying), outcome))

    def forget(self) -> None:
        """Forget all."""
        self._by_length, self._by_places, self._varying, self._tokens = {}, {}, {}, {}
        self._count = 0

    def _is_full(self) -> bool:
        """Whether there is no room; it is made where what is remembered was of use, or other records come now."""
        if self._count >= _REMEMBERED and sum(each.found for each in self._by_places.values()) > _REMEMBERED:
            self.forget()
        return self._count >= _REMEMBERED

    def _layout(self, length: int, places: list[int]) -> _Layout[Outcome]:
        key = (length, *places)
        if key not in self._by_places:
            same = itemgetter(*sorted({*range(length)} - {*places}))
            self._by_places[key] = _Layout(same, _picked(places))
        layout = self._by_places[key]
        others = [each for each in self._by_length.get(length, ()) if each is not layout]
        # the most frequent first
        self._by_length[length] = tuple(sorted([layout, *others], key=lambda each: -each.found))
        return layout

    def _known(self, varying: Sequence[VaryingToken]) -> _Varying:
        key = tuple([(each.position, each.pattern) for each in varying])
        if key not in self._varying:
            periods = [(start, end) for start, end in pairwise(varying) if end.is_end]
            self._varying[key] = _Varying(tuple(varying), tuple([each.match for each in varying]), periods)
        return self._varying[key]


def _picked(places: list[int]) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def _time(varying: VaryingToken, tokens: Sequence[bytes]) -> bytes:
    matched = varying.match(tokens[varying.position])
    assert matched is not None
    return matched[1]


def _all_in_order(start: bytes, end: bytes, *others: bytes) -> bool:
    return in_order(start, end) and (not others or _all_in_order(*others))


def in_order(start: bytes, end: bytes) -> bool:
    """Whether one time is not after the other; only said where both are written alike, in the same zone."""
    return start <= end and start[19:] == end[19:] and len(start) == len(end)
