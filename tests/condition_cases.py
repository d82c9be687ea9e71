"""Extensions whose definitions say what must stand beside them (R4, StructureDefinition.contextInvariant).

The number of answers is the one that the extension has, as its definition means it: to the letter of FHIRPath,
``%extension.valueInteger`` is nothing, and so it is for HL7's validator.
"""

from __future__ import annotations

from typing import Any

from tests.base_records import BaseCase, JsonObject, case

CORE = "http://hl7.org/fhir/StructureDefinition/questionnaire-"
PLACE = ("extension-context", "Questionnaire.item[0].extension[0]")


def _form(name: str, value: JsonObject, **item: Any) -> JsonObject:
    given = {"linkId": "1", "text": "x", "extension": [{"url": CORE + name, **value}], **item}
    return {"resourceType": "Questionnaire", "status": "draft", "item": [given]}


TWO, ONE, NONE = ({"valueInteger": number} for number in (2, 1, 0))
MG = {"valueCoding": {"system": "http://unitsofmeasure.org", "code": "mg"}}

CONDITION_CASES: tuple[BaseCase, ...] = (
    case("fewest answers of what is not required", _form("minOccurs", TWO, type="string", repeats=True), PLACE),
    case("fewest answers of what is required", _form("minOccurs", TWO, type="string", repeats=True, required=True)),
    case("no fewest answers of what is not required", _form("minOccurs", NONE, type="string"), oracle=False),
    case("most answers of what does not repeat", _form("maxOccurs", TWO, type="string"), PLACE),
    case("most answers of what repeats", _form("maxOccurs", TWO, type="string", repeats=True)),
    case("one answer at most of what does not repeat", _form("maxOccurs", ONE, type="string"), oracle=False),
    case("unit of a number", _form("unit", MG, type="decimal")),
    case("unit of a text", _form("unit", MG, type="string"), PLACE),
    case("choice of units for a quantity", _form("unitOption", MG, type="quantity")),
    case("choice of units for a number", _form("unitOption", MG, type="decimal"), PLACE),
    case("steps of a whole number", _form("sliderStepValue", ONE, type="integer")),
    case("steps of a decimal number", _form("sliderStepValue", ONE, type="decimal"), PLACE),
    case("type of what a text refers to", _form("referenceResource", {"valueCode": "Patient"}, type="string"), PLACE),
    case("type of what is referred to", _form("referenceResource", {"valueCode": "Patient"}, type="reference")),
)
