"""Definitions and search results on which HL7's validator and ours once differed, as in ``differed_cases.py``."""

from __future__ import annotations

from typing import Any

from tests.base_records import URN, JsonObject, case
from tests.unit.invariant_records import BOUND, differential, logical

_ELEMENT = "StructureDefinition.differential.element[1]"

DIFFERED_DEFINITIONS = (
    case(
        "condition on a question that is not there",
        {
            "resourceType": "Questionnaire",
            "status": "draft",
            "item": [
                {
                    "linkId": "a",
                    "type": "string",
                    "enableWhen": [{"question": "b", "operator": "exists", "answerBoolean": True}],
                }
            ],
        },
        ("questionnaire-condition", "Questionnaire"),
    ),
    case(
        "count of other concepts",
        {
            "resourceType": "CodeSystem",
            "url": "https://ehr.test/CodeSystem/a",
            "status": "draft",
            "content": "complete",
            "count": 2,
            "concept": [{"code": "a"}],
        },
        ("code-system-count", "CodeSystem"),
    ),
    case(
        "value set over a relative system",
        {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [{"system": "local"}]}},
        ("uri-absolute", "ValueSet.compose.include[0].system"),
    ),
    case("length of a text", logical(maxLength=3)),
    *(
        case(f"length of a {code}", logical(type=[{"code": code}], maxLength=3), ("element-limit", _ELEMENT))
        for code in ("boolean", "base64Binary", "Quantity", "Reference", "Period", "Extension")
    ),
    *(
        case(f"least {code}", logical(type=[{"code": code}], minValueInteger=1))
        for code in ("integer", "decimal", "date", "instant", "unsignedInt", "Quantity", "Age", "Money")
    ),
    *(
        case(f"least {code}", logical(type=[{"code": code}], minValueInteger=1), ("element-limit", _ELEMENT))
        for code in ("string", "code", "boolean", "Range", "CodeableConcept", "Timing")
    ),
    case("length of one of two types", logical(type=[{"code": "boolean"}, {"code": "string"}], maxLength=3)),
    case("length of another type", logical(type=[{"code": "https://ehr.test/length"}], maxLength=3)),
    case(
        "length of another type or of a boolean",
        logical(type=[{"code": "https://ehr.test/length"}, {"code": "boolean"}], maxLength=3),
        ("element-limit", _ELEMENT),
    ),
    case("codes of a resource", logical(type=[{"code": "Patient"}], binding=BOUND), ("eld-11", _ELEMENT)),
    case("length of a type in the base", differential(maxLength=3)),
    *(
        case(f"codes of a {code}", logical(type=[{"code": code}], binding=BOUND))
        for code in ("code", "Quantity", "uri", "url", "oid", "Duration", "Range", "Extension")
    ),
    *(
        case(f"codes of a {code}", logical(type=[{"code": code}], binding=BOUND), ("eld-11", _ELEMENT))
        for code in ("canonical", "id", "markdown", "integer", "Count", "Reference", "BackboneElement")
    ),
)


def _search(*modes: str, url: str = "", **resource: Any) -> JsonObject:
    """A result with one entry a mode: the resource, by default a Patient with an id."""
    entries = []
    for number, mode in enumerate(modes):
        found = {"resourceType": "Patient", "id": str(number), **resource}
        name = f"https://ehr.test/{found['resourceType']}/{found['id']}" if found["id"] else f"{URN}{number}"
        search = {"search": {"mode": mode}} if mode else {}
        content = {key: value for key, value in found.items() if value}
        entries.append({"fullUrl": name, "resource": content, **search})
    link = {"link": [{"relation": "self", "url": url}]} if url else {}
    return {"resourceType": "Bundle", "type": "searchset", **link, "entry": entries}


_OUTCOME: JsonObject = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "information", "code": "informational"}],
}
_UNFIT = ("bundle-search", "Bundle.entry[0]")
_OF_PATIENTS = "https://ehr.test/Patient?active=true"

DIFFERED_SEARCHES = (
    case("match and include", _search("match", "include", url=_OF_PATIENTS)),
    case("match without an id", _search("match", id="", active=True), _UNFIT),
    case("include without an id", _search("include", id="", active=True), _UNFIT),
    case("result of no mode without an id", _search("", id="", active=True)),
    case("outcome without an id", _search("outcome", id="", **_OUTCOME)),
    case("outcome that is none", _search("outcome"), _UNFIT),
    case("include of another type", _search("include", url="https://ehr.test/Observation?status=final")),
    case("result of no mode and another type", _search("", url="https://ehr.test/Observation?status=final")),
    case("outcome as a match", _search("match", url=_OF_PATIENTS, **_OUTCOME), _UNFIT),
    *(
        case(f"match of another type than {url}", _search("match", url=url), _UNFIT)
        for url in (
            "https://ehr.test/Observation?status=final",
            "https://ehr.test/Observation",
            "Observation?status=final",
            "https://ehr.test/Patient/1/Observation?status=final",
            "https://ehr.test?_type=Observation",
            "https://ehr.test/?_count=5&_type=Observation,Condition",
        )
    ),
    *(
        case(f"match of {url}", _search("match", url=url))
        for url in (
            _OF_PATIENTS,
            "https://ehr.test?_type=Observation,Patient",
            "https://ehr.test/Observation/_search?status=final",
            "https://ehr.test/Observation/$lastn",
            "https://ehr.test/Observation/1",
            "https://ehr.test/fhir",
        )
    ),
)
