"""The tool that makes fhir_keta/definitions/r4/: FHIR XML becomes FHIR JSON as R4's page on JSON says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
import zipfile
from typing import Any

import pytest

from tests.unit.r4_source import compile_r4, jar


@pytest.fixture(scope="module")
def shapes() -> Any:
    module = compile_r4()
    with zipfile.ZipFile(jar()) as archive:
        roots = [ElementTree.fromstring(archive.read(module.FOLDER + file)) for file in module.STRUCTURES[:2]]
    found = [node[0] for root in roots for node in root.iterfind(f"{module.FHIR}entry/{module.FHIR}resource")]
    return module.Shapes([node for node in found if node.tag == f"{module.FHIR}StructureDefinition"])


def _json(xml: str, shapes: Any) -> dict[str, Any]:
    converted: dict[str, Any] = compile_r4().to_json(ElementTree.fromstring(xml), shapes)
    return converted


def test_numbers_booleans_lists_and_choices(shapes: Any) -> None:
    xml = """<Observation xmlns="http://hl7.org/fhir"><id value="o"/><status value="final"/>
      <category><coding><code value="survey"/><userSelected value="true"/></coding></category>
      <code><text value="x"/></code><valueQuantity><value value="6.5"/></valueQuantity>
      <component><code><text value="y"/></code><valueInteger value="-3"/></component></Observation>"""
    assert _json(xml, shapes) == {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "category": [{"coding": [{"code": "survey", "userSelected": True}]}],
        "code": {"text": "x"},
        "valueQuantity": {"value": 6.5},
        "component": [{"code": {"text": "y"}, "valueInteger": -3}],
    }


def test_primitives_with_id_and_extensions(shapes: Any) -> None:
    # the two examples of the page's section on primitives: one value, and a list with a hole
    xml = """<Patient xmlns="http://hl7.org/fhir"><name><given value="Au"/><given value="Nz">
      <extension url="https://example.org/e"><valueString value="t"/></extension></given></name>
      <birthDate id="314159" value="1970-03-30"><extension url="https://example.org/text">
      <valueString value="Easter 1970"/></extension></birthDate>
      <deceasedBoolean><extension url="https://example.org/why"><valueCode value="unknown"/></extension>
      </deceasedBoolean></Patient>"""
    assert _json(xml, shapes) == {
        "resourceType": "Patient",
        "name": [
            {
                "given": ["Au", "Nz"],
                "_given": [None, {"extension": [{"url": "https://example.org/e", "valueString": "t"}]}],
            }
        ],
        "birthDate": "1970-03-30",
        "_birthDate": {
            "id": "314159",
            "extension": [{"url": "https://example.org/text", "valueString": "Easter 1970"}],
        },
        "_deceasedBoolean": {"extension": [{"url": "https://example.org/why", "valueCode": "unknown"}]},
    }


def test_contained_resources_narrative_and_content_references(shapes: Any) -> None:
    xml = """<Questionnaire xmlns="http://hl7.org/fhir"><text><status value="generated"/>
      <div xmlns="http://www.w3.org/1999/xhtml"><p>a &lt; b</p></div></text>
      <contained><ValueSet><id value="v"/></ValueSet></contained>
      <item id="i"><linkId value="1"/><item><linkId value="1.1"/><maxLength value="5"/></item></item></Questionnaire>"""
    assert _json(xml, shapes) == {
        "resourceType": "Questionnaire",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>a &lt; b</p></div>'},
        "contained": [{"resourceType": "ValueSet", "id": "v"}],
        "item": [{"id": "i", "linkId": "1", "item": [{"linkId": "1.1", "maxLength": 5}]}],
    }


def test_unknown_elements_stop_the_tool(shapes: Any) -> None:
    with pytest.raises(ValueError, match="Patient has no child nmae"):
        _json('<Patient xmlns="http://hl7.org/fhir"><nmae value="x"/></Patient>', shapes)
    with pytest.raises(ValueError, match="gender stands twice"):
        _json('<Patient xmlns="http://hl7.org/fhir"><gender value="x"/><gender value="y"/></Patient>', shapes)


def test_only_what_validation_needs_is_kept() -> None:
    module = compile_r4()
    regex = {"url": "http://hl7.org/fhir/StructureDefinition/regex", "valueString": "a"}
    other = {"url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-bindingName", "valueString": "b"}
    element = {
        "path": "x",
        "comment": "long",
        "mapping": [{"identity": "rim"}],
        "definition": "stays",
        "type": [{"code": "string", "extension": [regex, other]}],
        "constraint": [{"key": "k", "xpath": "p", "expression": "e"}],
        "binding": {"strength": "required", "valueSet": "v", "description": "d", "extension": [other]},
    }
    definition = {
        "resourceType": "StructureDefinition",
        "id": "x",
        "publisher": "p",
        "snapshot": {"element": [element]},
    }
    assert module.compact(definition)["snapshot"]["element"] == [
        {
            "path": "x",
            "definition": "stays",
            "type": [{"code": "string", "extension": [regex]}],
            "constraint": [{"key": "k", "expression": "e"}],
            "binding": {"strength": "required", "valueSet": "v"},
        }
    ]
    assert "publisher" not in module.compact(definition)
    assert module.compact({"resourceType": "OperationDefinition", "id": "x"}) is None
