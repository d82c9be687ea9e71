"""Which values may differ without a change of verdict: expectations read off R4's and our profiles' definitions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.accepted.reading import names_in_expression
from fhir_keta.validation.accepted.together import items_are_independent, read_together
from fhir_keta.validation.accepted.varying import varying_type
from fhir_keta.validation.accepted.written import written
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.compiler import compile_structure
from tests.unit.made_profiles import element, profile, slicing

KETA = "https://w3id.org/fhir-keta/StructureDefinition/"
VITALS = "http://hl7.org/fhir/StructureDefinition/"


def compiled(canonical: str) -> Compiled:
    structure = bundled().structure(canonical)
    assert structure is not None
    return compile_structure(structure, bundled())


@pytest.mark.parametrize(
    ("canonical", "path", "expected"),
    [
        ("Patient", ("id",), "id"),
        ("Patient", ("birthDate",), "date"),
        ("Patient", ("meta", "lastUpdated"), "instant"),
        ("Patient", ("gender",), None),  # bound to a value set
        ("Patient", ("name", 0, "family"), "string"),
        ("Patient", ("managingOrganization", "reference"), "Reference"),
        ("Patient", ("maritalStatus", "coding", 0, "display"), None),  # a display is its code's
        ("Patient", ("maritalStatus", "text"), None),  # an extensible binding looks at it
        ("Observation", ("method", "text"), "string"),
        ("Patient", ("extension", 0, "valueString"), None),
        ("Patient", ("photo", 0, "size"), None),  # the size of the data beside it
        ("Patient", ("photo", 0, "title"), "string"),
        ("Observation", ("effectivePeriod", "start"), "dateTime"),
        ("Observation", ("valueQuantity", "value"), "decimal"),
        ("Observation", ("valueQuantity", "code"), None),
        ("Observation", ("component", 0, "valueQuantity", "value"), "decimal"),  # obs-7 reads codes of components
        ("Observation", ("component", 0, "code", "text"), None),
        (VITALS + "heartrate", ("effectiveDateTime",), "dateTime"),  # vs-1: to the day, which its length says
        (KETA + "keta-statement", ("effectiveDateTime",), "dateTime"),  # keta-obs-4: its length
        (KETA + "keta-score", ("valueInteger",), None),  # keta-score-1: 0 to 27
        (VITALS + "bp", ("component", 0, "valueQuantity", "value"), "decimal"),  # sliced by code
        (VITALS + "bp", ("component", 0, "code", "text"), None),
        (KETA + "keta-statement", ("component", 0, "valueString"), "string"),
        (KETA + "keta-experience", ("component", 0, "valueString"), "string"),  # in the slice that allows it
        ("Timing", ("repeat", "count"), "positiveInt"),  # constraints ask only whether it is there
        ("Timing", ("repeat", "duration"), None),  # tim-4: not negative
        ("MedicationRequest", ("dispenseRequest", "numberOfRepeatsAllowed"), "unsignedInt"),
        ("QuestionnaireResponse", ("authored",), "dateTime"),
        ("QuestionnaireResponse", ("item", 0, "answer", 0, "valueString"), "string"),
    ],
)
def test_varying_type(canonical: str, path: tuple[Any, ...], expected: str | None) -> None:
    assert varying_type(compiled(canonical), path) == expected


@pytest.mark.parametrize(
    ("value", "other", "type_name", "fits"),
    [
        ("2026-01-31", "2024-02-28", "date", True),
        ("2026-01-31", "2024-12-31", "date", True),
        ("2026-01-31", "2024-11-31", "date", False),
        ("2026-01-31", "2024-04-30", "date", True),
        ("2026-01-31", "2024-02-30", "date", False),
        ("2026-01-31", "2024-02-29", "date", False),  # it is one: the full check says so
        ("2026-01-31", "2023-02-29", "date", False),
        ("2026-01-31", "2023-13-01", "date", False),
        ("2026-01-31", "2023-01-00", "date", False),
        ("2026-01-31", "2026-01", "date", False),
        ("2026-01-31", "0000-01-31", "date", False),
        ("2026-01-31T10:00:00Z", "1999-12-31T23:59:59Z", "dateTime", True),
        ("2026-01-31T10:00:00Z", "1999-12-31T23:59:60Z", "dateTime", False),  # it is one: the full check says so
        ("2026-01-31T10:00:00Z", "1999-12-31T24:00:00Z", "dateTime", False),
        ("2026-01-31T10:00:00.5Z", "1999-12-31T23:59:59.0Z", "instant", True),
        ("2026-01-31T10:00:00.5Z", "1999-12-31T23:59:59.00Z", "instant", False),
        ("2026-01-31T10:00:00.5Z", "1999-12-31T23:59:59Z", "instant", False),
        ("2026-01-31T10:00:00Z", "2026-01-31", "dateTime", False),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00+02:00", "dateTime", False),
        ("2026-01-31T10:00:00+02:00", "2026-02-28T00:00:00-13:59", "instant", True),
        ("2026-01-31T10:00:00+02:00", "2026-02-28T00:00:00-14:01", "instant", False),
        ("a", "A-1.b", "id", True),
        ("a", "", "id", False),
        ("a", "a" * 65, "id", False),
        ("a text", "another, with ü and \\n", "string", True),
        ("a text", "", "string", False),
        ("a text", 'a "quote"', "string", False),
        ("a text", "a tab\t", "string", False),
        ("a text", "\\ud800", "string", False),
        ("1", "-12.5", "decimal", True),
        ("1", "01", "decimal", False),
        ("1", "1e400", "decimal", False),
        ("1", "2147483648", "integer", False),
        ("1", "1.0", "integer", False),
        ("1", "-0", "integer", False),
        ("1", "0", "unsignedInt", True),
        ("1", "0", "positiveInt", False),
    ],
)
def test_written(value: str, other: str, type_name: str, fits: bool) -> None:
    pattern = written(type_name, value)
    assert pattern is not None
    assert bool(re.fullmatch(f'{pattern}"'.encode(), f'{other}"'.encode())) is fits


@pytest.mark.parametrize("value", ["2026", "2026-01", "2024-02-29", "2026-01-31T23:59:60Z"])
def test_a_time_without_a_day_and_a_rare_one_stay(value: str) -> None:
    assert written("dateTime", value) is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("value.exists() or dataAbsentReason.exists()", {}),
        ("component.code.where(coding.exists())", {"component": {"code"}, "code": None}),
        ("status = 'final' implies issued.exists()", {"status": None}),
        ("effective.ofType(Period).end.exists()", {"effective": None, "Period": None, "end": None}),
        ("name.given = 'x' and name.family = 'y'", {"name": {"given", "family"}, "given": None, "family": None}),
        ("descendants().where($this is code).count() < 3", None),
        ("$this.matches('x')", None),
        ("matches('x')", None),
        ("", None),
    ],
)
def test_what_a_constraint_reads(expression: str, expected: dict[str, Any] | None) -> None:
    read = names_in_expression(expression)
    assert read == expected


def test_what_rules_read_together() -> None:
    """obs-6 and obs-7 of R4; keta-score-1 reads value and code; dom-2 to dom-5 are about what is contained."""
    observation = read_together(compiled("Observation"))
    score = read_together(compiled(KETA + "keta-score"))
    patient = read_together(compiled("Patient"))
    assert observation is not None
    assert score is not None
    assert patient is not None
    assert {"code", "component"} <= observation.names
    assert "value" not in observation.names
    assert {"value", "dataAbsentReason", "status", "code"} <= observation.asked
    assert {"value", "code"} <= score.names
    assert not patient.names & {"name", "gender", "contact", "contained"}


def test_items_of_a_response_are_independent_but_where_a_profile_relates_them() -> None:
    root = "QuestionnaireResponse"
    related = {
        "key": "x-1",
        "severity": "error",
        "human": "Related.",
        "expression": "item.where(linkId = 'a').count() < 2",
    }
    inside = {**related, "expression": "answer.value.ofType(integer).sum() < 5"}
    made = [
        profile("x-root", element(root, constraint=[related]), on=root),
        profile("x-item", element(f"{root}.item", constraint=[inside]), on=root),
        profile("x-sliced", element(f"{root}.item", slicing=slicing("value", "linkId")), on=root),
    ]
    assert items_are_independent(compiled(root))
    assert items_are_independent(compiled(KETA + "keta-response"))
    library = bundled().with_resources(made)
    for each in made:
        structure = library.structure(each["url"])
        assert structure is not None
        assert items_are_independent(compile_structure(structure, library)) is (each["id"] == "x-sliced")
