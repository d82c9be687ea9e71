"""What was found in each record: the findings with their places, the resources they are about, and the counts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from fhir_keta.records.parse import ParseFault, parse
from fhir_keta.records.positions import locate_all, steps
from fhir_keta.records.source import Place, Record
from fhir_keta.validation.issue import Issue

_AT_THE_NAME = frozenset({"element-unknown", "element-prohibited", "json-duplicate-key"})
"""Rules about an element that should not be there: its name is what to point at, not its value."""

_LONGEST_VALUE = 80  # characters of a value that is shown
_RESOURCE_TYPE = re.compile(r"[A-Za-z]{1,64}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Finding:
    """An issue with its place filled, and the resource it is about: in a Bundle, the entry's.

    ``value`` is the start of what stands at the place, as JSON, and only where the user asked for values.
    """

    issue: Issue
    resource_type: str | None = None
    resource_id: str | None = None
    value: str | None = None

    @property
    def subject(self) -> str:
        """Type and id of the resource, as far as they are known: ``Patient/p1``."""
        return "/".join(part for part in (self.resource_type, self.resource_id) if part)

    @property
    def message(self) -> str:
        """What is wrong, and where asked for, with which value."""
        return self.issue.message if self.value is None else f"{self.issue.message} Found: {self.value}"


@dataclass(frozen=True, slots=True)
class Result:
    """What the check of one record gave; no findings means that it is fine.

    Of the findings only the first ``shown`` are to be written out (None: all); all of them count.
    """

    place: Place
    findings: tuple[Finding, ...] = ()
    shown: int | None = None

    @property
    def written(self) -> tuple[Finding, ...]:
        """The findings to write out."""
        return self.findings[: self.shown]

    @property
    def hidden(self) -> int:
        """How many findings are not to be written out."""
        return len(self.findings) - len(self.written)


@dataclass(frozen=True, slots=True)
class Passed:
    """Records on lines of one file, one after the other, in which nothing was found."""

    path: str
    lines: range

    findings: ClassVar[tuple[Finding, ...]] = ()
    written: ClassVar[tuple[Finding, ...]] = ()
    hidden: ClassVar[int] = 0

    @property
    def place(self) -> Place:
        """Where the first of them stands."""
        return Place(self.path, self.lines[0])

    def results(self) -> Iterator[Result]:
        """The result of each of them."""
        return (Result(Place(self.path, line)) for line in self.lines)


Checked = Result | Passed
"""What a check gives: a result for a record, or that records passed."""


@dataclass(slots=True)
class Counts:
    """How many records were checked, and how many findings of each severity there are."""

    records: int = 0
    fatal: int = 0
    error: int = 0
    warning: int = 0
    information: int = 0
    hidden: int = 0
    """How many of the findings were not written out."""

    def add(self, result: Checked) -> None:
        """Count one more record and its findings, or those that passed."""
        if isinstance(result, Passed):
            self.records += len(result.lines)
            return
        self.records += 1
        self.hidden += result.hidden
        for finding in result.findings:
            severity = finding.issue.severity
            setattr(self, severity, getattr(self, severity) + 1)

    @property
    def by_severity(self) -> dict[str, int]:
        """The number of findings of each severity."""
        names = ("fatal", "error", "warning", "information")
        return {name: getattr(self, name) for name in names}

    @property
    def errors(self) -> int:
        """Everything that makes a record wrong: fatal or error."""
        return self.fatal + self.error


@dataclass(slots=True)
class Summary:
    """How many findings there are by rule, and by file."""

    rules: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)

    def add(self, result: Checked) -> None:
        """Count the findings of one more record."""
        if isinstance(result, Passed):
            return
        for finding in result.findings:
            self.rules[finding.issue.rule] += 1
        if result.findings:
            self.files[result.place.path] += len(result.findings)

    def as_object(self) -> dict[str, dict[str, int]]:
        """Both counts as JSON, the most frequent first."""
        return {"rules": _sorted(self.rules), "files": _sorted(self.files)}


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def limited(given: Iterable[Checked], most: int | None) -> Iterable[Checked]:
    """The results, of which together at most ``most`` findings are to be written out (None: all)."""
    return given if most is None else _limited(given, most)


def _limited(given: Iterable[Checked], left: int) -> Iterator[Checked]:
    for result in given:
        if isinstance(result, Passed):
            yield result
            continue
        yield replace(result, shown=min(left, len(result.findings)))
        left -= min(left, len(result.findings))


def placed(issues: Iterable[Issue], record: Record) -> list[Issue]:
    """The issues of a record with line and column filled, each found by its FHIRPath, in the order of the text; that
    there are more than are listed comes last.

    An issue that brings a place of its own (where the JSON breaks) keeps line and column, counted on from where the
    record starts.
    """
    issues = list(issues)
    asked = [(issue.expression, issue.rule in _AT_THE_NAME) for issue in issues]
    found = zip(issues, locate_all(record.data, asked), strict=True)
    within = [(_own_place(issue) or _fault_place(issue, record) or place, issue) for issue, place in found]
    within.sort(key=lambda each: (each[1].rule == "findings-limit", each[0] or (0, 0)))
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


def findings_of(issues: Iterable[Issue], record: Record, show_values: bool) -> tuple[Finding, ...]:
    """The findings behind the issues of a record; ``show_values`` fills in the values found."""
    try:
        resource = parse(record.data)
    except ParseFault:
        resource = {}
    found = [Finding(issue, *_about(resource, issue.expression)) for issue in placed(issues, record)]
    if show_values:
        found = [replace(finding, value=_value(resource, finding.issue)) for finding in found]
    return tuple(found)


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


def _value(resource: dict[str, Any], issue: Issue) -> str | None:
    """The start of the value an issue is about; None where something is missing, or a whole resource is meant."""
    if issue.code == "required":
        return None
    node: Any = resource
    for step in steps(issue.expression):
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return None
    if node is resource or (isinstance(node, dict) and "resourceType" in node):
        return None
    text = json.dumps(node, ensure_ascii=False)
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
