"""Carries a plan out, no more and no less, and says what became of each resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fhir_keta.errors import ServerError
from fhir_keta.server import message
from fhir_keta.server.client import Answer, Client, Interrupted, Refused
from fhir_keta.server.plan import Entry, Group, Plan

Status = Literal["created", "updated", "unchanged", "conflict", "refused", "skipped", "not tried", "unknown"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an entry; ``http_status`` is None where nothing was sent, ``message`` says why not written."""

    entry: Entry
    status: Status
    http_status: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a plan, in its order. ``stopped`` is the error that ended it early, if one did."""

    results: tuple[Result, ...]
    stopped: ServerError | KeyboardInterrupt | None = None

    def counts(self) -> Counter[str]:
        """How many results there are of each status."""
        return Counter(result.status for result in self.results)

    @property
    def complete(self) -> bool:
        """Whether the server now has everything as planned."""
        return self.stopped is None and not self.counts().keys() - {"created", "updated", "unchanged"}


def apply(plan: Plan, client: Client, progress: Callable[[Result], None] | None = None) -> Report:
    """Send what the plan says is to be written, in its order, and call ``progress`` with each result.

    A refused resource does not stop the others, except those that refer to it: they are skipped. An error of the server
    or the way to it, or Ctrl-C, stops: what follows was not tried. Raises nothing of these; see ``Report``.
    """
    results: list[Result] = []
    missing: dict[int, str] = {}
    stopped: ServerError | KeyboardInterrupt | None = None
    for index, group in enumerate(plan.groups):
        lacking = [missing[needed] for needed in sorted(group.needs) if needed in missing]
        if stopped is not None:
            done = [Result(entry, _unsent(entry, "not tried"), message=entry.reason) for entry in group.entries]
        elif lacking:
            reason = f"needs {lacking[0]}, which is not on the server"
            done = [Result(entry, _unsent(entry, "skipped"), message=entry.reason or reason) for entry in group.entries]
        else:
            try:
                done = list(_sent(group, client))
            except (ServerError, KeyboardInterrupt) as error:
                stopped = error
                state: Status = "unknown" if isinstance(error, Interrupted | KeyboardInterrupt) else "not tried"
                done = [Result(entry, _unsent(entry, state)) for entry in group.entries]
        for result in done:
            if result.status in ("refused", "skipped"):
                missing[index] = result.entry.incoming.label
            results.append(result)
            if progress is not None:
                progress(result)
    return Report(tuple(results), stopped)


def _unsent(entry: Entry, status: Status) -> Status:
    """The status of an entry whose group was not sent: one that nothing was to be done with keeps its own."""
    if entry.action == "unchanged":
        return "unchanged"
    if entry.action == "conflict":
        return "conflict"
    return "refused" if entry.action == "unsupported" else status


def _sent(group: Group, client: Client) -> Iterator[Result]:
    writes = [entry for entry in group.entries if entry.action in ("create", "update")]
    hindered = next((each for each in group.entries if each.action in ("conflict", "unsupported")), None)
    if not writes or (group.transaction and hindered is not None):
        reason = f"its transaction holds {hindered.incoming.label}, which is not written" if hindered else ""
        for entry in group.entries:
            yield Result(entry, _unsent(entry, "skipped"), message=entry.reason or reason)
        return
    try:
        answers = _transaction(group, writes, client) if group.transaction else [_single(writes[0], group.data, client)]
    except Refused as error:
        for entry in group.entries:
            written = entry.action in ("create", "update")
            yield Result(entry, "refused" if written else "unchanged", error.status, str(error) if written else "")
        return
    answered = dict(zip(map(id, writes), answers, strict=True))
    for entry in group.entries:
        answer = answered.get(id(entry))
        yield _written(entry, answer) if answer is not None else Result(entry, "unchanged")


def _written(entry: Entry, answer: Answer) -> Result:
    if entry.action == "create" and answer.status == 201:
        return Result(entry, "created", answer.status)
    if entry.action == "create" and (entry.target is None and entry.incoming.method == "POST"):
        return Result(entry, "unchanged", answer.status)  # a conditional create that found its resource
    kept = answer.version is not None and answer.version == entry.version
    return Result(entry, "unchanged" if kept else "updated", answer.status)


def _single(entry: Entry, data: bytes | None, client: Client) -> Answer:
    body = message.single(entry, data, {})
    if entry.target is None:
        return client.create(entry.incoming.type, body, unless=entry.unless)
    return client.update(entry.incoming.type, entry.target, body, version=entry.version)


def _transaction(group: Group, writes: Sequence[Entry], client: Client) -> list[Answer]:
    answers = message.answers(client.transaction(message.bundle(group, writes, {})).entries)
    if len(answers) != len(writes):
        raise Interrupted(
            f"{client.base} answered a transaction of {len(writes)} entries with {len(answers)}. Ask who runs it."
        )
    return answers
