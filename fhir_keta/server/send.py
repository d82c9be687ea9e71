"""Sends one group of a plan, announced in the journal before and accounted for after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fhir_keta.errors import KetaError
from fhir_keta.server import message
from fhir_keta.server.client import Answer, Client, Interrupted, Refused, outcome_text
from fhir_keta.server.incoming import strings
from fhir_keta.server.journal import Journal
from fhir_keta.server.order import names
from fhir_keta.server.plan import Entry, Group
from fhir_keta.server.result import Result, Status

_BUSY = (429, 503)


@dataclass(frozen=True, slots=True)
class Run:
    """What the groups of one upload share; threads add to ``moved`` and ``absent``.

    ``moved`` maps references to what they are on the server, ``absent`` everything by which others may refer to what is
    not on the server to its label.
    """

    client: Client
    journal: Journal | None
    moved: dict[str, str]
    absent: dict[str, str]


@dataclass(slots=True)
class Sending:
    """A group on its way: a result for each entry, by ``id()``, and the error that means to stop, if there was one."""

    group: Group
    results: dict[int, Result]
    error: KetaError | BaseException | None = None

    def in_order(self) -> list[Result]:
        """The results in the order of the group."""
        return [self.results[id(entry)] for entry in self.group.entries]


def unsent(entry: Entry, status: Status, reason: str, journal: Journal | None) -> Result:
    """The result of an entry that is not sent: one that nothing was to be done with keeps its own status."""
    earlier = journal.earlier(entry) if journal is not None else None
    if entry.action == "unchanged":
        if earlier is None or earlier.status not in ("created", "updated"):
            return Result(entry, "unchanged", id=entry.target)
        done: Status = "created" if earlier.status == "created" else "updated"
        return Result(entry, done, id=earlier.id, version=earlier.version)
    own: dict[str, Status] = {"conflict": "conflict", "unsupported": "refused"}
    return Result(entry, own.get(entry.action, status), message=entry.reason if entry.action in own else reason)


def send(group: Group, run: Run) -> Sending:
    """Send what is to be written of the group. Raises nothing; see ``Sending``."""
    sending = Sending(group, {})
    writes = [entry for entry in group.entries if entry.action in ("create", "update")]
    together = group.transaction and not group.splittable
    hindered = next((each for each in group.entries if each.action in ("conflict", "unsupported")), None)
    reason = f"its transaction holds {hindered.incoming.label}, which is not written" if hindered and together else ""
    idle = group.entries if reason else [each for each in group.entries if each.action not in ("create", "update")]
    _account([unsent(entry, "skipped", reason, run.journal) for entry in idle], sending, run, announced=False)
    try:
        _send_all([] if reason else writes, sending, run, together)
    except BaseException as error:  # the thread ends here, whatever it was; who started it decides
        sending.error = error
        lost: Status = "not tried" if isinstance(error, KetaError) and not isinstance(error, Interrupted) else "unknown"
        for entry in writes:
            sending.results.setdefault(id(entry), unsent(entry, lost, "", run.journal))
    return sending


def _send_all(writes: Sequence[Entry], sending: Sending, run: Run, together: bool) -> None:
    writes = _without_absent(writes, sending, run, together)
    while writes:
        if not sending.group.transaction:
            _send_single(writes[0], sending.group.data, sending, run)
            return
        try:
            again = _send_transaction(writes, sending, run)
        except Refused as refused:
            if sending.group.splittable and len(writes) > 1:
                _send_singly(writes, sending, run)
                return
            _account([_refusal(entry, refused) for entry in writes], sending, run)
            return
        writes = again


def _without_absent(writes: Sequence[Entry], sending: Sending, run: Run, together: bool) -> list[Entry]:
    """The entries of which all that they refer to is on the server; the others are skipped, and what refers to them."""
    kept = []
    for entry in writes:
        lacking = _lacking(entry, run.absent)
        if lacking is None:
            kept.append(entry)
        else:
            _account([unsent(entry, "skipped", _needs(lacking), None)], sending, run, announced=False)
            if together:
                rest = [each for each in writes if id(each) not in sending.results]
                _account(
                    [unsent(each, "skipped", _needs(lacking), None) for each in rest], sending, run, announced=False
                )
                return []
    return kept if len(kept) == len(writes) else _without_absent(kept, sending, run, together)


def _lacking(entry: Entry, absent: Mapping[str, str]) -> str | None:
    if not absent:
        return None
    own = set(names([entry.incoming]))
    return next(
        (absent[text] for _, text in strings(entry.incoming.resource) if text in absent and text not in own), None
    )


def _needs(label: str) -> str:
    return f"needs {label}, which is not on the server"


def _send_singly(writes: Sequence[Entry], sending: Sending, run: Run) -> None:
    """One by one, in an order in which each comes after what it needs: the server says which it refuses, and why."""
    for entry in writes:
        lacking = _lacking(entry, run.absent)
        if lacking is not None:
            _account([unsent(entry, "skipped", _needs(lacking), None)], sending, run)
        else:
            _send_single(entry, entry.incoming.data, sending, run)


def _send_single(entry: Entry, data: bytes | None, sending: Sending, run: Run) -> None:
    if run.journal is not None:
        run.journal.intend([entry])
    body = message.single(entry, data, run.moved)
    kind = entry.incoming.type
    try:
        if entry.target is None:
            answer = run.client.create(kind, body, unless=entry.unless)
        else:
            answer = run.client.update(kind, entry.target, body, version=entry.version)
    except Refused as refused:
        _account([_refusal(entry, refused)], sending, run)
        return
    method = "POST" if entry.target is None else "PUT"
    _account([replace(_written(entry, answer), method=method)], sending, run)
    run.moved.update(message.learnt(entry, answer))


def _send_transaction(writes: Sequence[Entry], sending: Sending, run: Run) -> list[Entry]:
    """Send the entries; those the server is too busy for, after the wait it asked for. Raises Refused: none is kept."""
    if run.journal is not None:
        run.journal.intend(writes)
    body = message.bundle(sending.group, writes, run.moved)
    answered = run.client.transaction(body)
    answers = message.answers(answered.entries)
    if len(answers) != len(writes):
        raise Interrupted(
            f"{run.client.base} answered a transaction of {len(writes)} entries with {len(answers)}. Ask who runs it."
        )
    results, again = [], []
    for entry, answer in zip(writes, answers, strict=True):
        if answer.status in _BUSY:
            again.append(entry)
        elif answer.status >= 400:
            results.append(Result(entry, "refused", answer.status, outcome_text(answer.resource)))
        else:
            results.append(_written(entry, answer))
            run.moved.update(message.learnt(entry, answer))
    _account(results, sending, run)
    return again


def _refusal(entry: Entry, refused: Refused) -> Result:
    return Result(entry, "refused", refused.status, str(refused))


def _written(entry: Entry, answer: Answer) -> Result:
    """What a write came to. Not every server answers 201 to a PUT that creates; the version tells then."""
    status: Status = "updated"
    if entry.action == "create":
        found = answer.status == 200 and entry.target is None
        replaced = answer.version is not None and answer.version.isdigit() and answer.version != "1"
        if answer.status == 201 or not (found or replaced):
            status = "created"
        elif entry.incoming.method == "POST" or entry.unless is not None:
            status = "unchanged"  # a conditional create that found its resource
    elif answer.version is not None and answer.version == entry.version:
        status = "unchanged"
    return Result(entry, status, answer.status, id=entry.target or answer.id, version=answer.version)


def _account(results: Sequence[Result], sending: Sending, run: Run, *, announced: bool = True) -> None:
    """Settle these entries: in the journal, among the results, and for what refers to them."""
    for result in results:
        sending.results[id(result.entry)] = result
        if result.status in ("refused", "skipped"):
            run.absent.update(dict.fromkeys(names([result.entry.incoming]), result.entry.incoming.label))
    if announced and run.journal is not None:
        run.journal.outcome(results)
