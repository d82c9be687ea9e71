"""Goes on with an upload that ended early: what arrived is not sent again, what did not is.

The sources are read and planned anew, which asks the server about each; the journal then says which of them were sent,
and with what in mind. Where it knows the outcome, that stands, whatever has become of the resource since. Where it
does not, the server has been asked: it has what was sent (then it arrived), or still what there was before (then it is
sent), or something else (then it is somebody else's by now, and left as it is).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fhir_keta.errors import UsageError
from fhir_keta.server.journal import Heading, Journal, Sent, Settings, heading_of, named, reopen
from fhir_keta.server.plan import Entry, Plan
from fhir_keta.server.result import Result, Status

_DONE = ("created", "updated", "unchanged")
_LEFT = "it was sent before, and the server has other content now: it is left as it is"


def resume(path: Path, plan: Plan, settings: Settings) -> tuple[Journal, Plan]:
    """The journal, open for more, and what of ``plan`` (made now, of the same sources) is still to be done.

    Raises UsageError, with what was expected and what was found, when the journal belongs to another server, other
    settings or other sources, or was taken back; InputError when it is none.
    """
    journal = reopen(path)
    try:
        _check(journal, plan, settings)
        rest = _over(plan, journal)
        journal.follows(rest)
        _settle(rest, journal)
    except BaseException:
        journal.close()
        raise
    return journal, rest


def as_planned(path: Path, plan: Plan) -> Plan:
    """``plan``, made now, with what the journal knows of as it was planned then: to hold against a saved plan."""
    sent = reopen(path)
    sent.close()
    before = sent.contents.sent
    entries = {id(entry): _before(entry, before[name]) for entry, name in named(plan) if name in before}
    return _with(plan, entries)


def _before(entry: Entry, sent: Sent) -> Entry:
    return replace(
        entry, action="create" if sent.action == "create" else "update", target=sent.target, version=sent.replaced
    )


def _check(journal: Journal, plan: Plan, settings: Settings) -> None:
    expected, found = journal.contents.heading, heading_of(plan, settings)
    for what, before, now in _differing(expected, found):
        raise UsageError(
            f"{journal.path} belongs to another upload: {what}: expected {before}, found {now}. Nothing was sent. "
            "Resume with what it was begun with, or upload without it."
        )
    changed = [
        name
        for entry, name in named(plan)
        if (sent := journal.contents.sent.get(name)) is not None and sent.sha256 != entry.incoming.sha256
    ]
    if expected.sources != found.sources:
        which = f"{changed[0]} has other content than was sent" if changed else "their content or names differ"
        raise UsageError(
            f"{journal.path} belongs to other sources: {which}: expected {_sources(expected)}, "
            f"found {_sources(found)}. Nothing was sent. Resume with the files it was begun with, or upload without it."
        )
    taken_back = next((name for name, sent in journal.contents.sent.items() if sent.removed), None)
    if taken_back is not None:
        raise UsageError(
            f"{journal.path}: {taken_back} was taken back. Finish that with fhir-keta remove, and upload anew."
        )


def _differing(expected: Heading, found: Heading) -> Iterator[tuple[str, object, object]]:
    if expected.server != found.server:
        yield "server", expected.server, found.server
    for name in sorted({*expected.settings, *found.settings}):
        before, now = expected.settings.get(name), found.settings.get(name)
        if before != now:
            yield f"--{name.replace('_', '-')}", before, now


def _sources(heading: Heading) -> str:
    return f"{heading.resources} resources with SHA-256 {heading.sources[:12]}"


def _over(plan: Plan, journal: Journal) -> Plan:
    """The plan with what the journal knows laid over it: "unchanged" is what is done."""
    known = journal.contents.sent
    entries = {id(entry): _still(entry, known[name]) for entry, name in named(plan) if name in known}
    return _with(plan, entries)


def _still(entry: Entry, sent: Sent) -> Entry:
    """What is still to be done of an entry that was announced before."""
    if sent.status in _DONE:
        return replace(entry, action="unchanged", target=sent.id or entry.target, version=sent.version, reason="")
    if sent.status is not None or entry.action not in ("update", "conflict"):
        return entry  # refused, skipped or not tried: planned anew. Asked: it has arrived (unchanged), or not
    if sent.action == "update" and entry.version == sent.replaced and entry.action == "update":
        return entry
    return replace(entry, action="conflict", reason=_LEFT)


def _settle(plan: Plan, journal: Journal) -> None:
    """Write into the journal what has arrived without an answer, with the version that it has now."""
    found = []
    for entry in plan.entries:
        sent = journal.earlier(entry)
        if sent is None or sent.status is not None or entry.action != "unchanged":
            continue
        status: Status = "created" if sent.action == "create" else "updated"
        found.append(Result(entry, status, id=entry.target, version=entry.version))
    journal.outcome(found)


def _with(plan: Plan, entries: dict[int, Entry]) -> Plan:
    if not entries:
        return plan
    groups = (
        replace(group, entries=tuple(entries.get(id(entry), entry) for entry in group.entries)) for group in plan.groups
    )
    return replace(plan, groups=tuple(groups))
