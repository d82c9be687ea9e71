"""Every constraint of base R4 has its place: schema, named function, FHIRPath, or unchecked for a reason."""

from __future__ import annotations

import json

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.validation.compiler import compile_structure
from fhir_keta.validation.invariants import invariant_function
from fhir_keta.validation.validator import Validator
from tests.unit.fhirpath_cases import FHIRPATH_CASES

# what the structure says in other words
BY_STRUCTURE = {
    "ele-1": "an object is not empty, a primitive has a value or extensions: the schema of each type",
    "eld-11": "as R4 writes it, it is true of every type",
    "txt-2": "the same htmlChecks() as txt-1, and the same function",
}


def stated() -> dict[str, set[tuple[str, str]]]:
    """Severity and path of each constraint of R4's types and resources, by key."""
    found: dict[str, set[tuple[str, str]]] = {}
    for definition in base().of_type("StructureDefinition"):
        if definition.get("derivation") != "constraint" and definition["kind"] in ("resource", "complex-type"):
            for element in definition["snapshot"]["element"]:
                for constraint in element.get("constraint", ()):
                    found.setdefault(constraint["key"], set()).add((constraint["severity"], element["path"]))
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
    nowhere = set()
    for key, places in stated().items():
        errors = {path for severity, path in places if severity == "error"}  # warnings of R4 are advice, not checked
        by_function = {path for path in errors if invariant_function(path, key)}
        if errors - by_function and key not in by_schema | by_fhirpath | set(BY_STRUCTURE):
            nowhere.add((key, *sorted(errors)))
    assert nowhere == set()


@pytest.mark.parametrize("key", FHIRPATH_CASES)
def test_met_and_broken_by_fhirpath(key: str) -> None:
    met, broken, place = FHIRPATH_CASES[key]
    validator = Validator()
    assert [issue.rule for issue in validator.check(json.dumps(met).encode()) if issue.rule == key] == []
    found = [issue.expression for issue in validator.check(json.dumps(broken).encode()) if issue.rule == key]
    assert found == [place]
