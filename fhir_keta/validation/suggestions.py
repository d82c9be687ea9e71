""" "Did you mean ...?" for names of definitions (codes, linkIds, elements), cheap enough for every finding."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, takewhile

_AMONG = 500
_UP_TO = 64
_SLIP = 2


def suggestion(given: object, known: Iterable[object]) -> str:
    """Return " Did you mean 'x'?" with the known name that ``given`` is a slip of the pen of, or "" without one.

    A slip is a stretch of at most two characters changed, left out, added or swapped, or letters in the wrong case.
    Only the known name is quoted, never what was given: that is content of a record.
    """
    if not isinstance(given, str) or not 0 < len(given) <= _UP_TO:
        return ""
    wanted = given.casefold()
    best, least = "", min(_SLIP, len(given) - 1) + 1
    for name in islice(known, _AMONG):
        if isinstance(name, str) and abs(len(name) - len(wanted)) < least and name != given:
            changed = _changed(wanted, name.casefold())
            if changed < least:
                best, least = name, changed
    return f" Did you mean '{best}'?" if best else ""


def _changed(one: str, other: str) -> int:
    """The length of what is left of the longer text without the beginning and the end that both share."""
    shorter = min(len(one), len(other))
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return max(len(one), len(other)) - start - end
