"""Which parcel goes before which: what is referred to goes first, definitions before records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fhir_keta.server.incoming import Incoming, Parcel

# Canonical references are not enforced by servers, but a profile is of use only after what it stands on.
_RANKS = ("CodeSystem", "ValueSet", "StructureDefinition", "SearchParameter", "ConceptMap", "Questionnaire")
_OTHER_DEFINITION, _GUIDE, _RECORD = len(_RANKS), len(_RANKS) + 1, len(_RANKS) + 2


@dataclass(frozen=True, slots=True)
class Ordered:
    """A parcel and the places, in the same list, of those it needs; they all come earlier."""

    parcel: Parcel
    needs: frozenset[int]


def in_dependency_order(parcels: Sequence[Parcel]) -> list[Ordered]:
    """The parcels so that each comes after what it refers to.

    Records that refer to one another in a circle become one transaction: a server that checks references takes them
    only together. Definitions in a circle stay apart, in the order of their types.
    """
    ranked = sorted(parcels, key=_rank)
    ranks = [_rank(parcel) for parcel in ranked]
    provided = {name: index for index, parcel in reversed(list(enumerate(ranked))) for name in names(parcel.items)}
    needed = [_needed(index, parcel, provided, ranks) for index, parcel in enumerate(ranked)]
    ordered: list[Ordered] = []
    placed: dict[int, int] = {}
    for circle in _circles(needed):
        members = [ranked[index] for index in circle]
        if len(members) > 1 and ranks[circle[-1]] == _RECORD:
            members = [Parcel(tuple(item for member in members for item in member.items), transaction=True)]
            placed.update(dict.fromkeys(circle, len(ordered)))
        needs = {needed_index for index in circle for needed_index in needed[index] if needed_index not in circle}
        for index, member in zip(circle, members, strict=False):
            placed.setdefault(index, len(ordered))
            ordered.append(Ordered(member, frozenset(placed[needed_index] for needed_index in needs)))
    return ordered


def _rank(parcel: Parcel) -> int:
    return max(_rank_of(item) for item in parcel.items)


def _rank_of(item: Incoming) -> int:
    if not item.is_definition:
        return _RECORD
    if item.type == "ImplementationGuide":
        return _GUIDE
    return _RANKS.index(item.type) if item.type in _RANKS else _OTHER_DEFINITION


def names(items: Iterable[Incoming]) -> Iterator[str]:
    """Everything by which others may refer to these."""
    for item in items:
        if item.id is not None:
            yield f"{item.type}/{item.id}"
        if item.canonical is not None:
            yield item.canonical
            yield str(item.url)


def _needed(index: int, parcel: Parcel, provided: dict[str, int], ranks: Sequence[int]) -> list[int]:
    found = {provided[text] for item in parcel.items for text in item.mentions if text in provided}
    # a CodeSystem names its ValueSet and the other way round: the type decides
    return sorted(other for other in found if other != index and ranks[other] <= ranks[index])


def _circles(needed: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """The strongly connected components, needed ones first (Tarjan 1972, without recursion); members in order."""
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}
    path: list[int] = []
    on_path: set[int] = set()
    for root in range(len(needed)):
        if root in number:
            continue
        visits = [(root, iter(needed[root]))]
        while visits:
            node, rest = visits[-1]
            if node not in number:
                number[node] = lowest[node] = len(number)
                path.append(node)
                on_path.add(node)
            following = next(rest, None)
            if following is None:
                visits.pop()
                if visits:
                    parent = visits[-1][0]
                    lowest[parent] = min(lowest[parent], lowest[node])
                if lowest[node] == number[node]:
                    circle = [path.pop()]
                    while circle[-1] != node:
                        circle.append(path.pop())
                    on_path.difference_update(circle)
                    yield sorted(circle)
            elif following not in number:
                visits.append((following, iter(needed[following])))
            elif following in on_path:
                lowest[node] = min(lowest[node], number[following])
