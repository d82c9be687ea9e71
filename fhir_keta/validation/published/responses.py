"""A questionnaire's compiled schema without its index: pure JSON Schema over a response as FHIR writes it.

The compiled schema is about *scopes*, objects of items by linkId (see ``responses.index``). Here each of its statements
about a linkId is said of the item arrays instead: that an item is there with ``contains``, what each must be with
``if`` and ``then`` over the items. What the index itself decides (known linkIds, nesting, order, repetition) is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.validation.responses.index import ANSWERS, ENABLED, FURTHER, OWNER, Level, Node, Plan

JsonObject = dict[str, Any]

# in a level where an item repeats, order is said of so many elements
ORDERED = 12


@dataclass(slots=True)
class PureResponses:
    """What is said of a questionnaire's responses: ``demands`` of the response object, with their ``definitions``.

    ``not_stated`` are the linkIds of the items of which no schema can say whether they are enabled, ``unordered``
    whether order is said only of the first elements of some level.
    """

    demands: list[JsonObject] = field(default_factory=list)
    definitions: JsonObject = field(default_factory=dict)
    not_stated: set[str] = field(default_factory=set)
    unordered: bool = False


def pure_responses(plan: Plan, complete: JsonObject, incomplete: JsonObject, statuses: Iterable[str]) -> PureResponses:
    """Say the two compiled schemas of a questionnaire purely; ``statuses`` are those for which the complete one holds.

    What both demand stands once, the rest under a condition on the status.
    """
    found = PureResponses()
    scope = _Scope(plan.top, found)
    always = [scope.structure(incomplete)]
    when_complete = [*scope.rules(complete), *scope.additions(complete, incomplete)]
    otherwise = scope.rules(incomplete)
    always += [rule for rule in otherwise if rule in when_complete]
    condition = {"properties": {"status": {"enum": sorted(statuses)}}, "required": ["status"]}
    branches = {
        "then": [rule for rule in when_complete if rule not in always],
        "else": [rule for rule in otherwise if rule not in always],
    }
    kept = {branch: {"allOf": some} for branch, some in branches.items() if some}
    found.demands = [*always, {"if": condition, **kept}] if kept else always
    return found


class _NotStated(Exception):
    """The statement asks for what only the index can tell."""


class _Scope:
    """The items of one scope and where they stand in it; ``into`` collects what is found on the way."""

    def __init__(self, level: Level, into: PureResponses) -> None:
        self._level = level
        self._into = into
        self._nodes: dict[str, tuple[tuple[Node, ...], Node]] = dict(_places(level, ()))

    # the levels: which items may stand where, in which order, and what each is by itself

    def structure(self, schema: JsonObject) -> JsonObject:
        """All that holds for the items of the scope one by one, as a schema of its holder."""
        return {"properties": {"item": self._items(self._level, schema)}}

    def _items(self, level: Level, schema: JsonObject) -> JsonObject:
        nodes = list(level.nodes.values())
        each = [{"if": _named(node), "then": self._element(node, schema)} for node in nodes]
        known = {"$comment": "response-link-id-unknown", "enum": [node.item.link_id for node in nodes]}
        array: JsonObject = {"items": {"properties": {"linkId": known}, "allOf": each}}
        demands = [*self._ordered(nodes), *self._counts(nodes, schema)]
        return {**array, "allOf": demands} if demands else array

    def _element(self, node: Node, schema: JsonObject) -> JsonObject:
        """One element of an item: by itself, and with what stands inside it."""
        link_id, properties = node.item.link_id, schema["properties"]
        if node.opens and node.item.type == "group":
            inner = properties[link_id]["items"]
            parts = [inner["properties"][OWNER], *self._inside(node, inner)]
        elif node.opens:
            answers = self._inside(node, properties[ANSWERS + link_id]["items"])
            parts = [properties[link_id], {"properties": {"answer": {"items": _all(answers)}}}]
        else:
            parts = [properties[link_id]]
            if node.inside is not None:
                parts.append(_holding(node, {"properties": {"item": self._items(node.inside, schema)}}))
        return _all(parts)

    def _inside(self, node: Node, schema: JsonObject) -> list[JsonObject]:
        """What holds inside each repetition of an item that opens a scope."""
        if node.inside is None:
            return []
        scope = _Scope(node.inside, self._into)
        return [scope.structure(schema), *scope.rules(schema)]

    def _counts(self, nodes: list[Node], schema: JsonObject) -> Iterator[JsonObject]:
        """How often an item may stand in its level; where none repeats, the order says it."""
        any_repeats = any(node.item.repeats for node in nodes)
        for node in nodes:
            there = {"contains": _named(node)}
            if any_repeats and not node.item.repeats:
                yield {"$comment": "response-repeats", **there, "minContains": 0, "maxContains": 1}
            elif node.opens and node.item.type == "group":
                yield from _occurrences(node, schema)

    def _ordered(self, nodes: list[Node]) -> Iterator[JsonObject]:
        """After each element, at every index that it may have, only later items, or the same one if it repeats."""
        if len(nodes) == 1 and nodes[0].item.repeats:
            return
        repeats = any(node.item.repeats for node in nodes)
        self._into.unordered |= repeats
        name = f"level-{sum(key.endswith('.item-0') for key in self._into.definitions)}"
        for position, node in enumerate(nodes):
            later = [other.item.link_id for other in nodes[position + (not node.item.repeats) :]]
            self._into.definitions[f"{name}.item-{position}"] = _named(node)
            self._into.definitions[f"{name}.after-{position}"] = (
                {"properties": {"linkId": {"enum": later}}} if later else {"not": {}}
            )
        for index in range(ORDERED if repeats else len(nodes)):
            for position in range(0 if repeats else index, len(nodes)):
                here = {"$ref": f"#/$defs/{name}.item-{position}"}
                after = {"$ref": f"#/$defs/{name}.after-{position}"}
                yield {
                    "$comment": "response-order",
                    "if": {"prefixItems": [*([True] * index), here]},
                    "then": {"prefixItems": [*([True] * (index + 1)), after]},
                }

    # the rules of the scope: what one item demands of another

    def rules(self, schema: JsonObject) -> list[JsonObject]:
        """The rules of the scope as schemas of its holder; those that cannot be stated are left out and noted."""
        found = []
        for link_id, content in schema.get("dependentSchemas", {}).items():
            found.append(self._tried({"if": {"required": [link_id]}, "then": content}))
        for content in schema.get("allOf", ()):
            found.append(self._tried(content))
        return [rule for rule in found if rule]

    def additions(self, complete: JsonObject, incomplete: JsonObject) -> list[JsonObject]:
        """What the first of two schemas of this scope demands of single items beyond the second."""
        found = []
        for link_id, (_, node) in self._nodes.items():
            one, other = (
                {key: schema["properties"].get(key) for key in (link_id, ANSWERS + link_id)}
                for schema in (complete, incomplete)
            )
            if one == other:
                continue
            if node.opens:
                each: JsonObject = {"items": {"if": _named(node), "then": self._element(node, complete)}}
                counts = list(_occurrences(node, complete))
                found.append(self._at_level(link_id, {**each, "allOf": counts} if counts else each))
            else:
                more = {key: part for key, part in one[link_id].items() if other[link_id].get(key) != part}
                found.append(self._every(link_id, more))
        return found

    def _tried(self, schema: JsonObject) -> JsonObject:
        try:
            return self._said(schema)
        except _NotStated as what:
            self._into.not_stated.add(str(what))
            return {}

    def _said(self, schema: Any) -> JsonObject:
        """A statement about the scope as one about its holder."""
        if not isinstance(schema, dict):
            return {} if schema else {"not": {}}
        said: JsonObject = {}
        parts: list[JsonObject] = []
        for keyword, content in schema.items():
            match keyword:
                case "anyOf" | "allOf":
                    said[keyword] = [self._said(part) for part in content]
                case "not" | "if" | "then" | "else":
                    said[keyword] = self._said(content)
                case "required":
                    parts += [self._there(key, schema.get("properties", {}).get(key)) for key in content]
                case "properties":
                    wanted = schema.get("required", ())
                    parts += [self._where(key, part) for key, part in content.items() if key not in wanted]
                case _:
                    said[keyword] = content
        if said.keys() <= {"$comment", "description"} and len(parts) == 1:
            return {**said, **parts[0]}
        return {**said, "allOf": [*said.get("allOf", ()), *parts]} if parts else said

    def _there(self, key: str, content: JsonObject | None) -> JsonObject:
        """The key is in the scope, with this content: some element of the item is so."""
        if key.startswith(ENABLED):
            raise _NotStated(key.removeprefix(ENABLED))
        if key == OWNER:
            return content or {}
        if key.startswith(FURTHER):
            return self._some(key.removeprefix(FURTHER), (content or {}).get("contains", {}))
        return self._some(key, content or {})

    def _where(self, key: str, content: Any) -> JsonObject:
        """What holds for each element of the item, if there is one."""
        if key == OWNER:
            return content if isinstance(content, dict) else {}
        if key.startswith(FURTHER):
            return self._every(key.removeprefix(FURTHER), content["items"])
        _, node = self._nodes[key]
        if node.opens and node.item.type == "group":
            inside = _Scope(node.inside, self._into) if node.inside else self
            return self._every(key, inside._said(content["items"]))
        return self._every(key, content)

    def _some(self, link_id: str, content: JsonObject) -> JsonObject:
        above, node = self._nodes[link_id]
        wanted = _all([_named(node), content])
        for outer in reversed(above):
            found = {"required": ["item"], "properties": {"item": {"contains": wanted}}}
            if outer.item.is_question:
                found = {"required": ["answer"], "properties": {"answer": {"contains": found}}}
            wanted = _all([_named(outer), found])
        return {"required": ["item"], "properties": {"item": {"contains": wanted}}}

    def _every(self, link_id: str, content: JsonObject) -> JsonObject:
        _, node = self._nodes[link_id]
        return self._at_level(link_id, {"items": {"if": _named(node), "then": content}})

    def _at_level(self, link_id: str, array: JsonObject) -> JsonObject:
        """What holds for the array that an item stands in, as a schema of the scope's holder."""
        above, _ = self._nodes[link_id]
        found: JsonObject = {"properties": {"item": array}}
        for outer in reversed(above):
            within = {"if": _named(outer), "then": _holding(outer, found)}
            found = {"properties": {"item": {"items": within}}}
        return found


