"""What every format is: something that results are given to, one after the other."""

from __future__ import annotations

from typing import Protocol

from fhir_keta.records.source import Place
from fhir_keta.reporting.result import Checked, Finding


class Reporter(Protocol):
    """Writes results to the stream it was made with, as they come, so that a long run needs no memory."""

    def add(self, result: Checked) -> None:
        """Write what is to be said of one record."""

    def finish(self) -> None:
        """Write what can be said only at the end."""


def place_text(place: Place) -> str:
    """``path:line:column``, as far as known."""
    return ":".join(str(part) for part in (place.path, place.line, place.column) if part is not None)


def sentence(finding: Finding) -> str:
    """Resource, FHIRPath, rule and message in one line."""
    issue = finding.issue
    parts = [finding.subject, issue.expression, f"[{issue.rule}]", *finding.message.split()]
    return " ".join(part for part in parts if part)


def not_written(hidden: int) -> str:
    """What to say of findings that were counted, but not written out."""
    return f"{hidden} more {'finding' if hidden == 1 else 'findings'} not shown."
