"""Units of UCUM in terms of its base units: those of SI, of the clinic and of assays; of others nothing is said.

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
_BASE = frozenset({"m", "s", "g", "rad", "K", "C", "cd", "[iU]"})
# how many of what a unit is; these may have a prefix
_METRIC = {
    "mol": ("6.02214076e23", "1"),
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
    "u": ("1.66053906660e-24", "g"),
    "eV": ("1.602176634e-19", "J"),
    "dyn": ("1", "g.cm/s2"),
    "erg": ("1", "dyn.cm"),
    "P": ("1", "dyn.s/cm2"),
    "St": ("1", "cm2/s"),
    "G": ("0.0001", "T"),
    "Ci": ("37000000000", "Bq"),
    "R": ("0.000258", "C/kg"),
    "RAD": ("100", "erg/g"),
    "REM": ("1", "RAD"),
    "cal_th": ("4.184", "J"),
    "cal_IT": ("4.1868", "J"),
    "[g]": ("9.80665", "m/s2"),
    "bit": ("1", "1"),
    "By": ("8", "bit"),
    "[IU]": ("1", "[iU]"),
}
_PLAIN = {
    "10*": ("10", "1"),
    "10^": ("10", "1"),
    "%": ("0.01", "1"),
    "[ppth]": ("0.001", "1"),
    "[ppm]": ("0.000001", "1"),
    "[ppb]": ("1e-9", "1"),
    "[pptr]": ("1e-12", "1"),
    "min": ("60", "s"),
    "h": ("60", "min"),
    "d": ("24", "h"),
    "wk": ("7", "d"),
    "a": ("365.25", "d"),
    "mo": ("1", "a/12"),
    "a_j": ("365.25", "d"),
    "a_g": ("365.2425", "d"),
    "a_t": ("365.24219", "d"),
    "mo_j": ("1", "a_j/12"),
    "mo_g": ("1", "a_g/12"),
    "mo_s": ("29.53059", "d"),
    "[in_i]": ("2.54", "cm"),
    "[ft_i]": ("12", "[in_i]"),
    "[yd_i]": ("3", "[ft_i]"),
    "[mi_i]": ("5280", "[ft_i]"),
    "[nmi_i]": ("1852", "m"),
    "[kn_i]": ("1", "[nmi_i]/h"),
    "[sin_i]": ("1", "[in_i]2"),
    "[sft_i]": ("1", "[ft_i]2"),
    "[cin_i]": ("1", "[in_i]3"),
    "[cft_i]": ("1", "[ft_i]3"),
    "[gal_us]": ("231", "[in_i]3"),
    "[qt_us]": ("1", "[gal_us]/4"),
    "[pt_us]": ("1", "[qt_us]/2"),
    "[cup_us]": ("1", "[pt_us]/2"),
    "[foz_us]": ("1", "[pt_us]/16"),
    "[fdr_us]": ("1", "[foz_us]/8"),
    "[tbs_us]": ("1", "[foz_us]/2"),
    "[tsp_us]": ("1", "[tbs_us]/3"),
    "[cup_m]": ("240", "mL"),
    "[foz_m]": ("30", "mL"),
    "[tbs_m]": ("15", "mL"),
    "[tsp_m]": ("5", "mL"),
    "[gal_br]": ("4.54609", "L"),
    "[qt_br]": ("1", "[gal_br]/4"),
    "[pt_br]": ("1", "[qt_br]/2"),
    "[foz_br]": ("1", "[pt_br]/20"),
    "[drp]": ("1", "mL/20"),
    "[gr]": ("64.79891", "mg"),
    "[stone_av]": ("14", "[lb_av]"),
    "[dr_av]": ("1", "[oz_av]/16"),
    "[oz_tr]": ("480", "[gr]"),
    "[lb_tr]": ("12", "[oz_tr]"),
    "[car_m]": ("0.2", "g"),
    "[degR]": ("5", "K/9"),
    "[lb_av]": ("7000", "[gr]"),
    "[oz_av]": ("437.5", "[gr]"),
    "[Cal]": ("1", "kcal"),
    "atm": ("101325", "Pa"),
    "[lbf_av]": ("1", "[lb_av].[g]"),
    "[psi]": ("1", "[lbf_av]/[sin_i]"),
    "[in_i'Hg]": ("1", "m[Hg].[in_i]/m"),
    "[in_i'H2O]": ("1", "m[H2O].[in_i]/m"),
    "[PRU]": ("1", "mm[Hg].s/mL"),
    "[wood'U]": ("1", "mm[Hg].min/L"),
    "[MET]": ("3.5", "mL/min/kg"),
    "[diop]": ("1", "/m"),
    "[Ch]": ("1", "mm/3"),
    "[S]": ("1e-13", "s"),
    "[HPF]": ("1", "1"),
    "[LPF]": ("100", "1"),
    "[NTU]": ("1", "1"),
    "[FNU]": ("1", "1"),
    "[hnsf'U]": ("1", "1"),
    "Ao": ("0.1", "nm"),
}
# of an assay: no other can be converted into one
_ARBITRARY = frozenset(
    {
        *("[arb'U]", "[USP'U]", "[GPL'U]", "[MPL'U]", "[APL'U]", "[beth'U]", "[anti'Xa'U]", "[todd'U]", "[dye'U]"),
        *("[smgy'U]", "[bdsk'U]", "[ka'U]", "[knk'U]", "[mclg'U]", "[tb'U]", "[CCID_50]", "[TCID_50]", "[EID_50]"),
        *("[PFU]", "[FFU]", "[CFU]", "[IR]", "[BAU]", "[AU]", "[Amb'a'1'U]", "[PNU]", "[Lf]", "[D'ag'U]", "[FEU]"),
        *("[ELU]", "[EU]"),
    }
)
# so many K, and where the scale begins in K; these stand alone
_SCALES = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * 5 / 9),
    "[degRe]": (Fraction(5, 4), Fraction("273.15")),
}
_TOKEN = re.compile(
    r"(?P<mark>[./()])|(?P<note>\{[^{}]*\})"
    r"|(?P<unit>10[*^]|(?:[A-Za-z_%]|\[[^\[\]]*\])+)(?P<power>[+-]?[0-9]{1,2})?(?:\{[^{}]*\})?|(?P<number>[0-9]+)"
)


_LONGEST = 100  # no real unit is longer; hostile ones would take time


class Measure(NamedTuple):
    """So many of the base units, each to its power other than 0, counted from ``zero`` of them."""

    factor: Fraction
    powers: tuple[tuple[str, int], ...] = ()
    zero: Fraction = Fraction(0)

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
    """What a unit measures; None where that is not known here, or is no multiple of the base units (pH)."""
    if len(code) > _LONGEST:
        return None
    if code in _SCALES:
        factor, zero = _SCALES[code]
        return Measure(factor, (("K", 1),), zero)
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
    if name in _BASE or name in _ARBITRARY:
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
