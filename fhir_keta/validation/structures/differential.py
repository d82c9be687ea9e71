"""Whether a differential fits its base: its elements are there, in the base's order, and none allows more.

R4, Profiling FHIR ("Limitations of Use", "Slicing"), StructureDefinition.differential, and ElementDefinition,
"Interpretation in profiles". What is said here is what makes that no snapshot can be generated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fhir_keta.definitions.elements import Node
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.structures.blocks import Block, blocks
from fhir_keta.validation.structures.choices import is_shortcut, type_named, type_slices
from fhir_keta.validation.structures.narrower import narrower
from fhir_keta.validation.structures.types import Types, codes_of, referred

JsonObject = dict[str, Any]

_EXTENSIONS = ("extension", "modifierExtension")
_DEEPEST = 100  # names in a path: no element of FHIR stands so deep, but in extensions of extensions of extensions


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit: the element's place in the differential, the rule and what to say."""

    position: int
    rule: str
    problem: str


class _Place(NamedTuple):
    """Where in the base the differential is held: ``source`` is the root of the definition that has the element.

    ``in_slice``: below a slice; ``in_its_parts``: where the base says itself what parts that slice has.
    """

    path: str
    source: Node
    in_slice: bool = False
    in_its_parts: bool = False

    def below(self, name: str) -> _Place:
        return self._replace(path=f"{self.path}.{name}")


