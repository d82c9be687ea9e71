"""Units of UCUM in terms of its base units: those of SI and of the clinic, of others nothing is said.

Source: The Unified Code for Units of Measure (ucum.org), its grammar and tables of base units, prefixes and units.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import cache, lru_cache
from typing import NamedTuple

_PREFIXES = {
    "Y": 24,
    "Z": 21,
    "E": 18,
    "P": 15,
    "T": 12,
    "G": 9,
    "M": 6,
    "k": 3,
    "h": 2,
    "da": 1,
    "d": -1,
    "c": -2,
    "m": -3,
    "u": -6,
    "n": -9,
    "p": -12,
    "f": -15,
    "a": -18,
    "z": -21,
    "y": -24,
}
_BASE = frozenset({"m", "s", "g", "rad", "K", "C", "cd"})
# how many of what a unit is; these may have a prefix
_METRIC = {
    "mol": ("602213670000000000000000", "1"),
    "sr": ("1", "rad2"),
    "Hz": ("1", "s-1"),
    "N": ("1", "kg.m/s2"),
    "Pa": ("1", "N/m2"),
    "J": ("1", "N.m"),
    "W": ("1", "J/s"),
    "A": ("1", "C/s"),
    "V": ("1", "J/C"),
    "F": ("1", "C/V"),
    "Ohm": ("1", "V/A"),
    "S": ("1", "A/V"),
    "Wb": ("1", "V.s"),
    "T": ("1", "Wb/m2"),
    "H": ("1", "Wb/A"),
    "lm": ("1", "cd.sr"),
    "lx": ("1", "lm/m2"),
    "Bq": ("1", "s-1"),
    "Gy": ("1", "J/kg"),
    "Sv": ("1", "J/kg"),
    "l": ("1", "dm3"),
    "L": ("1", "dm3"),
    "t": ("1000", "kg"),
    "bar": ("100000", "Pa"),
    "eq": ("1", "mol"),
    "osm": ("1", "mol"),
    "kat": ("1", "mol/s"),
    "U": ("1", "umol/min"),
    "cal": ("4.184", "J"),
    "m[Hg]": ("133.3220", "kPa"),
    "m[H2O]": ("9.80665", "kPa"),
    "g%": ("1", "g/dL"),
}
_PLAIN = {
    "10*": ("10", "1"),
    "10^": ("10", "1"),
    "%": ("0.01", "1"),
    "[ppth]": ("0.001", "1"),
    "[ppm]": ("0.000001", "1"),
    "min": ("60", "s"),
    "h": ("60", "min"),
    "d": ("24", "h"),
    "wk": ("7", "d"),
    "a": ("365.25", "d"),
    "mo": ("1", "a/12"),
    "[in_i]": ("2.54", "cm"),
    "[ft_i]": ("12", "[in_i]"),
    "[gr]": ("64.79891", "mg"),
    "[lb_av]": ("7000", "[gr]"),
    "[oz_av]": ("437.5", "[gr]"),
    "[Cal]": ("1", "kcal"),
    "atm": ("101325", "Pa"),
}
_TOKEN = re.compile(
    r"(?P<mark>[./()])|(?P<note>\{[^{}]*\})"
    r"|(?P<unit>10[*^]|(?:[A-Za-z%]|\[[^\[\]]*\])+)(?P<power>[+-]?[0-9]{1,2})?(?:\{[^{}]*\})?|(?P<number>[0-9]+)"
)


_LONGEST = 100  # no real unit is longer; hostile ones would take time


class Measure(NamedTuple):
    """So many of the base units, each to its power other than 0."""

    factor: Fraction
    powers: tuple[tuple[str, int], ...] = ()

    def to_the(self, power: int) -> Measure:
        return Measure(self.factor**power, tuple((unit, count * power) for unit, count in self.powers if power))

    def times(self, other: Measure) -> Measure:
        powers = Counter(dict(self.powers))
        powers.update(dict(other.powers))
        return Measure(self.factor * other.factor, tuple(sorted((u, n) for u, n in powers.items() if n)))


_ONE = Measure(Fraction(1))


class _Unknown(Exception):
    """Not a unit, or not one known here."""


@lru_cache(1000)
def measure(code: str) -> Measure | None:
    """What a unit measures; None where that is not known here, or depends on where the scale begins (Cel)."""
    if len(code) > _LONGEST:
        return None
    try:
        tokens = _tokens(code)
        found = _product(tokens)
        return found if next(tokens, None) is None else None
    except _Unknown:
        return None


def _tokens(code: str) -> Iterator[re.Match[str]]:
    place = 0
    while place < len(code):
        token = _TOKEN.match(code, place)
        if token is None:
            raise _Unknown
        yield token
        place = token.end()
    if not code:
        raise _Unknown


def _product(tokens: Iterator[re.Match[str]], inside: bool = False) -> Measure:
    """Units multiplied and divided from left to right, up to the end or the closing parenthesis."""
    result, power, expected = _ONE, 1, True
    for token in tokens:
        mark = token["mark"]
        if expected and mark != "." and mark != ")":
            if mark == "/" and token.start() == 0:
                power = -1
                continue
            if mark == "/":
                raise _Unknown
            factor = _product(tokens, inside=True) if mark == "(" else _factor(token)
            result, expected = result.times(factor.to_the(power)), False
        elif not expected and mark in (".", "/"):
            power, expected = (1 if mark == "." else -1), True
        elif not expected and mark == ")" and inside:
            return result
        else:
            raise _Unknown
    if expected or inside:
        raise _Unknown
    return result


def _factor(token: re.Match[str]) -> Measure:
    if token["note"]:
        return _ONE
    if token["number"]:
        return Measure(Fraction(token["number"])) if int(token["number"]) else _unknown()
    return _unit(token["unit"]).to_the(int(token["power"] or 1))


@cache
def _unit(name: str) -> Measure:
    if name in _BASE:
        return Measure(Fraction(1), ((name, 1),))
    if name in _METRIC or name in _PLAIN:
        count, of = _METRIC.get(name) or _PLAIN[name]
        return Measure(Fraction(count)).times(measure(of) or _unknown())
    for prefix, exponent in _PREFIXES.items():
        unit = name.removeprefix(prefix)
        if unit != name and (unit in _BASE or unit in _METRIC):
            return Measure(Fraction(10) ** exponent).times(_unit(unit))
    return _unknown()


def _unknown() -> Measure:
    raise _Unknown
