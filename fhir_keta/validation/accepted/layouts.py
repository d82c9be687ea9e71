"""Records told by all of their tokens at once: see ``pieces``.

Records that one program wrote have their tokens in the same order, and it is the same ones that vary. Of a record that
was read token by token and found good, it is remembered which tokens vary and how, and what all others were. So a
record like it is found by one look-up and one regular expression, with what was said of the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Generic, TypeVar

Outcome = TypeVar("Outcome")
Match = Callable[[bytes], "re.Match[bytes] | None"]

_REMEMBERED = 20_000  # records: a bound on memory
_PATTERNS = 2_000
_BETWEEN = b"\n"  # in no token that varies: JSON has it escaped in a string


@dataclass(frozen=True, slots=True)
class VaryingToken:
    """A token with values that vary: which of the record's tokens it is, and its pattern.

    ``is_end`` is whether it has the end of a Period whose start is in the varying token before; both patterns have a
    group with the time then, and no other pattern has one.
    """

    position: int
    pattern: str
    is_end: bool = False


@dataclass(slots=True, eq=False)
class _Layout(Generic[Outcome]):
    """Records of so many tokens of which the same ones vary; ``known`` by those that do not."""

    same: Callable[[Sequence[bytes]], Any]
    varying: Callable[[Sequence[bytes]], Sequence[bytes]]
    known: dict[Any, list[tuple[Match, bool, Outcome]]] = field(default_factory=dict)
    found: int = 0


@dataclass(slots=True, eq=False)
class Layouts(Generic[Outcome]):
    """What was said of records, by their tokens."""

    _by_length: dict[int, tuple[_Layout[Outcome], ...]] = field(default_factory=dict)
    _by_places: dict[tuple[int, ...], _Layout[Outcome]] = field(default_factory=dict)
    _matches: dict[tuple[str, ...], Match] = field(default_factory=dict)
    _tokens: dict[bytes, bytes] = field(default_factory=dict)
    _count: int = 0

    def find(self, tokens: Sequence[bytes]) -> Outcome | None:
        """What was said of a record whose tokens were these, but for values that vary; None where there was none."""
        for layout in self._by_length.get(len(tokens), ()):
            for match, has_periods, outcome in layout.known.get(layout.same(tokens), ()):
                matched = match(_BETWEEN.join(layout.varying(tokens)))
                if matched and (not has_periods or _in_order(*matched.groups())):
                    layout.found += 1
                    return outcome
        return None

    def learn(self, tokens: Sequence[bytes], varying: Sequence[VaryingToken], outcome: Outcome) -> None:
        """Remember what was said of a record with these tokens, of which some vary."""
        if len(varying) == len(tokens) or self._is_full():
            return
        layout = self._layout(len(tokens), [each.position for each in varying])
        match = self._match(tuple([each.pattern for each in varying]))
        known = (match, any(each.is_end for each in varying), outcome)
        self._count += 1
        same = layout.same([self._tokens.setdefault(token, token) for token in tokens])
        layout.known.setdefault(same, []).append(known)

    def forget(self) -> None:
        """Forget all."""
        self._by_length, self._by_places, self._matches, self._tokens = {}, {}, {}, {}
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

    def _match(self, patterns: tuple[str, ...]) -> Match:
        if patterns not in self._matches:
            if len(self._matches) >= _PATTERNS:
                self._matches.clear()
            whole = _BETWEEN.decode().join(f"(?:{pattern})" for pattern in patterns)
            self._matches[patterns] = re.compile(whole.encode()).fullmatch
        return self._matches[patterns]


def _picked(places: list[int]) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def _in_order(start: bytes, end: bytes, *others: bytes) -> bool:
    """Whether in all of these pairs of times one is not after the other."""
    return in_order(start, end) and (not others or _in_order(*others))


def in_order(start: bytes, end: bytes) -> bool:
    """Whether one time is not after the other; only said where both are written alike, in the same zone."""
    return start <= end and start[19:] == end[19:] and len(start) == len(end)
