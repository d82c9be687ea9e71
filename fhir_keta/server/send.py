"""Sends one group of a plan, announced in the journal before and accounted for after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic

from fhir_keta.errors import KetaError
from fhir_keta.server import exact_json, message
from fhir_keta.server.client import Answer, Client, Interrupted, Refused, Unavailable, outcome_text
from fhir_keta.server.comparison import differences
from fhir_keta.server.journal import Journal
from fhir_keta.server.kept import kept
from fhir_keta.server.lookup import asked, having
from fhir_keta.server.order import names
from fhir_keta.server.plan import Entry, Group
from fhir_keta.server.result import Result, Status
from fhir_keta.server.retry import NOT_CARRIED_OUT


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
    """A group on its way: a result for each entry, by ``id()``, and the error that means to stop, if there was one.

    ``announced`` are the entries that were sent for the first time.
    """

    group: Group
    results: dict[int, Result]
    error: KetaError | BaseException | None = None
    announced: set[int] = field(default_factory=set)

    def in_order(self) -> list[Result]:
        """The results in the order of the group."""
        return [self.results[id(entry)] for entry in self.group.entries]


def unsent(entry: Entry, status: Status, reason: str, journal: Journal | None) -> Result:
    """The result of an entry that is not sent: one that nothing was to be done with keeps its own status."""
    earlier = journal.earlier(entry) if journal is not None else None
    if entry.action == "unchanged":
        done: dict[str | None, Status] = {"created": "created", "updated": "updated", "unchanged": "unchanged"}
        if earlier is None or earlier.status not in done:
            return Result(entry, "unchanged", id=entry.target)
        return Result(entry, done[earlier.status], id=earlier.id, version=earlier.version, earlier=earlier.action)
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
        rest = [unsent(entry, lost, "", run.journal) for entry in writes if id(entry) not in sending.results]
        sending.results |= {id(result.entry): result for result in rest}
        if lost == "not tried" and run.journal is not None:
            with suppress(KetaError):  # it may be the journal that failed; then the server is asked
                run.journal.outcome([each for each in rest if id(each.entry) in sending.announced])
    return sending


def _send_all(writes: Sequence[Entry], sending: Sending, run: Run, together: bool) -> None:
    writes = _without_absent(writes, sending, run, together)
    if not writes:
        return
    if sending.group.transaction:
        _send_transaction(writes, sending, run)
    else:
        _send_single(writes[0], sending, run)


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
    return next((absent[text] for text in entry.incoming.mentions if text in absent and text not in own), None)


def _needs(label: str) -> str:
    return f"needs {label}, which is not on the server"


def _send_singly(writes: Sequence[Entry], sending: Sending, run: Run) -> None:
    """One by one, in an order in which each comes after what it needs: the server says which it refuses, and why."""
    for entry in writes:
        lacking = _lacking(entry, run.absent)
        if lacking is not None:
            _account([unsent(entry, "skipped", _needs(lacking), None)], sending, run)
        else:
            _send_single(entry, sending, run, again=True)


def _send_single(entry: Entry, sending: Sending, run: Run, *, again: bool = False) -> None:
    """``again``: it was in a transaction that was refused, and a search may not have found yet what was kept of it."""
    repeated = _announce([entry], sending, run)
    body = message.single(entry, run.moved)
    kind = entry.incoming.type
    request = _Request("POST" if entry.target is None else "PUT", run, kind, entry.target)
    try:
        if entry.target is None:
            answer = run.client.create(kind, body, unless=entry.unless)
            if answer.status == 200 and entry.incoming.is_definition and not _is_there(entry, run):
                answer = run.client.create(kind, body)
        else:
            answer = run.client.update(kind, entry.target, body, version=entry.version)
    except Refused as refused:
        _account([request.told(_refusal(entry, refused, run, again or id(entry) in repeated))], sending, run)
        return
    run.moved.update(message.learnt(entry, answer))
    _account([request.told(_written(entry, answer, answer.repeated or id(entry) in repeated))], sending, run)


def _is_there(entry: Entry, run: Run) -> bool:
    """Whether a definition that the server took for one it has is there indeed.

    Medplum's store in memory finds a url by its beginning, and so takes one definition for another.
    """
    item = entry.incoming
    found = asked(run.client, having(run.client, item.type, "url", [str(item.url)]), 1)
    return any((each.get("url"), each.get("version")) == (item.url, item.version) for each in found)


def _send_transaction(writes: Sequence[Entry], sending: Sending, run: Run) -> None:
    """Send the entries; those the server is too busy for again, as long as ``Retry`` allows.

    Raises Refused, Interrupted, and Unavailable for entries that the server was too busy for to the end.
    """
    tries = run.client.retry.tries()
    arrived: dict[str, str] = {}
    while writes:
        repeated = _announce(writes, sending, run)
        body = message.bundle(sending.group, writes, {**run.moved, **arrived})
        request = _Request("POST", run)
        conditional = any(entry.target is None for entry in writes)
        try:
            answered = run.client.transaction(body, idempotent=True, conditional=conditional)
        except Refused as refused:
            split = sending.group.splittable and len(writes) > 1
            found = _kept(writes, run, {**run.moved, **arrived}, surely=not split)
            _account([request.told(result) for result in found], sending, run)
            writes = [entry for entry in writes if id(entry) not in sending.results]
            if split:
                _send_singly(writes, sending, run)
            else:
                _account(
                    [request.told(_refusal(entry, refused, run, id(entry) in repeated)) for entry in writes],
                    sending,
                    run,
                )
            return
        answers = message.answers(answered.entries)
        if len(answers) != len(writes):
            raise Interrupted(
                f"{run.client.base} answered a transaction of {len(writes)} entries with {len(answers)}. "
                "Ask who runs it."
            )
        results = []
        for entry, answer in zip(writes, answers, strict=True):
            if answer.status in NOT_CARRIED_OUT:
                continue
            if answer.status >= 400:
                results.append(Result(entry, "refused", answer.status, outcome_text(answer.resource)))
                continue
            run.moved.update(message.learnt(entry, answer))
            result = _written(entry, answer, answered.repeated or id(entry) in repeated)
            results.append(result)
            if entry.incoming.full_url is not None and result.id is not None:
                arrived[entry.incoming.full_url] = f"{entry.incoming.type}/{result.id}"
        _account([request.told(result) for result in results], sending, run)
        writes = [entry for entry in writes if id(entry) not in sending.results]
        if writes and not tries.again(answered.retry_after):
            raise Unavailable(
                f"{run.client.base} was too busy for {len(writes)} entries of a transaction (HTTP 429 or 503). "
                "Try again later."
            )


def _kept(writes: Sequence[Entry], run: Run, moved: Mapping[str, str], *, surely: bool) -> list[Result]:
    results = kept(writes, run.client, moved, surely=surely)
    for result in results:
        run.moved.update(message.learnt(result.entry, Answer(200, None, result.version, result.id)))
    return results


class _Request:
    """One request, for what its results tell of it; the time runs from here, over all tries."""

    def __init__(self, method: str, run: Run, *path: str | None) -> None:
        self._method = method
        self._url = "/".join([run.client.base, *filter(None, path)])
        self._started = monotonic()

    def told(self, result: Result) -> Result:
        milliseconds = round((monotonic() - self._started) * 1000, 1)
        return replace(result, method=self._method, url=self._url, milliseconds=milliseconds)


def _announce(writes: Sequence[Entry], sending: Sending, run: Run) -> set[int]:
    """Write the intent down; gives the entries, by ``id()``, that were sent before, with an outcome nobody knows."""
    if run.journal is None:
        return set()
    sent = [(entry, run.journal.earlier(entry)) for entry in writes]
    repeated = {id(entry) for entry, earlier in sent if earlier is not None and earlier.status is None}
    run.journal.intend(writes)
    sending.announced |= {id(entry) for entry in writes} - repeated
    return repeated - sending.announced


def _refusal(entry: Entry, refused: Refused, run: Run, repeated: bool) -> Result:
    """What a refusal means: of something sent twice, also that the first one was on its way still when asked for."""
    item = entry.incoming
    if (refused.repeated or repeated) and entry.target is not None:
        there = run.client.read(item.type, entry.target)
        wanted = exact_json.parse(message.single(entry, run.moved))
        if there is not None and not differences(wanted, there, base=run.client.base, by_canonical=item.is_definition):
            status: Status = "created" if entry.action == "create" else "updated"
            return Result(entry, status, id=entry.target, version=there.get("meta", {}).get("versionId"))
    return Result(entry, "refused", refused.status, str(refused))


def _written(entry: Entry, answer: Answer, repeated: bool) -> Result:
    """What a write came to. Not every server answers 201 to a PUT that creates; the version tells then.

    ``repeated``: it had been sent before, so that a conditional create may have found what it made itself.
    """
    status: Status = "updated"
    if entry.action == "create":
        conditional = entry.target is None and (entry.incoming.method == "POST" or entry.unless is not None)
        replaced = answer.version is not None and answer.version.isdigit() and answer.version != "1"
        if answer.status == 201 or repeated or not (replaced or conditional):
            status = "created"
        elif conditional:
            status = "unchanged"
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
