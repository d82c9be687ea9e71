"""What was found in each record: the findings with their places, the resources they are about, and the counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from fhir_keta.records.parse import ParseFault, parse
from fhir_keta.records.positions import locate_all, steps
from fhir_keta.records.source import Fault, Place, Record
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.rules import issue as issue_of

_AT_THE_NAME = frozenset({"element-unknown", "element-prohibited"})
"""Rules about an element that should not be there: its name is what to point at, not its value."""

_RESOURCE_TYPE = re.compile(r"[A-Za-z]{1,64}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Finding:
    """An issue with its place filled, and the resource it is about: in a Bundle, the entry's."""

    issue: Issue
    resource_type: str | None = None
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What the check of one record gave; no findings means that it is fine."""

    place: Place
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Counts:
    """How many records were checked, and how many findings of each severity there are."""

    records: int = 0
    fatal: int = 0
    error: int = 0
    warning: int = 0
    information: int = 0

    def add(self, result: Result) -> None:
        """Count one more record and its findings."""
        self.records += 1
        for finding in result.findings:
            severity = finding.issue.severity
            setattr(self, severity, getattr(self, severity) + 1)

    @property
    def errors(self) -> int:
        """Everything that makes a record wrong: fatal or error."""
        return self.fatal + self.error


def results(items: Iterable[Record | Fault], check: Callable[[bytes], list[Issue]]) -> Iterator[Result]:
    """Check every record of ``records.source.read`` and give one result for each item, in the same order.

    ``check`` is ``Validator.check``; a Fault becomes a finding under its own rule.
    """
    for item in items:
        if isinstance(item, Fault):
            issue = replace(issue_of(item.rule, "", **item.names), place=item.place)
            yield Result(item.place, (Finding(issue),))
        elif issues := check(item.data):
            yield Result(item.place, _findings(issues, item))
        else:
            yield Result(item.place)


def placed(issues: Iterable[Issue], record: Record) -> list[Issue]:
    """The issues of a record with line and column filled, each found by its FHIRPath, in the order of the text.

    An issue that brings a place of its own (where the JSON breaks) keeps line and column, counted on from where the
    record starts.
    """
    issues = list(issues)
    asked = [(issue.expression, issue.rule in _AT_THE_NAME) for issue in issues]
    found = zip(issues, locate_all(record.data, asked), strict=True)
    within = [(_own_place(issue) or _fault_place(issue, record) or place, issue) for issue, place in found]
    within.sort(key=lambda each: each[0] or (0, 0))
    return [replace(issue, place=_counted_on(record.place, place)) for place, issue in within]


def _own_place(issue: Issue) -> tuple[int, int] | None:
    if issue.place is None or issue.place.line is None:
        return None
    return issue.place.line, issue.place.column or 1


def _fault_place(issue: Issue, record: Record) -> tuple[int, int] | None:
    if issue.expression:
        return None
    try:
        parse(record.data)
    except ParseFault as fault:
        return fault.line, fault.column
    return None


def _counted_on(start: Place, within: tuple[int, int] | None) -> Place:
    if within is None:
        return start
    return Place(start.path, (start.line or 1) + within[0] - 1, within[1])


def _findings(issues: Iterable[Issue], record: Record) -> tuple[Finding, ...]:
    try:
        resource = parse(record.data)
    except ParseFault:
        resource = {}
    return tuple(Finding(issue, *_about(resource, issue.expression)) for issue in placed(issues, record))


def _about(resource: dict[str, Any], expression: str) -> tuple[str | None, str | None]:
    """Type and id of the resource an expression leads into. What does not look like either is not repeated."""
    node: Any = resource
    for step in steps(expression):
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            break
        if step == "resource" and isinstance(node, dict):
            resource = node
    return _matching(_RESOURCE_TYPE, resource.get("resourceType")), _matching(_ID, resource.get("id"))


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
