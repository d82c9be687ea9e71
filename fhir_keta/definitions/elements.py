"""The element list of a StructureDefinition as a tree: elements have children, and slices beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]


@dataclass
class Node:
    """One ElementDefinition, its child elements by name, its slices by sliceName (a reslice "a/b" is a slice of "a").

    ``element`` is empty where a differential only implies the element by naming something below it.
    """

    name: str
    slice_name: str | None = None
    element: JsonObject = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    def child(self, name: str) -> Node:
        """Return the child of this name, made if there is none."""
        return self.children.setdefault(name, Node(name))

    def slice(self, slice_name: str) -> Node:
        """Return the slice of this name, made if there is none; "a/b" is looked up in the slice "a"."""
        outer, separator, _ = slice_name.rpartition("/")
        holder = self.slice(outer) if separator else self
        return holder.slices.setdefault(slice_name, Node(self.name, slice_name))

    def copy(self) -> Node:
        """Return a deep copy, but for values inside element members: those are never changed in place."""
        return Node(
            self.name,
            self.slice_name,
            dict(self.element),
            {name: child.copy() for name, child in self.children.items()},
            {name: part.copy() for name, part in self.slices.items()},
        )

    def walk(self) -> Iterator[Node]:
        """Yield this node and every node below it, slices too."""
        yield self
        for child in (*self.children.values(), *self.slices.values()):
            yield from child.walk()


def tree(elements: Iterable[JsonObject]) -> Node | None:
    """Return the root of the tree that a snapshot's or differential's elements form, None for no elements."""
    root: Node | None = None
    for element in elements:
        names = element["path"].split(".")
        if root is None:
            root = Node(names[0])
        node = root
        steps = _steps(element, names)
        for depth, name in enumerate(names[1:], 1):
            node = node.child(name)
            if steps is not None:
                node = node.slice(steps[depth]) if steps[depth] else node
            elif depth < len(names) - 1:
                node = _latest(node)
            elif "sliceName" in element:
                node = node.slice(element["sliceName"])
        node.element = {**node.element, **element}
    return root


def _steps(element: JsonObject, names: list[str]) -> list[str] | None:
    """The sliceName at each step of the path, from the element's id; None when the id does not follow FHIR's rule."""
    steps = [step.partition(":") for step in element.get("id", "").split(".")]
    if [name for name, _, _ in steps] != names or steps[-1][2] != element.get("sliceName", steps[-1][2]):
        return None
    return [slice_name for _, _, slice_name in steps]


def _latest(node: Node) -> Node:
    """Without ids a child belongs to the slice that stands last before it."""
    while node.slices:
        node = next(reversed(node.slices.values()))
    return node


def flat(node: Node, path: str = "", identifier: str = "") -> Iterator[JsonObject]:
    """Yield the elements of the tree in snapshot order, with path, id and sliceName written anew."""
    path = f"{path}.{node.name}" if path else node.name
    identifier = f"{identifier}.{node.name}" if identifier else node.name
    yield from _flat(node, path, identifier)


def _flat(node: Node, path: str, identifier: str) -> Iterator[JsonObject]:
    own = f"{identifier}:{node.slice_name}" if node.slice_name else identifier
    rest = {name: value for name, value in node.element.items() if name not in ("id", "path", "sliceName")}
    named = {"sliceName": node.slice_name} if node.slice_name else {}
    yield {"id": own, "path": path, **named, **rest}
    for child in node.children.values():
        yield from flat(child, path, own)
    for part in node.slices.values():
        yield from _flat(part, path, identifier)
