"""Generated narratives are FHIR's limited XHTML (R4, Narrative: txt-1, txt-2) and say what the definition says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from fhir_keta.definitions.library import profiles
from fhir_keta.definitions.narrative import with_narrative

JsonObject = dict[str, Any]
XHTML = "{http://www.w3.org/1999/xhtml}"

# R4 invariant txt-1 lists the elements; these are all we use of them
ALLOWED = {"div", "h2", "p", "ul", "li", "code", "table", "thead", "tbody", "tr", "th", "td"}


def _div(resource: JsonObject) -> ElementTree.Element:
    text = with_narrative(resource)["text"]
    assert text["status"] == "generated"
    root = ElementTree.fromstring(text["div"])
    assert root.tag == XHTML + "div"
    return root


def _words(resource: JsonObject) -> str:
    return " ".join("".join(_div(resource).itertext()).split())


def _cells(resource: JsonObject) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in _div(resource).iterfind(f".//{XHTML}tbody/{XHTML}tr")]


@pytest.mark.parametrize("definition", profiles(), ids=lambda item: f"{item['resourceType']}-{item['id']}")
def test_every_definition_of_ours_gets_one(definition: JsonObject) -> None:
    root = _div(definition)
    assert {element.tag.removeprefix(XHTML) for element in root.iter()} <= ALLOWED
    assert all(set(element.attrib) == set() for element in root.iter() if element is not root)
    assert (definition.get("title") or definition["name"]) in _words(definition)
    assert "".join(root.itertext()).strip()
    rest = {name: value for name, value in with_narrative(definition).items() if name != "text"}
    assert rest == definition
    assert len(root) > 2, "says more than title and canonical"


def test_the_text_stands_where_fhir_has_it_and_carries_the_language() -> None:
    form = {
        "resourceType": "Questionnaire",
        "id": "x",
        "language": "de",
        "url": "https://example.org/x",
        "status": "draft",
    }
    made = with_narrative(form)
    assert list(made) == ["resourceType", "id", "language", "text", "url", "status"]
    assert made["text"]["div"].startswith('<div xmlns="http://www.w3.org/1999/xhtml" lang="de" xml:lang="de"><h2>')


def test_a_text_that_is_there_stays() -> None:
    form = {"resourceType": "Questionnaire", "text": {"status": "additional", "div": "<div/>"}}
    assert with_narrative(form) is form


def test_everything_is_escaped() -> None:
    system = {
        "resourceType": "CodeSystem",
        "title": "<script>alert('x')</script> & \u0000\u0008more",
        "language": 'en" onclick="x',
        "description": "a < b\n\nsecond",
        "concept": [{"code": "<b>", "display": "]]>", "definition": "&amp;"}],
    }
    texts = list(_div(system).itertext())
    assert texts == [
        "<script>alert('x')</script> & more",
        "a < b",
        "second",
        "Code",
        "Display",
        "Definition",
        "<b>",
        "]]>",
        "&amp;",
    ]
    assert [element.tag.removeprefix(XHTML) for element in _div(system)] == ["h2", "p", "p", "table"]


def test_a_code_system_lists_nested_concepts() -> None:
    concepts = [{"code": "a", "display": "A", "concept": [{"code": "b", "definition": "Below"}]}]
    rows = _cells({"resourceType": "CodeSystem", "name": "Letters", "concept": concepts})
    assert rows == [["a", "A", ""], ["\u00a0\u00a0b", "", "Below"]]


def test_a_value_set_says_what_it_includes_and_leaves_out() -> None:
    compose = {
        "include": [
            {"system": "https://example.org/s", "filter": [{"property": "concept", "op": "is-a", "value": "a"}]}
        ],
        "exclude": [{"system": "https://example.org/s", "concept": [{"code": "b", "display": "B"}]}],
    }
    value_set = {"resourceType": "ValueSet", "name": "Some", "compose": compose}
    assert "Includes codes of https://example.org/s where concept is-a a" in _words(value_set)
    assert "Leaves out codes of https://example.org/s" in _words(value_set)
    assert _cells(value_set) == [["b", "B"]]


def test_a_profile_says_its_limits() -> None:
    element = {
        "path": "Observation.component",
        "sliceName": "one",
        "min": 1,
        "max": "2",
        "type": [{"code": "Reference", "targetProfile": ["https://example.org/StructureDefinition/x"]}],
        "short": "First",
        "patternCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]},
        "minValueInteger": 3,
        "binding": {"strength": "required", "valueSet": "https://example.org/v"},
        "constraint": [{"key": "k-1", "human": "Is so"}],
    }
    profile = {
        "resourceType": "StructureDefinition",
        "name": "P",
        "type": "Observation",
        "differential": {"element": [element]},
    }
    says = "First; with loinc.org|1-8; from 3; required: https://example.org/v; k-1: Is so"
    assert _cells(profile) == [["Observation.component:one", "1..2", "Reference (x)", says]]


def test_a_form_shows_its_questions_with_their_options() -> None:
    question = {
        "linkId": "q",
        "type": "choice",
        "text": "How?",
        "required": True,
        "answerOption": [{"valueCoding": {"code": "a", "display": "Well"}}, {"valueInteger": 2}],
    }
    form = {
        "resourceType": "Questionnaire",
        "name": "F",
        "item": [{"linkId": "g", "type": "group", "text": "Part", "item": [question]}],
    }
    nested = _div(form).find(f"{XHTML}ul/{XHTML}li/{XHTML}ul/{XHTML}li")
    assert nested is not None and nested.text == "How? (choice, required): Well; 2"


def test_maps_searches_and_guides_are_listed() -> None:
    element = {"code": "a", "display": "A", "target": [{"code": "1", "display": "One", "equivalence": "wider"}]}
    mapping = {
        "resourceType": "ConceptMap",
        "name": "M",
        "group": [{"source": "s", "target": "t", "element": [element]}],
    }
    assert _cells(mapping) == [["a A", "wider", "1 One"]]
    search = {
        "resourceType": "SearchParameter",
        "name": "S",
        "code": "s",
        "type": "token",
        "base": ["Patient"],
        "expression": "Patient.id",
    }
    assert "s (token) on Patient" in _words(search) and "Patient.id" in _words(search)
    part = {"reference": {"reference": "Patient/1"}, "name": "One", "description": "A patient"}
    guide = {"resourceType": "ImplementationGuide", "name": "G", "definition": {"resource": [part]}}
    assert _cells(guide) == [["Patient/1", "One", "A patient"]]
