"""The variables of a StructureMap, and the elements that they stand for (R4, StructureMap; FHIR Mapping Language)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_keta.definitions.elements import Node
from fhir_keta.validation.structures.types import Types, codes_of, referred

JsonObject = dict[str, Any]

_CORE = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Element:
    """An element, and the root of the definition that it is one of; ``type`` is the one that it is said to have."""

    root: Node
    node: Node
    type: str = ""

    def working_type(self) -> str | None:
        """What to call its type; None where it has several."""
        if self.type:
            return self.type
        codes = codes_of(self.node.element)
        if self.node is self.root or len(codes) != 1:
            return self.root.name if self.node is self.root else None
        return codes[0]


@dataclass(frozen=True, slots=True)
class Variable:
    """A name in a map with its mode, source or target; without ``element`` nothing is known of what it stands for."""

    name: str
    mode: str
    element: Element | None = None


@dataclass(slots=True)
class Variables:
    """Those known at one place of a map: a name may stand for one source and for one target."""

    found: dict[tuple[str, bool], Variable] = field(default_factory=dict)

    def add(self, variable: Variable) -> None:
        """Make it known, instead of the one of its name and mode."""
        self.found[variable.name, variable.mode == "source"] = variable

    def get(self, name: str, is_source: bool) -> Variable | None:
        """The variable of this name and mode."""
        return self.found.get((name, is_source))

    def has(self, name: str) -> bool:
        """Whether there is one of this name."""
        return (name, True) in self.found or (name, False) in self.found

    def copy(self) -> Variables:
        """The same, to which more can be added."""
        return Variables(dict(self.found))


def parts(element: Element, name: str, known: Types) -> list[Element]:
    """The elements of this name that an element may have: of its own, or else of each of its types."""
    if element.node.children:
        found = element.node.children.get(name) or element.node.children.get(f"{name}[x]")
        return [_followed(Element(element.root, found))] if found else []
    return list(_of_types(element, name, known))


def _of_types(element: Element, name: str, known: Types) -> Iterator[Element]:
    for code in codes_of(element.node.element):
        chosen = code
        if element.type:
            if is_made_from(element.type, code, known):
                chosen = element.type
            elif not same_type(element.type, code):
                continue
        root = known.root(chosen)
        found = (root.children.get(name) or root.children.get(f"{name}[x]")) if root else None
        if root is not None and found is not None:
            yield _followed(Element(root, found))


def _followed(element: Element) -> Element:
    """What an element is that is defined elsewhere in its definition."""
    reference = element.node.element.get("contentReference")
    target = referred(element.root, reference) if isinstance(reference, str) else None
    return replace(element, node=target) if target else element


def same_type(one: str, other: str) -> bool:
    """Whether two names or canonicals are of one type."""
    return one.removeprefix(_CORE) == other.removeprefix(_CORE)


def is_made_from(type_: str, base: str, known: Types) -> bool:
    """Whether a type is another one, or made from it."""
    return any(same_type(each["url"], base) for each in known.lineage(type_))
