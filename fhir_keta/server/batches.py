"""Puts what can go together into one request: groups of a plan, by their places in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Batch:
    """The places, in the list it was made of, of what goes together, and of the batches that must go first."""

    members: tuple[int, ...]
    needs: frozenset[int]


def batches(needs: Sequence[frozenset[int]], phases: Sequence[int], joinable: Sequence[bool], size: int) -> list[Batch]:
    """All places in batches of at most ``size``, each after what it needs.

    ``needs`` are earlier places; a lower phase comes first; what is not ``joinable`` stays alone. No two members of a
    batch need one another, not even by way of a third: each may be refused without the others, and batches of the same
    depth may go at the same time.
    """
    depths: list[int] = []
    for needed in needs:
        depths.append(1 + max((depths[each] for each in needed), default=-1))
    order = sorted(range(len(needs)), key=lambda place: (phases[place], depths[place], place))
    members: list[list[int]] = []
    placed: dict[int, int] = {}
    open_batch: dict[tuple[int, int], int] = {}
    for place in order:
        layer = (phases[place], depths[place])
        batch = open_batch.get(layer) if joinable[place] else None
        if batch is None or len(members[batch]) >= size:
            batch = len(members)
            members.append([])
            if joinable[place]:
                open_batch[layer] = batch
        members[batch].append(place)
        placed[place] = batch
    return [
        Batch(tuple(each), frozenset(placed[needed] for place in each for needed in needs[place])) for each in members
    ]
