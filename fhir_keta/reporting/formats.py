"""The formats findings are written in. ``FORMATS`` names them all; the command line offers what stands there.

No format repeats anything from a record but resource types, ids and names of elements, unless the user asked for
values: findings may be shared, patient data may not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TextIO

from fhir_keta.records.source import Place
from fhir_keta.reporting.reporter import Reporter, not_written, place_text, sentence
from fhir_keta.reporting.result import Checked, Counts, Finding, Passed, Result, Summary

JsonObject = dict[str, Any]


class Text:
    """One line a finding: ``path:line:column: severity Type/id FHIRPath [rule] message``; nothing for what is fine."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(self, result: Checked) -> None:
        for finding in result.written:
            place = place_text(finding.issue.place or result.place)
            self._stream.write(f"{place}: {finding.issue.severity} {sentence(finding)}\n")

    def finish(self) -> None:
        """Nothing is left to say."""


class TextSummary(Text):
    """The same lines, and after them how many findings there are by rule, and by file."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._summary = Summary()

    def add(self, result: Checked) -> None:
        super().add(result)
        self._summary.add(result)

    def finish(self) -> None:
        for name, counts in self._summary.as_object().items():
            if counts:
                self._stream.write(f"Findings by {name.removesuffix('s')}:\n")
            for key, count in counts.items():
                self._stream.write(f"{count:8}  {key}\n")


class Json:
    """One JSON document: every finding as an object, then the number of records and the counts by severity.

    It is written as it grows, so that millions of findings need no memory.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._counts = Counts()
        self._before = '{"findings": [\n'

    def add(self, result: Checked) -> None:
        self._counts.add(result)
        for finding in result.written:
            self._stream.write(self._before + json.dumps(_as_object(finding, result.place)))
            self._before = ",\n"

    def finish(self) -> None:
        start = self._before if self._before.startswith("{") else "\n"
        closing = json.dumps(self._closing()).removeprefix("{")
        self._stream.write(f"{start}], {closing}\n")

    def _closing(self) -> JsonObject:
        closing: JsonObject = {"records": self._counts.records, "counts": self._counts.by_severity}
        if self._counts.hidden:
            closing["notShown"] = self._counts.hidden
        return closing


class JsonSummary(Json):
    """The same document with ``summary``: how many findings there are by rule, and by file."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._summary = Summary()

    def add(self, result: Checked) -> None:
        super().add(result)
        self._summary.add(result)

    def _closing(self) -> JsonObject:
        return {**super()._closing(), "summary": self._summary.as_object()}


class Ndjson:
    """One JSON object a line for every finding, as they come; nothing for what is fine."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(self, result: Checked) -> None:
        for finding in result.written:
            self._stream.write(json.dumps(_as_object(finding, result.place)) + "\n")

    def finish(self) -> None:
        """Nothing is left to say."""


class Outcome:
    """One FHIR R4 OperationOutcome a line for every record, in the order of the input.

    ``diagnostics`` are place and rule: ``path:line:column [rule]``. The rule is no coding, because rules are this
    program's and the keys of invariants anybody's: there is no CodeSystem to look them up in, and HL7's validator
    warns of every coding whose system it cannot find.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._fine = _outcome_line([_remark("No findings.")])

    def add(self, result: Checked) -> None:
        if isinstance(result, Passed):
            self._stream.write(self._fine * len(result.lines))
            return
        if not result.findings:
            self._stream.write(self._fine)
            return
        issues = [_outcome_issue(finding, result.place) for finding in result.written]
        if result.hidden:
            issues.append(_hidden(result))
        self._stream.write(_outcome_line(issues))

    def finish(self) -> None:
        """Nothing is left to say."""


def _sarif(stream: TextIO) -> Reporter:
    from fhir_keta.reporting.sarif import Sarif

    return Sarif(stream)


def _junit(stream: TextIO) -> Reporter:
    from fhir_keta.reporting.junit import JUnit

    return JUnit(stream)


def _github(stream: TextIO) -> Reporter:
    from fhir_keta.reporting.github import GitHub

    return GitHub(stream)


FORMATS: dict[str, Callable[[TextIO], Reporter]] = {
    "text": Text,
    "json": Json,
    "ndjson": Ndjson,
    "outcome": Outcome,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
}

WITH_SUMMARY: dict[str, Callable[[TextIO], Reporter]] = {"text": TextSummary, "json": JsonSummary}
"""The formats that can end in a summary."""


def _as_object(finding: Finding, start: Place) -> JsonObject:
    issue = finding.issue
    place = issue.place or start
    value = {} if finding.value is None else {"value": finding.value}
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "severity": issue.severity,
        "code": issue.code,
        "rule": issue.rule,
        "resourceType": finding.resource_type,
        "id": finding.resource_id,
        "expression": issue.expression or None,
        "message": issue.message,
        **value,
    }


def _outcome_line(issues: list[JsonObject]) -> str:
    return json.dumps({"resourceType": "OperationOutcome", "issue": issues}) + "\n"


def _hidden(result: Result) -> JsonObject:
    """That there are more, as severe as the worst of them: without it, a wrong record could look like a good one."""
    hidden = {finding.issue.severity for finding in result.findings[len(result.written) :]}
    worst = next(severity for severity in ("fatal", "error", "warning", "information") if severity in hidden)
    return {"severity": worst, "code": "processing", "details": {"text": not_written(result.hidden)}}


def _remark(text: str) -> JsonObject:
    return {"severity": "information", "code": "informational", "details": {"text": text}}


def _outcome_issue(finding: Finding, start: Place) -> JsonObject:
    issue = finding.issue
    outcome: JsonObject = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"text": finding.message},
        "diagnostics": f"{place_text(issue.place or start)} [{issue.rule}]",
    }
    if issue.expression:
        outcome["expression"] = [issue.expression]
    return outcome
