"""ndjson, SARIF, JUnit and GitHub: what each consumer's specification asks for, with awkward names and values."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from fhir_keta._version import __version__
from fhir_keta.records.files import shown
from fhir_keta.records.source import Place, Record
from fhir_keta.reporting.checking import results
from fhir_keta.reporting.formats import FORMATS, WITH_SUMMARY
from fhir_keta.reporting.result import Counts, Finding, Result, Summary, limited
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.rule_texts import text_of
from fhir_keta.validation.validator import Validator

PLACE = Place("some, 100%: dir/a<&\"'>.json", 2, 11)
ERROR = Finding(
    Issue("error", "code-invalid", "binding-required", "Patient.gender", 'Not <one> & "x"; 5% off.\r\nNext.', PLACE),
    "Patient",
    "p1",
)
WARNING = Finding(Issue("warning", "not-found", "profile-unknown", "Patient.meta.profile[0]", "Unknown.", PLACE))
INVARIANT = Finding(Issue("error", "invariant", "obs-7", "Observation", "Only one value.", Place("b.ndjson", 3)))
UNREADABLE = Finding(Issue("fatal", "structure", "json-syntax", "", "Not JSON.", Place("c.json")))
GIVEN = [
    Result(Place("fine.json", 1)),
    Result(Place(PLACE.path, 1), (ERROR, WARNING)),
    Result(Place("b.ndjson", 3), (INVARIANT,)),
    Result(Place("w.json", 1), (WARNING,)),
    Result(Place("c.json"), (UNREADABLE,)),
]


def written(name: str, given: list[Result], formats: Any = FORMATS) -> str:
    stream = io.StringIO()
    reporter = formats[name](stream)
    for result in given:
        reporter.add(result)
    reporter.finish()
    return stream.getvalue()


def test_ndjson_is_one_finding_a_line() -> None:
    lines = [json.loads(line) for line in written("ndjson", GIVEN).splitlines()]
    assert [line["rule"] for line in lines] == [
        "binding-required",
        "profile-unknown",
        "obs-7",
        "profile-unknown",
        "json-syntax",
    ]
    assert lines[0] == json.loads(written("json", GIVEN))["findings"][0]
    assert written("ndjson", GIVEN[:1]) == ""


# GitHub, by hand from the toolkit's rules: % first, then line ends; in properties also : and ,
def test_github_commands() -> None:
    first, second, third, _, fatal = written("github", GIVEN).splitlines()
    assert first == (
        "::error file=some%2C 100%25%3A dir/a<&\"'>.json,line=2,col=11,title=binding-required"
        '::Patient/p1 Patient.gender [binding-required] Not <one> & "x"; 5%25 off. Next.'
    )
    assert second.startswith("::warning file=")
    assert third == "::error file=b.ndjson,line=3,title=obs-7::Observation [obs-7] Only one value."
    assert fatal == "::error file=c.json,title=json-syntax::[json-syntax] Not JSON."


def test_junit_has_a_testcase_for_every_record() -> None:
    text = written("junit", GIVEN)
    assert text.isascii()
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    (suite,) = root
    counts = {"tests": "5", "failures": "2", "errors": "1"}
    assert root.attrib == counts
    assert suite.attrib == {"name": "fhir-keta validate", **counts, "skipped": "0"}
    fine, wrong, invariant, warned, unread = suite.findall("testcase")
    assert (fine.attrib, list(fine)) == ({"name": "line 1", "classname": "fine.json"}, [])
    assert wrong.attrib == {"name": "line 1", "classname": PLACE.path}
    failure, out = wrong
    assert (failure.tag, failure.get("type")) == ("failure", "binding-required")
    assert failure.get("message") == 'Not <one> & "x"; 5% off. Next.'
    assert failure.text is not None
    assert failure.text.startswith(f"{PLACE.path}:2:11: error Patient/p1 Patient.gender [binding-required] Not <one>")
    assert out.tag == "system-out"
    assert [element.tag for element in invariant] == ["failure"]
    assert [element.tag for element in warned] == ["system-out"]
    assert [(element.tag, element.get("type")) for element in unread] == [("error", "json-syntax")]
    assert unread.get("name") == "file"


def test_junit_counts_a_record_once_as_an_error_or_as_a_failure() -> None:
    suite = ElementTree.fromstring(written("junit", [Result(PLACE, (UNREADABLE, ERROR)), Result(PLACE, (ERROR,))]))[0]
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("2", "1", "1")
    assert [[element.tag for element in case] for case in suite] == [["error"], ["failure"]]
    assert suite[0][0].attrib == {"type": "json-syntax, binding-required", "message": "2 findings"}


def test_what_is_not_written_out_still_fails_a_testcase() -> None:
    suite = ElementTree.fromstring(
        written("junit", list(limited([Result(PLACE, (ERROR,)), Result(PLACE, (ERROR,) * 3)], 0)))
    )[0]
    failures = [case[0].attrib for case in suite]
    assert failures == [{"type": "binding-required", "message": f"{number}"} for number in ("1 finding", "3 findings")]
    assert [case[0].text for case in suite] == ["1 more finding not shown.", "3 more findings not shown."]


def test_an_outcome_says_how_bad_what_is_not_written_out_is() -> None:
    given = [Result(PLACE, (WARNING, ERROR)), Result(PLACE, (WARNING,)), Result(PLACE, (ERROR, UNREADABLE))]
    for most, expected in ((0, ["error", "warning", "fatal"]), (1, ["error", "warning", "fatal"])):
        outcomes = [json.loads(line) for line in written("outcome", list(limited(given, most))).splitlines()]
        assert [outcome["issue"][-1]["severity"] for outcome in outcomes] == expected
        assert all(outcome["issue"][-1]["details"]["text"].endswith("not shown.") for outcome in outcomes)


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\ud800", "\uffff", "\N{PILE OF POO}", "é"])
def test_whatever_is_shown_junit_stays_xml(letter: str) -> None:
    finding = Finding(ERROR.issue, value=f"a{letter}b]]>")
    root = ElementTree.fromstring(written("junit", [Result(Place(f"x{letter}.json"), (finding,))]))
    found = "".join(root.itertext())
    expected = letter if letter in "\N{PILE OF POO}é" else "\N{REPLACEMENT CHARACTER}"
    assert f"Found: a{expected}b]]>" in found


def test_sarif_has_what_the_schema_asks_for() -> None:
    """By the SARIF 2.1.0 specification: required properties, enumerations, and rules that the indexes lead to."""
    log = json.loads(written("sarif", GIVEN))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert set(run) == {"columnKind", "results", "invocations", "tool"}
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("fhir-keta", __version__)
    assert [rule["id"] for rule in driver["rules"]] == ["binding-required", "profile-unknown", "obs-7", "json-syntax"]
    for rule in driver["rules"]:
        assert set(rule) == {"id", "shortDescription", "help", "helpUri", "defaultConfiguration"}
        assert rule["shortDescription"]["text"]
        assert f"fhir-keta explain {rule['id']}" in rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert driver["rules"][0]["shortDescription"]["text"] == text_of("binding-required").says
    assert driver["rules"][2]["shortDescription"]["text"] == "Only one value."
    assert len(run["results"]) == 5
    for result in run["results"]:
        assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert isinstance(result["message"]["text"], str)
        (location,) = result["locations"]
        assert re.fullmatch(r"[A-Za-z0-9._~/%:-]+", location["physicalLocation"]["artifactLocation"]["uri"])
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_sarif_places() -> None:
    first, _, third, _, last = (
        result["locations"][0] for result in json.loads(written("sarif", GIVEN))["runs"][0]["results"]
    )
    uri = first["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri) == PLACE.path
    assert uri == "some%2C%20100%25%3A%20dir/a%3C%26%22%27%3E.json"
    assert first["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 11}
    assert first["logicalLocations"] == [{"fullyQualifiedName": "Patient.gender", "kind": "element"}]
    assert third["physicalLocation"]["region"] == {"startLine": 3}
    assert set(last) == {"physicalLocation"}
    assert "region" not in last["physicalLocation"]


def test_sarif_of_an_absolute_path_and_of_nothing() -> None:
    absolute = Finding(Issue("error", "value", "obs-7", "", "m", Place("/data/a b.json", 1)))
    (result,) = json.loads(written("sarif", [Result(Place("x"), (absolute,))]))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///data/a%20b.json"
    assert json.loads(written("sarif", GIVEN[:1]))["runs"][0]["results"] == []


def test_summary_counts_all_findings_the_most_frequent_first() -> None:
    summary = Summary()
    for result in GIVEN:
        summary.add(result)
    expected = {
        "rules": {"profile-unknown": 2, "binding-required": 1, "json-syntax": 1, "obs-7": 1},
        "files": {PLACE.path: 2, "b.ndjson": 1, "c.json": 1, "w.json": 1},
    }
    assert summary.as_object() == expected
    assert list(summary.as_object()["rules"]) == list(expected["rules"])
    assert json.loads(written("json", GIVEN, WITH_SUMMARY))["summary"] == expected
    text = written("text", list(limited(GIVEN, 0)), WITH_SUMMARY)
    assert text.startswith("Findings by rule:\n       2  profile-unknown\n       1  binding-required\n")
    assert f"Findings by file:\n       2  {PLACE.path}\n" in text
    assert written("text", GIVEN[:1], WITH_SUMMARY) == ""


@pytest.mark.parametrize(
    ("most", "shown_of_each"), [(None, [0, 2, 1, 1, 1]), (0, [0] * 5), (1, [0, 1, 0, 0, 0]), (3, [0, 2, 1, 0, 0])]
)
def test_limited_counts_what_it_does_not_show(most: int | None, shown_of_each: list[int]) -> None:
    given = list(limited(GIVEN, most))
    assert [len(result.written) for result in given] == shown_of_each
    counts = Counts()
    for result in given:
        counts.add(result)
    assert (counts.errors, counts.warning, counts.hidden) == (3, 2, 5 - sum(shown_of_each))


def test_every_format_says_what_it_leaves_out_where_it_can() -> None:
    given = list(limited(GIVEN, 1))
    assert written("text", given).count("\n") == written("ndjson", given).count("\n") == 1
    assert written("github", given).count("\n") == 1
    assert json.loads(written("json", given))["notShown"] == 4
    assert json.loads(written("json", given))["counts"] == {"fatal": 1, "error": 2, "warning": 2, "information": 0}
    run = json.loads(written("sarif", given))["runs"][0]
    assert len(run["results"]) == 1
    remark = {"level": "note", "message": {"text": "4 more findings not shown."}}
    assert run["invocations"][0]["toolExecutionNotifications"] == [remark]
    outcomes = [json.loads(line)["issue"] for line in written("outcome", given).splitlines()]
    texts = [[issue["details"]["text"] for issue in issues] for issues in outcomes]
    assert texts[0] == ["No findings."]
    assert texts[1][1:] == texts[2] == texts[3] == texts[4] == ["1 more finding not shown."]
    suite = ElementTree.fromstring(written("junit", given))[0]
    assert suite.get("failures") == "2"
    assert [[element.tag for element in case] for case in suite] == [
        [],
        ["failure"],
        ["failure"],
        ["system-out"],
        ["error"],
    ]


VALUES = ["Millerova", "Glover Street", "2071-02-30", "hears voices", "4444-secret", "männlich"]
HOSTILE = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"profile": ["https://example.org/4444-secret"]},
    "gender": "männlich",
    "birthDate": "2071-02-30",
    "name": [{"family": "Millerova", "given": "Millerova", "hears voices": "hears voices"}],
    "address": [{"line": "Glover Street", "use": "Glover Street"}],
    "identifier": [{"system": "4444-secret"}],
    "link": [{"other": {"reference": "Glover Street"}, "type": "Millerova"}],
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "hears voices"}]}}],
    "extension": [{"url": "4444-secret", "valueString": "hears voices"}],
    "hears voices": ["Millerova", None],
}
ANSWERS = {
    "resourceType": "QuestionnaireResponse",
    "questionnaire": "https://w3id.org/fhir-keta/Questionnaire/phq-9",
    "status": "completed",
    "item": [
        {"linkId": "hears voices", "text": "Millerova", "answer": [{"valueString": "Glover Street"}]},
        {"linkId": "44250-9", "text": "Millerova", "answer": [{"valueString": "hears voices"}]},
        {"linkId": "44255-8", "answer": [{"valueCoding": {"code": "4444-secret", "display": "Millerova"}}]},
    ],
}
RECORDS = [
    json.dumps(HOSTILE, ensure_ascii=False).encode(),
    json.dumps(ANSWERS).encode(),
    json.dumps(HOSTILE).encode().replace(b'"hears voices": [', b'"name": "Millerova", "hears voices": [nope'),
]
CHECK = Validator().check


def checked(show_values: bool) -> list[Result]:
    items = [Record(data, Place("a.json", 1)) for data in RECORDS]
    found = list(results(items, CHECK, show_values=show_values))
    assert min(len(result.findings) for result in found) >= 1
    assert sum(len(result.findings) for result in found) >= 12
    return found


@pytest.mark.parametrize(
    ("name", "formats"), [*((name, FORMATS) for name in FORMATS), *((name, WITH_SUMMARY) for name in WITH_SUMMARY)]
)
def test_no_format_repeats_a_value_or_an_odd_name_of_a_record(name: str, formats: Any) -> None:
    text = written(name, checked(show_values=False), formats)
    plain = unquote(text) + text.encode().decode("unicode_escape", errors="replace")
    assert not [value for value in VALUES if value in plain]


def test_values_are_shown_where_asked_for() -> None:
    """Each beside its finding, and never a whole resource, nor what a missing element's parent holds."""
    found = {finding.issue.expression: finding for finding in checked(show_values=True)[0].findings}
    assert found["Patient.gender"].value == '"männlich"'
    assert found["Patient.gender"].message.endswith(' Found: "männlich"')
    assert found["Patient.birthDate"].value == '"2071-02-30"'
    assert found["Patient.name[0].given"].value == '"Millerova"'
    assert "Patient" not in found or found["Patient"].value is None


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_shows_values_where_asked_for(name: str) -> None:
    text = written(name, checked(show_values=True))
    assert "2071-02-30" in text


