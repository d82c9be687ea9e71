"""The results of an upload as JSON and as JUnit XML."""

from __future__ import annotations

import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from fhir_keta.errors import ServerError
from fhir_keta.records.source import Place
from fhir_keta.server.incoming import incoming
from fhir_keta.server.plan import Entry, Plan
from fhir_keta.server.report import write_json, write_junit
from fhir_keta.server.result import Report, Result, Status

PLAN = Plan("http://127.0.0.1/fhir", "Server 1", ())


def entry(number: int, action: Any = "create", place: Place | None = None) -> Entry:
    return Entry(incoming({"resourceType": "Patient", "id": f"p{number}"}, place), action, f"p{number}")


CREATED = Result(
    entry(1, place=Place("in.ndjson", 3)),
    "created",
    201,
    id="p1",
    version="1",
    method="PUT",
    url="http://127.0.0.1/fhir/Patient/p1",
    milliseconds=12.34,
)
REFUSED = Result(entry(2), "refused", 422, "the <date> is wrong", method="POST", url="http://127.0.0.1/fhir")
STATUSES: tuple[Status, ...] = (
    "created", "updated", "unchanged", "altered", "conflict", "refused", "skipped", "not tried", "unknown",
)  # fmt: skip


def as_json(*results: Result, stopped: Any = None) -> Any:
    stream = io.StringIO()
    write_json(PLAN, Report(results, stopped), stream)
    return json.loads(stream.getvalue())


def as_junit(*results: Result, stopped: Any = None) -> ElementTree.Element:
    stream = io.StringIO()
    write_junit(PLAN, Report(results, stopped), stream)
    root = ElementTree.fromstring(stream.getvalue())
    assert root.tag == "testsuites"
    assert len(root) == 1
    assert {name: root[0].get(name) for name in root.attrib} == root.attrib
    return root[0]


def test_json_says_of_each_resource_what_was_sent_and_what_came_of_it() -> None:
    document = as_json(CREATED, REFUSED)
    results = document.pop("results")
    assert document == {
        "server": "http://127.0.0.1/fhir",
        "software": "Server 1",
        "complete": False,
        "stopped": None,
        "counts": {"created": 1, "refused": 1},
    }
    assert results == [
        {
            "resource": "Patient/p1",
            "source": "in.ndjson:3",
            "action": "create",
            "status": "created",
            "id": "p1",
            "version": "1",
            "method": "PUT",
            "url": "http://127.0.0.1/fhir/Patient/p1",
            "httpStatus": 201,
            "milliseconds": 12.3,
            "outcome": None,
        },
        {
            "resource": "Patient/p2",
            "source": None,
            "action": "create",
            "status": "refused",
            "id": None,
            "version": None,
            "method": "POST",
            "url": "http://127.0.0.1/fhir",
            "httpStatus": 422,
            "milliseconds": None,
            "outcome": "the <date> is wrong",
        },
    ]


def test_what_was_not_sent_has_no_request() -> None:
    (result,) = as_json(Result(entry(1, "conflict"), "conflict", message="other content"))["results"]
    assert [result[name] for name in ("method", "url", "httpStatus", "milliseconds")] == [None] * 4
    assert as_junit(Result(entry(1, "unchanged"), "unchanged"))[0].find("system-out") is None


def test_json_says_what_stopped_it() -> None:
    assert as_json(CREATED)["complete"] is True
    stopped = as_json(CREATED, stopped=ServerError("it is down"))
    assert (stopped["complete"], stopped["stopped"]) == (False, "it is down")
    assert as_json(stopped=KeyboardInterrupt())["stopped"] == "interrupted"


def test_junit_has_a_testcase_for_each_resource() -> None:
    suite = as_junit(CREATED, REFUSED)
    assert suite.attrib == {"name": "fhir-keta upload", "tests": "2", "failures": "1", "errors": "0", "skipped": "0"}
    created, refused = suite
    assert created.attrib == {"name": "Patient/p1", "classname": "in.ndjson:3", "time": "0.012"}
    assert [child.tag for child in created] == ["system-out"]
    assert created[0].text == "PUT http://127.0.0.1/fhir/Patient/p1\nHTTP 201"
    assert [child.tag for child in refused] == ["failure", "system-out"]
    assert refused[0].attrib == {"type": "refused", "message": "the <date> is wrong"}


@pytest.mark.parametrize("status", STATUSES)
def test_junit_passes_what_the_server_has_and_nothing_else(status: Status) -> None:
    suite = as_junit(Result(entry(1), status))
    expected = {
        "created": None, "updated": None, "unchanged": None, "skipped": "skipped", "not tried": "skipped",
        "unknown": "error",
    }.get(status, "failure")  # fmt: skip
    assert [child.tag for child in suite[0]] == ([expected] if expected else [])
    counts = {name: int(suite.get(name, "")) for name in ("failures", "errors", "skipped")}
    assert sum(counts.values()) == (expected is not None)
    if expected is not None:
        assert counts[{"failure": "failures", "error": "errors", "skipped": "skipped"}[expected]] == 1


def test_junit_has_an_error_for_what_stopped_it() -> None:
    suite = as_junit(CREATED, stopped=ServerError("it is down"))
    assert (suite.get("tests"), suite.get("errors")) == ("2", "1")
    assert suite[1].attrib == {"name": "upload", "classname": "http://127.0.0.1/fhir", "time": "0.000"}
    assert suite[1][0].attrib == {"type": "stopped", "message": "it is down"}


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\ud800", "\uffff", "é", "😀", "]]>", "&"])
def test_whatever_a_server_says_junit_stays_xml(letter: str) -> None:
    (case,) = as_junit(Result(entry(1), "refused", 400, f"a{letter}b"))
    shown = letter if letter in ("é", "😀", "]]>", "&") else "\N{REPLACEMENT CHARACTER}"
    assert case[0].text == case[0].get("message") == f"a{shown}b"
