"""Findings as SARIF 2.1.0 (OASIS), as code scanning services read it: one run, its rules with their help."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any, TextIO
from urllib.parse import quote

from fhir_keta._version import __version__
from fhir_keta.records.source import Place
from fhir_keta.reporting.reporter import not_written
from fhir_keta.reporting.result import Checked, Finding
from fhir_keta.validation.rules import RULES

JsonObject = dict[str, Any]

HOME = "https://w3id.org/fhir-keta/"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"fatal": "error", "error": "error", "warning": "warning", "information": "note"}


class Sarif:
    """One log with one run. Results are written as they come; the rules they name stand behind them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rules: dict[str, tuple[int, Finding]] = {}
        self._hidden = 0
        self._before = ""
        stream.write(f'{{"$schema": "{SCHEMA}", "version": "2.1.0", "runs": [{{"columnKind": "unicodeCodePoints",\n')
        stream.write('"results": [\n')

    def add(self, result: Checked) -> None:
        self._hidden += result.hidden
        for finding in result.written:
            index, _ = self._rules.setdefault(finding.issue.rule, (len(self._rules), finding))
            self._stream.write(self._before + json.dumps(_result(finding, index, result.place)))
            self._before = ",\n"

    def finish(self) -> None:
        driver = {
            "name": "fhir-keta",
            "version": __version__,
            "informationUri": HOME,
            "rules": [_rule(finding) for _, finding in self._rules.values()],
        }
        invocation: JsonObject = {"executionSuccessful": True}
        if self._hidden:
            remark = {"level": "note", "message": {"text": not_written(self._hidden)}}
            invocation["toolExecutionNotifications"] = [remark]
        self._stream.write(f'\n],\n"invocations": [{json.dumps(invocation)}],\n')
        self._stream.write(f'"tool": {json.dumps({"driver": driver})}}}]}}\n')


def _result(finding: Finding, index: int, start: Place) -> JsonObject:
    issue = finding.issue
    place = issue.place or start
    physical: JsonObject = {"artifactLocation": {"uri": _uri(place.path)}}
    if place.line is not None:
        physical["region"] = {"startLine": place.line}
        if place.column is not None:
            physical["region"]["startColumn"] = place.column
    location: JsonObject = {"physicalLocation": physical}
    if issue.expression:
        location["logicalLocations"] = [{"fullyQualifiedName": issue.expression, "kind": "element"}]
    return {
        "ruleId": issue.rule,
        "ruleIndex": index,
        "level": _LEVELS[issue.severity],
        "message": {"text": f"{finding.subject}: {finding.message}" if finding.subject else finding.message},
        "locations": [location],
    }


def _rule(finding: Finding) -> JsonObject:
    """A reportingDescriptor; what an invariant says is its message, all there is to tell without the library."""
    from fhir_keta.validation.rule_texts import text_of

    rule = finding.issue.rule
    level = {"level": _LEVELS[finding.issue.severity]}
    command = f"More: fhir-keta explain {rule}"
    if rule not in RULES:
        human = finding.issue.message
        help_text = f"{human}\n\nAn invariant of FHIR or of a profile.\n\n{command}"
        described = {"shortDescription": {"text": human}, "help": {"text": help_text}}
    else:
        text = text_of(rule)
        help_text = f"{text.says}\n\n{text.why}\n\n{text.fix}\n\n{command}"
        described = {"shortDescription": {"text": text.says}, "help": {"text": help_text}}
    return {"id": rule, **described, "helpUri": HOME, "defaultConfiguration": level}


def _uri(path: str) -> str:
    """A relative path as a relative URI reference, an absolute one as a file URI."""
    if PurePath(path).is_absolute():
        return Path(path).as_uri()
    return quote(PurePath(path).as_posix())
