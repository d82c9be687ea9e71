"""Compiled schemas without their index: pure JSON Schema over FHIR's JSON as it is written.

Where the index sorts the elements of a sliced array (``@slices``), the pure schema says the same with ``if``,
``contains`` and the slices' own schemas. Nothing is compiled a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.validation import reference_format, rules
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.index import BY_SLICE, REST, SEVERAL, IndexPlan, Slice
from fhir_keta.validation.primitives import PRIMITIVE_TYPES, SPACE, primitive_remedy

JsonObject = dict[str, Any]

_ONE = ("items", "contains", "not", "if", "then", "else", "additionalProperties")
_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "$defs", "dependentSchemas")

# what stands before the | in a description that is there for the explanation, and what after it
_WORDS_IN_TWO = frozenset({"cardinality-min", "cardinality-max", "slice-min", "slice-max", "choice-type"})


def pure_schema(compiled: Compiled) -> JsonObject:
    """The schema of a compiled profile or type, for the resource's JSON itself.

    Raises DefinitionError where a slice's discriminator cannot be said as a schema.
    """
    purification = _Purification()
    definitions = compiled.schema["$defs"]
    schema = {keyword: content for keyword, content in compiled.schema.items() if keyword != "$defs"}
    found = purification.object(schema, compiled.index, compiled.type)
    shared = {name: purification.object(content, IndexPlan(), name) for name, content in definitions.items()}
    named = {**shared, **purification.slices}
    return {**found, "$defs": {name: named[name] for name in sorted(named)}}


def described(schema: JsonObject) -> JsonObject:
    """A copy in which each rule is described by its message, and each pattern means the same in every language."""
    copy = mapped(schema, described)
    if copy.get("format") == reference_format.TYPED:
        copy = {"pattern": reference_format.pattern_of_typed()}
    rule, words = copy.get("$comment"), copy.get("description")
    if isinstance(rule, str) and isinstance(words, str):
        copy["description"] = _sentence(rule, words)
    pattern = copy.get("pattern")
    if isinstance(pattern, str) and pattern.endswith("$") and not pattern.endswith(f"{SPACE}$"):
        no_line_end = {
            "type": "string",
            "pattern": r"\n$",
        }  # for Python a line end may follow $, for ECMA 262 it may not
        copy |= {"allOf": [*copy.get("allOf", ()), {"not": no_line_end}]} if "not" in copy else {"not": no_line_end}
    return copy


def mapped(schema: JsonObject, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
    """A copy of a schema object with every schema directly inside it changed; what are values stay as they are."""

    def inside(content: Any) -> Any:
        return change(content) if isinstance(content, dict) else content

    copy = dict(schema)
    for keyword in _ONE:
        if keyword in copy:
            copy[keyword] = inside(copy[keyword])
    for keyword in _SEVERAL:
        if keyword in copy:
            copy[keyword] = [inside(content) for content in copy[keyword]]
    for keyword in _NAMED:
        if keyword in copy:
            copy[keyword] = {name: inside(content) for name, content in copy[keyword].items()}
    return copy


def _sentence(rule: str, words: str) -> str:
    """What the rule demands: the message of its findings."""
    if rule not in rules.RULES:
        return words
    first, _, second = words.partition("|") if rule in _WORDS_IN_TWO else (words, "", words)
    names = dict.fromkeys(("limit", "pattern", "bound", "expected", "value_set", "type"), words)
    names |= {"name": first, "min": second, "max": second, "allowed": second, "suggestion": ""}
    names["remedy"] = primitive_remedy(words) if words in PRIMITIVE_TYPES else ""
    return rules.RULES[rule].message.format(**names)


@dataclass(slots=True)
class _Purification:
    """One document under way; ``slices`` are the definitions of which elements belong to which slice."""

    slices: JsonObject = field(default_factory=dict)

    def object(self, schema: JsonObject, plan: IndexPlan, place: str) -> JsonObject:
        """An object with its sliced arrays; ``place`` is where it is, for the names of its slices."""
        copy = dict(schema)
        properties: JsonObject = {}
        for key, content in schema.get("properties", {}).items():
            if key.endswith(BY_SLICE):
                continue
            below = plan.children.get(key)
            if below is None:
                properties[key] = content
            elif below.slices:
                by_slice = schema["properties"][f"{key}{BY_SLICE}"]["properties"]
                properties[key] = self._sliced(content, by_slice, below, f"{place}.{key}")
            elif content.get("type") == "array":
                properties[key] = {**content, "items": self._items(content["items"], below, f"{place}.{key}")}
            else:
                properties[key] = self.object(content, below, f"{place}.{key}")
        if properties:
            copy["properties"] = properties
        if "allOf" in copy:
            copy["allOf"] = [self._demand(each, plan, place) for each in copy["allOf"]]
        return copy

    def _items(self, items: JsonObject, plan: IndexPlan, place: str) -> JsonObject:
        """The items of an array, where a null may keep a place too."""
        if "else" in items:
            return {**items, "else": self.object(items["else"], plan, place)}
        return self.object(items, plan, place)

    def _sliced(self, array: JsonObject, by_slice: JsonObject, plan: IndexPlan, place: str) -> JsonObject:
        """Each element as its slice says, and of no other; those of none as the rest."""
        rest = by_slice[REST]["items"]
        items = self.object(rest, plan.rest, place) if plan.rest else rest
        for position in range(len(plan.slices) - 1, -1, -1):
            slice_ = plan.slices[position]
            own = by_slice[slice_.name]["items"]
            if slice_.inside:
                own = self.object(own, slice_.inside, f"{place}.{slice_.name}")
            if others := plan.slices[position + 1 :]:
                several = {"not": {"anyOf": [self._belongs(other, place) for other in others]}}
                own = {"allOf": [own, {**_rule_of(by_slice[SEVERAL]["items"]), **several}]}
            items = {"if": self._belongs(slice_, place), "then": own, "else": items}
        limits = [
            {
                **_rule_of(limit),
                "contains": self._belongs(slice_, place),
                "minContains": 0,
                "maxContains": limit["maxItems"],
            }
            for slice_ in plan.slices
            for limit in by_slice[slice_.name].get("allOf", ())
        ]
        copy = {**array, "items": items}
        return {**copy, "allOf": [*array.get("allOf", ()), *limits]} if limits else copy

    def _demand(self, demand: JsonObject, plan: IndexPlan, place: str) -> JsonObject:
        """A demand on an object: a slice's minimum is one on the array, any other stays."""
        key = next((key for key in demand.get("properties", ()) if key.endswith(BY_SLICE)), None)
        if key is None:
            return demand
        name, ((slice_name, *_),) = key.removesuffix(BY_SLICE), (demand["properties"][key]["required"],)
        below = plan.children[name]
        slice_ = next(slice_ for slice_ in below.slices if slice_.name == slice_name)
        least = demand["properties"][key].get("properties", {}).get(slice_name, {}).get("minItems", 1)
        there: JsonObject = {"contains": self._belongs(slice_, f"{place}.{name}")}
        if least > 1:
            there["minContains"] = least
        return {**demand, "required": [name], "properties": {name: there}}

    def _belongs(self, slice_: Slice, place: str) -> JsonObject:
        name = f"slice.{place}.{slice_.name}".replace("/", ".")
        if name not in self.slices:
            self.slices[name] = {"$comment": f"whether it is of the slice {slice_.name}", **slice_.schema()}
        return {"$ref": f"#/$defs/{name}"}


def _rule_of(stated: JsonObject) -> JsonObject:
    return {word: stated[word] for word in ("$comment", "description")}
