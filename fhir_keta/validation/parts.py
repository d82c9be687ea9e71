"""What elements compile to, under construction: values and objects with their plans."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fhir_keta.validation.compiled import FunctionPlan
from fhir_keta.validation.elements import Element
from fhir_keta.validation.index import IndexPlan
from fhir_keta.validation.invariants_in_words import IN_WORDS, READ_IN_WORDS
from fhir_keta.validation.scope import Invariant

JsonObject = dict[str, Any]

BACKBONES = frozenset({"BackboneElement", "Element", ""})


class Value(NamedTuple):
    """What one value of an element compiles to."""

    schema: JsonObject
    functions: FunctionPlan | None = None
    slicing: IndexPlan | None = None


@dataclass(slots=True)
class ObjectInTheMaking:
    """An object schema under construction, with its plans; ``root`` is where content references are looked up."""

    root: Element
    functions: FunctionPlan
    properties: JsonObject = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    dependent: JsonObject = field(default_factory=dict)
    demands: list[JsonObject] = field(default_factory=list)
    index: IndexPlan = field(default_factory=IndexPlan)

    def add(self, key: str, value: Value, name: str = "") -> None:
        self.properties[key] = value.schema
        if value.functions is not None:
            self.functions.children[key] = value.functions
        if name and name != key:
            self.functions.names[key] = name
        if value.slicing:
            self.index.children[key] = value.slicing

    def schema(self) -> JsonObject:
        schema: JsonObject = {
            "type": "object",
            "minProperties": 1,
            "properties": self.properties,
            "additionalProperties": False,
        }
        for keyword, content in (
            ("required", self.required),
            ("dependentSchemas", self.dependent),
            ("allOf", self.demands),
        ):
            if content:
                schema[keyword] = content
        return schema


def say_in_words(type_name: str, built: ObjectInTheMaking) -> None:
    for rule, holds in IN_WORDS.get(type_name, {}).items():
        built.functions.invariants.append(Invariant(rule, "", holds, READ_IN_WORDS.get(rule, "")))


def is_bound(element: Element) -> bool:
    return bool(element.definition.get("binding", {}).get("strength") == "required")


class Companion(NamedTuple):
    """What a profile asks of ``_name``: of its extensions, and of the object around it that ``_name`` be there."""

    element: Element
    demands: list[JsonObject]


def asked_of_companion(child: Element, key: str) -> Companion | None:
    """What the profile says of the extensions of a primitive in ``key``; None where nothing but that it has some."""
    extension = child.children.get("extension")
    if extension is None or not (extension.slices or extension.min or extension.max == 0):
        return None
    inside = {name: below for name, below in child.children.items() if name in ("id", "extension")}
    definition = {"id": child.id, "path": child.definition["path"]}
    needed = [(name, part.min) for name, part in extension.slices.items() if part.min >= 1]
    there = {"anyOf": [{"not": {"required": [key]}}, {"required": [f"_{key}"]}]}
    demands: list[JsonObject] = [
        {"$comment": "slice-min", "description": f"{name}|{least}", **there} for name, least in needed
    ]
    if extension.min and not needed:
        demands.append({"$comment": "cardinality-min", "description": f"extension|{extension.min}", **there})
    return Companion(Element(definition, child.name, inside), demands)


def plan_path(element: Element, code: str) -> str:
    """Extensions name a backbone by its path, a data type by its name (R4, Defining Extensions, Context)."""
    return (
        str(element.definition.get("base", {}).get("path", element.definition["path"])) if code in BACKBONES else code
    )


def listed(schema: JsonObject, demands: list[JsonObject]) -> JsonObject:
    """A primitive with its demands; a code from a list needs no second look at its characters."""
    if any("const" in demand or "enum" in demand for demand in demands):
        schema.pop("pattern", None)
    return {**schema, "allOf": demands} if demands else schema
