"""R4's two profiles whose snapshots name elements like slices of nothing sliced: such an element is itself."""

from __future__ import annotations

from typing import Any

from tests.base_records import XHTML, JsonObject, case, without

_TEXT = {"status": "generated", "div": f"<div {XHTML}>x</div>"}
_CORE = "http://hl7.org/fhir/StructureDefinition/"


def _history(**elements: Any) -> JsonObject:
    return {
        "resourceType": "FamilyMemberHistory",
        "meta": {"profile": [_CORE + "familymemberhistory-genetic"]},
        "status": "completed",
        "patient": {"display": "x"},
        "relationship": {"text": "mother"},
        **elements,
    }


def _catalog(**elements: Any) -> JsonObject:
    return {
        "resourceType": "Composition",
        "meta": {"profile": [_CORE + "catalog"]},
        "extension": [{"url": _CORE + "cqm-ValidityPeriod", "valueDateTime": "2020"}],
        "status": "final",
        "type": {"text": "Catalog"},
        "category": [{"text": "x"}],
        "date": "2020",
        "author": [{"display": "x"}],
        "title": "x",
        **elements,
    }


PROFILE_CASES = (
    case("history of a relative", _history(sex={"text": "x"}, condition=[{"code": {"text": "x"}}], bornString="x")),
    case("history of nobody", without(_history(), "relationship"), ("cardinality-min", "FamilyMemberHistory")),
    case(
        "history of an unnamed condition",
        _history(condition=[{"outcome": {"text": "x"}}]),
        ("cardinality-min", "FamilyMemberHistory.condition[0]"),
    ),
    case("catalog", _catalog(section=[{"title": "x", "entry": [{"display": "x"}]}])),
    case("catalog of no day", without(_catalog(), "date"), ("cardinality-min", "Composition")),
    case("catalog of no validity", without(_catalog(), "extension"), ("slice-min", "Composition")),
    case("catalog of another type", _catalog(type={"text": "x"}), ("value-fixed", "Composition.type")),
    case(
        "catalog about somebody",
        _catalog(subject={"display": "x"}),
        ("element-prohibited", "Composition.subject"),
    ),
    case(
        "catalog of nothing",
        _catalog(section=[{"title": "x", "text": _TEXT}]),
        ("cardinality-min", "Composition.section[0]"),
    ),
)
