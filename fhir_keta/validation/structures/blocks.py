"""A differential as a tree: its elements in their order, each below the one it is a part of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fhir_keta.validation.shapes import text

JsonObject = dict[str, Any]


@dataclass(eq=False)
class Block:
    """An element of a differential and what stands below it; ``element`` is empty where only that is named."""

    name: str
    position: int
    element: JsonObject = field(default_factory=dict)
    children: list[Block] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The position after it and all below it."""
        last = self
        while last.children:
            last = last.children[-1]
        return last.position + 1

    @property
    def slice_name(self) -> str:
        return text(self.element.get("sliceName"))


def blocks(elements: list[JsonObject]) -> Block:
    """The elements of a differential, in their order, each below what stands before it and is above it by its path."""
    root = Block(text(elements[0].get("path")).partition(".")[0], 0)
    stack = [root]
    for position, element in enumerate(elements):
        names = text(element.get("path")).split(".")
        if len(names) == 1:
            root.element = root.element or element
            continue
        depth = 1
        while depth < min(len(stack), len(names) - 1) and stack[depth].name == names[depth]:
            depth += 1
        del stack[depth:]
        for name in names[depth:-1]:
            stack[-1].children.append(Block(name, position))
            stack.append(stack[-1].children[-1])
        stack[-1].children.append(Block(names[-1], position, element))
        stack.append(stack[-1].children[-1])
    return root
