"""Whether a server's copy says the same as ours, whatever the server added.

Left out on both sides, because servers set or derive it:

- ``meta.versionId``, ``meta.lastUpdated``, ``meta.source`` (HAPI appends a request id to the last);
- tags and security labels that only the server has: an update keeps them (FHIR R4, Resource, Tags);
- the narrative, when ours is ``generated`` or ``empty`` (it repeats the rest of the resource) or when we have none;
- a StructureDefinition's snapshot when ours has a differential, a ValueSet's expansion when ours has a compose;
- ``id``, for definitions only: they are the same by url and version wherever the server put them.

The order of names, the form of decimals (6.5 and 6.50) and absolute references to the server itself make no difference.
The order of arrays does, and everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Resource = dict[str, Any]

_SET_BY_SERVERS = ("versionId", "lastUpdated", "source")
_LABELS = ("profile", "tag", "security")
# ElementDefinition.id, Questionnaire.item.linkId, CodeSystem.concept.code, Extension.url
_KEYS = ("id", "linkId", "code", "url")
_DERIVED_NARRATIVE = ("generated", "empty")


@dataclass(frozen=True, slots=True)
class Difference:
    """A place such as ``Questionnaire.item[2].text`` and what each has there; None where it has nothing.

    ``str()`` is the place alone: the values may be a patient's.
    """

    path: str
    ours: Any = None
    theirs: Any = None

    def __str__(self) -> str:
        return self.path


def differences(ours: Resource, theirs: Resource, *, base: str, by_canonical: bool) -> list[Difference]:
    """Where the two differ; empty when they say the same.

    ``base`` is the server's base URL, ``by_canonical`` true for definitions (found by url and version, not by id).
    """
    left_out = {"meta"}
    if by_canonical:
        left_out.add("id")
    if "text" not in ours or _object(ours["text"]).get("status") in _DERIVED_NARRATIVE:
        left_out.add("text")
    if "differential" in ours:
        left_out.add("snapshot")
    if "compose" in ours:
        left_out.add("expansion")
    left_out |= {name for name, value in ours.items() if name in theirs and _plainly_same(value, theirs[name])}
    kind = str(ours.get("resourceType", ""))
    rest = _differing(_without(ours, left_out), _without(theirs, left_out), kind, f"{base.rstrip('/')}/")
    return [*_differing_meta(_object(ours.get("meta")), _object(theirs.get("meta")), f"{kind}.meta"), *rest]


def _plainly_same(ours: Any, theirs: Any) -> bool:
    """Whether they are equal to Python and to JSON, which tells true from 1: a quick no means that it may be so."""
    if ours != theirs:
        return False
    nodes = [ours]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node
        elif not isinstance(node, str) and node in (0, 1):
            return False
    return True


def _without(resource: Resource, names: Iterable[str]) -> Resource:
    return {name: value for name, value in resource.items() if name not in names}


def _differing_meta(ours: Resource, theirs: Resource, path: str) -> Iterator[Difference]:
    """Profiles, tags and labels of ours must be there, in any order; tags and labels of the server are its business."""
    for name in _LABELS:
        labels = _list(ours.get(name))
        wanted = [_identity(item) for item in labels]
        there = [_identity(item) for item in _list(theirs.get(name))]
        for index, item in enumerate(wanted):
            if item not in there:
                yield Difference(f"{path}.{name}[{index}]", labels[index])
        if name == "profile" and any(item not in wanted for item in there):
            yield Difference(f"{path}.{name}", labels or None, there)
    left_out = _SET_BY_SERVERS + _LABELS
    yield from _differing(_without(ours, left_out), _without(theirs, left_out), path, "")


def _object(value: Any) -> Resource:
    """Whatever is no object says nothing here; the server has its say when it is sent."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _identity(item: Any) -> Any:
    """A profile is its canonical, a Coding its system and code."""
    return (item.get("system"), item.get("code")) if isinstance(item, dict) else item


def _differing(ours: Any, theirs: Any, path: str, base: str) -> Iterator[Difference]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in ours | theirs:
            one, other = ours.get(name), theirs.get(name)
            if name not in ours or name not in theirs:
                yield Difference(f"{path}.{name}", one, other)
            elif name == "reference" and isinstance(one, str) and isinstance(other, str):
                if one.removeprefix(base) != other.removeprefix(base):
                    yield Difference(f"{path}.{name}", one, other)
            else:
                yield from _differing(one, other, f"{path}.{name}", base)
    elif isinstance(ours, list) and isinstance(theirs, list):
        for place, other_place in _pairs(ours, theirs):
            if place is None or other_place is None:
                one = ours[place] if place is not None else None
                other = theirs[other_place] if other_place is not None else None
                yield Difference(f"{path}[{other_place if place is None else place}]", one, other)
            else:
                yield from _differing(ours[place], theirs[other_place], f"{path}[{place}]", base)
    elif not _same(ours, theirs):
        yield Difference(path, ours, theirs)


def _pairs(ours: list[Any], theirs: list[Any]) -> Iterator[tuple[int | None, int | None]]:
    """The places that are held against one another; None where one has nothing.

    By place; but by key, where items have them, and those on both sides come in the same order: what was put in before
    the others does not make all of them differ.
    """
    own, other = _keys(ours), _keys(theirs)
    both = [key for key in own if key in other]
    if not both or both != [key for key in other if key in own]:
        for place in range(max(len(ours), len(theirs))):
            yield place if place < len(ours) else None, place if place < len(theirs) else None
        return
    yield from ((place, other.get(key)) for key, place in own.items())
    yield from ((None, place) for key, place in other.items() if key not in own)


def _keys(items: list[Any]) -> dict[str, int]:
    """The place of each item by what tells it apart from its siblings; empty where nothing does."""
    for name in _KEYS:
        keys = [item.get(name) if isinstance(item, dict) else None for item in items]
        if all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys):
            return {f"{name} {key}": place for place, key in enumerate(keys)}
    return {}


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, int | float | Decimal) and isinstance(theirs, int | float | Decimal):
        return _exact(ours) == _exact(theirs)
    return bool(ours == theirs)


def _exact(number: float | Decimal) -> Decimal:
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
