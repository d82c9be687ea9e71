"""What is to be done about one resource: it is compared with what the server has of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from fhir_keta.server.capability import Capability, TypeCapability
from fhir_keta.server.client import Resource
from fhir_keta.server.comparison import Difference, differences
from fhir_keta.server.incoming import Incoming
from fhir_keta.server.present import Present

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


def entry_of(item: Incoming, there: Present, capability: Capability, *, overwrite: bool) -> Entry:
    """The resource with what is to be done about it; "unsupported" when the server says that it cannot do that."""
    if not capability.stores(item.type):
        return Entry(item, "unsupported", reason=f"the server does not store resources of type {item.type}")
    if item.is_definition and item.condition is None:
        entry = _definition(item, there, capability, overwrite)
    elif item.condition is not None or item.label in there.identities:
        entry = _searched(item, there)
    else:
        entry = _compared(item, there.copy(item), there)
    lacking = _lacking(entry, capability)
    return replace(entry, action="unsupported", reason=lacking) if lacking else entry


def _lacking(entry: Entry, capability: Capability) -> str:
    """What the server cannot do of what the entry asks; empty when it can, as far as it says."""
    kind, listed = entry.incoming.type, capability.types.get(entry.incoming.type, TypeCapability())
    if entry.action == "update":
        return "" if listed.allows("update") else f"the server takes no updates of {kind}"
    if entry.action != "create":
        return ""
    if entry.unless is not None:
        conditional = listed.allows("create") and listed.conditional_create
        return "" if conditional else f"the server has no conditional create of {kind}: it could end up there twice"
    if entry.target is None:
        return "" if listed.conditional_update else f"the server has no conditional update of {kind}"
    return "" if capability.takes_ids(kind) else f"the server gives its own ids to new resources of type {kind}"


def _definition(item: Incoming, there: Present, capability: Capability, overwrite: bool) -> Entry:
    known = there.by_url[item.type, str(item.url)]
    same = [resource for resource in known if resource.get("version") == item.version]
    others = tuple(sorted(_named(resource) for resource in known if resource not in same))
    compared = [_compared(item, resource, there) for resource in same]
    if compared:
        entry = min(compared, key=lambda each: (each.action != "unchanged", each.target != item.id))
        if entry.action == "unchanged":
            return replace(entry, others=others)
        reason = f"the server has {item.canonical} with other content: {entry.reason}"
        return replace(entry, action="update" if overwrite else "conflict", reason=reason, others=others)
    takes_ids = capability.takes_ids(item.type)
    target = _free_id(item, there) if takes_ids else None
    beside = takes_ids and target != item.id and item.id is not None
    reason = f"{item.type}/{item.id} is another one: put beside it" if beside else ""
    unless = item.canonical_search if target is None else None
    return Entry(item, "create", target, reason=reason, unless=unless, others=others)


def _named(resource: Resource) -> str:
    version = resource.get("version")
    return f"{resource['url']}{f'|{version}' if version else ''} ({resource['resourceType']}/{resource['id']})"


def _free_id(item: Incoming, there: Present) -> str | None:
    """An id that holds nothing else there: our own, or ours with the version behind it, or None: the server chooses."""
    candidates = [item.id, f"{item.id}-{item.version}"] if item.id is not None else []
    for candidate in candidates:
        if candidate is not None and len(candidate) <= _LONGEST_ID and (item.type, candidate) not in there.by_id:
            there.by_id[item.type, candidate] = item.text
            return candidate
    return None


def _searched(item: Incoming, there: Present) -> Entry:
    """One that has no id of its own on the server: what its search finds there."""
    matches = there.found(item)
    identity = there.identities.get(item.label)
    create_only = item.condition is not None and item.method == "POST"
    if not matches:
        return Entry(item, "create", unless=identity.search if identity else item.condition if create_only else None)
    if len(matches) > 1:
        return Entry(item, "conflict", reason=f"{len(matches)} resources on the server match its condition")
    if create_only:
        return Entry(item, "unchanged", matches[0]["id"], _version(matches[0]))
    return _compared(item, matches[0], there)


def _compared(item: Incoming, resource: Resource | None, there: Present) -> Entry:
    if resource is None:
        return Entry(item, "create", item.id)
    found = differences(
        {**item.resource, "id": resource["id"]}, resource, base=there.base, by_canonical=item.is_definition
    )
    if not found:
        return Entry(item, "unchanged", resource["id"], _version(resource))
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    reason = f"{found[0]}{more}"
    return Entry(item, "update", resource["id"], _version(resource), reason, differences=tuple(found))


def _version(resource: Resource) -> str | None:
    version = resource.get("meta", {}).get("versionId")
    return str(version) if version is not None else None
