"""Which items of a Questionnaire are enabled for a response (R4, Questionnaire.item.enableWhen).

A condition looks for its question in the nearest scope: the innermost item of the questionnaire that holds both the
question and the item with the condition, in the repetition that the item stands in. Of a question that repeats inside
that scope every answer counts. Readings of R4 that differ between tools are settled as HL7's validator does: ``!=``
is false while the question has no answer and true when any answer differs, Quantities compare by value, whatever
their unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_keta.questionnaires.items import ENABLE_WHEN_EXPRESSION, Condition, Item, ItemTree
from fhir_keta.questionnaires.values import TypedValue, compare, equals, typed_value

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One step from the response down to an item: the item of the questionnaire (None for the response itself), its
    element in the response, and the element that holds what stands inside it (for a question one of its answers)."""

    item: Item | None
    element: JsonObject
    container: JsonObject


@dataclass(frozen=True, slots=True)
class ItemState:
    """One item of the questionnaire at one place of a response.

    ``element`` is its item in the response, None where the response has none there; ``expression`` is the FHIRPath of
    that element, or of the place where it would stand. ``enabled`` is None where only an expression could tell.
    """

    item: Item
    element: JsonObject | None
    expression: str
    enabled: bool | None


def item_states(tree: ItemTree, response: JsonObject) -> Iterator[ItemState]:
    """Go through a response in the order of its questionnaire and tell for each item whether it is enabled.

    An item that stands several times is yielded for each, one that is missing once, with the items inside a missing one
    left out. What is inside a disabled item is disabled too.
    """
    root = Enclosure(None, response, response)
    yield from _states(tree, (root,), "QuestionnaireResponse", True)


def _states(
    tree: ItemTree, enclosing: tuple[Enclosure, ...], expression: str, enabled: bool | None
) -> Iterator[ItemState]:
    parent, container = enclosing[-1].item, enclosing[-1].container
    elements = list(enumerate(_objects(container.get("item"))))
    for item in tree.children(parent):
        state = is_enabled(tree, item, enclosing) if enabled is not False else False
        if enabled is None and state is True:
            state = None
        standing = [(index, element) for index, element in elements if element.get("linkId") == item.link_id]
        if not standing:
            yield ItemState(item, None, expression, state)
        for index, element in standing:
            here = f"{expression}.item[{index}]"
            yield ItemState(item, element, here, state)
            if item.type == "group":
                yield from _states(tree, (*enclosing, Enclosure(item, element, element)), here, state)
            elif item.children:
                for number, answer in enumerate(_objects(element.get("answer"))):
                    inside = (*enclosing, Enclosure(item, element, answer))
                    yield from _states(tree, inside, f"{here}.answer[{number}]", state)


def is_enabled(tree: ItemTree, item: Item, enclosing: Sequence[Enclosure]) -> bool | None:
    """Whether the item's own conditions are met at a place of the response, its parents left aside.

    ``enclosing`` leads from the response itself down to what the item stands in. None: an enableWhenExpression decides,
    which is not evaluated here.
    """
    if item.extension_value(ENABLE_WHEN_EXPRESSION) is not None:
        return None
    if not item.conditions:
        return True
    met = (holds(condition, find_answers(tree, item, condition, enclosing)) for condition in item.conditions)
    return combine(item, met)


def combine(item: Item, met: Iterator[bool]) -> bool:
    """Join the item's conditions by its enableBehavior; several without one enable it, as R4 gives them no meaning."""
    if item.enable_behavior == "any" or len(item.conditions) == 1:
        return any(met)
    return all(met) if item.enable_behavior == "all" else True


def find_answers(tree: ItemTree, item: Item, condition: Condition, enclosing: Sequence[Enclosure]) -> list[JsonObject]:
    """The answers (``QuestionnaireResponse.item.answer`` objects) that a condition of ``item`` is about."""
    question = tree.by_link_id.get(condition.question)
    if question is None:
        return []
    scope = tree.common(item, question)
    for enclosure in enclosing:
        if enclosure.item is scope:
            if scope is question:
                return _objects(enclosure.element.get("answer"))
            below = question.path[len(scope.path) + 1 if scope else 0 :]
            return list(_answers_below(enclosure.container, (*below, question.link_id)))
    return []


def _answers_below(container: JsonObject, path: tuple[str, ...]) -> Iterator[JsonObject]:
    for element in _objects(container.get("item")):
        if element.get("linkId") == path[0]:
            answers = _objects(element.get("answer"))
            if len(path) == 1:
                yield from answers
                continue
            yield from _answers_below(element, path[1:])
            for answer in answers:
                yield from _answers_below(answer, path[1:])


def holds(condition: Condition, answers: Sequence[JsonObject]) -> bool:
    """Whether a condition is met by the answers its question has."""
    if condition.operator == "exists":
        wanted = condition.answer is not None and condition.answer.value is True
        return wanted == bool(answers)
    if condition.answer is None:
        return False
    return any(
        meets(condition.operator, condition.answer, value) for answer in answers if (value := typed_value(answer))
    )


def meets(operator: str, expected: TypedValue, actual: TypedValue) -> bool:
    """Whether one answer stands in this relation to the value asked for; false where they do not compare."""
    if operator == "=":
        return _equal(expected, actual)
    if operator == "!=":
        return not _equal(expected, actual)
    order = compare(_number(actual), _number(expected))
    if order is None:
        return False
    return {">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0}.get(operator, False)


def _equal(expected: TypedValue, actual: TypedValue) -> bool:
    return equals(_number(expected), _number(actual))


def _number(typed: TypedValue) -> TypedValue:
    """A Quantity by its value alone."""
    if typed.type == "Quantity" and isinstance(typed.value, dict):
        return TypedValue("decimal", typed.value.get("value"))
    return typed


def _objects(value: object) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
