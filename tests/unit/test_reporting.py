import io
import json

import pytest

from fhir_keta.records.source import Fault, Place, Record
from fhir_keta.reporting.checking import results
from fhir_keta.reporting.formats import FORMATS
from fhir_keta.reporting.result import Counts, Finding, Result, placed
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.rules import issue

RECORD = Record(b'{"resourceType":"Patient","id":"p1",\n "gender":"secret","foo":1}', Place("a.json", 1))
BUNDLE = Record(
    b'{"resourceType":"Bundle","id":"b","entry":[{"resource":{"resourceType":"Patient","id":"p1","gender":"secret"}}]}',
    Place("b.ndjson", 7),
)
GENDER = Issue("error", "code-invalid", "binding-required", "Patient.gender", "Not  one of\nthe codes.")
UNKNOWN = Issue("warning", "structure", "element-unknown", "Patient.foo", "Unknown.")


def written(name: str, given: list[Result]) -> str:
    stream = io.StringIO()
    reporter = FORMATS[name](stream)
    for result in given:
        reporter.add(result)
    reporter.finish()
    return stream.getvalue()


def given() -> list[Result]:
    """A fine record, one with two findings, one that cannot be read, one in a Bundle."""

    def check(data: bytes) -> list[Issue]:
        if data == RECORD.data:
            return [UNKNOWN, GENDER]
        return [Issue("error", "x", "r", "Bundle.entry[0].resource.gender", "m")] if data == BUNDLE.data else []

    return list(results([Record(b"{}", Place("f", 1)), RECORD, Fault("input-gzip", Place("c.gz", 3)), BUNDLE], check))


def test_places_are_found_and_findings_stand_in_their_order() -> None:
    assert [(issue.rule, issue.place) for issue in placed([UNKNOWN, GENDER], RECORD)] == [
        ("binding-required", Place("a.json", 2, 11)),  # the value
        ("element-unknown", Place("a.json", 2, 20)),  # the name
    ]


def test_places_count_on_from_the_start_of_the_record() -> None:
    record = Record(b'{"a":\n1}', Place("x", 10))
    assert placed([issue("element-type", "X.a", expected="x")], record)[0].place == Place("x", 11, 1)
    own = Issue("fatal", "structure", "json-syntax", "", "m", Place("", 2, 2))
    assert placed([own], record)[0].place == Place("x", 11, 2)


def test_where_the_json_breaks_is_found_without_help() -> None:
    record = Record(b'{"a":\n 1,}', Place("x", 1))
    assert placed([issue("json-syntax", "", problem="p")], record)[0].place == Place("x", 2, 3)


@pytest.mark.parametrize(
    ("data", "expression", "expected"),
    [
        (RECORD.data, "Patient.gender", ("Patient", "p1")),
        (BUNDLE.data, "Bundle.entry[0].resource.gender", ("Patient", "p1")),
        (BUNDLE.data, "Bundle.entry[0]", ("Bundle", "b")),
        (BUNDLE.data, "Bundle.entry[9].resource.x", ("Bundle", "b")),
        (b'{"resourceType":"Patient","id":"Jane Doe, 12 Elm St"}', "Patient.id", ("Patient", None)),
        (b'{"resourceType":{"a":1},"id":7}', "", (None, None)),
        (b'{"resourceType":"not a type"}', "", (None, None)),
        (b"not json", "", (None, None)),
    ],
)
def test_the_resource_a_finding_is_about(data: bytes, expression: str, expected: tuple[str | None, str | None]) -> None:
    found = Issue("error", "x", "r", expression, "m")
    (result,) = results([Record(data, Place("a", 1))], lambda _data: [found])
    (finding,) = result.findings
    assert (finding.resource_type, finding.resource_id) == expected


def test_counts() -> None:
    counts = Counts()
    for result in given():
        counts.add(result)
    assert counts == Counts(records=4, fatal=1, error=2, warning=1)
    assert counts.errors == 3


def test_text() -> None:
    assert written("text", given()).splitlines() == [
        "a.json:2:11: error Patient/p1 Patient.gender [binding-required] Not one of the codes.",
        "a.json:2:20: warning Patient/p1 Patient.foo [element-unknown] Unknown.",
        "c.gz:3: fatal [input-gzip] Not a whole gzip file: the rest could not be read. Compress it again.",
        "b.ndjson:7:101: error Patient/p1 Bundle.entry[0].resource.gender [r] m",
    ]
    assert written("text", given()[:1]) == ""


def test_json() -> None:
    document = json.loads(written("json", given()))
    assert document["records"] == 4
    assert document["counts"] == {"fatal": 1, "error": 2, "warning": 1, "information": 0}
    assert len(document["findings"]) == 4
    assert document["findings"][0] == {
        "path": "a.json",
        "line": 2,
        "column": 11,
        "severity": "error",
        "code": "code-invalid",
        "rule": "binding-required",
        "resourceType": "Patient",
        "id": "p1",
        "expression": "Patient.gender",
        "message": "Not  one of\nthe codes.",
    }
    fault = document["findings"][2]
    assert (fault["line"], fault["column"], fault["resourceType"], fault["expression"]) == (3, None, None, None)


@pytest.mark.parametrize("results_given", [[], [Result(Place("a"))]])
def test_json_without_findings(results_given: list[Result]) -> None:
    document = json.loads(written("json", results_given))
    assert document == {
        "findings": [],
        "records": len(results_given),
        "counts": {"fatal": 0, "error": 0, "warning": 0, "information": 0},
    }


def test_outcome_has_one_line_for_every_record_in_order() -> None:
    fine, patient, fault, bundle = [json.loads(line) for line in written("outcome", given()).splitlines()]
    assert fine == {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "information", "code": "informational", "details": {"text": "No findings."}}],
    }
    assert patient["issue"][0] == {
        "severity": "error",
        "code": "code-invalid",
        "details": {"text": "Not  one of\nthe codes."},
        "diagnostics": "a.json:2:11 [binding-required]",
        "expression": ["Patient.gender"],
    }
    assert len(patient["issue"]) == 2
    assert "expression" not in fault["issue"][0]
    assert fault["issue"][0]["diagnostics"] == "c.gz:3 [input-gzip]"
    assert bundle["issue"][0]["expression"] == ["Bundle.entry[0].resource.gender"]


def test_outcomes_are_fhir_resources() -> None:
    from fhir.resources.R4B.operationoutcome import OperationOutcome

    for line in written("outcome", given()).splitlines():
        OperationOutcome.model_validate_json(line)


@pytest.mark.parametrize("name", list(FORMATS))
def test_no_format_quotes_the_record(name: str) -> None:
    assert "secret" not in written(name, given())


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_takes_a_finding_without_any_place(name: str) -> None:
    text = written(name, [Result(Place("a"), (Finding(GENDER),))])
    assert GENDER.rule in text
    assert "Patient.gender" in text
