"""A Questionnaire as a JSON Schema (2020-12) over indexed responses (see ``responses.index``).

Two schemas come from one compiler: the *complete* one for responses that are completed or amended, which alone demands
required items (R4, QuestionnaireResponse.status), and one for all others. ``$comment`` carries the rule that a schema
object states; what keywords such as ``maximum`` mean is in ``responses.explain``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_keta.questionnaires.enablement import holds
from fhir_keta.questionnaires.items import (
    ENABLE_WHEN_EXPRESSION,
    MAX_OCCURS,
    MIN_OCCURS,
    Condition,
    Item,
    ItemTree,
)
from fhir_keta.questionnaires.values import choice_name
from fhir_keta.validation.responses.answers import AnswerRules, CodeSource, answer_rules, answer_types, coding_schema
from fhir_keta.validation.responses.index import ANSWERS, ENABLED, FURTHER, OWNER, Level, Node, Plan
from fhir_keta.validation.shapes import objects

JsonObject = dict[str, Any]
Schema = JsonObject | bool

_ORDERS = {">": "exclusiveMinimum", "<": "exclusiveMaximum", ">=": "minimum", "<=": "maximum"}


class ResponseCompiler:
    """Compiles one questionnaire: ``plan`` for the index, ``schema`` for the engine, ``rules`` by linkId for both."""

    def __init__(self, tree: ItemTree, library: CodeSource) -> None:
        self._tree = tree
        contained = {
            resource["id"]: resource
            for resource in objects(tree.questionnaire.get("contained"))
            if isinstance(resource.get("id"), str)
        }
        self.rules: Mapping[str, AnswerRules] = {
            item.link_id: answer_rules(item, library, contained) for item in tree if item.is_question
        }
        self._scopes = {item.link_id: self._scope_of(item) for item in tree}
        self._computed = frozenset(
            item.link_id
            for item in tree
            if item.conditions and not _by_expression(item) and self._condition(item) is None
        )
        # a repeating group may be there and yet disabled: what it requires inside then depends on its own conditions
        self._owners = frozenset(item.link_id for item in tree if _opens(item) and item.conditions and item.children)

    def plan(self) -> Plan:
        """How to index responses."""
        return Plan(self._tree, self._level(self._tree.roots), bool(self._computed or self._owners), self._owners)

    def schema(self, complete: bool) -> JsonObject:
        """The schema for an indexed response; with ``complete`` required items are demanded."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **self._scope(None, self._tree.roots, complete),
        }

    def _level(self, items: tuple[Item, ...]) -> Level:
        nodes = {
            item.link_id: Node(
                item=item,
                position=item.position,
                inside=self._level(item.children) if item.children else None,
                opens=_opens(item),
                types=self.rules[item.link_id].types if item.link_id in self.rules else (),
                checks=self.rules[item.link_id].checks if item.link_id in self.rules else (),
            )
            for item in items
        }
        return Level(nodes, tuple(item for item in items if item.link_id in self._computed))

    def _scope_of(self, item: Item) -> str | None:
        """The linkId of the item whose repetitions are the scope that ``item`` stands in; None for the response."""
        return next((outer.link_id for outer in reversed(self._tree.ancestors(item)) if _opens(outer)), None)

    # scopes and items

    def _scope(self, owner: Item | None, items: tuple[Item, ...], complete: bool) -> JsonObject:
        properties: JsonObject = {}
        if owner is not None:
            properties[OWNER] = self._item(owner, complete) if owner.type == "group" else True
        where_present: JsonObject = {}
        rules: list[JsonObject] = []
        for item in _flattened(items):
            properties.update(self._entries(item, complete))
            condition = self._enabled(item)
            if condition is not None and item.conditions:
                where_present[item.link_id] = self._conditional(item, condition, complete)
                if item.required and complete:
                    rules.append({"if": condition, "then": self._required_in(self._parent(item), [item.link_id])})
        rules += self._required(owner, items, complete)
        schema: JsonObject = {"properties": properties}
        if where_present:
            schema["dependentSchemas"] = where_present
        return {**schema, "allOf": rules} if rules else schema

    def _entries(self, item: Item, complete: bool) -> Iterator[tuple[str, Schema]]:
        """What a scope has of one item."""
        link_id = item.link_id
        if item.type == "group" and item.repeats:
            repetitions = self._scope(item, item.children, complete)
            yield link_id, {**_occurs(item, item.integer(MIN_OCCURS) if complete else None), "items": repetitions}
            return
        schema = self._item(item, complete)
        yield link_id, schema
        if item.repeats and item.is_question:
            yield FURTHER + link_id, {"items": schema}
        if _opens(item):
            yield ANSWERS + link_id, {"items": self._scope(item, item.children, complete)}

    def _item(self, item: Item, complete: bool) -> JsonObject:
        """One item of a response, by itself."""
        properties: JsonObject = {"text": {"$comment": "response-text", "const": item.text}}
        if item.text is None:
            properties["text"] = _never("response-text")
        if item.is_question:
            properties["item"] = _never("response-nesting")
            properties["answer"] = self._answers(item)
        else:
            properties["answer"] = _never("response-answer-prohibited")
        if item.type == "display" or not (item.children or item.is_question):
            properties["item"] = _never("response-nesting")
        schema: JsonObject = {"properties": properties}
        if not _may_be_disabled(item) and (demanded := _demanded(item, complete)):
            schema |= demanded
        return schema

    def _answers(self, item: Item) -> JsonObject:
        schema: JsonObject = {"items": self.rules[item.link_id].schema}
        if not item.repeats:
            return {"$comment": "response-answer-max", "maxItems": 1, **schema}
        schema |= _occurs(item, item.integer(MIN_OCCURS))
        exclusive = [
            (option.value.value.get("system"), option.value.value.get("code"))
            for option in item.options
            if option.exclusive and option.value.type == "Coding" and isinstance(option.value.value, dict)
        ]
        if exclusive:
            alone = {"$comment": "response-option-exclusive", "not": coding_schema(exclusive)}
            schema |= {"if": {"minItems": 2}, "then": {"items": {"properties": {"valueCoding": alone}}}}
        return schema

    # required and enabled

    def _required(self, parent: Item | None, items: tuple[Item, ...], complete: bool) -> Iterator[JsonObject]:
        """Which items must be there, whatever is answered, where the item they stand in is."""
        names = [item.link_id for item in items if item.required and not _may_be_disabled(item)] if complete else []
        if names:
            yield self._required_in(parent, names)
        for item in items:
            if item.children and not _opens(item):
                yield from self._required(item, item.children, complete)

    def _required_in(self, parent: Item | None, link_ids: list[str]) -> JsonObject:
        demand: JsonObject = {"$comment": "response-required", "required": link_ids}
        present = self._present(parent)
        return demand if present is True else {"if": present, "then": demand}

    def _parent(self, item: Item) -> Item | None:
        return self._tree.by_link_id[item.path[-1]] if item.path else None

    def _present(self, parent: Item | None) -> Schema:
        """A schema for a scope in which ``parent`` is there, enabled, and thus asks for what stands inside it."""
        if parent is None:
            return True
        if _opens(parent):
            if _by_expression(parent):
                return _has(OWNER, "item")
            if parent.conditions:
                return {"anyOf": [{"required": [ENABLED + parent.link_id]}, _has(OWNER, "item")]}
            return True
        there = {"required": [parent.link_id]} if parent.type == "group" else _has(parent.link_id, "answer")
        if not _may_be_disabled(parent):
            return there
        content = _has(parent.link_id, "item") if parent.type == "group" else _has(parent.link_id, "answer")
        condition = self._enabled(parent)
        return content if condition is None else {"anyOf": [content, {"allOf": [there, condition]}]}

    def _conditional(self, item: Item, condition: Schema, complete: bool) -> JsonObject:
        """What holds for an item that is there: enabled, it may have to have content; disabled, it must have none."""
        schema: JsonObject = {"if": condition, "else": self._if_disabled(item)}
        if demanded := _demanded(item, complete):
            if item.type == "group" and item.repeats:
                schema["then"] = _within(item.link_id, {"items": _within(OWNER, demanded)})
            else:
                entries: JsonObject = {item.link_id: demanded}
                if item.repeats:
                    entries[FURTHER + item.link_id] = {"items": demanded}
                schema["then"] = {"properties": entries}
        return schema

    def _if_disabled(self, item: Item) -> JsonObject:
        never = _never("response-disabled")
        empty: JsonObject = {"properties": {"answer": never, "item": never}}
        if item.type == "group" and item.repeats:
            return _within(item.link_id, {"items": _within(OWNER, empty)})
        properties: JsonObject = {item.link_id: empty}
        if item.repeats:
            properties[FURTHER + item.link_id] = {"items": empty}
        return {"properties": properties}

    def _enabled(self, item: Item) -> Schema | None:
        """A schema for scopes in which the item's conditions are met; True without any, None if it cannot be told."""
        if _by_expression(item):
            return None
        if not item.conditions:
            return True
        return {"required": [ENABLED + item.link_id]} if item.link_id in self._computed else self._condition(item)

    def _condition(self, item: Item) -> Schema | None:
        """The item's conditions as a schema for its scope, None where a schema cannot state them."""
        if item.enable_behavior == "any" and (merged := self._one_of_several(item)) is not None:
            return merged
        parts: list[Schema] = []
        for condition in item.conditions:
            part = self._one_condition(item, condition)
            if part is None:
                return None
            parts.append(part)
        if len(parts) == 1:
            return parts[0]
        keyword = {"any": "anyOf", "all": "allOf"}.get(item.enable_behavior or "")
        return True if keyword is None else {keyword: parts}

    def _one_of_several(self, item: Item) -> Schema | None:
        """Conditions for one of several codes of one question, which are one list of codes; None for any others."""
        codings = [condition.answer.value for condition in item.conditions if condition.answer is not None]
        first = item.conditions[0]
        if (
            len(codings) < len(item.conditions)
            or any((other.question, other.operator) != (first.question, "=") for other in item.conditions)
            or not all(isinstance(coding, dict) and {"system", "code"} <= coding.keys() for coding in codings)
            or not isinstance(self._one_condition(item, first), dict)
        ):
            return None
        pairs = coding_schema((coding["system"], coding["code"]) for coding in codings)
        met = {"required": ["valueCoding"], "properties": {"valueCoding": pairs}}
        return _answered(self._tree.by_link_id[first.question], met)

    def _one_condition(self, item: Item, condition: Condition) -> Schema | None:
        question = self._tree.by_link_id.get(condition.question)
        if question is None:
            return holds(condition, [])
        if self._scopes[question.link_id] != self._scopes[item.link_id] or not question.is_question:
            return None
        if condition.operator == "exists":
            there = _answered(question, None)
            return there if holds(condition, [{}]) else {"not": there}
        met = _meeting(question, condition)
        return None if met is None else _answered(question, met)