@dataclass(eq=False)
class Differential:
    """One differential held against the base's elements.

    ``types`` are those that paths have then, ``types_of_slices`` those of slices and what is below them.
    """

    known: Types
    base: Node
    misfits: list[Misfit] = field(default_factory=list)
    types: dict[str, set[str]] = field(default_factory=dict)
    types_of_slices: dict[str, set[str]] = field(default_factory=dict)

    def judge(self, elements: list[JsonObject]) -> None:
        """Collect what does not fit."""
        for position, element in enumerate(elements):
            if text(element.get("path")).count(".") > _DEEPEST:
                self.misfits.append(Misfit(position, "differential-element", "nothing stands so deep"))
                return
        root = blocks(elements)
        place = _Place(self.base.name, self.base)
        self._merged(self.base.element, root, place)
        self._below(root.children, self.base.children, place, 1 if root.element else 0)

    def _misfit(self, block: Block, rule: str, problem: str) -> None:
        self.misfits.append(Misfit(block.position, rule, problem))

    def _merged(self, base: JsonObject, block: Block, place: _Place, is_slice: bool = False) -> JsonObject:
        """What the element is then: the base's, with what the differential says of it."""
        effective, problems = narrower(base, block.element, place.path, self.known)
        for rule, problem in problems:
            self._misfit(block, rule, problem)
        self._typed(effective, place, self.types_of_slices if is_slice or place.in_slice else self.types)
        return effective

    def _typed(self, element: JsonObject, place: _Place, types: dict[str, set[str]]) -> None:
        codes = (text(type_["code"]) for type_ in objects(element.get("type")) if "code" in type_)
        types.setdefault(place.path, set()).update(codes)

    def _below(self, found: list[Block], nodes: dict[str, Node], place: _Place, cursor: int) -> int:
        """The blocks below one element against the elements that it has, in the base's order.

        ``cursor`` is where the differential is read on; the answer is where it was left. What stands before that and
        was not asked for is out of order.
        """
        pending = list(found)
        for node in nodes.values():
            group = [block for block in pending if block.position >= cursor and _is_named(block.name, node.name)]
            explicit = [block for block in group if block.element]
            if explicit:
                cursor = self._group(node, explicit, place.below(node.name), cursor)
                done = {block.position for block in explicit}
                pending = [block for block in pending if not block.element or block.position not in done]
            elif group and (node.children or group[0].position <= cursor + 1):
                cursor = self._implied(node, group[0], place.below(node.name), cursor)
                pending.remove(group[0])
            elif place.source is not self.base:
                self._typed(node.element, place.below(node.name), self.types_of_slices)
        for block in pending:
            known = any(_is_named(block.name, name) for name in nodes)
            problem = "it is out of the base's order" if known else "the base has no such element here"
            self._misfit(block, "differential-element", problem)
        return cursor

    def _implied(self, node: Node, block: Block, place: _Place, cursor: int) -> int:
        """What is said of the parts of an element without a word on itself."""
        has_parts = bool(node.children) or (node.name.endswith("[x]") and bool(node.slices))
        if "slicing" in node.element and (has_parts or place.source is not self.base):
            problem = "its element is sliced in the base: that, or the slice, has to stand before it"
            self._misfit(block, "differential-element", problem)
            return block.end
        if node.children:
            return self._below(block.children, node.children, place._replace(in_its_parts=False), cursor)
        self._inside(node.element, node, block, place, block.position)
        return block.end

    def _group(self, node: Node, group: list[Block], place: _Place, cursor: int) -> int:
        """All that is said of one element of the base: of itself, and of its slices."""
        first = group[0]
        is_sliced = "slicing" in node.element
        if place.in_its_parts and len(group) == 1 and not is_sliced:
            self._single(node, first, place)
        elif node.name.endswith("[x]") and (is_shortcut(first.name, node.name) or _is_sliced(node, group)):
            self._choice(node, group, place)
        elif is_sliced:
            self._resliced(node, group, place, cursor)
            if len(group) == 1 and not first.slice_name:
                return cursor + 1  # the parts count for nothing, as for HL7's validator
        elif len(group) == 1 and not _is_sliced(node, group) and not (_is_extension(node) and first.slice_name):
            self._single(node, first, place)
        else:
            self._sliced(node, group, place)
        return group[-1].end

    def _single(self, node: Node, block: Block, place: _Place) -> None:
        typed_choice = node.name.endswith("[x]") and "type" in block.element
        if block.slice_name and not typed_choice and node.slice_name is None:
            self._misfit(block, "differential-slicing", "it is a slice, but nothing says by what the element is sliced")
        self._apply(node, block, place)

    def _apply(self, node: Node, block: Block, place: _Place, as_slice: bool = False) -> None:
        """What is said of an element that is not sliced in the base, or a slice of one."""
        base = node.element
        profile = self._extension_profile(node, block)
        if profile is not None:
            base = {**base, **{key: value for key, value in profile.items() if key in ("min", "max")}}
        is_slice = as_slice or node.slice_name is not None
        effective = self._merged(base, block, place, is_slice)
        if is_shortcut(block.name, node.name) and len(codes_of(effective)) > 1:
            effective = {**effective, "type": [{"code": type_named(block.name, node.name, self.known)}]}
        inside = _Place(place.path, place.source, place.in_slice or is_slice, place.in_its_parts or is_slice)
        self._inside(effective, node, block, inside, block.position + 1)

    def _new_slice(self, node: Node, block: Block, place: _Place) -> None:
        """A slice that is new where the base slices already; its parts may stand a place later, as for HL7's."""
        base = {key: value for key, value in node.element.items() if key != "slicing"}
        effective = self._merged(base, block, place, True)
        self._inside(effective, node, block, _Place(place.path, place.source, True), block.position)

    def _extension_profile(self, node: Node, block: Block) -> JsonObject | None:
        """The root of the extension that a slice names: no more of it than that says."""
        types = objects(block.element.get("type"))
        if codes_of(node.element) != ["Extension"] or len(types) != 1 or not types[0].get("profile"):
            return None
        root = self.known.root(text(types[0]["profile"][0]))
        return root.element if root is not None else None

    def _sliced(self, node: Node, group: list[Block], place: _Place) -> None:
        """An element that the base does not slice."""
        first = group[0]
        slicing = first.element.get("slicing")
        if node.element.get("max") in ("0", "1") and not (
            slicing is not None and (first.element.get("max") == "1" or _is_by_type(slicing))
        ):
            self._misfit(first, "differential-slicing", "the element does not repeat, so it has no slices")
            return
        if slicing is None and not _is_extension(node):
            problem = "it stands more than once, but nothing says by what the element is sliced"
            self._misfit(first, "differential-slicing", problem)
            return
        for block in group[1:]:
            apart = bool(node.children) or first.end > first.position + 1
            if not apart and "slicing" in block.element and not _same_slicing(slicing or {}, block.element["slicing"]):
                self._misfit(block, "differential-slicing", "the slicing is not that of the element")
        slices = group
        if not first.slice_name:
            self._apply(node, first, place)
            slices = group[1:]
        self._distinct(slices, node)
        for block in slices:
            self._apply(node, block, place, as_slice=True)

    def _resliced(self, node: Node, group: list[Block], place: _Place, cursor: int) -> None:
        """An element that the base slices already: its slices, in its order, then new ones."""
        first, slicing = group[0], node.element["slicing"]
        if "slicing" in first.element and (problem := _changed(first.element["slicing"], slicing, node.name)):
            self._misfit(first, "differential-slicing", problem)
        slices = group
        if not first.slice_name:
            effective = self._merged(node.element, first, place)
            if first.children and first.children[0].position > cursor + 1:
                self._misfit(first.children[0], "differential-element", "it is out of the base's order")
            else:
                start = first.position + ("slicing" in first.element)
                self._inside(effective, node, first, place._replace(in_its_parts=False), start)
            slices = group[1:]
        elif "slicing" in first.element:
            self._merged(node.element, first, place)
        self._distinct(slices, node)
        known = list(node.slices)
        pending = list(slices)
        for name in known:
            if pending and pending[0].slice_name == name:
                self._apply(node.slices[name], pending.pop(0), place)
        if pending and slicing.get("rules") == "closed":
            self._misfit(pending[0], "differential-slicing", "the base allows no other slices")
        seen = {*known, *(block.slice_name for block in slices)}
        for block in pending:
            name = text(block.element.get("id")).rpartition(".")[2].partition(":")[2]
            outer, resliced, _ = name.partition("/")
            if block.slice_name in known:
                self._misfit(block, "differential-slicing", "the slices are not in the order of the base's")
            elif resliced and outer not in seen:
                self._misfit(block, "differential-slicing", "the slice that it is one of is not there")
            self._new_slice(node, block, place)

    def _choice(self, node: Node, group: list[Block], place: _Place) -> None:
        """An element of several types, sliced by type or spoken of by the name of one (valueQuantity)."""
        problems, slices = type_slices(node, group, self.known)
        for block, problem in problems:
            self._misfit(block, "differential-slicing", problem)
        if problems:
            return
        if len(slices) < len(group):
            self._apply(node, group[0], place)
        self._distinct([block for block, _ in slices], node)
        by_type = {code: part for part in node.slices.values() for code in codes_of(part.element)}
        for block, code in slices:
            element = {**({"type": [{"code": code}]} if code else {}), "sliceName": code or "?", **block.element}
            part = by_type.get(code, Node(node.name, None, node.element, node.children))
            self._apply(part, Block(block.name, block.position, element, block.children), place, as_slice=True)
        if any(block.element.get("min") for block, _ in slices) and not place.in_slice:
            self.types[place.path] = set()  # of all the types the one that is required is left

    def _distinct(self, slices: list[Block], node: Node) -> None:
        seen: set[str] = set()
        for block in slices:
            name = block.slice_name or block.name
            if name in seen or name == node.name:
                self._misfit(block, "differential-slicing", "a slice has a name, which no other has")
            seen.add(name)

    def _inside(self, effective: JsonObject, node: Node, block: Block, place: _Place, cursor: int) -> None:
        """What the differential says of the parts of an element."""
        if not block.children:
            return
        if block.element and not node.children and "Resource" in codes_of(effective):
            self._misfit(block.children[0], "differential-element", "its element may be any resource")
            return
        if node.children:
            self._below(block.children, node.children, place, cursor)
            return
        found = self._parts(effective, place.source)
        if isinstance(found, str):
            self._misfit(block.children[0], "differential-element", found)
            return
        nodes, source = found
        self._below(block.children, nodes, _Place(place.path, source, place.in_slice), cursor)

    def _parts(self, element: JsonObject, source: Node) -> tuple[dict[str, Node], Node] | str:
        """The parts of an element by what it refers to or by its type, and where references in them lead."""
        if "contentReference" in element and "type" not in element:
            target = referred(source, text(element["contentReference"]))
            return (target.children, source) if target else "what its element refers to is not there"
        types = objects(element.get("type"))
        codes = {text(type_.get("code")) for type_ in types}
        if not codes:
            return "its element has no type"
        root: Node | None = None
        if len(codes) > 1:
            root = self.known.root("Element")
        else:
            profiles = types[0].get("profile", ())
            root = self.known.root(text(profiles[0])) if len(profiles) == 1 else None
            root = root or self.known.root(codes_of(element)[0])
        return (root.children, root) if root else "the type of its element is not known"


