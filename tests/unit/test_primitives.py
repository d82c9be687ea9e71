"""Primitive types at their limits (R4, Data Types, Primitive Types)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_keta import Validator
from fhir_keta.definitions.library import base
from fhir_keta.validation.engine import Engine, compile_schema
from fhir_keta.validation.primitives import PRIMITIVE_TYPES, primitive_remedy, primitive_schema

VALID: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [0, -1, 2147483647, -2147483648],
    "unsignedInt": [0, 2147483647],
    "positiveInt": [1, 2147483647],
    "decimal": [0, -1.5, 1e30, 0.000000000001, 12],
    "string": ["a", " ", "\n", "a\tb", "é", "\u200b", "x" * 100_000],
    "markdown": ["# a\n\n*b*"],
    "xhtml": ["<div/>"],
    "uri": [
        "http://example.org",
        "a",
        "urn:oid:1.2.3",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "urn:isbn:0451450523",
        "#a",
        "urn:oids",
        "http://example.org/é",
    ],
    "url": ["https://example.org/a?b=c#d", "mailto:a@example.org", "a\u00a0b"],
    "canonical": [
        "http://example.org/ValueSet/a|1.0#b",
        "#a",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "urn:oid:1.2|1",
    ],
    "oid": ["urn:oid:1.2.3.4.5", "urn:oid:2.0"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "id": ["a", "A-1.b", "x" * 64],
    "code": ["a", "a b", "a b c", "<=", "é", "\u200b"],
    "base64Binary": ["aGVsbG8=", "aGVs", "aG==", "aGVs bG8=", "aGVs\nbG8=\n", " aGVs", "+/+/"],
    "date": ["2020", "2020-01", "2020-01-31", "2020-02-29", "2000-02-29", "0001-01-01", "9999-12-31"],
    "dateTime": [
        "2020",
        "2020-12",
        "2020-04-30",
        "2020-01-01T00:00:00Z",
        "2020-01-01T23:59:59.999999999+14:00",
        "2020-01-01T10:00:00-13:59",
        "2016-12-31T23:59:60Z",
    ],
    "instant": ["2020-01-01T10:00:00Z", "2020-01-01T10:00:00.123-05:00"],
    "time": ["00:00:00", "23:59:59", "23:59:60", "10:00:00.5"],
}

INVALID: dict[str, list[Any]] = {
    "boolean": ["true", 0, 1, "", None],
    "integer": [2147483648, -2147483649, 1.5, "1", True, None],
    "unsignedInt": [-1, 2147483648, "0", False],
    "positiveInt": [0, -1, 2147483648, "1"],
    "decimal": ["1.5", True, "", None],
    "string": ["", 1, True, None, ["a"], {"a": "b"}],
    "markdown": ["", 1],
    "xhtml": [""],
    "uri": [
        "",
        " ",
        "a b",
        "a\n",
        "urn:oid:",
        "urn:oid:3.1",
        "urn:oid:01.2",
        "urn:oid:1.02",
        "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
        "urn:uuid:c757873d",
        "urn:oid:1.2\n",
        "oid:1.2.3",
        "uuid:c757873d-ec9a-4326-a141-556f43239520",
        1,
    ],
    "url": ["", "a b", "a\t", "oid:1.2.3", "urn:uuid:c757873d", "a\u00a0", "\u2003a", "a\x0bb", "a\x0cb", "\u3000"],
    "canonical": [
        *("", "a", "ValueSet/a", "/a", "http://example.org/a b", "urn:oid:01.2", "|1.0"),
        *("http://example.org/a\u00a0", "http://example.org/a\x0bb", "#a\u2003"),
    ],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.2.", "URN:OID:1.2"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d-ec9a-4326-a141-556f4323952g"],
    "id": ["", "x" * 65, "a_b", "a b", "é", "a\n", "a/b"],
    "code": [
        *("", " a", "a ", "a  b", "a\tb", "a\nb", "a\n", 1),
        # no whitespace other than single spaces, and what whitespace is, Unicode says
        *("\u00a0", "a\u00a0", "\u2003a", "a\u00a0b", "a\u3000b", "a\x0bb", "a\x85", "a \u2028b", "a\u1680b"),
    ],
    "base64Binary": ["", "a", "aGVsbG8", "aGVs=", "====", "a===", "aGVsbG8=aGVs", "aGV*", "aG=s", "a-_b", " ", "    "],
    "date": [
        "20",
        "2020-1",
        "2020-13",
        "2020-00",
        "2020-01-00",
        "2020-01-32",
        "2020-04-31",
        "2021-02-29",
        "1900-02-29",
        "2100-02-29",
        "2020-02-30",
        "0000",
        "2020-01-01T10:00:00Z",
        "2020\n",
        "2020-01-01\n",
        " 2020",
        "10000-01-01",
        "٢٠٢٠",
        2020,
    ],
    "dateTime": [
        "2020-01-01T10:00Z",
        "2020-01-01T10:00:00",
        "2020-01-01 10:00:00Z",
        "2020-01-01T24:00:00Z",
        "2020-01-01T10:60:00Z",
        "2020-01-01T10:00:61Z",
        "2020-01-01T10:00:00+14:01",
        "2020-01-01T10:00:00+15:00",
        "2020-01-01T10:00:00z",
        "2020-01T10:00:00Z",
        "2020-01-01T10:00:00.Z",
        "2020-01-01T10:00:00Z\n",
        "2019-02-29T10:00:00Z",
    ],
    "instant": ["2020", "2020-01-01", "2020-01-01T10:00:00", "2020-01-01T10:00Z"],
    "time": ["10:00", "24:00:00", "10:00:00Z", "1:00:00", "10:00:00.", "10:00:00\n"],
}


@pytest.fixture(scope="module", params=["rust", "python"])
def engines(request: pytest.FixtureRequest) -> dict[str, Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FHIR_KETA_ENGINE", request.param)
        return {name: compile_schema(primitive_schema(name)) for name in PRIMITIVE_TYPES}


def test_every_primitive_of_r4_is_here() -> None:
    kinds = {
        structure["type"]
        for structure in base().of_type("StructureDefinition")
        if structure["kind"] == "primitive-type"
    }
    assert kinds == PRIMITIVE_TYPES == set(VALID) == set(INVALID)


@pytest.mark.parametrize("name", sorted(PRIMITIVE_TYPES))
def test_valid(name: str, engines: dict[str, Engine]) -> None:
    assert [value for value in VALID[name] if not engines[name].is_valid(value)] == []


@pytest.mark.parametrize("name", sorted(PRIMITIVE_TYPES))
def test_invalid(name: str, engines: dict[str, Engine]) -> None:
    assert [value for value in INVALID[name] if engines[name].is_valid(value)] == []


@pytest.mark.parametrize("name", sorted(PRIMITIVE_TYPES))
def test_remedies_are_sentences(name: str) -> None:
    assert primitive_remedy(name).endswith(".")


def test_each_schema_is_a_fresh_one() -> None:
    primitive_schema("code")["pattern"] = "x"
    assert primitive_schema("code")["pattern"] != "x"


@pytest.mark.parametrize("name", ["base64Binary", "code", "uri", "canonical", "dateTime"])
def test_a_long_refusal_comes_to_an_end(name: str, engines: dict[str, Engine]) -> None:
    """No pattern backtracks without end: with one that does, this test does not come back."""
    for hostile in (
        "aaaa " * 20_000 + "!",
        " " * 50_000 + "!",
        "a" * 100_000 + "\n!",
        "2020-01-01T10:00:00." + "0" * 50_000,
    ):
        engines[name].is_valid(hostile)


@pytest.mark.parametrize("letter", ["a", "\u00e4", "\U0001f600"])
def test_a_text_has_a_million_characters_at_most(letter: str) -> None:
    """R4, Data Types, string: 1024 * 1024 characters; whoever knows a short one of the same place asks again."""
    validator = Validator()

    def said(length: int) -> list[str]:
        patient = {"resourceType": "Patient", "name": [{"text": letter * length}]}
        data = json.dumps(patient, ensure_ascii=False).encode()
        return [f"{issue.rule} {issue.expression}" for issue in (*validator.check(data), *validator.check(patient))]

    assert said(10) == said(1024 * 1024) == []
    assert said(1024 * 1024 + 1) == ["string-length Patient.name[0].text"] * 2
    assert said(11) == []
