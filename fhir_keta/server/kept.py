"""What of a refused transaction is on the server all the same: not every server takes back what it had begun."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

from fhir_keta.errors import KetaError
from fhir_keta.server import exact_json, message
from fhir_keta.server.client import Client, Interrupted, Resource
from fhir_keta.server.comparison import differences
from fhir_keta.server.lookup import address_of, asked, by_id, reads
from fhir_keta.server.plan import Entry
from fhir_keta.server.result import Result, Status

_KEPT = "its transaction was refused, and yet the server kept it"


def kept(writes: Sequence[Entry], client: Client, moved: Mapping[str, str], *, surely: bool) -> list[Result]:
    """Results for those of the entries that the server has now as they were to be, and had not when it was planned.

    ``moved`` are the references that are others on the server. ``surely``: what a search does not find is read, for a
    search may lag; not needed for what is sent again. Raises Interrupted when it cannot be asked: then nobody
    knows what became of any of them.
    """
    try:
        there = _there(writes, client, surely)
    except KetaError as error:
        raise Interrupted(f"{error} Before, a transaction was refused. Run again: what arrived is found.") from error
    addresses = {
        name: f"{entry.incoming.type}/{there[id(entry)]['id']}"
        for entry in writes
        if id(entry) in there
        for name in (entry.incoming.full_url, entry.incoming.id and f"{entry.incoming.type}/{entry.incoming.id}")
        if name is not None
    }
    found = []
    for entry in writes:
        stored = there.get(id(entry))
        if stored is not None and _has_become(entry, stored, client.base, {**moved, **addresses}):
            status: Status = "created" if entry.action == "create" else "updated"
            version = stored.get("meta", {}).get("versionId")
            found.append(Result(entry, status, message=_KEPT, id=stored["id"], version=version))
    return found


def _there(writes: Iterable[Entry], client: Client, surely: bool) -> dict[int, Resource]:
    """What the server has under the id or the condition of each entry, by ``id()``."""
    there: dict[int, Resource] = {}
    ids: dict[str, list[str]] = defaultdict(list)
    for entry in writes:
        if entry.target is not None:
            ids[entry.incoming.type].append(entry.target)
            continue
        condition = entry.unless or entry.incoming.condition or ""
        matches = list(client.search(entry.incoming.type, parse_qsl(condition, keep_blank_values=True)))
        if len(matches) == 1:
            there[id(entry)] = matches[0]
    found = {address_of(resource): resource for resource in asked(client, by_id(client, ids), 1)}
    if surely:
        lacking = [(kind, each) for kind, wanted in ids.items() for each in wanted if (kind, each) not in found]
        found |= {address_of(resource): resource for resource in asked(client, reads(client, lacking), 1)}
    for entry in writes:
        address = (entry.incoming.type, str(entry.target))
        if entry.target is not None and address in found:
            there[id(entry)] = found[address]
    return there


def _has_become(entry: Entry, stored: Resource, base: str, moved: Mapping[str, str]) -> bool:
    if entry.version is not None and str(stored.get("meta", {}).get("versionId")) == entry.version:
        return False
    wanted = {**exact_json.parse(message.single(entry, moved)), "id": stored["id"]}
    return not differences(wanted, stored, base=base, by_canonical=entry.incoming.is_definition)