def _is_named(name: str, base: str) -> bool:
    return name == base or is_shortcut(name, base) or is_shortcut(base, name)


def _is_extension(node: Node) -> bool:
    return node.name in _EXTENSIONS


def _is_sliced(node: Node, group: list[Block]) -> bool:
    return len(group) > 1 or "slicing" in group[0].element or ("slicing" in node.element and node.name.endswith("[x]"))


def _is_by_type(slicing: JsonObject) -> bool:
    return slicing.get("discriminator") == [{"type": "type", "path": "$this"}]


def _discriminators(slicing: JsonObject) -> list[tuple[str, str]]:
    return [(text(each.get("type")), text(each.get("path"))) for each in objects(slicing.get("discriminator"))]


def _same_slicing(first: JsonObject, other: JsonObject) -> bool:
    same = all(name not in other or first.get(name) == other[name] for name in ("ordered", "rules"))
    return same and _discriminators(first) == _discriminators(other)


def _changed(slicing: JsonObject, base: JsonObject, name: str) -> str:
    """What a slicing changes of the base's that it may not; empty: nothing."""
    if "ordered" in slicing and "ordered" in base and slicing["ordered"] != base["ordered"]:
        return "the base has its slices in another order"
    own, inherited = _discriminators(slicing), _discriminators(base)
    if own and inherited and own[: len(inherited)] != inherited:
        return "the base slices by something else"
    rules = (slicing.get("rules"), base.get("rules"))
    open_ = rules[1] in ("open", None) or rules[0] in (rules[1], None) or rules == ("openAtEnd", "closed")
    return "" if open_ or name.endswith("[x]") else "the base says otherwise whether there may be other slices"


def misfits(known: Types, base: JsonObject, elements: list[JsonObject]) -> tuple[list[Misfit], dict[str, set[str]]]:
    """What does not fit in a differential, and the types that each path has with it."""
    types: dict[str, set[str]] = {}
    for element in objects(base["snapshot"]["element"]):
        codes = {text(type_.get("code")) for type_ in objects(element.get("type"))}
        types.setdefault(text(element.get("path")), set()).update(codes)
    root = known.root(base["url"])
    if root is None or not elements or any(_root_of(element) != root.name for element in elements):
        return [], types  # sdf-8a says that a path begins with the type
    judged = Differential(known, root)
    judged.judge(elements)
    types |= judged.types
    for path, codes in judged.types_of_slices.items():
        types[path] = types.get(path, set()) | codes
    return judged.misfits, types


def _root_of(element: JsonObject) -> str:
    return text(element.get("path")).partition(".")[0]
