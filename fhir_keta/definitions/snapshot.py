"""Snapshots: the full element list of a profile, from its base's snapshot and its own differential.

Follows FHIR R4, "Profiling FHIR", "StructureDefinition" and "ElementDefinition"; where these leave a choice, what HL7's
own tool did in the published R4 profiles (tests/unit/test_r4_snapshots.py compares all of them).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from fhir_keta.definitions.elements import Node, flat, tree
from fhir_keta.errors import DefinitionError

JsonObject = dict[str, Any]
Structure = Callable[[str], JsonObject | None]

CORE = "http://hl7.org/fhir/StructureDefinition/"
SPECIFICATION = "http://hl7.org/fhir/"
SYSTEM = "http://hl7.org/fhirpath/System."
LINK = re.compile(r"\]\((?!#|[a-z]+:)([^)\s]+)\)")
MARKDOWN = ("comment", "definition", "meaningWhenMissing", "requirements")
APPENDED = ("alias", "condition", "example", "mapping")
EXTENSIONS = ("Extension", "extension", "modifierExtension")
ABSTRACT_TYPES = {"Element", "BackboneElement", "Resource", "DomainResource"}
STRENGTHS = ("example", "preferred", "extensible", "required")

BY_URL = {"discriminator": [{"type": "value", "path": "url"}], "ordered": False, "rules": "open"}
BY_TYPE = {"discriminator": [{"type": "type", "path": "$this"}], "ordered": False}


def with_snapshot(definition: JsonObject, structure: Structure) -> JsonObject:
    """Return the StructureDefinition with the snapshot of its differential over its base.

    ``structure`` gives the StructureDefinition of a type or canonical with its snapshot, or None.
    Raises DefinitionError when the base is unknown or the differential does not fit it.
    """
    return {**definition, "snapshot": {"element": _Generation(definition, structure).elements()}}


class _Generation:
    """The making of one snapshot."""

    def __init__(self, definition: JsonObject, structure: Structure) -> None:
        self.name = definition.get("url") or definition.get("id") or "a StructureDefinition without url"
        self.definition = definition
        self.structure = structure

    def elements(self) -> list[JsonObject]:
        url = self.definition.get("baseDefinition")
        base = self.structure(url) if url else None
        if base is None:
            raise self.error(f"its baseDefinition {url} is not known", "add that definition, or correct baseDefinition")
        root = self.inherited_tree(base)
        root.element.pop("extension", None)  # these tell the maturity of the base
        self.pristine = root.copy()
        differential = tree(self.definition.get("differential", {}).get("element", ()))
        if differential is not None:
            if differential.name != root.name:
                raise self.error(f"its first path is {differential.name}", f"start every path with {root.name}")
            self.constrain(root, differential, root.name)
        return list(flat(root))

    def error(self, problem: str, remedy: str) -> DefinitionError:
        return DefinitionError(f"no snapshot can be made for {self.name}: {problem}; {remedy}")

    def inherited_tree(self, definition: JsonObject) -> Node:
        root = tree(definition["snapshot"]["element"])
        if root is None:
            raise self.error(f"{definition['url']} has an empty snapshot", "give that definition with its snapshot")
        for node in root.walk():
            if not node.element:
                raise self.error(f"the snapshot of {definition['url']} lacks {node.name}", "correct that snapshot")
            node.element = _inherited(node.element, definition["url"])
        return root

    # ---- one element and what is below it ----

    def constrain(self, node: Node, differential: Node, place: str) -> None:
        """Apply the differential's element and children to a node of the snapshot in the making."""
        if differential.element:
            if node.name in EXTENSIONS:
                node.element = _extension_texts(node.element)
            node.element = self.merged(self.profiled(node.element, differential.element), differential.element, place)
        if differential.children and not node.children:
            self.unfold(node, place)
        shortcuts: dict[str, dict[str, str]] = {}
        for name in differential.children:
            if name not in node.children:
                choice, code = self.shortcut(node, name, place)
                shortcuts.setdefault(choice, {})[name] = code
        for choice, names in shortcuts.items():
            self.narrow(node.children[choice], names)
        for name, child in differential.children.items():
            if name in node.children:
                self.sliced(node.children[name], child, f"{place}.{name}")
            else:
                choice = next(choice for choice, names in shortcuts.items() if name in names)
                target = node.children[choice]
                part = target.slices.get(name) or self.new_slice(target, name)
                self.sliced(part, child, f"{place}.{name}")
                if len(target.element["type"]) == 1 and target.element["slicing"]["rules"] == "closed":
                    target.element = {**target.element, "min": max(target.element["min"], part.element["min"])}

    def shortcut(self, node: Node, name: str, place: str) -> tuple[str, str]:
        """For a name such as valueQuantity the choice element, value[x], and the type (ElementDefinition.path)."""
        for choice in node.children.values():
            stem = choice.name.removesuffix("[x]")
            if stem != choice.name and name.startswith(stem):
                code = _type_named(choice, name[len(stem) :])
                if code is not None:
                    return choice.name, code
        raise self.error(f"{place}.{name} is not an element of its base", "correct the path")

    def narrow(self, choice: Node, names: dict[str, str]) -> None:
        """Shortcuts leave a choice no other types than those they name, unless the base sliced it already."""
        if "slicing" not in choice.element:
            types = [kind for kind in choice.element["type"] if kind["code"] in names.values()]
            choice.element = {**choice.element, "slicing": {**BY_TYPE, "rules": "closed"}, "type": types}

    def sliced(self, node: Node, differential: Node, place: str) -> None:
        """Apply a differential to an element that may be sliced, here or in the base."""
        self.constrain(node, differential, place)
        if differential.slices and "slicing" not in node.element and node.slice_name is None:
            if node.name in EXTENSIONS:
                node.element = {**_extension_texts(node.element), "slicing": BY_URL}
            elif node.name.endswith("[x]") and all(self.type_slice(node, name) for name in differential.slices):
                node.element = {**node.element, "slicing": {**BY_TYPE, "rules": "open"}}
            else:
                raise self.error(f"{place} has slices but no slicing", "add slicing with a discriminator")
        for name, child in differential.slices.items():
            part = node.slices.get(name) or self.new_slice(node, name)
            if not part.children:
                part.children = {key: value.copy() for key, value in node.children.items()}
            self.sliced(part, child, f"{place}:{name}")

    def new_slice(self, node: Node, name: str) -> Node:
        """A slice starts as its element stands, with what the profile says of all slices, but is not required."""
        part = Node(node.name, name, {key: value for key, value in node.element.items() if key != "slicing"})
        part.children = {key: child.copy() for key, child in node.children.items()}
        part.element["min"] = 0
        if node.name.endswith("[x]") and (code := self.type_slice(node, name)) is not None:
            part.element["type"] = [kind for kind in node.element["type"] if kind["code"] == code]
        node.slices[name] = part
        return part

    def type_slice(self, choice: Node, name: str) -> str | None:
        """The type that a slice named valueQuantity of value[x] stands for, None for a slice named otherwise."""
        stem = choice.name.removesuffix("[x]")
        return _type_named(choice, name.removeprefix(stem)) if name.startswith(stem) else None

    # ---- walking into types ----

    def unfold(self, node: Node, place: str) -> None:
        """Give the node the children of what its type, profile or contentReference names."""
        if (reference := node.element.get("contentReference")) is not None:
            target = self.pristine
            for step in reference.partition("#")[2].split(".")[1:]:
                target = target.children[step]
            kept = {key: value for key, value in node.element.items() if key != "contentReference"}
            node.element = {**kept, "type": target.element["type"]}
            node.children = {name: child.copy() for name, child in target.children.items()}
            return
        types = node.element.get("type", [])
        if len(types) != 1:
            raise self.error(f"{place} has {len(types)} types, so nothing can stand below it", "narrow it to one type")
        profiles = types[0].get("profile", [])
        known = self.structure(profiles[0]) if len(profiles) == 1 else None
        definition = known or self.structure(types[0]["code"])
        if definition is None:
            raise self.error(f"the type {types[0]['code']} of {place} is not known", "correct it or add its definition")
        node.children = self.inherited_tree(definition).children

    # ---- one element ----

    def profiled(self, base: JsonObject, own: JsonObject) -> JsonObject:
        """Where the differential names one profile for the type, what that profile says of its root holds here too."""
        types = own.get("type", ())
        profiles = [url for kind in types for url in kind.get("profile", ())]
        if len(types) != 1 or len(profiles) != 1 or profiles[0] == self.definition.get("url"):
            return base
        if (profile := self.structure(profiles[0])) is None:
            return base
        root = _inherited(profile["snapshot"]["element"][0], profile["url"])
        if profile["type"] != "Extension":
            keys = {constraint["key"] for constraint in base.get("constraint", ())}
            added = [constraint for constraint in root.get("constraint", ()) if constraint["key"] not in keys]
            return {**base, "constraint": [*base.get("constraint", ()), *added]}
        taken = {key: value for key, value in root.items() if key not in ("id", "path", "extension", "slicing")}
        return {**taken, **{key: base[key] for key in ("slicing", "base", "mustSupport") if key in base}}

    def merged(self, base: JsonObject, own: JsonObject, place: str) -> JsonObject:
        """What the differential's element makes of the base's (ElementDefinition, "Interpretation in profiles")."""
        self.check_narrower(base, own, place)
        result = {**base, **{key: value for key, value in own.items() if key not in (*APPENDED, "constraint", "base")}}
        for key in APPENDED:
            if key in own:
                known = base.get(key, [])
                result[key] = [*known, *(item for item in own[key] if item not in known)]
        for key in MARKDOWN:
            if key in base and own.get(key, "").startswith("..."):
                result[key] = f"{base[key]} {own[key][3:].strip()}"
        if "constraint" in own:
            keys = {constraint["key"] for constraint in base.get("constraint", ())}
            url = self.definition.get("url")
            added = [
                {**item, "source": item.get("source", url)} for item in own["constraint"] if item["key"] not in keys
            ]
            result["constraint"] = [*base.get("constraint", ()), *added]
        return result

    def check_narrower(self, base: JsonObject, own: JsonObject, place: str) -> None:
        """A profile may only narrow cardinality, types and binding strength (Profiling FHIR, "Limitations of Use")."""
        if "min" in own and "sliceName" not in own and own["min"] < base["min"]:
            raise self.error(f"{place} has min {own['min']} under {base['min']} of its base", "raise min")
        if "max" in own and _number(own["max"]) > _number(base["max"]):
            raise self.error(f"{place} has max {own['max']} over {base['max']} of its base", "lower max")
        if "binding" in own and "binding" in base:
            strengths = [binding["binding"]["strength"] for binding in (own, base)]
            if STRENGTHS.index(strengths[0]) < STRENGTHS.index(strengths[1]):
                raise self.error(
                    f"{place} weakens the binding from {strengths[1]} to {strengths[0]}", "keep its strength"
                )
        allowed = {kind["code"] for kind in base.get("type", ())}
        for kind in own.get("type", ()):
            if allowed and not self.is_kind_of(kind["code"], allowed):
                raise self.error(
                    f"{place} has the type {kind['code']}, which its base does not allow", "correct the type"
                )

    def is_kind_of(self, code: str, allowed: Iterable[str]) -> bool:
        known = {*allowed}
        if code in known or known & ABSTRACT_TYPES or any(name.startswith(SYSTEM) for name in known):
            return True
        definition = self.structure(code)
        base = definition.get("baseDefinition", "") if definition is not None else ""
        return bool(base) and self.is_kind_of(base.removeprefix(CORE), known)


def _type_named(choice: Node, suffix: str) -> str | None:
    codes = [kind["code"] for kind in choice.element["type"]]
    return next((code for code in codes if code[0].upper() + code[1:] == suffix), None)


def _number(maximum: str) -> float:
    return float("inf") if maximum == "*" else int(maximum)


def _extension_texts(element: JsonObject) -> JsonObject:
    """What R4 says of extensions in general is not repeated where a profile speaks of its own."""
    kept = {key: value for key, value in element.items() if key not in ("alias", "comment", "mapping", "requirements")}
    return {**kept, "short": "Extension", "definition": "An Extension"}


def _inherited(element: JsonObject, url: str) -> JsonObject:
    """The element as a profile takes it over from the definition ``url``.

    Constraints say where they come from (ElementDefinition.constraint.source), links into the specification are whole.
    """
    result = dict(element)
    if "constraint" in element:
        result["constraint"] = [{**item, "source": item.get("source", url)} for item in element["constraint"]]
    if url.startswith(CORE):
        for name in MARKDOWN:
            if name in element:
                result[name] = LINK.sub(rf"]({SPECIFICATION}\1)", element[name])
    return result
