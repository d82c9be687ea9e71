"""Reads what was written once more: a server may answer that it stored something, and store something else."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

from fhir_keta.server.client import Client, Resource
from fhir_keta.server.comparison import differences
from fhir_keta.server.incoming import with_references
from fhir_keta.server.journal import Journal
from fhir_keta.server.lookup import address_of, asked, by_id, reads
from fhir_keta.server.plan import Plan
from fhir_keta.server.result import Report, Result

_WRITTEN = ("created", "updated")
_Address = tuple[str, str]  # type and id on the server
_Leading = Callable[[str], str | None]  # from a reference to what it is on the server


def read_back(
    plan: Plan, report: Report, client: Client, journal: Journal | None = None, *, workers: int = 1
) -> Report:
    """``report``, with "altered" for each resource that the server does not give back as it was sent.

    Where the server did not say which version it wrote, the version that it gives back is filled in, and written into
    ``journal``. At most ``workers`` requests are on their way at a time. Raises ServerError when the server can no
    longer be asked, Refused when it will not be.
    """
    results = list(report.results)
    moved = _moved(plan, report)
    ids: dict[str, list[str]] = defaultdict(list)
    unproven: dict[_Address, list[tuple[int, _Leading]]] = defaultdict(list)
    for place, leading in _leading(plan, report, moved):
        result = results[place]
        if result.id is None:
            results[place] = replace(result, status="altered", message="the server did not say which id it has")
        else:
            ids[result.entry.incoming.type].append(result.id)
            unproven[result.entry.incoming.type, result.id].append((place, leading))

    def compare(address: _Address, stored: Resource | None) -> bool:
        """Whether all that was written there is there as it was sent; that is settled then."""
        compared = [
            (place, _proven(report.results[place], stored, leading, client)) for place, leading in unproven[address]
        ]
        for place, result in compared:
            results[place] = result
        return all(result.status != "altered" for _, result in compared)

    otherwise: dict[_Address, Resource] = {}
    for resource in asked(client, by_id(client, ids, page=True), workers):
        address = address_of(resource)
        if address in unproven:
            if compare(address, resource):
                del unproven[address]
            else:
                otherwise[address] = resource
    # a search may lag behind, or not give all; but HAPI finds OperationDefinitions and reads none
    for resource in asked(client, reads(client, unproven), workers):
        otherwise[address_of(resource)] = resource
    for address in unproven:
        compare(address, otherwise.get(address))
    if journal is not None:
        pairs = zip(report.results, results, strict=True)
        journal.outcome(
            [replace(before, version=after.version) for before, after in pairs if before.version != after.version]
        )
    return replace(report, results=tuple(results))


def _leading(plan: Plan, report: Report, moved: dict[str, str]) -> Iterator[tuple[int, _Leading]]:
    """The place of each result that was written, and what leads its references to what they are on the server."""
    place = 0
    for group in plan.groups:
        own = report.results[place : place + len(group.entries)]
        within = {
            result.entry.incoming.full_url: f"{result.entry.incoming.type}/{result.id}"
            for result in own
            if result.entry.incoming.full_url is not None and result.id is not None
        }
        leading = ChainMap(within, moved).get if within else moved.get
        yield from ((index, leading) for index, result in enumerate(own, place) if result.status in _WRITTEN)
        place += len(group.entries)


def _moved(plan: Plan, report: Report) -> dict[str, str]:
    """References to what has another id on the server than with us."""
    moved = dict(plan.moved)
    for result in report.results:
        item = result.entry.incoming
        if item.id is not None and result.id not in (None, item.id):
            moved[f"{item.type}/{item.id}"] = f"{item.type}/{result.id}"
    return moved


def _proven(result: Result, stored: Resource | None, leading: _Leading, client: Client) -> Result:
    """The result of what has an id, "altered" when the server has not what was sent."""
    item = result.entry.incoming
    wanted = item.resource
    if any(leading(text) for text in item.mentions):
        wanted = with_references(wanted, leading)
    if not item.is_definition:
        wanted = {**wanted, "id": result.id}
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