def _answered(question: Item, answer: JsonObject | None) -> JsonObject:
    """A schema for a scope in which the question has an answer that is as the schema ``answer`` says."""
    given: JsonObject = {"required": ["answer"]}
    if answer is not None:
        given["properties"] = {"answer": {"contains": answer}}
    first = {"required": [question.link_id], "properties": {question.link_id: given}}
    if not question.repeats:
        return first
    key = FURTHER + question.link_id
    return {"anyOf": [first, {"required": [key], "properties": {key: {"contains": given}}}]}


def _meeting(question: Item, condition: Condition) -> JsonObject | None:
    """A schema for an ``answer`` that meets the condition, None where a schema cannot state that."""
    types, expected = answer_types(question), condition.answer
    if expected is None or types != (expected.type,):
        return None
    name, value = choice_name("value", expected.type), expected.value
    if expected.type in ("integer", "decimal"):
        number = _number(condition.operator, value)
        return None if number is None else {"required": [name], "properties": {name: number}}
    if condition.operator not in ("=", "!="):
        return None
    if expected.type == "Coding" and isinstance(value, dict) and "code" in value:
        wanted = {key: {"const": value[key]} for key in ("system", "code") if key in value}
        same: JsonObject = {"properties": wanted, "required": list(wanted)}
    elif expected.type in ("boolean", "string", "uri"):
        same = {"const": value}
    else:
        return None
    return {"required": [name], "properties": {name: same if condition.operator == "=" else {"not": same}}}


