"""HL7's own StructureDefinitions of R4 as published: no fault in them but those that HL7's validator finds too."""

from __future__ import annotations

from fhir_keta.validation.validator import Validator
from tests.unit.r4_source import structures

# held to HL7's validator in tests/oracle/test_structure_definitions.py
FAULTY = {
    "ChargeItemDefinition": {"element-constraint"},  # cid-0 asks for a name that the resource has not
    "Consent": {"identifier-uri"},  # an example
    "ExplanationOfBenefit": {"element-binding"},  # priority is bound to a code system
    "Task": {"element-constraint"},  # inv-1 is a key of Parameters
    "TestReport": {"element-constraint"},  # so here
    "allergyintolerance-substanceExposureRisk": {"element-constraint"},  # and here; and it asks for itself in itself
    "catalog": {"differential-slicing"},  # slices without slicing
    "familymemberhistory-genetic": {"differential-slicing"},
}


def test_no_fault_is_found_in_them_but_those_there_are() -> None:
    validator = Validator()
    found = {}
    for structure in structures().values():
        bare = {name: value for name, value in structure.items() if name != "text"}
        errors = {issue.rule for issue in validator.check(bare) if issue.severity in ("error", "fatal")}
        if errors:
            found[structure["id"]] = errors
    assert found == FAULTY
