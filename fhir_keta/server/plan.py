"""What an upload would do: each resource compared with what the server has. Nothing is written here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qsl

from fhir_keta.errors import ServerError
from fhir_keta.records.source import Record
from fhir_keta.server.capability import Capability, preflight
from fhir_keta.server.client import Client, Refused, Resource
from fhir_keta.server.comparison import Difference, differences
from fhir_keta.server.incoming import Incoming, Parcel, parcels, with_references
from fhir_keta.server.lookup import by_id, having
from fhir_keta.server.order import in_dependency_order

Action = Literal["create", "update", "unchanged", "conflict", "unsupported"]

_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of the plan.

    ``target`` is the id it is put to; None leaves the id to the server, which creates it only if the search ``unless``
    finds nothing. ``version`` is the server's version that it was compared with, ``differences`` say where, ``reason``
    says so in a few words, or what stands in the way. ``others`` names the server's other versions of the canonical.
    """

    incoming: Incoming
    action: Action
    target: str | None = None
    version: str | None = None
    reason: str = ""
    unless: str | None = None
    differences: tuple[Difference, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that are sent in one request. ``needs``: the indexes, in the plan, of the groups that must go first.

    ``data`` are the bytes as read, of the resource or of the transaction. ``splittable`` tells a transaction that was
    made only to save requests: when it is refused, its entries may go one by one.
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


def plan(sources: Iterable[Resource | Record], client: Client, *, overwrite: bool = False) -> Plan:
    """Compare what is to be uploaded with what the server has.

    A definition that the server has under the same url and version is unchanged, or a conflict when its content
    differs; ``overwrite`` makes an update of a conflict. Another version of it stays, and ours is created beside it.
    A record is updated by its id. Entries of a transaction are planned one by one and sent together.
    Raises InputError for sources that cannot be uploaded, ServerError when the server cannot be used.
    """
    ordered = in_dependency_order(parcels(sources))
    capability = preflight(client)
    items = [item for each in ordered for item in each.parcel.items if capability.stores(item.type)]
    try:
        there = _There.look_up(client, items)
    except Refused as error:
        raise ServerError(f"{client.base} refused to be searched: {error} Nothing was written.") from error
    groups = []
    moved: dict[str, str] = {}
    for each in ordered:
        following = tuple(_following(item, moved, there.named(each.parcel)) for item in each.parcel.items)
        entries = tuple(_entry(item, there, capability, overwrite) for item in following)
        moved.update(_moved(entries))
        data = _as_read(each.parcel) if following == each.parcel.items else None
        groups.append(Group(entries, each.needs, each.parcel.transaction, data))
    return Plan(client.base, capability.software, tuple(groups))


def _moved(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """References to definitions that the server has, or gets, under another id than ours."""
    for entry in entries:
        item = entry.incoming
        if item.is_definition and item.id is not None and entry.target not in (None, item.id):
            yield f"{item.type}/{item.id}", f"{item.type}/{entry.target}"


def _following(item: Incoming, moved: Mapping[str, str], named: Mapping[str, str]) -> Incoming:
    """The resource with its references leading where the others are: by id, as an ImplementationGuide does (``moved``),
    or by an address that is good within its Bundle only (``named``)."""
    leading = {**moved, **named} if item.is_definition else named
    if not leading:
        return item
    resource = with_references(item.resource, leading.get)
    return item if resource == item.resource else item.with_resource(resource)


@dataclass(slots=True)
class _There:
    """What the server has of the resources to be uploaded."""

    base: str
    by_url: dict[tuple[str, str], list[Resource]]
    by_id: dict[tuple[str, str], Resource]
    by_condition: dict[tuple[str, str], list[Resource]]

    def named(self, parcel: Parcel) -> dict[str, str]:
        """What the addresses of a Bundle's conditional entries stand for, where the server has their resource."""
        found = ((item, self.by_condition.get((item.type, str(item.condition)), [])) for item in parcel.items)
        return {
            item.full_url: f"{item.type}/{matches[0]['id']}"
            for item, matches in found
            if item.full_url is not None and item.condition is not None and len(matches) == 1
        }

    @classmethod
    def look_up(cls, client: Client, items: Iterable[Incoming]) -> _There:
        urls: dict[str, list[str]] = defaultdict(list)
        ids: dict[str, list[str]] = defaultdict(list)
        there = cls(client.base, defaultdict(list), {}, {})
        for item in items:
            if item.condition is not None:
                found = client.search(item.type, parse_qsl(item.condition, keep_blank_values=True))
                there.by_condition[item.type, item.condition] = list(found)
            if item.is_definition:
                urls[item.type].append(item.resource["url"])
            if item.id is not None:
                ids[item.type].append(item.id)
        for kind in urls:
            for resource in having(client, kind, "url", urls[kind]):
                there.by_url[kind, resource["url"]].append(resource)
        for kind in ids:
            for identity, resource in by_id(client, kind, ids[kind]).items():
                there.by_id[kind, identity] = resource
        return there


def _entry(item: Incoming, there: _There, capability: Capability, overwrite: bool) -> Entry:
    if not capability.stores(item.type):
        return Entry(item, "unsupported", reason=f"the server does not store resources of type {item.type}")
    if item.condition is not None:
        return _conditional(item, there)
    if item.is_definition:
        return _definition(item, there, overwrite)
    return _compared(item, there.by_id.get((item.type, str(item.id))), there)


def _definition(item: Incoming, there: _There, overwrite: bool) -> Entry:
    known = there.by_url[item.type, item.resource["url"]]
    same = [resource for resource in known if resource.get("version") == item.resource.get("version")]
    others = tuple(sorted(_named(resource) for resource in known if resource not in same))
    compared = [_compared(item, resource, there) for resource in same]
    if compared:
        entry = min(compared, key=lambda each: (each.action != "unchanged", each.target != item.id))
        if entry.action == "unchanged":
            return replace(entry, others=others)
        reason = f"the server has {item.canonical} with other content: {entry.reason}"
        return replace(entry, action="update" if overwrite else "conflict", reason=reason, others=others)
    target = _free_id(item, there)
    beside = target != item.id and item.id is not None
    reason = f"{item.type}/{item.id} is another one: put beside it" if beside else ""
    unless = item.canonical_search if target is None else None
    return Entry(item, "create", target, reason=reason, unless=unless, others=others)


def _named(resource: Resource) -> str:
    version = resource.get("version")
    return f"{resource['url']}{f'|{version}' if version else ''} ({resource['resourceType']}/{resource['id']})"


def _free_id(item: Incoming, there: _There) -> str | None:
    """An id that holds nothing else there: our own, or ours with the version behind it, or None: the server chooses."""
    candidates = [item.id, f"{item.id}-{item.resource.get('version')}"] if item.id is not None else []
    for candidate in candidates:
        if candidate is not None and len(candidate) <= _LONGEST_ID and (item.type, candidate) not in there.by_id:
            there.by_id[item.type, candidate] = item.resource
            return candidate
    return None


def _conditional(item: Incoming, there: _There) -> Entry:
    matches = there.by_condition[item.type, str(item.condition)]
    if not matches:
        return Entry(item, "create", unless=item.condition if item.method == "POST" else None)
    if len(matches) > 1:
        return Entry(item, "conflict", reason=f"{len(matches)} resources on the server match its condition")
    if item.method == "POST":
        return Entry(item, "unchanged", matches[0]["id"], _version(matches[0]))
    return _compared(item, matches[0], there)


def _compared(item: Incoming, resource: Resource | None, there: _There) -> Entry:
    if resource is None:
        return Entry(item, "create", item.id)
    ours = item.resource if item.condition is None else {**item.resource, "id": resource["id"]}
    found = differences(ours, resource, base=there.base, by_canonical=item.is_definition)
    if not found:
        return Entry(item, "unchanged", resource["id"], _version(resource))
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    reason = f"{found[0]}{more}"
    return Entry(item, "update", resource["id"], _version(resource), reason, differences=tuple(found))


def _version(resource: Resource) -> str | None:
    version = resource.get("meta", {}).get("versionId")
    return str(version) if version is not None else None


def _as_read(parcel: Parcel) -> bytes | None:
    return parcel.data if parcel.transaction else parcel.items[0].data
