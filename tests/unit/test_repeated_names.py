"""Names that stand twice in one JSON object (RFC 8259, Objects). HL7's validator calls each an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_keta.records.parse import colons, parse, repeated_names
from fhir_keta.records.source import Place, Record
from fhir_keta.reporting.result import placed
from fhir_keta.validation.validator import Validator

EXPORT = Path(__file__).resolve().parents[2] / "examples" / "export"

REPEATED = [
    (b'{"a":1,"a":1}', [("a",)]),
    (b'{"a":1,"a":2,"a":3,"b":{},"b":[]}', [("a",), ("b",)]),
    (b'{"a":1,"\\u0061":2}', [("a",)]),
    (b'{"a" : 1 , "a" : 1}', [("a",)]),
    (b'\xef\xbb\xbf{"a":1,"a":1}', [("a",)]),
    (b'{"a":[{},{"b":[{"c":null,"c":null}]}]}', [("a", 1, "b", 0, "c")]),
    (b'{"a":{"x":1,"x":2},"a":{"y":1,"y":1}}', [("a",), ("a", "y")]),  # of two values the last is looked into
    (b'{"a":":\\u003a","a":":\\u003A","b":"\\u003a"}', [("a",)]),
    (b'{"a":"\\u003a\\u003a","a":1}', [("a",)]),  # as many colons as are written out again
    (b'{"a":1e2,"a":100.0}', [("a",)]),
]
NOT_REPEATED = [
    b"{}",
    b'{"a":{"a":{"a":1}}}',
    b'{"a":[{"a":1},{"a":1}]}',
    b'{"a":"b\\":1,\\"a\\":2"}',
    b'{"a":"http://x:1/:::","b::":"\\u003a \\u0022:"}',
    b'{"a" : 1,\n "b"\t:\t2}',
    b'{"":1,"A":1,"a":12345678901234567890123,"b":1E5,"_a":null}',
]


@pytest.mark.parametrize(("data", "paths"), REPEATED)
def test_repeated(data: bytes, paths: list[tuple[str | int, ...]]) -> None:
    assert repeated_names(data, parse(data)) == paths


@pytest.mark.parametrize("data", NOT_REPEATED)
def test_not_repeated(data: bytes) -> None:
    assert repeated_names(data, parse(data)) == []


def test_a_count_that_escapes_could_falsify_is_not_given() -> None:
    assert colons(b'{"a":":","b":1}') == 3
    assert colons(b'{"a":"\\u003a"}') == -1


# what stands twice in which record, where
PATIENT = b'{"resourceType":"Patient",\n"id":"p1","birthDate":"2000-01-01",\n"birthDate":"2000-01-01"}'
OBSERVATION = (
    b'{"resourceType":"Observation","status":"final","code":{"text":"a","text":"a"},'
    b'"contained":[{"resourceType":"Observation","id":"o","id":"o","status":"final","code":{"text":"x"},'
    b'"valueQuantity":{"value":1,"value":1}}],"hasMember":[{"reference":"#o"}],'
    b'"valueQuantity":{"value":1,"unit":"kg","unit":"kg"}}'
)


def found(data: bytes) -> list[tuple[str, str]]:
    return [(issue.rule, issue.expression) for issue in Validator().check(data)]


def test_the_finding_names_the_element() -> None:
    assert found(PATIENT) == [("json-duplicate-key", "Patient.birthDate")]
    record = Record(PATIENT, Place("p.json", 1))
    assert placed(Validator().check(PATIENT), record)[0].place == Place("p.json", 3, 1)
    assert found(OBSERVATION) == [
        ("json-duplicate-key", "Observation.code.text"),
        ("json-duplicate-key", "Observation.contained[0].id"),
        ("json-duplicate-key", "Observation.contained[0].value.ofType(Quantity).value"),
        ("json-duplicate-key", "Observation.value.ofType(Quantity).unit"),
    ]


def test_a_parsed_record_has_lost_them() -> None:
    assert Validator().check(json.loads(PATIENT)) == []


def test_a_name_that_could_be_a_secret_is_not_quoted() -> None:
    messages = [issue.message for issue in Validator().check(b'{"resourceType":"Patient","Ann B.":1,"Ann B.":1}')]
    assert not any("Ann" in message for message in messages)


@pytest.mark.parametrize("kind", ["Observation", "QuestionnaireResponse"])
def test_among_records_found_good_before(kind: str) -> None:
    """The quick path knows every piece of these by heart, and must still see what the bytes alone show."""
    validator = Validator()
    lines = (EXPORT / f"{kind}.ndjson").read_bytes().splitlines()[:60]
    for line in lines * 2:
        assert validator.check(line) == []
    for line in lines:
        for twice in (b'"id":', b'"status":', b'"linkId":', b'"system":'):
            if (start := line.find(twice)) < 0:
                continue
            end = line.index(b'"', start + len(twice) + 1) + 1  # after the value
            member = line[start:end]
            doubled = line[:start] + member + b"," + line[start:]
            assert json.loads(doubled) == json.loads(line)
            assert [issue.rule for issue in validator.check(doubled)] == ["json-duplicate-key"]
            spaced = doubled.replace(b'":', b'" : ')
            assert [issue.rule for issue in validator.check(spaced)] == ["json-duplicate-key"]
            escaped = doubled.replace(member, member[:1] + b"\\u00%x" % member[1] + member[2:], 1)
            assert [issue.rule for issue in validator.check(escaped)] == ["json-duplicate-key"]
