"""Every invariant that is a function: a record that meets it, and one that breaks it and nothing else."""

from __future__ import annotations

import json
import re

import pytest

from fhir_keta.validation.invariants.in_words import IN_WORDS
from fhir_keta.validation.invariants.records import FUNCTIONS
from fhir_keta.validation.rules import RULES
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.validator import Validator
from tests.base_cases import BASE_CASES
from tests.base_records import observation
from tests.unit.invariant_cases import CASES
from tests.unit.invariant_records import UCUM, JsonObject

# where breaking one cannot but break another
ALSO: dict[str, set[str]] = {
    "dom-2": {"ref-1"},  # the inner one is not the root's
    "ext-1": {"element-prohibited", "extension-unknown"},
    "sdf-1": {"structure-base", "structure-type"},  # no type of FHIR can be defined anew
    "sdf-8": {"sdf-11"},
    "sdf-11": {"sdf-15", "sdf-8"},
}


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def _rules(validator: Validator, record: JsonObject) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for issue in validator.check(json.dumps(record).encode()):
        if issue.severity in ("error", "fatal"):
            found.setdefault(issue.rule, []).append(issue.expression)
    return found


def test_every_function_has_its_records() -> None:
    assert set(CASES) == set(FUNCTIONS)


def test_every_rule_in_words_has_its_records_and_text() -> None:
    names = {name for rules in IN_WORDS.values() for name in rules}
    assert names <= set(RULES)
    assert names <= {rule for case in BASE_CASES for rule, _ in case.findings}


@pytest.mark.parametrize("key", CASES)
def test_what_meets_the_invariant(key: str, validator: Validator) -> None:
    assert _rules(validator, CASES[key][0]) == {}


@pytest.mark.parametrize("key", CASES)
def test_what_breaks_it(key: str, validator: Validator) -> None:
    _, broken, expression = CASES[key]
    found = _rules(validator, broken)
    assert found.pop(key.rpartition(" ")[2], None) == [expression]
    assert set(found) <= ALSO.get(key, set())


@pytest.mark.parametrize(
    ("low", "high", "in_order"),
    [
        ((3000, "mg"), (2, "g"), False),
        ((500, "g"), (1, "kg"), True),
        ((1, "kg"), (1000, "g"), True),
        ((0.1, "kg"), (100, "g"), True),  # exactly, not as floats have it
        ((90, "min"), (1, "h"), False),
        ((200, "mg/dL"), (1, "g/L"), False),
        ((1, "kg"), (2, "m"), False),  # nobody can compare them
        ((1, "Cel"), (1, "K"), False),
        ((98, "[degF]"), (37, "Cel"), True),
        ((99, "[degF]"), (37, "Cel"), False),
        ((2, "[pH]"), (1, "mol/L"), True),  # not known here
    ],
)
def test_units_of_ucum_are_converted(
    low: tuple[float, str], high: tuple[float, str], in_order: bool, validator: Validator
) -> None:
    ends = [{"value": value, "unit": f"unit {code}", "system": UCUM, "code": code} for value, code in (low, high)]
    found = _rules(validator, observation(valueRange=dict(zip(("low", "high"), ends, strict=True))))
    assert ("rng-2" in found) is not in_order


ODD: tuple[object, ...] = (
    None,
    "é",
    True,
    1,
    1.5,
    "x",
    "",
    [],
    {},
    [None],
    ["x"],
    [{}],
    {"x": []},
    [[]],
    {"element": 1},
    {"element": [1]},
)
NAMES = re.findall(
    r"\w+",
    """contained item type reference start end low high value code system offset when valueString component entry
    fullUrl resource extension div concept element path min max sliceName constraint snapshot differential kind url
    derivation grouping definition fhirVersion document searchParam data size hash enableWhen count content""",
)


def test_no_shape_breaks_a_function() -> None:
    """Malformed records reach the functions too: another rule has the finding, a function must only survive."""
    functions = [*FUNCTIONS.values(), *(each for rules in IN_WORDS.values() for each in rules.values())]
    for odd in ODD:
        record = dict.fromkeys(NAMES, odd)
        scope = Scope(record, record)
        for holds in functions:
            assert holds(record, scope) in (True, False)
            assert holds({"item": [record], "entry": [record], "concept": [record], "element": [record]}, scope) in (
                True,
                False,
            )
