"""Every statement of the patient leaflet can be recorded, and every question has a reason.

The README's table is read between its markers. Its first column names a statement of the leaflet, or starts with
"Safety:" or "Instrument:"; the second names items (`form#linkId`) and profile elements (`profile: element`), the third
the codes of those items.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.unit.forms import FORMS, ROOT, concepts, items_by_link_id, questions, resource

START, END = "<!-- leaflet-table -->", "<!-- /leaflet-table -->"

# What the leaflet says, statement by statement, in words of our own.
LEAFLET = """
It differs from person to person
It varies with the dose
It varies with the medical condition
It varies with personal sensitivity
Detachment from body or surroundings, in the moment
Detachment from the body
Detachment from the surroundings
Time seems different
Space seems different
The self seems different
Floating, weightless
Mild visual hallucinations, short and not distressing
Mild auditory hallucinations, short and not distressing
Deep relaxation
New thoughts, insights, perspectives
Release of emotions
Relaxation goes on afterwards
Better mood
Better mood for days to weeks
Better mood in depression and other mood disorders
Clearer mind, less brain fog
Fatigue, less energy
Drowsiness
Mild nausea, during or after
Stomach and bowel discomfort
Time needed to take in the experience
Supportive surroundings help
A controlled medical setting
Close monitoring (R4 vital signs stand beside it)
Adverse effects are managed
No driving or machines for a time
Effects may linger
Follow the instructions and guidelines
Talk openly about experiences and concerns
""".strip().splitlines()


@dataclass(frozen=True)
class Row:
    statement: str
    places: tuple[str, ...]
    codes: tuple[str, ...]

    @property
    def items(self) -> list[tuple[str, str]]:
        return [(form_id, link_id) for form_id, mark, link_id in (p.partition("#") for p in self.places) if mark]

    @property
    def elements(self) -> list[tuple[str, str]]:
        return [(profile, path) for profile, mark, path in (p.partition(": ") for p in self.places) if mark]


def parse(text: str) -> list[Row]:
    """The rows of the table in a Markdown text."""
    assert text.count(START) == text.count(END) == 1, f"one table between {START} and {END}"
    rows = []
    for line in text.split(START)[1].split(END)[0].strip().splitlines():
        if not line.startswith("|") or set(line) <= set("|-: "):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 3, line
        rows.append(Row(cells[0], tuple(re.findall(r"`([^`]+)`", cells[1])), tuple(re.findall(r"`([^`]+)`", cells[2]))))
    return rows[1:]


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return parse((ROOT / "README.md").read_text(encoding="utf-8"))


def test_each_statement_of_the_leaflet_has_a_row(table: list[Row]) -> None:
    ours = [row.statement for row in table if not row.statement.startswith(("Safety: ", "Instrument: "))]
    assert ours == LEAFLET


def test_each_row_names_something_that_exists(table: list[Row]) -> None:
    for row in table:
        assert row.items or row.elements, row.statement
        assert len(row.items) + len(row.elements) == len(row.places), row.places
        for form_id, link_id in row.items:
            assert form_id in FORMS
            assert link_id in items_by_link_id(form_id), f"{form_id}#{link_id}"
        for profile, path in row.elements:
            elements = resource("StructureDefinition", profile)["differential"]["element"]
            assert path in [element["id"] for element in elements], f"{profile}: {path}"


def test_each_row_names_the_codes_of_its_items(table: list[Row]) -> None:
    for row in table:
        items = [items_by_link_id(form_id)[link_id] for form_id, link_id in row.items]
        assert set(row.codes) == {code["code"] for item in items for code in item["code"]}, row.statement


def test_own_codes_exist(table: list[Row]) -> None:
    for row in table:
        loinc = {code for code in row.codes if re.fullmatch(r"\d+-\d", code)}
        assert set(row.codes) - loinc <= set(concepts("keta-concepts")), row.statement


def test_each_question_has_a_row(table: list[Row]) -> None:
    named = {place for row in table for place in row.places}
    asked = {f"{form_id}#{item['linkId']}" for form_id in FORMS for item in questions(form_id)}
    assert asked <= named, "in no row, and not marked Safety or Instrument"


def test_each_experience_and_effect_is_asked_for(table: list[Row]) -> None:
    """A code of the CodeSystem that describes something felt or said, but that no form asks for, would be dead."""
    coded = {
        code["code"]
        for form_id in FORMS
        for item in items_by_link_id(form_id).values()
        for code in item.get("code", [])
    }
    assert set(concepts("keta-concepts")) <= coded
    assert coded <= {code for row in table for code in row.codes}
