"""What counts as the same content. Expected results follow the list in ``comparison.py``, case by case."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from fhir_keta.server.comparison import differences
from fhir_keta.server.exact_json import parse, write

BASE = "http://127.0.0.1:8080/fhir"
CODE_SYSTEM: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "id": "levels",
    "url": "http://example.org/levels",
    "version": "1",
    "status": "active",
    "content": "complete",
    "concept": [{"code": "low", "display": "Low"}, {"code": "high", "display": "High"}],
}


def compare(ours: dict[str, Any], theirs: dict[str, Any], by_canonical: bool = True) -> list[str]:
    return list(map(str, differences(ours, theirs, base=BASE, by_canonical=by_canonical)))


def with_(resource: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(resource), **changes}


SERVER_META = {"versionId": "7", "lastUpdated": "2026-11-22T10:00:00Z", "source": "#abc"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (CODE_SYSTEM, with_(CODE_SYSTEM, meta=SERVER_META)),
        (CODE_SYSTEM, with_(CODE_SYSTEM, id="1")),
        (CODE_SYSTEM, dict(reversed(CODE_SYSTEM.items()))),
        (CODE_SYSTEM, with_(CODE_SYSTEM, text={"status": "additional", "div": "<div/>"})),
        (with_(CODE_SYSTEM, text={"status": "generated", "div": "<div>a</div>"}), CODE_SYSTEM),
        (with_(CODE_SYSTEM, meta={"profile": ["p", "q"]}), with_(CODE_SYSTEM, meta={"profile": ["q", "p"]})),
        (CODE_SYSTEM, with_(CODE_SYSTEM, meta={"tag": [{"system": "s", "code": "kept-by-server"}]})),
        (
            with_(CODE_SYSTEM, meta={"tag": [{"system": "s", "code": "c"}]}),
            with_(CODE_SYSTEM, meta={"tag": [{"system": "s", "code": "c", "display": "Shown", "userSelected": False}]}),
        ),
    ],
    ids=["meta", "id", "name-order", "text-of-server", "generated", "profiles", "server-tag", "tag-display"],
)
def test_what_servers_add_is_no_difference(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert compare(ours, theirs) == []


@pytest.mark.parametrize(
    ("theirs", "path"),
    [
        (with_(CODE_SYSTEM, status="draft"), "CodeSystem.status"),
        (with_(CODE_SYSTEM, concept=CODE_SYSTEM["concept"][:1]), "CodeSystem.concept[1]"),
        (with_(CODE_SYSTEM, concept=CODE_SYSTEM["concept"][::-1]), "CodeSystem.concept[0].code"),
        (with_(CODE_SYSTEM, title="More"), "CodeSystem.title"),
        ({name: value for name, value in CODE_SYSTEM.items() if name != "content"}, "CodeSystem.content"),
        (with_(CODE_SYSTEM, status=None), "CodeSystem.status"),
        (with_(CODE_SYSTEM, meta={"extension": []}), "CodeSystem.meta.extension"),
        (with_(CODE_SYSTEM, meta={"profile": ["http://example.org/p"]}), "CodeSystem.meta.profile"),
    ],
)
def test_a_real_difference_shows_with_its_place(theirs: dict[str, Any], path: str) -> None:
    assert compare(CODE_SYSTEM, theirs)[0] == path


@pytest.mark.parametrize("label", ["profile", "tag", "security"])
def test_a_label_of_ours_that_the_server_lacks_shows(label: str) -> None:
    value = "http://example.org/p" if label == "profile" else {"system": "s", "code": "c"}
    assert compare(with_(CODE_SYSTEM, meta={label: [value]}), CODE_SYSTEM) == [f"CodeSystem.meta.{label}[0]"]


@pytest.mark.parametrize("meta", [7, [], {"tag": 7}, {"profile": {"a": 1}}, {"tag": ["x", 7]}])
def test_what_is_not_well_formed_is_no_accident(meta: Any) -> None:
    compare(with_(CODE_SYSTEM, meta=meta, text=meta), with_(CODE_SYSTEM, meta={"tag": [{"code": "x"}]}, text=meta))


def test_a_narrative_written_by_hand_counts() -> None:
    ours = with_(CODE_SYSTEM, text={"status": "additional", "div": "<div>by hand</div>"})
    assert compare(ours, CODE_SYSTEM) == ["CodeSystem.text"]


def test_the_id_of_a_record_counts() -> None:
    assert compare({"resourceType": "Patient", "id": "a"}, {"resourceType": "Patient", "id": "b"}, False) == [
        "Patient.id"
    ]


def test_snapshots_are_derived_where_there_is_a_differential() -> None:
    ours = {"resourceType": "StructureDefinition", "differential": {"element": [{"id": "Observation"}]}}
    assert compare(ours, with_(ours, snapshot={"element": []})) == []
    assert compare(with_(ours, snapshot={"element": []}), ours) == []
    base = {"resourceType": "StructureDefinition", "snapshot": {"element": [{"id": "Observation"}]}}
    assert compare(base, with_(base, snapshot={"element": []})) == ["StructureDefinition.snapshot.element[0]"]


def test_expansions_are_derived_where_there_is_a_compose() -> None:
    ours = {"resourceType": "ValueSet", "compose": {"include": []}}
    assert compare(ours, with_(ours, expansion={"contains": []})) == []
    assert compare({"resourceType": "ValueSet"}, {"resourceType": "ValueSet", "expansion": {}}) == [
        "ValueSet.expansion"
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("6.50", "6.5", True),
        ("6.0", "6", True),
        ("1e2", "100", True),
        ("0.1", "0.10000000000000001", False),
        ("1", "true", False),
        ("0", "false", False),
        ("1", '"1"', False),
        ("0", "null", False),
    ],
)
def test_decimals_by_their_exact_value(ours: str, theirs: str, same: bool) -> None:
    resources = [
        parse(f'{{"resourceType":"Observation","valueQuantity":{{"value":{text}}}}}') for text in (ours, theirs)
    ]
    assert (compare(*resources, False) == []) is same


def test_floats_of_other_parsers_are_what_they_print() -> None:
    theirs = {"resourceType": "Basic", "value": Decimal("0.1")}
    assert compare({"resourceType": "Basic", "value": 0.1}, theirs, False) == []


def test_references_to_the_server_itself_may_be_absolute() -> None:
    ours = {"resourceType": "Observation", "subject": {"reference": f"{BASE}/Patient/a"}}
    theirs = {"resourceType": "Observation", "subject": {"reference": "Patient/a"}}
    elsewhere = {"resourceType": "Observation", "subject": {"reference": "http://example.org/fhir/Patient/a"}}
    assert compare(ours, theirs, False) == []
    assert compare(elsewhere, theirs, False) == ["Observation.subject.reference"]


@pytest.mark.parametrize(
    "text", ['{"a":6.50}', '{"a":0.000000001}', '{"a":1e2}', '{"ä":["\\n",true,null,12345678901234567890]}']
)
def test_json_is_written_as_it_was_read(text: str) -> None:
    assert write(parse(text.encode())) == text.encode()


@pytest.mark.parametrize(
    "text",
    ["NaN", "[Infinity]", "{", '{"a":1,}', "", "[" * 100_000, '"\ud800"'.encode("utf-8", "surrogatepass"), '"\\ud800"'],
)
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        parse(text)
