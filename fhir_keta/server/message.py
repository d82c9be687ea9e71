"""What is sent for the entries of a plan: the body of one resource, or of the transaction they go in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from uuid import NAMESPACE_URL, uuid5

from fhir_keta.server import exact_json
from fhir_keta.server.client import Answer, Resource, version_of
from fhir_keta.server.incoming import with_references
from fhir_keta.server.plan import Entry, Group


def single(entry: Entry, moved: Mapping[str, str]) -> bytes:
    """The body of one resource: as it was read when nothing in it is another on the server.

    ``moved`` maps references (``Patient/a``) to what they are on the server, where that gives its own ids.
    """
    item = entry.incoming
    named_otherwise = bool(moved) and any(text in moved for text in item.mentions)
    keeps_id = entry.target == item.id if entry.target is not None else item.condition is not None
    if keeps_id and not named_otherwise:
        return item.text
    resource = with_references(item.resource, moved.get) if named_otherwise else item.resource
    if entry.target is not None:
        resource = {**resource, "id": entry.target}
    elif item.condition is None:
        resource = {name: value for name, value in resource.items() if name != "id"}
    return exact_json.write(resource)


def bundle(group: Group, writes: Sequence[Entry], moved: Mapping[str, str]) -> bytes:
    """The transaction of these entries; as it was read when that is all of them and nothing is replaced."""
    whole = len(writes) == len(group.entries)
    as_read = whole and all(entry.action == "create" and entry.target == entry.incoming.id for entry in writes)
    if group.data is not None and as_read and not moved:
        return group.data
    local = _left_out(group) | _within(writes) | dict(moved)
    parts = []
    for entry in writes:
        name = _full_url(entry)
        head = {"request": _request(entry)} | ({"fullUrl": name} if name is not None else {})
        body = single(entry, local)
        parts.append(exact_json.write(head)[:-1] + b',"resource":' + body + b"}")
    return b'{"resourceType":"Bundle","type":"transaction","entry":[' + b",".join(parts) + b"]}"


def answers(entries: Sequence[Resource]) -> list[Answer]:
    """The answers inside a transaction-response, one for each of its entries."""
    return [_answer(entry.get("response", {})) for entry in entries]


def learnt(entry: Entry, answer: Answer) -> dict[str, str]:
    """What references to the resource are from now on, when the server gave it its id: for ``moved``."""
    item = entry.incoming
    if entry.target is not None or answer.id is None or item.id in (None, answer.id):
        return {}
    return {f"{item.type}/{item.id}": f"{item.type}/{answer.id}"}


def _left_out(group: Group) -> dict[str, str]:
    """What entries that are not sent, being unchanged, are called on the server."""
    return {
        entry.incoming.full_url: f"{entry.incoming.type}/{entry.target}"
        for entry in group.entries
        if entry.action == "unchanged" and entry.incoming.full_url is not None
    }


def _within(writes: Sequence[Entry]) -> dict[str, str]:
    """What entries whose id the server gives are called inside their transaction (Bundle, Resolving references)."""
    return {
        f"{entry.incoming.type}/{entry.incoming.id}": name
        for entry in writes
        if entry.target is None and entry.incoming.id is not None and (name := _full_url(entry)) is not None
    }


def _full_url(entry: Entry) -> str | None:
    """Its own; for one whose id the server gives, one that others in the transaction can refer to."""
    item = entry.incoming
    if entry.target is not None or item.id is None or (item.full_url or "").startswith("urn:"):
        return item.full_url
    return uuid5(NAMESPACE_URL, f"{item.type}/{item.id}").urn


def _request(entry: Entry) -> Resource:
    item = entry.incoming
    request: Resource = {"method": item.method, "url": item.type}
    if entry.unless is not None:
        request |= {"method": "POST", "ifNoneExist": entry.unless}
    elif entry.target is not None:
        request |= {"method": "PUT", "url": f"{item.type}/{entry.target}"}
        if entry.version is not None:
            request["ifMatch"] = f'W/"{entry.version}"'
    elif item.condition is not None:
        request["url"] = f"{item.type}?{item.condition}"
    return request


def _answer(response: Resource) -> Answer:
    status = re.match(r"\d{3}", str(response.get("status", "")))
    location = re.search(r"([^/]+)(?:/_history/[^/]+)?$", str(response.get("location", "")))
    identity = location[1] if location else None
    return Answer(int(status[0]) if status else 0, response.get("outcome"), version_of(response.get("etag")), identity)
