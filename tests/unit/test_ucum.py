"""Units by UCUM's own tables: prefixes, products, quotients, powers, annotations; and what is no unit."""

from __future__ import annotations

from fractions import Fraction

import pytest

from fhir_keta.validation.ucum import measure


@pytest.mark.parametrize(
    ("code", "same_as", "times"),
    [
        ("kg", "g", 1000),
        ("mg/dL", "g/L", Fraction(1, 100)),
        ("umol/L", "mmol/m3", 1),
        ("mm[Hg]", "Pa", Fraction("133.322")),
        ("[lb_av]", "g", Fraction("453.59237")),
        ("[ft_i]", "cm", Fraction("30.48")),
        ("h", "s", 3600),
        ("wk", "h", 168),
        ("a", "d", Fraction("365.25")),
        ("mo", "a", Fraction(1, 12)),
        ("%", "1", Fraction(1, 100)),
        ("10*9/L", "1/L", 10**9),
        ("/min", "s-1", Fraction(1, 60)),
        ("ug/(kg.min)", "ug/kg/min", 1),
        ("m/s2", "m.s-2", 1),
        ("mU/mL", "U/L", 1),
        ("kcal", "J", 4184),
        ("mg{dry}/dL", "mg/dL", 1),
        ("{score}", "1", 1),
        ("pt", "t", Fraction(1, 10**12)),
        ("dag", "g", 10),
        ("k[IU]/L", "[iU]/mL", 1),
        ("[CFU]/mL", "10*3.[CFU]/L", 1),
        ("[drp]", "mL", Fraction(1, 20)),
        ("[foz_us]", "mL", Fraction("29.5735295625")),
        ("[gal_br]", "[foz_br]", 160),
        ("[psi]", "Pa", Fraction("444822.16152605") / Fraction("64.516")),
        ("[in_i'Hg]", "mm[Hg]", Fraction("25.4")),
        ("[stone_av]", "kg", Fraction("6.35029318")),
        ("[degR]", "K", Fraction(5, 9)),
        ("mo_j", "d", Fraction("30.4375")),
        ("mCi", "MBq", 37),
        ("REM", "mSv", 10),
    ],
)
def test_a_unit_is_so_many_of_another(code: str, same_as: str, times: Fraction) -> None:
    found, other = measure(code), measure(same_as)
    assert found is not None
    assert other is not None
    assert found.powers == other.powers
    assert found.factor == other.factor * times


# the points at which water freezes and boils
@pytest.mark.parametrize(
    ("code", "freezes", "boils"),
    [("Cel", 0, 100), ("[degF]", 32, 212), ("[degRe]", 0, 80), ("[degR]", "491.67", "671.67")],
)
def test_scales_of_temperature(code: str, freezes: int | str, boils: int | str) -> None:
    found = measure(code)
    assert found is not None
    assert found.powers == (("K", 1),)
    assert found.factor * Fraction(freezes) + found.zero == Fraction("273.15")
    assert found.factor * Fraction(boils) + found.zero == Fraction("373.15")


@pytest.mark.parametrize(
    ("code", "other"),
    [("kg", "m"), ("mg/dL", "mmol/L"), ("min", "1/min"), ("Pa", "N"), ("[iU]", "1"), ("[CFU]", "[PFU]"), ("Cel", "m")],
)
def test_units_of_different_things(code: str, other: str) -> None:
    found, compared = measure(code), measure(other)
    assert found is not None
    assert compared is not None
    assert found.powers != compared.powers


@pytest.mark.parametrize(
    "code",
    [
        "",
        "zzz",
        "a b",
        "kg.",
        "m//s",
        "(m",
        "m)",
        "()",
        ".",
        "0",
        "kilogram",
        "KG",
        "kmin",
        "Cel/h",
        "mCel",
        "[degF]2",
        "k[CFU]",
        "[pH]",
        "dB",
        "{",
        "{a}}",
    ],
)
def test_what_is_no_unit_or_not_known(code: str) -> None:
    assert measure(code) is None


@pytest.mark.parametrize("code", ["(" * 10**6, "m" * 10**6, "km999999999", "9" * 5000, "m99" * 40, "{" * 10**5])
def test_hostile_codes_are_no_units(code: str) -> None:
    assert measure(code) is None
