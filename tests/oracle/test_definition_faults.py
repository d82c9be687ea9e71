"""Faults of definitions beside what else is known: HL7's validator and ours give the same verdict on each case."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from fhir_keta import Validator
from tests.base_records import BaseCase, JsonObject
from tests.definition_fault_cases import DEFINITION_FAULT_CASES
from tests.definition_records import DEFINITION_RECORDS
from tests.given_definition_cases import GIVEN, GIVEN_DEFINITION_CASES
from tests.oracle.listed import rows
from tests.oracle.oracle import Oracle
from tests.search_cases import SEARCH_CASES
from tests.structure_map_cases import STRUCTURE_MAP_CASES


@pytest.mark.parametrize(
    "case", (*DEFINITION_FAULT_CASES, *SEARCH_CASES, *STRUCTURE_MAP_CASES), ids=lambda case: case.name
)
def test_the_verdict_is_the_same(case: BaseCase, oracle: Oracle) -> None:
    errors = oracle.errors(case.resource)
    assert (bool(errors) == bool(case.findings)) is case.oracle, [str(error) for error in errors]


@pytest.fixture(scope="module")
def with_given(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    folder = tmp_path_factory.mktemp("given")
    for number, resource in enumerate(GIVEN):
        (folder / f"{number}.json").write_text(json.dumps(resource), encoding="utf-8")
    return oracle.with_definitions([folder])


@pytest.mark.parametrize("case", GIVEN_DEFINITION_CASES, ids=lambda case: case.name)
def test_the_verdict_is_the_same_beside_what_was_given(case: BaseCase, with_given: Oracle) -> None:
    errors = with_given.errors(case.resource)
    assert (bool(errors) == bool(case.findings)) is case.oracle, [str(error) for error in errors]


_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SNOMED = "http://snomed.info/sct"
_DEFINED = {"url": "http://ehr.test/x", "name": "X", "status": "active"}


def _filter(system: str) -> JsonObject:
    asked = {"property": "concept", "op": "is-a", "value": "73211009"}
    return {"resourceType": "ValueSet", **_DEFINED, "compose": {"include": [{"system": system, "filter": [asked]}]}}


def _supplement(*concepts: JsonObject, **elements: Any) -> JsonObject:
    what = {"content": "supplement", "supplements": _ACT, "concept": list(concepts)}
    return {"resourceType": "CodeSystem", **_DEFINED, **what, **elements}


def _map(code: str) -> JsonObject:
    """From a system whose codes may be in any case."""
    system = "http://terminology.hl7.org/CodeSystem/v2-0001"
    element = {"code": code, "target": [{"code": "M", "equivalence": "equal"}]}
    group = {"source": system, "target": system, "element": [element]}
    return {"resourceType": "ConceptMap", **_DEFINED, "group": [group]}


def _script(system: str) -> JsonObject:
    script = copy.deepcopy(next(each for each in DEFINITION_RECORDS if each["resourceType"] == "TestScript"))
    script["setup"]["action"][0]["operation"]["type"]["system"] = system
    return script


_GUIDE = {
    "resourceType": "ImplementationGuide",
    **_DEFINED,
    "url": "http://hl7.org/fhir/uv/x/ImplementationGuide/x",
    "packageId": "hl7.fhir.uv.x",
    "fhirVersion": ["4.0.1"],
}
LISTED = (
    ("VALUESET_BAD_FILTER_VALUE_VALID_CODE", _filter(_SNOMED)),
    ("CODESYSTEM_CS_COUNT_SUPPLEMENT_WRONG", _supplement({"code": "AMB"}, count=1)),
    ("code-unknown", _supplement({"code": "AMB", "concept": [{"code": "nope"}]})),
    ("CONCEPTMAP_GROUP_SOURCE_CODE_INVALID", _map("f")),
    ("IG_HL7_STANDARDS_STATUS_REQUIRED", _GUIDE),
    ("uri-absolute", _script(" ")),
    (
        "TYPE_SPECIFIC_CHECKS_DT_URL_EXAMPLE",
        {"resourceType": "ValueSet", **_DEFINED, "compose": {"include": [{"system": "http://example.org/x"}]}},
    ),
)


@pytest.mark.parametrize(("rule", "record"), LISTED, ids=[rule for rule, _ in LISTED])
def test_what_is_listed_is_there(rule: str, record: JsonObject, oracle: Oracle) -> None:
    ours = [issue for issue in Validator().check(record) if issue.severity in ("error", "fatal")]
    theirs = oracle.errors(record)
    assert bool(ours) is not bool(theirs), f"ours: {ours}, theirs: {[str(issue) for issue in theirs]}"
    assert rule in {row.rule for row in rows("", record, ours, theirs) or ()}


def test_another_system_is_not_listed(oracle: Oracle) -> None:
    record = _filter(_ACT)
    assert rows("", record, (), oracle.errors(record)) is None
