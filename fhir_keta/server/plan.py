"""What an upload would do: each resource compared with what the server has. Nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from fhir_keta.errors import InputError, ServerError, UsageError
from fhir_keta.records.source import Record
from fhir_keta.server.batches import batches
from fhir_keta.server.capability import Capability, preflight
from fhir_keta.server.client import Client, Refused, Resource
from fhir_keta.server.entry import Action as Action
from fhir_keta.server.entry import Entry as Entry
from fhir_keta.server.entry import entry_of
from fhir_keta.server.identity import Identity, identities, with_identity
from fhir_keta.server.incoming import Incoming, parcels, with_references
from fhir_keta.server.order import in_dependency_order
from fhir_keta.server.outside import Outside, outside
from fhir_keta.server.present import Present, present

Ids = Literal["own", "server"]


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that are sent in one request. ``needs``: the indexes, in the plan, of the groups that must go first.

    ``data`` are the bytes of a transaction as read. ``splittable`` tells one that was made only to save requests: when
    it is refused, its entries may go one by one.
    """

    entries: tuple[Entry, ...]
    needs: frozenset[int]
    transaction: bool = False
    data: bytes | None = None
    splittable: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``apply`` does, in this order.

    ``moved`` maps references (``Patient/a``) to what they are on a server that gave them other ids, as far as known.
    """

    server: str
    software: str
    groups: tuple[Group, ...]
    moved: Mapping[str, str] = field(default_factory=dict)

    @property
    def entries(self) -> list[Entry]:
        return [entry for group in self.groups for entry in group.entries]

    def counts(self) -> Counter[str]:
        """How many entries there are of each action."""
        return Counter(entry.action for entry in self.entries)

    @property
    def hindered(self) -> bool:
        """Whether something in it cannot be written."""
        return any(entry.action in ("conflict", "unsupported") for entry in self.entries)


def plan(
    sources: Iterable[Resource | Record],
    client: Client,
    *,
    overwrite: bool = False,
    batch_size: int = 1,
    ids: Ids | None = None,
    source: str | None = None,
    workers: int = 1,
) -> Plan:
    """Compare what is to be uploaded with what the server has.

    A definition that the server has under the same url and version is unchanged, or a conflict when its content
    differs; ``overwrite`` makes an update of a conflict. Another version of it stays, and ours is created beside it.
    A record is updated by its id. On a server that gives its own ids (``ids`` "server"; None: as it says itself) it is
    found by its identifier, or, with ``source``, by a tag made of that name and its id. Entries of a transaction are
    planned one by one and sent together; other records go ``batch_size`` to a transaction. At most ``workers`` searches
    are on their way at a time.
    Raises InputError for sources that cannot be uploaded, UsageError for a ``source`` that is of no use, ServerError
    when the server cannot be used.
    """
    ordered = in_dependency_order(parcels(sources))
    capability = preflight(client).with_ids(ids)
    items = [item for each in ordered for item in each.parcel.items if capability.stores(item.type)]
    named = _identities(items, capability, source)
    there, elsewhere = _asked(client, items, named, capability, source, workers)
    moved = {**there.moved(items), **elsewhere.moved}
    groups = []
    for each in ordered:
        tagged = tuple(_tagged(item, named) for item in each.parcel.items)
        within = there.moved_within(tagged)
        leading = {**moved, **within} if within else moved
        compared = [entry_of(_following(item, leading), there, capability, overwrite=overwrite) for item in tagged]
        # references are replaced once, when they are sent: what they become may be the name of another in the source
        own = [replace(entry, incoming=item) for entry, item in zip(compared, tagged, strict=True)]
        entries = tuple(_leading(entry, elsewhere) for entry in own)
        moved.update(_moved(entries))
        data = each.parcel.data if tagged == each.parcel.items else None
        groups.append(Group(entries, each.needs, each.parcel.transaction, data))
    _check_each_once(groups)
    if not capability.transactions:
        groups = [_without_transactions(group) for group in groups]
    elif batch_size > 1:
        groups = _batched(groups, batch_size)
    return Plan(client.base, capability.software, tuple(groups), moved)


def _identities(items: Iterable[Incoming], capability: Capability, source: str | None) -> dict[str, Identity]:
    """How records are found that get their ids from the server. A Binary cannot be: there is no search for it."""
    nameless = [
        item
        for item in items
        if item.canonical is None and item.id and item.type != "Binary" and not capability.takes_ids(item.type)
    ]
    if source is not None and not nameless:
        raise UsageError(
            "--source is of use where the server gives its own ids, and here none of the records needs it."
        )
    return identities(nameless, source)


def _asked(
    client: Client,
    items: Sequence[Incoming],
    named: Mapping[str, Identity],
    capability: Capability,
    source: str | None,
    workers: int,
) -> tuple[Present, Outside]:
    try:
        there = present(client, items, named, workers)
        return there, outside(client, items, there, capability.takes_ids, source, workers)
    except Refused as error:
        raise ServerError(f"{client.base} refused to be searched: {error} Nothing was written.") from error


def _leading(entry: Entry, elsewhere: Outside) -> Entry:
    """The entry, not to be written when something in it refers to what nobody knows on the server."""
    lost = elsewhere.lacking(entry.incoming) if entry.action in ("create", "update") else None
    if lost is None:
        return entry
    reason = f"it refers to {lost}, which is not in this upload, and not on the server from the same source"
    return replace(entry, action="unsupported", reason=reason)


def _moved(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """References to definitions that the server has, or gets, under another id than ours."""
    for entry in entries:
        item = entry.incoming
        if item.is_definition and item.id is not None and entry.target not in (None, item.id):
            yield f"{item.type}/{item.id}", f"{item.type}/{entry.target}"


def _tagged(item: Incoming, named: Mapping[str, Identity]) -> Incoming:
    return with_identity(item, named[item.label]) if item.label in named else item


def _following(item: Incoming, leading: Mapping[str, str]) -> Incoming:
    """The resource as the server is to have it: its references lead where the others went."""
    if not leading or not any(text in leading for text in item.mentions):
        return item
    return item.with_resource(with_references(item.resource, leading.get))


def _check_each_once(groups: Sequence[Group]) -> None:
    """No two writes of one resource: in a transaction one is dropped without a word, else the second undoes the first.

    Only conditional creates may name the same one, in different transactions: the second finds what the first made.
    """
    first: dict[tuple[str, str], tuple[int, Entry]] = {}
    for index, group in enumerate(groups):
        for entry in group.entries:
            if entry.action not in ("create", "update"):
                continue
            item = entry.incoming
            key = (item.type, entry.target or f"?{entry.unless or item.condition}")
            place, other = first.setdefault(key, (index, entry))
            if other is not entry and (place == index or entry.unless is None):
                raise InputError(
                    f"{other.incoming.label} and {item.label} are one and the same {item.type} on the server. "
                    "Keep one of the two."
                )


def _without_transactions(group: Group) -> Group:
    if not group.transaction:
        return group
    reason = "it goes in a transaction, and the server takes none"
    return replace(
        group,
        entries=tuple(
            replace(entry, action="unsupported", reason=reason) if entry.action in ("create", "update") else entry
            for entry in group.entries
        ),
    )


def _batched(groups: Sequence[Group], size: int) -> list[Group]:
    """The records that are to be written, so many to a transaction; a server may refuse it, then they go singly."""
    joined = []
    found = batches(
        [group.needs for group in groups],
        [int(not all(entry.incoming.is_definition for entry in group.entries)) for group in groups],
        [_can_join(group) for group in groups],
        size,
    )
    for batch in found:
        members = [groups[place] for place in batch.members]
        if len(members) == 1:
            joined.append(replace(members[0], needs=batch.needs))
        else:
            entries = tuple(entry for group in members for entry in group.entries)
            joined.append(Group(entries, batch.needs, transaction=True, splittable=True))
    return joined


def _can_join(group: Group) -> bool:
    entry = group.entries[0]
    return not group.transaction and not entry.incoming.is_definition and entry.action in ("create", "update")
