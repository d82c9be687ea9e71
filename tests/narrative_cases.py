"""Narratives, each with the findings that HL7's validator and R4 agree on."""

from __future__ import annotations

from tests.base_records import URN, XHTML, JsonObject, case, observation, patient
from tests.unit.test_xhtml import IN_PLACE, OUT_OF_PLACE

_STRUCTURE = ("narrative-structure", "Observation.text")
_LINK = ("narrative-link", "Observation.text")
_LABEL = {"system": "urn:x:y", "code": "a"}


def _told(content: str, **elements: object) -> JsonObject:
    return observation(text={"status": "generated", "div": f"<div {XHTML}>{content}</div>"}, **elements)


def _beside(resource: JsonObject) -> JsonObject:
    """In a Bundle, with a patient whose id is ``q``."""
    entries = [resource, patient(id="q", active=True)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"{URN}{number}", "resource": each} for number, each in enumerate(entries)],
    }


NARRATIVE_CASES = (
    *(case(f"narrative in place: {content}", _told(content)) for content in IN_PLACE),
    *(case(f"narrative out of place: {content}", _told(content), _STRUCTURE) for content in OUT_OF_PLACE),
    case("narrative with links", _told('<a href="https://ehr.test">x</a><a href="#">y</a><a name="z">z</a>')),
    case("link to a name", _told('<a href="#x">x</a><a name="x">y</a>')),
    case("link to an element", _told('<a href="#q">x</a>', method={"id": "q", "text": "x"})),
    case("link to the record", _told('<a href="#q">x</a>', id="q")),
    case("link to another entry", _beside(_told('<a href="#q">x</a>'))),
    case("link to nothing", _told('<a href="#x">x</a>'), _LINK),
    case("link that is empty", _told('<a href="">x</a>'), _LINK),
    case("link with a space", _told('<a href="https://ehr test">x</a>'), _LINK),
    case("link that runs", _told('<a href="javascript:x">x</a>'), _LINK),
    case("link that runs, in capitals", _told('<a href="JavaScript:x">x</a>'), _LINK, oracle=False),
    case("link to a urn", _told('<a href="urn:x:y">x</a>'), _LINK),
    case("image of an id", _told('<img src="#x" alt="x"/><p id="x">x</p>')),
    case("image of nothing", _told('<img src="#x" alt="x"/>'), _LINK),
    case("image of a name", _told('<img src="#x" alt="x"/><a name="x">x</a>'), _LINK),
    case("image of two ids", _told('<img src="#x" alt="x"/><p id="x">x</p><p id="x">x</p>'), _LINK),
    case("image as data", _told('<img src="data:image/png;base64,aGVsbG8=" alt="x"/>')),
    case("image as no data", _told('<img src="data:image/png;base64" alt="x"/>'), _LINK),
    case("element that R4 leaves out", _told("<ins>x</ins>"), ("txt-1", "Observation.text")),
    case("attribute of another element", _told('<p name="x">x</p>'), ("txt-1", "Observation.text")),
    case("label twice", patient(active=True, meta={"security": [_LABEL] * 2}), ("security-repeated", "Patient.meta")),
    case("tag twice", patient(active=True, meta={"tag": [_LABEL] * 2})),
)
