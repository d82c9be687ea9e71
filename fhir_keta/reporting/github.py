"""Findings as GitHub workflow commands: GitHub shows them at the lines of a pull request.

Source: GitHub Docs, Workflow commands, "Setting an error message"; the escapes are those of the actions toolkit.
"""

from __future__ import annotations

from typing import TextIO

from fhir_keta.reporting.reporter import sentence
from fhir_keta.reporting.result import Checked

_COMMANDS = {"fatal": "error", "error": "error", "warning": "warning", "information": "notice"}
_IN_MESSAGES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTIES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


class GitHub:
    """One command a finding: ``::error file=...,line=...,col=...,title=rule::message``; nothing for what is fine."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(self, result: Checked) -> None:
        for finding in result.written:
            issue = finding.issue
            place = issue.place or result.place
            given = {"file": place.path, "line": place.line, "col": place.column, "title": issue.rule}
            properties = ",".join(
                f"{name}={str(value).translate(_IN_PROPERTIES)}" for name, value in given.items() if value is not None
            )
            message = sentence(finding).translate(_IN_MESSAGES)
            self._stream.write(f"::{_COMMANDS[issue.severity]} {properties}::{message}\n")

    def finish(self) -> None:
        """Nothing is left to say."""