def _places(level: Level, above: tuple[Node, ...]) -> Iterator[tuple[str, tuple[tuple[Node, ...], Node]]]:
    for link_id, node in level.nodes.items():
        yield link_id, (above, node)
        if node.inside is not None and not node.opens:
            yield from _places(node.inside, (*above, node))


def _occurrences(node: Node, schema: JsonObject) -> Iterator[JsonObject]:
    """How often a repeating group must and may stand where it stands at all."""
    content = schema["properties"][node.item.link_id]
    if node.item.type == "group" and content.keys() & {"minItems", "maxItems"}:
        there = {"contains": _named(node)}
        numbers = {"minContains": content.get("minItems", 0)}
        if "maxItems" in content:
            numbers["maxContains"] = content["maxItems"]
        yield {"if": there, "then": {"$comment": content["$comment"], **there, **numbers}}


def _named(node: Node) -> JsonObject:
    return {"properties": {"linkId": {"const": node.item.link_id}}, "required": ["linkId"]}


def _holding(node: Node, content: JsonObject) -> JsonObject:
    """What holds for the items inside an element: directly in a group, in each answer of a question."""
    return {"properties": {"answer": {"items": content}}} if node.item.is_question else content


def _all(parts: list[JsonObject]) -> JsonObject:
    """All of these: in one object where that means the same."""
    merged: JsonObject = {}
    apart: list[JsonObject] = []
    for part in parts:
        if _mergeable(merged, part):
            for keyword, content in part.items():
                match keyword:
                    case "properties":
                        merged[keyword] = {**merged.get(keyword, {}), **content}
                    case "required":
                        merged[keyword] = [*merged.get(keyword, ()), *content]
                    case _:
                        merged[keyword] = content
        else:
            apart.append(part)
    return {**merged, "allOf": [*merged.get("allOf", ()), *apart]} if apart else merged


def _mergeable(one: JsonObject, other: JsonObject) -> bool:
    shared = one.keys() & other.keys()
    return (
        not shared - {"properties", "required"}
        and not one.get("properties", {}).keys() & other.get("properties", {}).keys()
    )
