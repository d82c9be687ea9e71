"""Reads what was written once more: a server may answer that it stored something, and store something else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from fhir_keta.server.client import Client, Resource
from fhir_keta.server.comparison import differences
from fhir_keta.server.incoming import with_references
from fhir_keta.server.journal import Journal
from fhir_keta.server.lookup import by_id
from fhir_keta.server.plan import Plan
from fhir_keta.server.result import Report, Result

_WRITTEN = ("created", "updated")


def read_back(plan: Plan, report: Report, client: Client, journal: Journal | None = None) -> Report:
    """``report``, with "altered" for each resource that the server does not give back as it was sent.

    Where the server did not say which version it wrote, the version that it gives back is filled in, and written into
    ``journal``. Raises ServerError when the server can no longer be asked, Refused when it will not be.
    """
    searched = _searched(client, report)
    known = _moved(plan, report)
    results = list(report.results)
    place = 0
    for group in plan.groups:
        own = results[place : place + len(group.entries)]
        local = known | {
            result.entry.incoming.full_url: f"{result.entry.incoming.type}/{result.id}"
            for result in own
            if result.entry.incoming.full_url is not None and result.id is not None
        }
        for index, result in enumerate(own, place):
            if result.status in _WRITTEN:
                results[index] = _proven(result, searched, local, client)
        place += len(group.entries)
    if journal is not None:
        pairs = zip(report.results, results, strict=True)
        journal.outcome(
            [replace(before, version=after.version) for before, after in pairs if before.version != after.version]
        )
    return replace(report, results=tuple(results))


def _searched(client: Client, report: Report) -> dict[tuple[str, str], Resource]:
    """What searches find of what was written, by type and id."""
    ids: dict[str, list[str]] = defaultdict(list)
    for result in report.results:
        if result.status in _WRITTEN and result.id is not None:
            ids[result.entry.incoming.type].append(result.id)
    return {
        (kind, identity): resource
        for kind, wanted in ids.items()
        for identity, resource in by_id(client, kind, wanted).items()
    }


def _moved(plan: Plan, report: Report) -> dict[str, str]:
    """References to what has another id on the server than with us."""
    moved = dict(plan.moved)
    for result in report.results:
        item = result.entry.incoming
        if item.id is not None and result.id not in (None, item.id):
            moved[f"{item.type}/{item.id}"] = f"{item.type}/{result.id}"
    return moved


def _proven(
    result: Result, searched: Mapping[tuple[str, str], Resource], moved: Mapping[str, str], client: Client
) -> Result:
    item = result.entry.incoming
    if result.id is None:
        return replace(result, status="altered", message="the server did not say which id it has")
    wanted = with_references(item.resource, moved.get) if moved else item.resource
    if not item.is_definition:
        wanted = {**wanted, "id": result.id}
    stored = searched.get((item.type, result.id))
    said = _otherwise(wanted, stored, client.base, item.is_definition)
    if said:  # a search may lag behind
        stored = client.read(item.type, result.id) or stored  # HAPI finds OperationDefinitions, but reads none
        said = _otherwise(wanted, stored, client.base, item.is_definition)
    version = result.version or _version(stored)
    return replace(result, status="altered" if said else result.status, message=said, version=version)


def _otherwise(wanted: Resource, stored: Resource | None, base: str, is_definition: bool) -> str:
    """In which way the server has something else than was sent; empty when it has that."""
    if stored is None:
        return "the server does not give it back"
    differing = differences(wanted, stored, base=base, by_canonical=is_definition)
    more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
    return f"the server gives back something else: {differing[0]}{more}" if differing else ""


def _version(resource: Resource | None) -> str | None:
    version = resource.get("meta", {}).get("versionId") if resource is not None else None
    return str(version) if version is not None else None
