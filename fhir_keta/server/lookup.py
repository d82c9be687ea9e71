"""Asks a server for many resources in few searches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from fhir_keta.server.client import Client, Resource

_LONGEST_SEARCH = 1500
# a HAPI gives 50 to a page unless it is told otherwise, and a second page costs it five times the first
_MOST_VALUES = 50


def having(client: Client, resource_type: str, parameter: str, values: Iterable[str]) -> Iterator[Resource]:
    """Everything whose ``parameter`` is one of ``values``, asked for in as few searches as fit into a URL."""
    yield from _searched(client, resource_type, parameter, map(escaped, values))


def having_token(
    client: Client, resource_type: str, parameter: str, tokens: Iterable[tuple[str, str]]
) -> Iterator[Resource]:
    """Everything whose ``parameter`` (type token) is one of these systems and codes."""
    values = (f"{escaped(system)}|{escaped(code)}" for system, code in tokens)
    yield from _searched(client, resource_type, parameter, values)


def escaped(value: str) -> str:
    """A value within a search: a bare comma would read as "or" (Search, Escaping Search Parameters)."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")


def _searched(client: Client, resource_type: str, parameter: str, values: Iterable[str]) -> Iterator[Resource]:
    chunk: list[str] = []
    length = 0
    for value in [*dict.fromkeys(values), None]:
        added = len(quote(value, safe="")) + len("%2C") if value is not None else 0
        if chunk and (value is None or length + added > _LONGEST_SEARCH or len(chunk) == _MOST_VALUES):
            yield from client.search(resource_type, {parameter: ",".join(chunk), "_count": "200"})
            chunk, length = [], 0
        if value is not None:
            chunk.append(value)
            length += added


def by_id(client: Client, resource_type: str, ids: Iterable[str]) -> dict[str, Resource]:
    """Those of the ids that the server has. A Binary cannot be searched (RESTful API, Binary): it is read."""
    if resource_type != "Binary":
        return {resource["id"]: resource for resource in having(client, resource_type, "_id", ids)}
    read = ((each, client.read(resource_type, each)) for each in dict.fromkeys(ids))
    return {each: resource for each, resource in read if resource is not None}
