"""The formats findings are written in. ``FORMATS`` names them all; the command line offers what stands there.

No format repeats anything from a record but resource types and ids: findings may be shared, patient data may not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol, TextIO

from fhir_keta.records.source import Place
from fhir_keta.reporting.result import Counts, Finding, Result

RULES_SYSTEM = "https://w3id.org/fhir-keta/rules"
"""The system of the rule ids in an OperationOutcome: those of ``validation/rules.py`` and the keys of invariants."""


class Reporter(Protocol):
    """Writes results to the stream it was made with, as they come."""

    def add(self, result: Result) -> None:
        """Write what is to be said of one record."""

    def finish(self) -> None:
        """Write what can be said only at the end."""


class Text:
    """One line a finding: ``path:line:column: severity Type/id FHIRPath [rule] message``; nothing for what is fine."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(self, result: Result) -> None:
        for finding in result.findings:
            issue = finding.issue
            parts = [issue.severity, _subject(finding), issue.expression, f"[{issue.rule}]", *issue.message.split()]
            place = _text_of(issue.place or result.place)
            self._stream.write(f"{place}: {' '.join(part for part in parts if part)}\n")

    def finish(self) -> None:
        """Nothing is left to say."""


class Json:
    """One JSON document: every finding as an object, then the number of records and the counts by severity.

    It is written as it grows, so that millions of findings need no memory.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._counts = Counts()
        self._before = '{"findings": [\n'

    def add(self, result: Result) -> None:
        self._counts.add(result)
        for finding in result.findings:
            self._stream.write(self._before + json.dumps(_as_object(finding, result.place)))
            self._before = ",\n"

    def finish(self) -> None:
        counts = asdict(self._counts)
        records = counts.pop("records")
        start = self._before if self._before.startswith("{") else "\n"
        self._stream.write(f'{start}], "records": {records}, "counts": {json.dumps(counts)}}}\n')


class Outcome:
    """One FHIR R4 OperationOutcome a line for every record, in the order of the input."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        fine = {"severity": "information", "code": "informational", "details": {"text": "No findings."}}
        self._fine = _outcome_line([fine])

    def add(self, result: Result) -> None:
        if not result.findings:
            self._stream.write(self._fine)
            return
        self._stream.write(_outcome_line([_outcome_issue(finding, result.place) for finding in result.findings]))

    def finish(self) -> None:
        """Nothing is left to say."""


FORMATS: dict[str, Callable[[TextIO], Reporter]] = {"text": Text, "json": Json, "outcome": Outcome}


def _subject(finding: Finding) -> str:
    return "/".join(part for part in (finding.resource_type, finding.resource_id) if part)


def _text_of(place: Place) -> str:
    return ":".join(str(part) for part in (place.path, place.line, place.column) if part is not None)


def _as_object(finding: Finding, start: Place) -> dict[str, Any]:
    issue = finding.issue
    place = issue.place or start
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
    }


def _outcome_line(issues: list[dict[str, Any]]) -> str:
    return json.dumps({"resourceType": "OperationOutcome", "issue": issues}) + "\n"


def _outcome_issue(finding: Finding, start: Place) -> dict[str, Any]:
    issue = finding.issue
    outcome: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"coding": [{"system": RULES_SYSTEM, "code": issue.rule}], "text": issue.message},
        "diagnostics": _text_of(issue.place or start),
    }
    if issue.expression:
        outcome["expression"] = [issue.expression]
    return outcome
