"""Every constraint of base R4 has its place: schema, named function, FHIRPath, or unchecked for a reason."""

from __future__ import annotations

import json

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.validation.compiler import compile_structure
from fhir_keta.validation.invariants.records import invariant_function
from fhir_keta.validation.validator import Validator
from tests.unit.fhirpath_cases import FHIRPATH_CASES
from tests.unit.key_case import JsonObject, KeyCase
from tests.unit.schema_key_cases import KEY_CASES, SCHEMA_CASES, STRUCTURAL_CASES
from tests.unit.schema_key_cases_profiles import PROFILE_CASES

# what R4 states as a warning only: what a schema says is one of ours, too, but not what R4 calls best practice
WARNED = frozenset({"eld-21", "nor-1"})
UNCHECKED = frozenset({"con-3", "dom-6", "eld-20"})  # and all -0: "Name should be usable as ..."
# what no record can break: no element of R4 is of that type
UNUSED = {"mqty-1": "http://hl7.org/fhir/StructureDefinition/MoneyQuantity"}

Stated = dict[str, dict[str, set[str]]]


def stated(severity: str, by_profiles: bool = False) -> Stated:
    """The paths with each constraint of R4's types and resources, or of its profiles, by key and expression."""
    found: Stated = {}
    for definition in base().of_type("StructureDefinition"):
        is_profile = definition.get("derivation") == "constraint"
        if is_profile is by_profiles and definition["kind"] in ("resource", "complex-type"):
            for element in definition["snapshot"]["element"]:
                for constraint in element.get("constraint", ()):
                    if constraint["severity"] == severity:
                        expressions = found.setdefault(constraint["key"], {})
                        expressions.setdefault(constraint["expression"], set()).add(element["path"])
    return found


def compiled() -> tuple[set[str], set[str], set[str]]:
    """The keys that became schema, those evaluated as FHIRPath, those nobody checks."""
    by_schema: set[str] = set()
    by_fhirpath: set[str] = set()
    unchecked: set[str] = set()
    for name in sorted(base().resource_types):
        structure = base().structure(name)
        assert structure is not None
        made = compile_structure(structure, base())
        by_fhirpath |= made.by_fhirpath
        unchecked |= made.unchecked
        pending: list[object] = [made.schema]
        while pending:
            node = pending.pop()
            if isinstance(node, dict):
                by_schema |= {node["$comment"]} if isinstance(node.get("$comment"), str) else set()
                pending += node.values()
            elif isinstance(node, list):
                pending += node
    return by_schema, by_fhirpath, unchecked


def test_every_constraint_has_its_place() -> None:
    by_schema, by_fhirpath, unchecked = compiled()
    assert by_fhirpath == set(FHIRPATH_CASES)
    assert unchecked == set()
    structural = {case.key for case in STRUCTURAL_CASES}
    in_schema, nowhere = set(), set()
    for key, expressions in stated("error").items():
        for paths in expressions.values():
            others = {path for path in paths if not invariant_function(path, key)}
            if others and key in by_schema:
                types = {path.partition(".")[0] for path in others}
                in_schema.add(key if len(expressions) == 1 else f"{types.pop()} {key}")
            elif others and key not in by_fhirpath | structural:
                nowhere.add((key, *sorted(others)))
    assert nowhere == set()
    advice = set(stated("warning")) - set(stated("error"))
    assert {key for key in advice if not key.endswith("-0")} == UNCHECKED | WARNED
    assert in_schema == {case.key for case in SCHEMA_CASES}


def test_every_constraint_of_a_profile_has_its_records() -> None:
    of_types = stated("error")
    added = {
        key
        for key, expressions in stated("error", by_profiles=True).items()
        if expressions.keys() - of_types.get(key, {}).keys()
    }
    assert added == {case.rule for case in PROFILE_CASES} | UNUSED.keys()
    used = {
        profile
        for definition in base().of_type("StructureDefinition")
        for element in definition["snapshot"]["element"]
        for type_ in element.get("type", ())
        for profile in type_.get("profile", ())
    }
    assert used.isdisjoint(UNUSED.values())


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def errors(validator: Validator, record: JsonObject) -> list[tuple[str, str]]:
    issues = validator.check(json.dumps(record).encode())
    return [(issue.rule, issue.expression) for issue in issues if issue.severity in ("error", "fatal")]


@pytest.mark.parametrize("case", KEY_CASES, ids=lambda case: case.key)
def test_met_and_broken(case: KeyCase, validator: Validator) -> None:
    assert errors(validator, case.met) == []
    found = errors(validator, case.broken)
    assert [place for rule, place in found if rule == case.rule] == [case.place]
    assert {rule for rule, _ in found} == {case.rule} | case.also


@pytest.mark.parametrize("key", FHIRPATH_CASES)
def test_met_and_broken_by_fhirpath(key: str, validator: Validator) -> None:
    met, broken, place = FHIRPATH_CASES[key]
    assert errors(validator, met) == []
    assert [where for rule, where in errors(validator, broken) if rule == key] == [place]


def test_advice_that_a_schema_says_is_a_warning() -> None:
    order = {"resourceType": "NutritionOrder", "status": "active", "intent": "order", "dateTime": "2020"}
    order = {**order, "patient": {"display": "x"}}
    assert [(each.rule, each.severity) for each in Validator().check(order)] == [("nor-1", "warning")]
    diet = {"type": [{"text": "x"}]}
    assert Validator().check({**order, "oralDiet": diet}) == []
