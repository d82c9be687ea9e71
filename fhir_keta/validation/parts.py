"""What elements compile to, under construction: values and objects with their plans."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fhir_keta.validation.compiled import FunctionPlan
from fhir_keta.validation.constraints import count_demands
from fhir_keta.validation.elements import Element
from fhir_keta.validation.index import IndexPlan
from fhir_keta.validation.invariants.in_words import IN_WORDS, READ_IN_WORDS
from fhir_keta.validation.primitives import PRIMITIVE_TYPES
from fhir_keta.validation.scope import Invariant

JsonObject = dict[str, Any]

# of an extension whose content its own definition judges
EXTENSION_APART: JsonObject = {"$comment": "element-type", "description": "object", "type": "object"}

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


def with_more(value: Value, added: ObjectInTheMaking) -> Value:
    """A value of a shared definition, with the invariants of this use of it."""
    if added.demands:
        value = value._replace(schema={**value.schema, "allOf": [*value.schema.get("allOf", ()), *added.demands]})
    if added.functions.invariants and value.functions:
        value = value._replace(functions=replace(value.functions, more=added.functions.invariants))
    return value


def array_of(child: Element, code: str, value: Value) -> Value:
    """The array of an element that may repeat, of values of this type."""
    items = value.schema
    if code in PRIMITIVE_TYPES and not is_bound(child):  # null keeps the place of a value that is only in _name
        nullable = {"if": {"type": "null"}, "else": items}
        items = nullable if "allOf" in items else {**items, "type": [items["type"], "null"]}
    array: JsonObject = {"type": "array", "minItems": 1, "items": items}
    demands = count_demands(child.name, child.min, child.max)
    return value._replace(schema={**array, "allOf": demands} if demands else array)


class Contents(NamedTuple):
    """What a schema holds: the names of the definitions that it refers to, and how many objects it is made of."""

    references: list[str]
    objects: int


def reached(
    schema: JsonObject, own: JsonObject, shared: JsonObject, known: dict[str, Contents]
) -> tuple[JsonObject, int]:
    """Those of the definitions, its own and shared ones, that a schema refers to, directly or through others; and how
    many objects it is made of with them.

    ``known`` is where the contents of shared ones are kept, by name.
    """
    found: JsonObject = {}
    pending, objects = _contents(schema)
    while pending:
        name = pending.pop()
        if name in found:
            continue
        if name in own:
            found[name], inside = own[name], _contents(own[name])
        else:
            found[name] = shared[name]
            if name not in known:
                known[name] = _contents(shared[name])
            inside = known[name]
        pending += inside.references
        objects += inside.objects
    return found, objects


def _contents(schema: JsonObject) -> Contents:
    references: list[str] = []
    return Contents(references, _objects(schema, references))


def _objects(node: JsonObject, references: list[str]) -> int:
    count = 1
    for key, each in node.items():
        if type(each) is dict:
            count += _objects(each, references)
        elif type(each) is list:
            if key != "enum":  # the longest hold codes
                count += sum([_objects(item, references) for item in each if type(item) is dict])
        elif key == "$ref" and type(each) is str:
            references.append(each.removeprefix("#/$defs/"))
    return count


def listed(schema: JsonObject, demands: list[JsonObject]) -> JsonObject:
    """A primitive with its demands; a code from a list needs no second look at its characters."""
    if any("const" in demand or "enum" in demand for demand in demands):
        schema.pop("pattern", None)
    return {**schema, "allOf": demands} if demands else schema
