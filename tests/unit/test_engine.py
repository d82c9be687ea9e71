"""The two engines: one shape of error, the same verdicts and findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.validation.engine import Engine, compile_schema
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.refusal import Refusal
from fhir_keta.validation.validator import Validator
from tests.base_cases import BASE_CASES

EXAMPLES = Path(__file__).parents[2] / "examples"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "inner": {"$ref": "#/$defs/inner"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/inner"}},
        "kind's": True,
    },
    "required": ["name", "kind's"],
    "additionalProperties": False,
    "$defs": {"inner": {"properties": {"deep": {"$ref": "#/$defs/deep"}}}, "deep": {"maximum": 3}},
}


@pytest.fixture(params=["rust", "python"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("FHIR_KETA_ENGINE", request.param)
    return compile_schema(SCHEMA)


def _refusals(engine: Engine, instance: Any) -> list[Refusal]:
    return sorted(engine.refusals(instance), key=lambda refusal: (refusal.keyword, refusal.detail))


def test_what_is_valid_has_no_refusals(engine: Engine) -> None:
    valid = {"name": "a", "kind's": 1}
    assert engine.is_valid(valid)
    assert list(engine.refusals(valid)) == []
    assert not engine.is_valid({"name": "a"})


def test_each_missing_name_is_one_refusal(engine: Engine) -> None:
    found = _refusals(engine, {})
    assert [(refusal.keyword, refusal.detail, refusal.path) for refusal in found] == [
        ("required", ("kind's",), ()),
        ("required", ("name",), ()),
    ]


def test_unknown_names_are_the_detail(engine: Engine) -> None:
    (found,) = (each for each in engine.refusals({"x": 1, "y": 2}) if each.keyword == "additionalProperties")
    assert sorted(found.detail) == ["x", "y"]
    assert found.schema_path == ("additionalProperties",)


def test_the_place_in_the_schema_is_the_canonical_one(engine: Engine) -> None:
    """Through a reference inside a reference inside an array."""
    (found,) = (each for each in engine.refusals({"items": [{}, {"deep": 4}]}) if each.keyword == "maximum")
    assert found.path == ("items", 1, "deep")
    assert found.schema_path == ("$defs", "deep", "maximum")
    assert found.value == 4


@pytest.mark.parametrize("text", ["a\n", "a\r\n", "\na", "a "])
def test_a_pattern_ends_at_the_end(engine: Engine, text: str) -> None:
    assert "pattern" in {refusal.keyword for refusal in engine.refusals({"name": text})}


@pytest.mark.parametrize(
    ("pattern", "accepted", "refused"),
    [("^(?:a|b$)", "ax", "bx"), (r"^\$$", "$", "$\n"), ("^[$^]+$", "$", "$\n"), (r"^[\]$]+$", "$]", "a")],
)
def test_dollars_that_are_no_anchors_stay(
    pattern: str, accepted: str, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIR_KETA_ENGINE", "python")
    engine = compile_schema({"pattern": pattern})
    assert engine.is_valid(accepted)
    assert not engine.is_valid(refused)


def test_a_schema_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rust", "python"):
        monkeypatch.setenv("FHIR_KETA_ENGINE", name)
        with pytest.raises(Exception, match=r"(?i)type|not valid"):
            compile_schema({"type": "thing"})


def _findings(issues: list[Issue]) -> set[tuple[str, str, str]]:
    return {(issue.rule, issue.expression, issue.message) for issue in issues}


@pytest.fixture(scope="module")
def validators() -> tuple[Validator, Validator]:
    return Validator(), Validator()


def _records() -> list[tuple[str, bytes]]:
    found = [(case.name, json.dumps(case.resource).encode()) for case in BASE_CASES]
    for path in sorted(EXAMPLES.rglob("*.json")):
        if path.stat().st_size < 20_000:
            found.append((str(path.relative_to(EXAMPLES)), path.read_bytes()))
    return found


RECORDS = _records()


@pytest.mark.parametrize(("name", "record"), RECORDS, ids=[name for name, _ in RECORDS])
def test_both_engines_find_the_same(
    name: str, record: bytes, validators: tuple[Validator, Validator], monkeypatch: pytest.MonkeyPatch
) -> None:
    rust, python = validators
    expected = _findings(rust.check(record))
    monkeypatch.setenv("FHIR_KETA_ENGINE", "python")
    assert _findings(python.check(record)) == expected
