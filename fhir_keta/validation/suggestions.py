""" "Did you mean ...?" for names of definitions (codes, linkIds, elements), cheap enough for every finding."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

_AMONG = 2_000
_UP_TO = 64
_SLIP = 2
_REMEMBERED = 64  # sets of names: a bound on memory
_SLIPS = 256  # that are remembered: a program that makes one makes it in each record

# letters at one end that are looked at first, of short names and of long ones
_FEW = 1
_SOME = 3
_LONG = 2 * _SOME + _SLIP

_LAST = "\U0010ffff"


class _Name(NamedTuple):
    """A known name, its place among the others, and how it reads in any case."""

    place: int
    name: str
    folded: str


class _Names(NamedTuple):
    """Known names as one reads them, or from behind: in alphabetical order, and by how they begin."""

    texts: list[str]
    in_order: list[_Name]
    by_start: dict[str, list[_Name]]

    def starting(self, start: str) -> list[_Name]:
        return self.in_order[bisect_left(self.texts, start) : bisect_left(self.texts, start + _LAST)]


def suggestion(given: object, known: Iterable[object]) -> str:
    """Return " Did you mean 'x'?" with the known name that ``given`` is a slip of the pen of, or "" without one.

    A slip is a stretch of at most two characters changed, left out, added or swapped, or letters in the wrong case.
    Only the known name is quoted, never what was given: that is content of a record. Of very many names only the
    first are looked at. What is asked for often is quickest as a tuple of texts.
    """
    if not isinstance(given, str) or not 0 < len(given) <= _UP_TO:
        return ""
    names = known if isinstance(known, tuple) else tuple([name for name in known if isinstance(name, str)])
    return _hint(given, names[:_AMONG])


@lru_cache(_SLIPS)
def _hint(given: str, names: tuple[str, ...]) -> str:
    wanted = given.casefold()
    best, least, first = "", min(_SLIP, len(given) - 1) + 1, 0
    for place, name, folded in _alike(wanted, *_both_ways(names)):
        if abs(len(folded) - len(wanted)) > least or name == given:
            continue
        changed = _changed(wanted, folded)
        if changed < least or (changed == least and best and place < first):
            best, least, first = name, changed, place
    return f" Did you mean '{best}'?" if best else ""


def _alike(wanted: str, forwards: _Names, backwards: _Names) -> list[_Name]:
    """Few names, and all that ``wanted`` may be a slip of: they share one end, or all but a slip from the other."""
    looked_at = _SOME if len(wanted) >= _LONG else _FEW
    almost_all = max(len(wanted) - looked_at + 1 - _SLIP, 1)
    from_behind = wanted[::-1]
    same_start = forwards.by_start.get(wanted[:looked_at], [])
    same_end = backwards.by_start.get(from_behind[:looked_at], [])
    if len(same_start) < len(same_end):
        return same_start + backwards.starting(from_behind[:almost_all])
    return same_end + forwards.starting(wanted[:almost_all])


@lru_cache(_REMEMBERED)
def _both_ways(known: tuple[str, ...]) -> tuple[_Names, _Names]:
    names = [_Name(place, name, name.casefold()) for place, name in enumerate(known)]
    return _ordered(names, 1), _ordered(names, -1)


def _ordered(names: list[_Name], way: int) -> _Names:
    texts = sorted((each.folded[::way], each.place) for each in names)
    by_start: dict[str, list[_Name]] = {}
    for each in names:
        for length in (_FEW, _SOME):
            by_start.setdefault(each.folded[::way][:length], []).append(each)
    return _Names([text for text, _ in texts], [names[place] for _, place in texts], by_start)


def _changed(one: str, other: str) -> int:
    """The length of what is left of the longer text without the beginning and the end that both share."""
    shorter = min(len(one), len(other))
    start = end = 0
    while start < shorter and one[start] == other[start]:
        start += 1
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return max(len(one), len(other)) - start - end
