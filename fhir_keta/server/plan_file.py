"""A plan as a file: written, looked at, and applied later exactly as it is, or not at all.

It holds identities, hashes, paths of elements and, of definitions only, values; never what a record says. To apply it,
its sources are read and its server is asked again: what comes of that must be the very plan that was saved.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_keta.errors import InputError, ServerError
from fhir_keta.server import exact_json
from fhir_keta.server.comparison import Difference
from fhir_keta.server.plan import Entry, Plan

MOST_DIFFERENCES = 100
"""Of one resource that are written down; a definition that was moved about in has thousands."""

_FORMAT = "fhir-keta plan 1"
_TEXTS = ("resource", "place", "sha256", "action")
_SETTINGS: dict[str, type | tuple[type, ...]] = {
    "examples": bool,
    "overwrite": bool,
    "batch_size": int,
    "ids": (str, type(None)),
    "source": (str, type(None)),
}


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a plan file says: where to, from which paths, planned with which settings, and its entries in order."""

    path: str
    server: str
    sources: tuple[str, ...]
    settings: Mapping[str, Any]
    entries: tuple[Mapping[str, Any], ...]


def save(planned: Plan, path: str, sources: Sequence[str], settings: Mapping[str, Any]) -> None:
    """Write the plan to ``path``, whole or not at all.

    ``sources`` are the paths that were read (none: the definitions of this package), ``settings`` how they
    are read and planned. Raises InputError when the file cannot be written.
    """
    content = {
        "format": _FORMAT,
        "server": planned.server,
        "software": planned.software,
        "sources": [*sources],
        "settings": {**settings},
        "counts": dict(sorted(planned.counts().items())),
        "entries": [_described(entry) for entry in planned.entries],
    }
    aside = Path(f"{path}.part")
    try:
        with aside.open("wb") as file:
            file.write(_lines(content))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror}). Name another file.") from error


def load(path: str) -> SavedPlan:
    """The plan in a file that ``save`` wrote. Raises InputError for any other file."""
    try:
        content = exact_json.parse(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    except ValueError as error:
        raise InputError(f"{path}: not a plan. Write one with fhir-keta upload --plan.") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT or not _well_formed(content):
        raise InputError(f"{path}: not a plan of this version. Write one with fhir-keta upload --plan.")
    entries = tuple(content["entries"])
    return SavedPlan(path, content["server"], tuple(content["sources"]), content["settings"], entries)


def check(saved: SavedPlan, planned: Plan) -> None:
    """Hold what was planned now against what was saved.

    Raises InputError when the sources have other content, ServerError when the server is not as it was; each names the
    first difference, with what was expected and what was found.
    """
    before_all = sorted(saved.entries, key=_place)
    now = sorted((_described(entry) for entry in planned.entries), key=_place)
    remedy = f"Nothing was written. Plan again with fhir-keta upload --plan {saved.path}, and look at what it says."
    for wrong in _of_sources(before_all, now):
        raise InputError(f"The sources are not as planned: {wrong}. {remedy}")
    if planned.server != saved.server:
        raise ServerError(f"The plan is for another server: expected {saved.server}, found {planned.server}. {remedy}")
    for before, after in zip(before_all, now, strict=True):
        expected, found = _state(before), _state(after)
        if expected != found:
            raise ServerError(
                f"The server is not as planned: {after['resource']}: expected {expected}, found {found}. {remedy}"
            )


def _lines(content: Mapping[str, Any]) -> bytes:
    """JSON with a line for each entry, so that two plans can be compared by line."""
    head = exact_json.write({name: value for name, value in content.items() if name != "entries"})
    entries = b",\n".join(map(exact_json.write, content["entries"]))
    return head[:-1] + b',"entries":[\n' + entries + b"\n]}\n"


def _described(entry: Entry) -> dict[str, Any]:
    item = entry.incoming
    place = item.place
    described: dict[str, Any] = {
        "resource": item.label,
        "place": "" if place is None else place.path if place.line is None else f"{place.path}:{place.line}",
        "sha256": item.sha256,
        "action": entry.action,
    }
    shown = entry.differences[:MOST_DIFFERENCES]
    optional = {
        "target": entry.target,
        "version": entry.version,
        "reason": entry.reason,
        "differences": [_difference(each, item.is_definition) for each in shown],
        "differencesLeftOut": len(entry.differences) - len(shown),
        "otherVersions": list(entry.others),
    }
    return described | {name: value for name, value in optional.items() if value}


def _difference(difference: Difference, with_values: bool) -> dict[str, Any]:
    values = {"ours": difference.ours, "server": difference.theirs} if with_values else {}
    return {"path": difference.path} | {name: value for name, value in values.items() if value is not None}


def _of_sources(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    planned, found = _digests(before), _digests(now)
    for named, digests in planned.items():
        if named not in found:
            yield f"{named} is not there any more"
        elif found[named] != digests:
            yield f"{named}: expected content with SHA-256 {_short(digests)}, found {_short(found[named])}"
    yield from (f"{named} was not there" for named in found if named not in planned)


def _place(described: Mapping[str, Any]) -> tuple[str, str, str]:
    """What tells the entries of a plan apart, whatever their order."""
    return described["resource"], described["place"], described["sha256"]


def _digests(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The hashes of what is there under each name and place: two versions of a definition may share both."""
    found: dict[str, list[str]] = {}
    for each in entries:
        named = f"{each['resource']} of {each['place']}" if each["place"] else each["resource"]
        found.setdefault(named, []).append(each["sha256"])
    return found


def _short(digests: Sequence[str]) -> str:
    return ", ".join(digest[:12] for digest in digests)


def _state(described: Mapping[str, Any]) -> str:
    """What an entry finds on the server, and what is to be done about it."""
    place = f" at {described['target']}" if "target" in described else ""
    version = f" version {described['version']}" if "version" in described else ""
    return f"{described['action']}{place}{version}"


def _well_formed(content: Mapping[str, Any]) -> bool:
    entries, sources = content.get("entries"), content.get("sources")
    return (
        isinstance(content.get("server"), str)
        and _are_settings(content.get("settings"))
        and isinstance(sources, list)
        and all(isinstance(each, str) for each in sources)
        and isinstance(entries, list)
        and all(isinstance(each, dict) and all(isinstance(each.get(name), str) for name in _TEXTS) for each in entries)
    )


def _are_settings(settings: Any) -> bool:
    return isinstance(settings, dict) and all(
        name in _SETTINGS and isinstance(value, _SETTINGS[name]) for name, value in settings.items()
    )
