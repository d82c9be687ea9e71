"""Checking what was read: record by record here, or in several processes, and the results in the order of the input."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from fhir_keta.records.blocks import line_ends
from fhir_keta.records.source import Fault, Item, Lines, Place, Portion, Record
from fhir_keta.reporting.result import Checked, Finding, Passed, Result, findings_of
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.rules import issue as issue_of

_CHUNK_BYTES = 2**19
_CHUNK_RECORDS = 500

ALONE_RECORDS = 2_000
ALONE_BYTES = 4 * 2**20
"""What is checked before more processes are started: less is not worth one, and they inherit what is learnt of it."""

Check = Callable[[bytes], list[Issue]]


def results(
    items: Iterable[Item], check: Check, jobs: int = 1, *, show_values: bool = False
) -> Generator[Checked, None, None]:
    """Check every record of ``records.source.read_together`` (or ``read``), and say what was found, in the same order.

    ``check`` is ``Validator.check``; a Fault becomes a finding under its own rule. Each gives a Result, but of records
    that come as lines those which passed are told together. With ``jobs`` above 1 all but the first records are checked
    in so many processes; close the iterator to end them early. ``show_values`` fills in the values found.
    """
    items = iter(items)
    work = partial(_answer, check, show_values)
    answers: Iterable[list[_Found]] = map(work, ([item] for item in (items if jobs == 1 else _first(items))))
    if jobs > 1:
        answers = chain(answers, _by_others(work, items, jobs))
    before = 0
    for found in chain.from_iterable(answers):
        if found.lines is None:
            yield from found.checked
            continue
        before = before if found.before is None else found.before
        yield from (_moved(each, before) for each in found.checked)
        before += found.lines


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found in an item. Of a Portion also how many lines it has, from whose first they are counted, and how
    many come before it where that is known."""

    checked: list[Checked]
    lines: int | None = None
    before: int | None = None


def _by_others(work: Callable[[list[Item]], list[_Found]], items: Iterator[Item], jobs: int) -> Iterator[list[_Found]]:
    from fhir_keta.validation.parallel import in_order

    return in_order(work, _handfuls(items), jobs)


def _answer(check: Check, show_values: bool, items: Sequence[Item]) -> list[_Found]:
    return [_found(check, show_values, item) for item in items]


def _found(check: Check, show_values: bool, item: Item) -> _Found:
    if not isinstance(item, Portion):
        return _Found(list(_checked(check, show_values, item)))
    read = item.read()
    lines = line_ends(read.data) if isinstance(read, Lines) else 0
    return _Found(list(_checked(check, show_values, read)), lines, item.before)


def _checked(check: Check, show_values: bool, item: Record | Fault | Lines) -> Iterator[Checked]:
    if isinstance(item, Fault):
        yield Result(item.place, (Finding(replace(issue_of(item.rule, "", **item.names), place=item.place)),))
        return
    if isinstance(item, Record):
        issues = check(item.data)
        yield Result(item.place, findings_of(issues, item, show_values) if issues else ())
        return
    path = item.place.path
    first = end = 0  # of the lines that passed, one after the other
    for number, line in item.numbered():
        issues = check(line)
        if number == end and not issues:
            end += 1
            continue
        if first < end:
            yield Passed(path, range(first, end))
        first = end = number
        if issues:
            record = Record(line, Place(path, number))
            yield Result(record.place, findings_of(issues, record, show_values))
        else:
            end += 1
    if first < end:
        yield Passed(path, range(first, end))


def _moved(checked: Checked, lines: int) -> Checked:
    """The same so many lines further down."""
    if isinstance(checked, Passed):
        return Passed(checked.path, range(checked.lines.start + lines, checked.lines.stop + lines))
    moved = [replace(each, issue=_moved_issue(each.issue, lines)) for each in checked.findings]
    return Result(_further_down(checked.place, lines), tuple(moved), checked.shown)


def _moved_issue(issue: Issue, lines: int) -> Issue:
    return issue if issue.place is None else replace(issue, place=_further_down(issue.place, lines))


def _further_down(place: Place, lines: int) -> Place:
    return place if place.line is None else replace(place, line=place.line + lines)


def _first(items: Iterator[Item]) -> Iterator[Item]:
    """So many of the items as one process checks alone; the others stay in the iterator."""
    size = count = 0
    for item in items:
        yield item
        size += _size(item)
        count += item.data.count(b"\n") if isinstance(item, Lines) else 1
        if size >= ALONE_BYTES or count >= ALONE_RECORDS:
            return


def _handfuls(items: Iterable[Item]) -> Iterator[list[Item]]:
    """What is to be checked, as much at once as is worth sending to another process."""
    handful: list[Item] = []
    size = 0
    for item in items:
        handful.append(item)
        size += _size(item)
        if isinstance(item, Lines | Portion) or size >= _CHUNK_BYTES or len(handful) >= _CHUNK_RECORDS:
            yield handful
            handful, size = [], 0
    if handful:
        yield handful


def _size(item: Item) -> int:
    if isinstance(item, Portion):
        return item.end - item.start
    return 0 if isinstance(item, Fault) else len(item.data)
