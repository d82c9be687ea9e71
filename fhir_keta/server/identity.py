"""How a record is found again on a server that gives its own ids.

Either by its own business identifier (system and value), or, where its ids are said to come from a named source, by a
tag with that name and the id, which is stored with it. One of the two for a whole upload: never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import parse_qsl, urlencode

from fhir_keta.errors import InputError
from fhir_keta.server.incoming import Incoming

Resource = dict[str, Any]

SOURCE_SYSTEM = "https://w3id.org/fhir-keta/source"
"""The system of the tags; their code is the name of the source and the id there, such as ``clinic-a/p1``."""

_NAME_THE_SOURCE = "Name where the ids come from with --source, the same name at each upload."


@dataclass(frozen=True, slots=True)
class Identity:
    """What a search (``identifier`` or ``_tag``) finds a record by."""

    parameter: str
    system: str
    code: str

    @property
    def search(self) -> str:
        """The search of a conditional create (If-None-Exist)."""
        return urlencode([(self.parameter, f"{self.system}|{self.code}")])


def identities(items: Iterable[Incoming], source: str | None) -> dict[str, Identity]:
    """The identity of each record, by its ``Type/id``; ``source`` names where the ids come from.

    Raises InputError when, without a source, a record has no identifier or shares one with another of its type.
    """
    found: dict[str, Identity] = {}
    holders: dict[tuple[str, Identity], str] = {}
    for item in items:
        own = next(_of(item, source), None)
        if own is None:
            raise InputError(
                f"{item.label} has no identifier with system and value, free of | , $ and \\, by which a server that "
                f"gives its own ids could find it again. {_NAME_THE_SOURCE}"
            )
        holder = holders.setdefault((item.type, own), item.label)
        if holder != item.label:
            raise InputError(
                f"{holder} and {item.label} share their first identifier: a server that gives its own ids would take "
                f"them for one. {_NAME_THE_SOURCE}"
            )
        found[item.label] = own
    return found


def of_condition(condition: str) -> Identity | None:
    """The identity that the search of a conditional entry asks for, when it is one identifier and nothing else."""
    match parse_qsl(condition, keep_blank_values=True):
        case [("identifier", token)]:
            system, bar, code = token.partition("|")
            return Identity("identifier", system, code) if bar and _is_plain(system) and _is_plain(code) else None
    return None


def with_identity(item: Incoming, identity: Identity) -> Incoming:
    """The record with the tag by which it is found again, if it is found by a tag."""
    if identity.parameter != "_tag":
        return item
    meta = item.resource.get("meta", {})
    tags = meta.get("tag", []) if isinstance(meta, dict) else None
    if not isinstance(tags, list):
        raise InputError(f"{item.label} has a meta or meta.tag that is none. Run fhir-keta validate on it.")
    tag = {"system": identity.system, "code": identity.code}
    return item.with_resource({**item.resource, "meta": {**meta, "tag": [*tags, tag]}})


def held(resource: Resource, parameter: str) -> set[tuple[str, str]]:
    """All systems and codes under which a server's copy is found by this parameter."""
    if parameter == "_tag":
        return {(str(tag.get("system")), str(tag.get("code"))) for tag in resource.get("meta", {}).get("tag", ())}
    return {(str(each.get("system")), str(each.get("value"))) for each in _identifiers(resource)}


def _of(item: Incoming, source: str | None) -> Iterator[Identity]:
    if source is not None:
        yield Identity("_tag", SOURCE_SYSTEM, f"{source}/{item.id}")
        return
    for each in _identifiers(item.resource):
        system, value = each.get("system"), each.get("value")
        if _is_plain(system) and _is_plain(value) and each.get("use") != "old":
            yield Identity("identifier", system, value)


def _is_plain(text: Any) -> TypeGuard[str]:
    """Whether every server finds this text: what has to be escaped in a search, not all of them do."""
    return isinstance(text, str) and text != "" and text.isprintable() and not set(text) & set("\\,|$")


def _identifiers(resource: Resource) -> list[Resource]:
    """One or many: R4 has both (QuestionnaireResponse.identifier is single)."""
    found = resource.get("identifier", [])
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]
