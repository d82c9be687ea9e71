"""A record that meets and one that breaks each constraint of base R4 that is neither a function nor FHIRPath."""

from __future__ import annotations

from tests.base_records import patient
from tests.unit.key_case import KeyCase
from tests.unit.schema_key_cases_clinical import CLINICAL_CASES
from tests.unit.schema_key_cases_definitions import DEFINITION_CASES, QUESTIONNAIRE_CASES
from tests.unit.schema_key_cases_profiles import PROFILE_CASES
from tests.unit.schema_key_cases_scripts import SCRIPT_CASES
from tests.unit.schema_key_cases_structures import STRUCTURE_CASES
from tests.unit.schema_key_cases_types import TYPE_CASES

SCHEMA_CASES: tuple[KeyCase, ...] = (
    *CLINICAL_CASES,
    *TYPE_CASES,
    *DEFINITION_CASES,
    *QUESTIONNAIRE_CASES,
    *STRUCTURE_CASES,
    *SCRIPT_CASES,
)

# what the structure of a type says in other words, and is reported in them
STRUCTURAL_CASES: tuple[KeyCase, ...] = (
    KeyCase(
        "ele-1",
        patient(maritalStatus={"text": "x"}),
        {"maritalStatus": {}},
        "Patient.maritalStatus",
        rule="element-empty",
    ),
)

KEY_CASES: tuple[KeyCase, ...] = (*SCHEMA_CASES, *STRUCTURAL_CASES, *PROFILE_CASES)
