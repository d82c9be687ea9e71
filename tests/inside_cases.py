"""What refers to something inside the record, each with the findings that HL7's validator and R4 agree on."""

from __future__ import annotations

from typing import Any

from tests.base_records import XHTML, JsonObject, case, observation, patient


def _organization(name: str, **elements: Any) -> JsonObject:
    return {"resourceType": "Organization", "id": name, "name": "x", **elements}


def _holding(*contained: JsonObject, **elements: Any) -> JsonObject:
    return observation(contained=list(contained), **elements)


def _activity(**elements: Any) -> JsonObject:
    return {"resourceType": "ActivityDefinition", "status": "active", **elements}


def _narrative(content: str) -> JsonObject:
    return {"status": "generated", "div": f"<div {XHTML}>{content}</div>"}


DOM_3 = ("dom-3", "Observation")
_LIBRARY = {"resourceType": "Library", "id": "x", "status": "active", "type": {"text": "x"}}
_AGENT = [{"who": {"display": "x"}}]
_ABOUT_ITS_CONTAINER = {
    "resourceType": "Provenance",
    "id": "v",
    "target": [{"reference": "#"}],
    "recorded": "2020-01-01T10:00:00Z",
    "agent": [{"who": {"reference": "#a"}}],
}

INSIDE_CASES = (
    case("contained that only itself refers to", _holding(_organization("a", partOf={"reference": "#a"})), DOM_3),
    case(
        "contained that a contained one refers to",
        _holding(_organization("a", partOf={"reference": "#b"}), _organization("b"), performer=[{"reference": "#a"}]),
    ),
    case(
        "contained of which only one is referred to",
        _holding(_organization("a", partOf={"reference": "#b"}), _organization("b")),
        DOM_3,
    ),
    case("contained beside one about its container", _holding(_ABOUT_ITS_CONTAINER, _organization("a"))),
    case(
        "contained without an id",
        _holding({name: content for name, content in _ABOUT_ITS_CONTAINER.items() if name != "id"} | {"agent": _AGENT}),
        ("contained-id", "Observation"),
    ),
    case("contained that a narrative links to", _holding(_organization("a"), text=_narrative('<a href="#a">x</a>'))),
    case(
        "contained that a narrative shows",
        _holding(_organization("a"), text=_narrative('<img src="#a" alt="x"/>')),
    ),
    case("contained that a uri names", _holding(_organization("a"), implicitRules="#a")),
    case("contained that a canonical names", _activity(library=["#x"], contained=[_LIBRARY])),
    case(
        "canonical of nothing contained",
        _activity(library=["#x"]),
        ("reference-unresolved", "ActivityDefinition.library[0]"),
    ),
    case(
        "canonical of no fragment",
        _activity(library=["#"]),
        ("reference-unresolved", "ActivityDefinition.library[0]"),
    ),
    case("canonical of an element", _activity(library=["#x"], jurisdiction=[{"id": "x", "text": "y"}])),
    case(
        "questionnaire that is not contained",
        {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "#x"},
        ("reference-unresolved", "QuestionnaireResponse.questionnaire"),
    ),
    case(
        "profile that is not contained",
        patient(meta={"profile": ["#x"]}, active=True),
        ("reference-unresolved", "Patient.meta.profile[0]"),
    ),
    case("uri of nothing contained", patient(implicitRules="#x", active=True)),
    case(
        "uri that begins with oid:",
        patient(implicitRules="oid:1.2.3", active=True),
        ("primitive-format", "Patient.implicitRules"),
    ),
)
