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
    ],
)
def test_a_unit_is_so_many_of_another(code: str, same_as: str, times: Fraction) -> None:
    found, other = measure(code), measure(same_as)
    assert found is not None
    assert other is not None
    assert found.powers == other.powers
    assert found.factor == other.factor * times


@pytest.mark.parametrize(("code", "other"), [("kg", "m"), ("mg/dL", "mmol/L"), ("min", "1/min"), ("Pa", "N")])
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
        "Cel",
        "[degF]",
        "{",
        "{a}}",
    ],
)
def test_what_is_no_unit_or_not_known(code: str) -> None:
    assert measure(code) is None


@pytest.mark.parametrize("code", ["(" * 10**6, "m" * 10**6, "km999999999", "9" * 5000, "m99" * 40, "{" * 10**5])
def test_hostile_codes_are_no_units(code: str) -> None:
    assert measure(code) is None
