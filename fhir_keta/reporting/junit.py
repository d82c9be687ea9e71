"""Findings as JUnit XML, as CI servers read it: a testcase for every record.

There is no standard; this keeps to what the schemas of Jenkins' xunit plug-in and of Ant have in common.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TextIO

from fhir_keta.records.source import Place
from fhir_keta.reporting.reporter import not_written, place_text, sentence
from fhir_keta.reporting.result import Checked, Counts, Finding, Passed, Result
from fhir_keta.xml_text import attribute, content

_IN_MEMORY = 2**20  # characters of testcases; more go to a temporary file


class JUnit:
    """One testsuite. A record that cannot be read is an ``error``, one with errors a ``failure``; warnings stand in
    ``system-out``, and do not fail it.

    The counts stand in front, so the testcases wait in a temporary file until all are known.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._cases = tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="ascii", newline="\n")  # noqa: SIM115
        self._counts = Counts()
        self._failed = 0
        self._unread = 0

    def add(self, result: Checked) -> None:
        if isinstance(result, Passed):
            for each in result.results():
                self.add(each)
            return
        self._counts.add(result)
        severities = {finding.issue.severity for finding in result.findings}
        unread, failed = "fatal" in severities, "error" in severities
        self._unread += unread
        self._failed += failed and not unread
        name, folder = attribute(_name(result.place)), attribute(result.place.path)
        self._cases.write(f"<testcase name={name} classname={folder}")
        if not result.findings:
            self._cases.write("/>\n")
            return
        self._cases.write(">\n")
        errors = [finding for finding in result.written if finding.issue.severity in ("fatal", "error")]
        others = [_line(finding, result) for finding in result.written if finding not in errors]
        if unread or failed:
            self._cases.write(_problem("error" if unread else "failure", errors, result))
        elif result.hidden:
            others.append(not_written(result.hidden))
        if others:
            self._cases.write(f"<system-out>{content(others)}</system-out>\n")
        self._cases.write("</testcase>\n")

    def finish(self) -> None:
        counts = f'tests="{self._counts.records}" failures="{self._failed}" errors="{self._unread}"'
        self._stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        self._stream.write(f"<testsuites {counts}>\n")
        self._stream.write(f'<testsuite name="fhir-keta validate" {counts} skipped="0">\n')
        self._cases.seek(0)
        shutil.copyfileobj(self._cases, self._stream)
        self._cases.close()
        self._stream.write("</testsuite>\n</testsuites>\n")


def _name(place: Place) -> str:
    return f"line {place.line}" if place.line is not None else "file"


def _problem(element: str, errors: list[Finding], result: Result) -> str:
    lines = [_line(finding, result) for finding in errors]
    if result.hidden:
        lines.append(not_written(result.hidden))
    wrong = [finding for finding in result.findings if finding.issue.severity in ("fatal", "error")]
    rules = list(dict.fromkeys(finding.issue.rule for finding in wrong))
    number = len(result.findings)
    message = attribute(errors[0].message if wrong == errors[:1] else f"{number} finding{'s' if number > 1 else ''}")
    return f"<{element} type={attribute(', '.join(rules))} message={message}>{content(lines)}</{element}>\n"


def _line(finding: Finding, result: Result) -> str:
    return f"{place_text(finding.issue.place or result.place)}: {finding.issue.severity} {sentence(finding)}"
