"""Records with very many faults: the first are listed, the verdict is true, and nobody waits for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.records.parse import LEVELS
from fhir_keta.validation import limit, portions
from fhir_keta.validation.engine import Engine, compile_schema
from fhir_keta.validation.issue import Issue, Severity
from fhir_keta.validation.limit import MOST, first
from fhir_keta.validation.responses.checker import compile_questionnaire
from fhir_keta.validation.validator import Validator
from tests.base_records import observation

JsonObject = dict[str, Any]

MANY = 100_000


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def _issue(number: int, severity: Severity = "error") -> Issue:
    return Issue(severity, "value", "a-rule", f"Patient.name[{number}]", "Wrong.")


def _severities(issues: list[Issue]) -> list[str]:
    return [issue.severity for issue in issues]


def test_as_many_as_are_listed_are_all() -> None:
    issues = [_issue(number) for number in range(MOST)]
    assert first([*issues, *issues], "Patient") == issues


def test_no_more_are_asked_for_than_needed() -> None:
    asked = map(_issue, range(MANY))
    listed = first(asked, "Patient")
    assert listed[:-1] == [_issue(number) for number in range(MOST)]
    assert (listed[-1].rule, listed[-1].expression, listed[-1].severity) == ("findings-limit", "Patient", "information")
    assert next(asked) == _issue(MOST + 1)


def test_the_limit_does_not_hide_that_a_record_is_wrong() -> None:
    warnings = [_issue(number, "warning") for number in range(2 * MOST)]
    listed = first([*warnings, _issue(-1), _issue(-2)], "Patient")
    assert _severities(listed) == ["warning"] * MOST + ["error", "information"]
    assert _severities(first(warnings, "Patient")) == ["warning"] * MOST + ["information"]


RECORDS = {
    "unknown names": observation(**{f"name{number}": 1 for number in range(MANY)}),
    "missing elements": observation(component=[{"valueString": "x"}] * MANY),
    "wrong values": observation(component=[{"code": {"text": 5}, "valueInteger": "x"}] * (MANY // 2)),
    "unknown profiles": observation(meta={"profile": [f"http://x.org/{number}" for number in range(MANY)]}, status="?"),
    "the same id": observation(component=[{"id": "a", "code": {"text": "x"}, "valueString": "x"}] * MANY),
    "arrays in arrays": {
        "resourceType": "Questionnaire",
        "status": "draft",
        "item": [{"linkId": f"{number}", "type": "group", "item": [{}] * 1000} for number in range(MANY // 1000)],
    },
    "entries of a Bundle": {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"https://ehr.test/Observation/{number}", "resource": observation(id=f"{number}", status="?")}
            for number in range(20_000)
        ],
    },
    "slices": observation(
        meta={"profile": ["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},
        category=[{"coding": [{"system": "http://x.org", "code": "x", "userSelected": 1}]}] * MANY,
    ),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_thousand_findings_and_that_there_are_more(name: str, validator: Validator) -> None:
    data = json.dumps(RECORDS[name]).encode()
    issues = validator.check(data)
    behind_warnings = name == "unknown profiles"  # the error that makes the record wrong is listed, too
    assert len(set(issues)) == len(issues) == MOST + behind_warnings + 1
    assert [issue.rule for issue in issues].count("findings-limit") == 1
    assert (issues[-1].rule, issues[-1].expression) == ("findings-limit", RECORDS[name]["resourceType"])
    assert "error" in _severities(issues)
    assert validator.check(data) == issues


def test_names_that_stand_twice(validator: Validator) -> None:
    twice = ",".join(f'"n{number}":1,"n{number}":2' for number in range(MANY // 2))
    issues = validator.check(f'{{"resourceType":"Patient",{twice}}}'.encode())
    assert len(issues) == MOST + 1
    assert {issue.rule for issue in issues} == {"json-duplicate-key", "findings-limit"}


def _response(items: list[JsonObject]) -> JsonObject:
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "", "item": items}


FORM = {
    "resourceType": "Questionnaire",
    "url": "https://ehr.test/Questionnaire/form",
    "status": "active",
    "item": [
        {
            "linkId": "group",
            "type": "group",
            "repeats": True,
            "item": [
                {"linkId": "asked", "type": "string", "required": True},
                {"linkId": "other", "type": "string", "maxLength": 3},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ({"linkId": "grupo"}, "response-link-id-unknown"),
        ({"linkId": "group"}, "response-required"),
        ({"linkId": "group", "item": [{"linkId": "other"}]}, "response-required"),
    ],
)
def test_a_response_with_very_many_faults(item: JsonObject, rule: str) -> None:
    checker = compile_questionnaire(FORM, bundled())
    issues = checker.check(_response([item] * MANY))
    assert [issue.rule for issue in issues] == [rule] * MOST + ["findings-limit"]
    assert issues[MOST - 1].expression == f"QuestionnaireResponse.item[{MOST - 1}]"


def test_a_response_in_a_bundle_has_one_limit(validator: Validator) -> None:
    form = next(each for each in bundled().of_type("Questionnaire"))
    response = {**_response([{"linkId": "x"}] * 3000), "questionnaire": f"{form['url']}|{form['version']}"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": response}, {"resource": response}]}
    issues = validator.check(bundle)
    assert len(issues) == MOST + 1
    assert (issues[-1].rule, issues[-1].expression) == ("findings-limit", "Bundle")


# portions

NODES = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": True,
                "below": {"type": "array", "items": {"$ref": "#/$defs/node"}, "minItems": 1},
                "beside": {"type": "array", "items": {"type": "integer"}},
                "few": {"type": "array", "maxItems": 2, "contains": {"const": 1}},
            },
            "required": ["name"],
            "additionalProperties": False,
        }
    },
}
INSTANCES: dict[str, Any] = {
    "one array": {"below": [{}, {"name": 1}, {"x": 1}, {"name": 2}, {}]},
    "arrays in arrays": {"name": 1, "below": [{"below": [{}, {"name": 1}]}, {"name": 1, "below": [{}, {}, {}]}, {}]},
    "the way leads through an array": {"below": [{"below": [{"below": [{}, {}, {}, {"beside": ["a", 2, "b"]}]}]}]},
    "arrays beside arrays": {"beside": ["a", 1, "b", 2], "below": [{"beside": ["a"]}, {"name": 1}, {}]},
    "too many": {"name": 1, "few": [1, 1, 1, 1]},
    "not in the part, but in the whole": {"name": 1, "few": [2, 1], "below": [{}, {}]},
}


def _told(refusals: Iterator[Any]) -> set[tuple[Any, ...]]:
    return {(each.keyword, each.path, each.schema_path, each.detail) for each in refusals}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(portions, "PORTION", 1)
    return compile_schema(NODES)


@pytest.mark.parametrize("name", INSTANCES)
def test_portions_refuse_what_the_whole_refuses(name: str, asked: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    in_portions = list(asked.refusals(INSTANCES[name]))
    assert len(_told(iter(in_portions))) == len(in_portions)
    monkeypatch.setattr(portions, "PORTION", 1000)
    assert _told(iter(in_portions)) == _told(asked.refusals(INSTANCES[name])) != set()


def test_what_only_the_whole_shows_is_given_where_nothing_else_is(asked: Engine) -> None:
    whole = {"name": 1, "few": [2, 2], "below": [{"name": 1}, {"name": 1}]}
    assert {each.keyword for each in asked.refusals(whole)} == {"contains"}
    assert list(asked.refusals({"name": 1, "few": [2, 1], "below": [{"name": 1}, {"name": 1}]})) == []


def test_portions_are_asked_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "PORTION", 10)
    sizes: list[int] = []
    engine = compile_schema(NODES)

    def ask(instance: Any) -> Any:
        sizes.append(len(instance["below"]))
        return engine.refusals(instance)

    found = portions.in_portions(ask, {"name": 1, "below": [{}] * 80})
    assert [each.path for each in islice(found, 15)] == [("below", number) for number in range(15)]
    assert sizes == [10, 10]
    assert [each.path for each in found] == [("below", number) for number in range(15, 80)]
    assert sizes == [10] * 8


def test_no_nesting_is_too_deep(validator: Validator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "PORTION", 1)
    for levels, rule in ((25, "extension-unknown"), (100, "json-depth"), (200, "json-depth"), (900, "json-depth")):
        deep = '{"extension":[' * levels + '{"url":"https://x.org"}' + "]}" * levels
        record = f'{{"resourceType":"Observation","extension":[{deep}]}}'
        assert rule in {issue.rule for issue in validator.check(record.encode())}


@pytest.mark.parametrize("opening", ['{"extension":[', '{"x":', "[", '{"code":{"coding":['])
@pytest.mark.parametrize("levels", [30, 65, 130, 254, 256, 300, 500])
def test_what_is_nested_too_deep_has_that_one_finding(validator: Validator, opening: str, levels: int) -> None:
    """Also where the engine would give up, and where the record comes parsed."""
    closing = {"{": "}", "[": "]"}
    ends = "".join(closing[letter] for letter in reversed(opening) if letter in closing)
    record = f'{{"resourceType":"Observation","component":{opening * levels}1{ends * levels}}}'.encode()
    too_deep = 1 + levels * len(ends) > LEVELS
    for given in (record, orjson.loads(record)) if levels * len(ends) < 1_000 else (record,):
        rules = [issue.rule for issue in validator.check(given)]
        assert (rules == ["json-depth"]) is too_deep


def test_the_limit_is_the_one_the_text_names() -> None:
    from fhir_keta.validation.rule_texts import text_of

    assert f"{limit.MOST:,}" in text_of("findings-limit").says
