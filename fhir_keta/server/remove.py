"""Takes back what an upload created, by its journal: in reverse, and only what nobody has changed since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from fhir_keta.errors import KetaError, ServerError
from fhir_keta.server import exact_json, message
from fhir_keta.server.client import Client, Interrupted, Refused, Resource, outcome_text
from fhir_keta.server.incoming import strings
from fhir_keta.server.journal import Journal, Sent
from fhir_keta.server.lookup import asked, by_id

_NOT_THERE = (404, 410)

State = Literal["remove", "removed", "gone", "stays", "refused", "not tried", "unknown"]

_CHANGED = "it was changed since: version {found} instead of {expected}"
_UPDATED = "it was there before the upload, which updated it: what it said then is not known here"
_UNTOLD = "the server never said which version it wrote, so that nobody can tell whether it was changed"
_UNSURE = "whether it arrived is not known. Run fhir-keta upload --resume first"


@dataclass(frozen=True, slots=True)
class Removal:
    """One resource that the upload wrote, and what is to become, or became, of it; ``reason`` says why it stays."""

    sent: Sent
    state: State
    reason: str = ""

    @property
    def address(self) -> str:
        """Type and id on the server; its name where no id is known."""
        identity = self.sent.id or self.sent.target
        return f"{self.sent.type}/{identity}" if identity is not None else self.sent.name


@dataclass(frozen=True, slots=True)
class Removals:
    """What became of them all. ``stopped`` is the error that ended it early, if one did."""

    each: tuple[Removal, ...]
    stopped: KetaError | KeyboardInterrupt | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing that the upload created is left."""
        return self.stopped is None and all(removal.state in ("removed", "gone") for removal in self.each)


def plan_removal(journal: Journal, client: Client) -> list[Removal]:
    """What would be taken back, in that order; nothing is written.

    A resource is to be removed when the upload created it, it still has the version it was created with, and nothing
    that stays refers to it. Raises ServerError when the server cannot be asked.
    """
    written = [
        sent
        for sent in reversed(journal.contents.sent.values())
        if sent.status in ("created", "updated", None) and sent.removed != "removed"
    ]
    there = _there(client, written)
    removals = [_planned(sent, there) for sent in written]
    kept: dict[str, set[str]] = {}
    while True:
        for removal in removals:
            if removal.state in ("stays", "unknown") and removal.address not in kept:
                kept[removal.address] = {text for _, text in strings(there.get(removal.address))}
        again = [_held(removal, kept) for removal in removals]
        if again == removals:
            return removals
        removals = again


def remove(
    removals: Sequence[Removal], journal: Journal, client: Client, progress: Callable[[Removal], None] | None = None
) -> Removals:
    """Do it; ``progress`` is called with each that was to be removed. What was sent together goes together.

    An error of the server, or Ctrl-C, stops. Raises nothing of these; see ``Removals``.
    """
    done: list[Removal] = []
    stopped: KetaError | KeyboardInterrupt | None = None
    for _, together in groupby(removals, key=lambda removal: (removal.sent.request, removal.state == "remove")):
        group = list(together)
        if group[0].state == "remove":
            if stopped is None:
                group, stopped = _removed(group, journal, client)
            else:
                group = [replace(removal, state="not tried") for removal in group]
            if progress is not None:
                for removal in group:
                    progress(removal)
        done += group
    return Removals(tuple(done), stopped)


def _there(client: Client, written: Iterable[Sent]) -> dict[str, Resource]:
    """What the server has of these, by type and id."""
    ids: dict[str, list[str]] = defaultdict(list)
    for sent in written:
        identity = sent.id or sent.target
        if identity is not None:
            ids[sent.type].append(identity)
    try:
        return {
            f"{resource['resourceType']}/{resource['id']}": resource
            for resource in asked(client, by_id(client, ids), 1)
        }
    except Refused as error:
        raise ServerError(f"{client.base} refused to be searched: {error} Nothing was removed.") from error


def _planned(sent: Sent, there: Mapping[str, Resource]) -> Removal:
    removal = Removal(sent, "remove")
    if sent.status is None:
        return replace(removal, state="unknown", reason=_UNSURE)
    if sent.status == "updated":
        return replace(removal, state="stays", reason=_UPDATED)
    resource = there.get(removal.address)
    if resource is None:
        return replace(removal, state="gone")
    if sent.version is None:
        return replace(removal, state="stays", reason=_UNTOLD)
    version = str(resource.get("meta", {}).get("versionId"))
    if version != sent.version:
        return replace(removal, state="stays", reason=_CHANGED.format(found=version, expected=sent.version))
    return removal


def _held(removal: Removal, kept: Mapping[str, set[str]]) -> Removal:
    """The same, or staying, when something that stays refers to it."""
    if removal.state == "remove":
        for address, texts in kept.items():
            if removal.address in texts:
                return replace(removal, state="stays", reason=f"{address} refers to it, and stays")
    return removal


def _removed(
    group: Sequence[Removal], journal: Journal, client: Client
) -> tuple[list[Removal], KetaError | KeyboardInterrupt | None]:
    """Look at these again, remove them in one request, and one by one if that is refused."""
    done: dict[str, Removal] = {}
    stopped: KetaError | KeyboardInterrupt | None = None
    lost: State = "not tried"
    try:
        there = _there(client, [removal.sent for removal in group])
        now = [_planned(removal.sent, there) for removal in group]
        done = {removal.sent.name: removal for removal in now if removal.state != "remove"}
        going = [removal for removal in now if removal.state == "remove"]
        if going:
            journal.removing([removal.sent.name for removal in going])
        lost = "unknown"
        for removal in [] if len(going) > 1 and _together(going, journal, client, done) else going:
            _alone(removal, journal, client, done)
    except (KetaError, KeyboardInterrupt) as error:
        stopped = error
        if isinstance(error, KetaError) and not isinstance(error, Interrupted):
            lost = "not tried"
    return [done.get(removal.sent.name, replace(removal, state=lost)) for removal in group], stopped


def _together(going: Sequence[Removal], journal: Journal, client: Client, done: dict[str, Removal]) -> bool:
    """Remove these in one transaction; False when it is refused, and nothing was removed."""
    body = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"request": {"method": "DELETE", "url": removal.address, "ifMatch": f'W/"{removal.sent.version}"'}}
            for removal in going
        ],
    }
    try:
        answered = client.transaction(exact_json.write(body), idempotent=True)
    except Refused:
        return False
    answers = message.answers(answered.entries)
    if len(answers) != len(going):
        raise Interrupted(
            f"{client.base} answered a transaction of {len(going)} entries with {len(answers)}. Ask who runs it."
        )
    for removal, answer in zip(going, answers, strict=True):
        refused = answer.status >= 400 and answer.status not in _NOT_THERE
        done[removal.sent.name] = (
            replace(removal, state="refused", reason=outcome_text(answer.resource))
            if refused
            else replace(removal, state="removed")
        )
    journal.removed([removal.sent.name for removal in going if done[removal.sent.name].state == "removed"])
    return True


def _alone(removal: Removal, journal: Journal, client: Client, done: dict[str, Removal]) -> None:
    kind, _, identity = removal.address.partition("/")
    try:
        client.delete(kind, identity, version=removal.sent.version)
    except Refused as refused:
        done[removal.sent.name] = replace(removal, state="refused", reason=str(refused))
        return
    done[removal.sent.name] = replace(removal, state="removed")
    journal.removed([removal.sent.name])
