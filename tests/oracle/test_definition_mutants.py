"""Random changes to definitions other than profiles: HL7's validator and ours give the same verdict, but as listed."""

from __future__ import annotations

import copy
import json
from random import Random

from fhir_keta import Validator
from tests import java
from tests.base_records import JsonObject
from tests.definition_fault_cases import DEFINITION_FAULT_CASES
from tests.definition_records import DEFINITION_RECORDS
from tests.oracle.fuzz import BREAKS_DOWN
from tests.oracle.listed import rows
from tests.oracle.mutants import FAMILIES
from tests.oracle.oracle import Oracle
from tests.oracle.verdicts import broke_down
from tests.search_cases import SEARCH_CASES
from tests.structure_map_cases import STRUCTURE_MAP_CASES

_CASES = (*DEFINITION_FAULT_CASES, *SEARCH_CASES, *STRUCTURE_MAP_CASES)
_COUNT = 300


def _origins() -> dict[str, list[JsonObject]]:
    found: dict[str, list[JsonObject]] = {record["resourceType"]: [record] for record in DEFINITION_RECORDS}
    for case in _CASES:
        if not case.findings and case.resource["resourceType"] not in ("Observation", "Patient"):
            found.setdefault(case.resource["resourceType"], []).append(case.resource)
    return found


def test_the_origins_are_valid(oracle: Oracle) -> None:
    validator = Validator()
    for record in DEFINITION_RECORDS:
        assert [issue.rule for issue in validator.check(record) if issue.severity == "error"] == []
        assert [str(issue) for issue in oracle.errors(record)] == []


def test_the_verdict_on_mutants_is_the_same(oracle: Oracle) -> None:
    validator, origins, families = Validator(), _origins(), [change for change in FAMILIES.values() if change]
    differ, compared = [], 0
    for number in range(_COUNT):
        randomness = Random(f"definition {number}")
        origin = randomness.choice(origins[randomness.choice(sorted(origins))])
        record = copy.deepcopy(origin)
        said = families[number % len(families)](record, randomness)
        if not said or record == origin:
            continue
        ours = [issue for issue in validator.check(json.dumps(record).encode()) if issue.severity in ("error", "fatal")]
        try:
            found = oracle.check(record)
        except java.JavaError as error:
            assert BREAKS_DOWN.search(str(error)), error
            continue
        theirs = [issue for issue in found if issue.is_error]
        if broke_down(found) and not theirs:
            continue
        compared += 1
        change = f"{origin['resourceType']}: {said}"
        if bool(ours) is not bool(theirs) and rows(change, record, ours, theirs) is None:
            differ.append(f"{number}, {change}: {[issue.rule for issue in ours]}, {[str(issue) for issue in theirs]}")
    assert differ == []
    assert compared > _COUNT * 0.8
