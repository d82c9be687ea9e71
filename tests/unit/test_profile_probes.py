"""What each profile accepts and refuses, asked of our validator; the invariants also of a FHIRPath library."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from fhirpathpy import evaluate
from fhirpathpy.models import models

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.validator import Validator
from tests.unit.profile_faults import INVALID
from tests.unit.profile_probes import STRUCTURE, VALID


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def errors(validator: Validator, resource: dict[str, Any]) -> set[tuple[str, str]]:
    return {(i.rule, i.expression) for i in validator.check(resource) if i.severity in ("error", "fatal")}


@cache
def invariants(canonical: str) -> dict[str, tuple[str, str]]:
    """Our own invariants of a profile and those it inherits: key, element and expression."""
    found: dict[str, tuple[str, str]] = {}
    while canonical.startswith(STRUCTURE):
        definition = bundled().find(canonical)
        assert definition is not None
        for element in definition["differential"]["element"]:
            for constraint in element.get("constraint", ()):
                assert constraint["severity"] == "error"
                assert constraint["human"].endswith(".")
                found[constraint["key"]] = (element["path"], constraint["expression"])
        canonical = definition["baseDefinition"]
    return found


def failing(resource: dict[str, Any]) -> set[str]:
    """The keys of our invariants that the FHIRPath library does not find true."""
    keys = set()
    for key, (path, expression) in invariants(resource["meta"]["profile"][0]).items():
        child = path.partition(".")[2]
        contexts = resource.get(child, []) if child else [resource]
        for context in contexts:
            base = {"base": path, "expression": expression} if child else expression
            if evaluate(context, base, {}, models["r4"]) != [True]:
                keys.add(key)
    return keys


@pytest.mark.parametrize("name", VALID)
def test_accepts(validator: Validator, name: str) -> None:
    assert errors(validator, VALID[name]) == set()


@pytest.mark.parametrize(("name", "resource", "rule", "place"), INVALID, ids=[row[0] for row in INVALID])
def test_refuses(validator: Validator, name: str, resource: dict[str, Any], rule: str, place: str) -> None:
    assert (rule, place) in errors(validator, resource)


@pytest.mark.parametrize("name", VALID)
def test_invariants_hold(name: str) -> None:
    assert failing(VALID[name]) == set()


BROKEN = [row for row in INVALID if row[2].startswith("keta-")]


@pytest.mark.parametrize(("name", "resource", "rule", "place"), BROKEN, ids=[row[0] for row in BROKEN])
def test_invariants_fail(name: str, resource: dict[str, Any], rule: str, place: str) -> None:
    assert rule in failing(resource)


def test_every_invariant_has_a_record_that_breaks_it() -> None:
    profiles = [d["url"] for d in bundled().of_type("StructureDefinition") if d["url"].startswith(STRUCTURE)]
    assert {key for profile in profiles for key in invariants(profile)} == {rule for _, _, rule, _ in BROKEN}


def test_every_profile_has_a_valid_and_an_invalid_record() -> None:
    concrete = {
        d["url"]
        for d in bundled().of_type("StructureDefinition")
        if d["url"].startswith(STRUCTURE) and d["type"] != "Extension" and not d["abstract"]
    }
    assert {record["meta"]["profile"][0] for record in VALID.values()} == concrete
    assert {row[1]["meta"]["profile"][0] for row in INVALID} == concrete
