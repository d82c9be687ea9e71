"""References of an upload to what is not in it, on a server that gives its own ids.

There ``Patient/p1`` of a source is not ``Patient/p1`` of the server, which may well be somebody else. With a named
source it is what bears the tag of that source; without, the reference is to the server's own, which has to be there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_keta.server.client import Client
from fhir_keta.server.identity import SOURCE_SYSTEM, held
from fhir_keta.server.incoming import Incoming, strings
from fhir_keta.server.lookup import asked, by_id, having_token
from fhir_keta.server.present import Present

_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")


@dataclass(frozen=True, slots=True)
class Outside:
    """``moved``: what references are on the server; ``unknown``: those that are nothing there."""

    moved: Mapping[str, str]
    unknown: frozenset[str]

    def lacking(self, item: Incoming) -> str | None:
        """A reference of this resource that leads nowhere on the server."""
        if not self.unknown:
            return None
        return next((text for text in _references(item) if text in self.unknown), None)


def outside(
    client: Client,
    items: Sequence[Incoming],
    there: Present,
    takes_ids: Callable[[str], bool],
    source: str | None,
    workers: int = 1,
) -> Outside:
    """Ask the server what the records that get an id from it refer to beyond ``items``.

    ``takes_ids`` tells of a type whether its resources keep their own. Raises Refused when it will not be searched.
    """
    named = there.identities
    if not named:
        return Outside({}, frozenset())
    inside = {item.label for item in items}
    ambiguous = {item.label for item in items if item.label in named and len(there.found(item)) > 1}
    wanted: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for text in _references(item) if item.label in named else ():
            kind, _, identity = text.partition("/")
            if text not in inside and not takes_ids(kind):
                wanted[kind].add(identity)
    moved: dict[str, str] = {}
    for kind, ids in wanted.items():
        if source is None:
            found = asked(client, by_id(client, {kind: sorted(ids)}), workers)
            moved |= {name: name for name in (f"{kind}/{resource['id']}" for resource in found)}
        else:
            moved |= _by_source(client, kind, ids, source, workers)
    unknown = {f"{kind}/{identity}" for kind, ids in wanted.items() for identity in ids} - moved.keys()
    return Outside({old: new for old, new in moved.items() if old != new}, frozenset(unknown | ambiguous))


def _by_source(client: Client, kind: str, ids: Iterable[str], source: str, workers: int) -> dict[str, str]:
    tokens = {(SOURCE_SYSTEM, f"{source}/{identity}"): f"{kind}/{identity}" for identity in sorted(ids)}
    moved = {}
    questions = having_token(client, kind, "_tag", tokens) if kind != "Binary" else ()
    for resource in asked(client, questions, workers):
        for token in held(resource, "_tag") & tokens.keys():
            moved[tokens[token]] = f"{kind}/{resource['id']}"
    return moved


def _references(item: Incoming) -> Iterable[str]:
    if not any(map(_REFERENCE.fullmatch, item.mentions)):
        return ()
    return (text for name, text in strings(item.resource) if name == "reference" and _REFERENCE.fullmatch(text))
