"""A StructureDefinition's snapshot as a tree of elements, slices beside the element they slice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.errors import DefinitionError

JsonObject = dict[str, Any]

FHIR_TYPE_EXTENSION = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
FHIRPATH_TYPES = "http://hl7.org/fhirpath/System."

_VALUE = re.compile("(fixed|pattern|minValue|maxValue)[A-Z]")


@dataclass(slots=True)
class Element:
    """One ElementDefinition of a snapshot with its children and slices (R4, ElementDefinition)."""

    definition: JsonObject
    name: str
    children: dict[str, Element] = field(default_factory=dict)
    slices: dict[str, Element] = field(default_factory=dict)
    _values: dict[str, Any] | None = field(default=None, init=False, repr=False, compare=False)
    _type_codes: list[str] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def id(self) -> str:
        return str(self.definition["id"])

    @property
    def min(self) -> int:
        return int(self.definition.get("min", 0))

    @property
    def type_codes(self) -> list[str]:
        """The FHIR types it may have; a resource's ``id`` is an id, though R4's snapshots call it a string."""
        if self._type_codes is None:
            is_id = self.definition.get("base", {}).get("path") == "Resource.id"
            self._type_codes = ["id"] if is_id else [type_code(type_) for type_ in self.types]
        return self._type_codes

    @property
    def max(self) -> int | None:
        """The upper cardinality; None is ``*``."""
        maximum = self.definition.get("max", "*")
        return None if maximum == "*" else int(maximum)

    @property
    def is_array(self) -> bool:
        """Whether JSON writes it as an array: decided by the base definition, not by a profile's narrower max."""
        base = self.definition.get("base", {}).get("max", self.definition.get("max", "*"))
        return base not in ("0", "1")

    @property
    def is_extensible(self) -> bool:
        """Whether ``_name`` may stand beside it: not beside ids and an extension's url, which are FHIRPath strings."""
        return not any(str(type_.get("code", "")).startswith(FHIRPATH_TYPES) for type_ in self.types)

    @property
    def is_choice(self) -> bool:
        return self.name.endswith("[x]")

    @property
    def types(self) -> list[JsonObject]:
        types: list[JsonObject] = self.definition.get("type", [])
        return types

    @property
    def values(self) -> dict[str, Any]:
        """The values of ``fixed[x]``, ``pattern[x]``, ``minValue[x]`` and ``maxValue[x]``, by the name before [x]."""
        if self._values is None:
            self._values = {}
            for key, value in self.definition.items():
                if found := _VALUE.match(key):
                    self._values.setdefault(found[1], value)
        return self._values

    def as_type(self, code: str) -> Element:
        """A choice element seen as one of its types: ``value[x]`` as ``Quantity``; another element as it is."""
        if not self.is_choice:
            return self
        types = [type_ for type_, known in zip(self.types, self.type_codes, strict=True) if known == code]
        definition = {**self.definition, "type": types}
        return Element(definition, choice_key(self.name, code), self.children if len(self.types) == 1 else {})

    def walk(self) -> Iterator[Element]:
        yield self
        for below in (*self.children.values(), *self.slices.values()):
            yield from below.walk()


def choice_key(name: str, code: str) -> str:
    """``value[x]`` of type ``Quantity`` is ``valueQuantity`` in JSON (R4, Choice of Data Types)."""
    return name.removesuffix("[x]") + code[:1].upper() + code[1:]


def type_code(type_: JsonObject) -> str:
    """The FHIR type an ElementDefinition.type means; R4 writes ids and values as FHIRPath types with an extension."""
    code = str(type_.get("code", ""))
    if code.startswith(FHIRPATH_TYPES):
        for extension in type_.get("extension", ()):
            if extension.get("url") == FHIR_TYPE_EXTENSION:
                return str(extension.get("valueUrl") or extension.get("valueUri"))
        return code[len(FHIRPATH_TYPES) :].lower()
    return code


def element_tree(structure: JsonObject) -> Element:
    """The root element of a StructureDefinition with a snapshot.

    Raises DefinitionError when there is no snapshot or an element stands before its parent.
    """
    definitions = structure.get("snapshot", {}).get("element")
    url = structure.get("url", "a StructureDefinition without url")
    if not definitions:
        raise DefinitionError(f"{url} has no snapshot. Generate one, or load it through the library.")
    root = Element(definitions[0], str(definitions[0]["path"]))
    for definition in definitions[1:]:
        element_id = str(definition.get("id") or definition["path"])
        node = root
        *parents, last = element_id.split(".")[1:]
        try:
            for segment in parents:
                node = _step(node, segment)
            name, _, slice_name = last.partition(":")
            if slice_name and name in node.children:
                node.children[name].slices[slice_name] = Element(definition, name)
            else:  # two of R4's profiles name an element like a slice, of nothing sliced: it is that element
                node.children[name] = Element(definition, name)
        except KeyError:
            raise DefinitionError(
                f"{url}: the element {element_id} stands before its parent. Correct the snapshot."
            ) from None
    return root


def _step(node: Element, segment: str) -> Element:
    name, _, slice_name = segment.partition(":")
    child = node.children[name]
    return child.slices[slice_name] if slice_name and child.definition.get("sliceName") != slice_name else child