def _number(operator: str, value: object) -> JsonObject | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if operator == "=":
        return {"const": value}
    if operator == "!=":
        return {"not": {"const": value}}
    return {_ORDERS[operator]: value} if operator in _ORDERS else None


def _demanded(item: Item, complete: bool) -> JsonObject:
    """What an enabled item must have where it is there."""
    if item.type == "group":
        # HL7's validator demands this whatever the status
        return {"$comment": "response-required", "required": ["item"]} if item.required else {}
    if item.required and complete and item.is_question:
        return {"$comment": "response-required", "required": ["answer"]}
    if item.is_question and item.repeats and (item.integer(MIN_OCCURS) or 0) > 0:
        return {"$comment": "response-min-occurs", "required": ["answer"]}
    return {}


def _occurs(item: Item, minimum: int | None) -> JsonObject:
    """How often: answers of a question, repetitions of a group (questionnaire-minOccurs, -maxOccurs)."""
    schema: JsonObject = {}
    maximum = item.integer(MAX_OCCURS)
    if minimum is not None and minimum > 0:
        schema["minItems"] = minimum
    if maximum is not None and maximum >= 0:
        schema["maxItems"] = maximum
    return {"$comment": "response-max-occurs", **schema} if schema else {}


def _opens(item: Item) -> bool:
    """Whether each repetition of the item has a scope of its own."""
    return item.repeats and (item.type == "group" or bool(item.children))


def _by_expression(item: Item) -> bool:
    """Whether an expression decides if the item is enabled, which nothing here evaluates."""
    return item.extension_value(ENABLE_WHEN_EXPRESSION) is not None


def _may_be_disabled(item: Item) -> bool:
    return bool(item.conditions) or _by_expression(item)


def _flattened(items: tuple[Item, ...]) -> Iterator[Item]:
    """The items of one scope: those inside others too, except where these open a scope of their own."""
    for item in items:
        yield item
        if not _opens(item):
            yield from _flattened(item.children)


def _has(key: str, child: str) -> JsonObject:
    return {"required": [key], "properties": {key: {"required": [child]}}}


def _within(key: str, schema: Schema) -> JsonObject:
    return {"properties": {key: schema}}


def _never(rule: str) -> JsonObject:
    return {"$comment": rule, "not": {}}