def test_a_shown_value_is_short_and_printable() -> None:
    data = json.dumps({"resourceType": "Patient", "gender": "x\u2028\x1b" + "y" * 200}, ensure_ascii=False).encode()
    (result,) = results([Record(data, Place("a"))], CHECK, show_values=True)
    value = result.findings[0].value
    assert value is not None
    assert value.startswith('"x\N{REPLACEMENT CHARACTER}\\u001byyy')
    assert value.endswith("yyy...")
    assert len(value) == 83


def test_a_file_name_cannot_write_a_command_of_its_own() -> None:
    """Paths come through ``shown``, which leaves no line ends in them."""
    path = shown("a\n::set-output name=x::y.json")
    finding = Finding(Issue("error", "x", "obs-7", "", "m", Place(path, 1)))
    (line,) = written("github", [Result(Place(path), (finding,))]).splitlines()
    assert line.startswith("::error file=a\N{REPLACEMENT CHARACTER}%3A%3Aset-output name=x%3A%3Ay.json,line=1,")


def test_of_what_is_missing_there_is_no_value_to_show() -> None:
    component = {"valueString": "Millerova"}
    record = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "component": [component]}
    (result,) = results([Record(json.dumps(record).encode(), Place("a"))], CHECK, show_values=True)
    (finding,) = result.findings
    assert (finding.issue.rule, finding.issue.expression) == ("cardinality-min", "Observation.component[0]")
    assert finding.value is None
