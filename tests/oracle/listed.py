"""Which row of the table of differences a finding belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fhir_keta.validation.issue import Issue
from tests.oracle.differences import ONLY_OURS, ONLY_THEIRS, Kind
from tests.oracle.oracle import OracleIssue
from tests.oracle.places import at


def rows(change: str, record: Any, ours: Iterable[Issue], theirs: Iterable[OracleIssue]) -> list[Kind] | None:
    """The row of each error that only one of the two gives, None where one of these errors has no row."""
    ours, theirs = list(ours), list(theirs)
    found = [
        _row(ONLY_OURS, issue.rule, change, record, issue.expression)
        for issue in ours
        if issue.rule != "reference-profile" or not _follows(issue, ours, record)
    ]
    found += [
        _row(ONLY_THEIRS, issue.message_id, change, record, issue.expression)
        for issue in theirs
        if issue.message_id != "Reference_REF_CantMatchChoice" or not _follows(issue, theirs, record)
    ]
    listed = [row for row in found if row is not None]
    return listed if len(listed) == len(found) else None


def _follows(issue: Issue | OracleIssue, others: Iterable[Issue | OracleIssue], record: Any) -> bool:
    """Whether what a reference leads to in a Bundle does not meet its profile because of another of these errors."""
    reference: Any = (at(record, issue.expression) or {}).get("reference")
    for position, entry in enumerate(record.get("entry", ()) if isinstance(reference, str) else ()):
        if str(entry.get("fullUrl")).endswith(reference):
            return any(other.expression.startswith(f"Bundle.entry[{position}].") for other in others)
    return False


def _row(table: Iterable[Kind], rule: str, change: str, record: Any, expression: str) -> Kind | None:
    value = at(record, expression)
    fitting = (row for row in table if row.rule == rule and re.search(row.change, change))
    return next((row for row in fitting if row.holds(value, record, expression)), None)
