"""The files of examples/invalid: each changes what it says and names a rule there is.

That our validator reports the finding, and what HL7's says, is tested elsewhere.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonpatch
import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.rules import RULES
from tests import invalid

PROFILES = Path(__file__).resolve().parent.parent.parent / "profiles"
TYPES = ("Observation", "QuestionnaireResponse", "Questionnaire", "Patient", "Bundle", "Period", "Reference")
FAMILIES = {
    "structure",
    "primitive",
    "cardinality",
    "binding",
    "pattern",
    "fixed",
    "slice",
    "choice",
    "range",
    "invariant",
    "reference",
    "extension",
    "bundle",
    "profile",
    "response",
}
CASES = invalid.cases()


def test_every_rule_family_has_invalid_examples() -> None:
    assert len(CASES) >= 45
    assert {case.family for case in CASES} == FAMILIES
    assert len({(case.parent, json.dumps(case.patch)) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_invalid_example_differs_from_its_parent_only_where_it_says(case: invalid.Case) -> None:
    resource = case.resource
    changed = [operation["path"] for operation in jsonpatch.make_patch(case.valid, resource)]
    said = [operation["path"].removesuffix("/-") for operation in case.patch]
    said += [operation["from"] for operation in case.patch if "from" in operation]
    assert changed
    # a removed or added array element shifts the ones behind it: the array is then what was said to change
    said += [path.rpartition("/")[0] for path in said if path.rpartition("/")[2].isdigit()]
    assert all(any(path == one or path.startswith(f"{one}/") for one in said) for path in changed)
    assert case.valid == json.loads(case.parent.read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_invalid_example_names_a_known_rule_and_a_place_of_its_resource(case: invalid.Case) -> None:
    assert case.rule in RULES or case.rule in constraint_keys()
    assert case.expression.split(".")[0].split("[")[0] == case.resource["resourceType"]
    assert case.description.endswith(".")


@cache
def constraint_keys() -> set[str]:
    """Keys of the constraints of R4 and of our profiles that these examples can break."""
    structures = [bundled().structure(one) for one in TYPES]
    structures += [json.loads(path.read_text("utf-8")) for path in (PROFILES / "StructureDefinition").iterdir()]
    return {
        constraint["key"]
        for structure in structures
        if structure is not None
        for element in (structure.get("snapshot") or structure["differential"])["element"]
        for constraint in element.get("constraint", ())
    }
