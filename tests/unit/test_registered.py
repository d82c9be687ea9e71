"""What R4 has under other names: values as HL7 published them (SearchParameter registry, v3 code systems)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.definitions.registered import Search, code_system_of_oid, search_parameter

OWN: dict[str, Any] = {
    "resourceType": "SearchParameter",
    "url": "https://ehr.test/sp",
    "type": "date",
    "base": ["Patient"],
}
GENDER = "http://hl7.org/fhir/SearchParameter/individual-gender"


def test_search_parameters_of_r4() -> None:
    found = search_parameter(GENDER, base())
    assert found == Search("token", ("Patient", "Person", "Practitioner", "RelatedPerson"))
    assert search_parameter(GENDER + "|4.0.1", base()) == found


@pytest.mark.parametrize(
    "canonical", [GENDER + "|5.0.0", GENDER + "s", "http://hl7.org/fhir/StructureDefinition/Patient"]
)
def test_what_is_no_search_parameter_here(canonical: str) -> None:
    assert search_parameter(canonical, base()) is None


def test_search_parameters_that_were_given() -> None:
    assert search_parameter(OWN["url"], base().with_resources([OWN])) == Search("date", ("Patient",))
    assert search_parameter(OWN["url"], base()) is None


def test_code_systems_by_oid() -> None:
    assert code_system_of_oid("urn:oid:2.16.840.1.113883.5.4") == "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    assert code_system_of_oid("urn:oid:2.16.840.1.113883.6.96") == "http://snomed.info/sct"
    assert code_system_of_oid("urn:oid:1.2.3") is None
