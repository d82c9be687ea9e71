"""What the server has of the resources that are to be uploaded, asked for in as few searches as there can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import parse_qsl

from fhir_keta.server import exact_json
from fhir_keta.server.client import Client, Resource
from fhir_keta.server.identity import Identity, held, of_condition
from fhir_keta.server.incoming import Incoming
from fhir_keta.server.lookup import address_of, asked, by_id, having, having_token

_Found = dict[tuple[str, str], list[Resource]]


@dataclass(frozen=True, slots=True)
class Present:
    """The server's copies by type and url, by type and id, and by type and the search that found them.

    Those by id, which may be many, are kept as JSON: ``copy`` parses one. ``base`` is the server's address,
    ``identities`` how records are found there when it gives its own ids.
    """

    base: str
    identities: Mapping[str, Identity]
    by_url: _Found = field(default_factory=lambda: defaultdict(list))
    by_id: dict[tuple[str, str], bytes] = field(default_factory=dict)
    by_search: _Found = field(default_factory=lambda: defaultdict(list))

    def found(self, item: Incoming) -> list[Resource]:
        """The copies that the search of an item without an id of its own there has found."""
        return self.by_search[item.type, _search(item, self.identities)]

    def copy(self, item: Incoming) -> Resource | None:
        """The copy under the id of an item."""
        text = self.by_id.get((item.type, str(item.id)))
        return exact_json.parse(text) if text is not None else None

    def moved(self, items: Iterable[Incoming]) -> dict[str, str]:
        """What references to those records are on the server that it has under another id."""
        moved = {}
        for item in items:
            copies = self.found(item) if item.label in self.identities else []
            if len(copies) == 1 and copies[0]["id"] != item.id:
                moved[item.label] = f"{item.type}/{copies[0]['id']}"
        return moved

    def moved_within(self, items: Iterable[Incoming]) -> dict[str, str]:
        """What the addresses within a Bundle are on the server, of its conditional entries that are there already."""
        moved = {}
        for item in items:
            copies = self.found(item) if item.condition is not None and item.full_url is not None else []
            if len(copies) == 1:
                moved[str(item.full_url)] = f"{item.type}/{copies[0]['id']}"
        return moved


def present(client: Client, items: Iterable[Incoming], identities: Mapping[str, Identity], workers: int = 1) -> Present:
    """Ask for everything that these could meet on the server. Raises Refused when it will not be searched."""
    there = Present(client.base, identities)
    urls: dict[str, list[str]] = defaultdict(list)
    ids: dict[str, list[str]] = defaultdict(list)
    tokens: dict[tuple[str, str], dict[tuple[str, str], str]] = defaultdict(dict)
    for item in items:
        if item.url is not None:
            urls[item.type].append(item.url)
        identity = _identity(item, identities)
        if identity is not None:
            tokens[item.type, identity.parameter][identity.system, identity.code] = identity.search
        elif item.condition is not None:
            found = client.search(item.type, parse_qsl(item.condition, keep_blank_values=True))
            there.by_search[item.type, item.condition] = list(found)
        elif item.id is not None:
            ids[item.type].append(item.id)
    definitions = chain.from_iterable(having(client, kind, "url", wanted) for kind, wanted in urls.items())
    for resource in asked(client, definitions, workers):
        there.by_url[resource["resourceType"], resource["url"]].append(resource)
    for resource in asked(client, by_id(client, ids), workers):
        there.by_id[address_of(resource)] = exact_json.write(resource)
    for (kind, parameter), wanted in tokens.items():
        questions = having_token(client, kind, parameter, wanted)
        # one resource may have several of the identifiers, and so come more than once
        resources = {resource["id"]: resource for resource in asked(client, questions, workers)}
        for resource in resources.values():
            for token in held(resource, parameter) & wanted.keys():
                there.by_search[kind, wanted[token]].append(resource)
    return there


def _identity(item: Incoming, identities: Mapping[str, Identity]) -> Identity | None:
    return identities.get(item.label) if item.condition is None else of_condition(item.condition)


def _search(item: Incoming, identities: Mapping[str, Identity]) -> str:
    identity = _identity(item, identities)
    return identity.search if identity is not None else str(item.condition)
