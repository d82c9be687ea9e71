"""The index of a response: its item arrays as objects by linkId, and what only arrays show: unknown linkIds, nesting,
order and repetition (R4, QuestionnaireResponse, notes).

An indexed response is a *scope*: an object of all items below one element, whatever groups they stand in, by linkId. A
repeating group, and a repeating question with items under its answers, open a scope for each repetition. Keys that are
no linkId (``OWNER``, ``FURTHER``, ``ANSWERS``, ``ENABLED``) hold what a schema must know besides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fhir_keta.questionnaires.enablement import Enclosure, is_enabled
from fhir_keta.questionnaires.items import Item, ItemTree
from fhir_keta.questionnaires.values import typed_value
from fhir_keta.validation.responses.answers import AnswerCheck

JsonObject = dict[str, Any]

# NUL cannot stand in a FHIR string, so no linkId begins like this
OWNER = "\0owner"  # in a scope: the item or answer that opened it
FURTHER = "\0further "  # + linkId: more items of one repeating question, beyond the first
ANSWERS = "\0answers "  # + linkId: the scopes under the answers of a repeating question
ENABLED = "\0enabled "  # + linkId: present where conditions that a schema cannot state are met


@dataclass(slots=True, eq=False)
class Node:
    """One item of the questionnaire, prepared for indexing.

    ``opens`` says that each repetition has a scope of its own, ``checks`` what a schema cannot say of an answer of
    one of the ``types``; ``plain`` that there is none of this, and nothing inside.
    """

    item: Item
    position: int
    inside: Level | None
    opens: bool
    types: tuple[str, ...]
    checks: tuple[AnswerCheck, ...]
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        self.plain = not self.opens and not self.checks and self.inside is None


@dataclass(slots=True, eq=False)
class Level:
    """The items directly inside one item (or the questionnaire), and those among them whose enablement is computed."""

    nodes: dict[str, Node]
    computed: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How the responses to one questionnaire are indexed. ``computes``: some enablement is computed, in ``owners`` (by
    linkId) also that of the item that opens a scope."""

    tree: ItemTree
    top: Level
    computes: bool
    owners: frozenset[str]


@dataclass(slots=True)
class Fault:
    """A finding of the index: the broken rule, the element it is about, the way on from there, names for messages."""

    rule: str
    element: JsonObject
    link_id: str | None
    steps: tuple[str | int, ...] = ()
    names: dict[str, object] = field(default_factory=dict)


def index_response(response: JsonObject, plan: Plan) -> tuple[JsonObject, list[Fault]]:
    """Index a response. Nothing is copied or changed: the scopes hold the response's own items.

    Raises TypeError or AttributeError where the response is not built of objects and arrays as R4 says.
    """
    walk = _Walk(plan)
    scope: JsonObject = {}
    enclosing = (Enclosure(None, response, response),) if plan.computes else ()
    walk.level(response.get("item", ()), plan.top, scope, enclosing)
    walk.compute()
    return scope, walk.faults


class _Walk:
    """One pass over a response."""

    __slots__ = ("_computes", "_owners", "_pending", "_tree", "faults")

    def __init__(self, plan: Plan) -> None:
        self._tree = plan.tree
        self._computes = plan.computes
        self._owners = plan.owners
        self._pending: list[tuple[tuple[Item, ...], JsonObject, tuple[Enclosure, ...]]] = []
        self.faults: list[Fault] = []

    def level(self, items: Any, level: Level, scope: JsonObject, enclosing: tuple[Enclosure, ...]) -> None:
        """Put sibling items into their scope. This is the accept path: no work for what most responses do not have."""
        nodes = level.nodes
        last = -1
        for element in items:
            link_id = element.get("linkId")
            node = nodes.get(link_id)
            if node is None:
                self.faults.append(self._stray(element, link_id))
                continue
            if node.position < last:
                self.faults.append(Fault("response-order", element, link_id, names={"link_id": link_id}))
            last = node.position
            if node.plain and link_id not in scope:
                scope[link_id] = element
            else:
                self._element(element, node, scope, enclosing)
        if level.computed:
            self._pending.append((level.computed, scope, enclosing))

    def _element(self, element: JsonObject, node: Node, scope: JsonObject, enclosing: tuple[Enclosure, ...]) -> None:
        """One item that is not plain: it repeats, or something stands inside it or is to be computed."""
        if node.opens and node.item.type == "group":
            self._repetition(element, node, scope, enclosing)
            return
        link_id = node.item.link_id
        if link_id not in scope:
            scope[link_id] = element
        elif node.item.repeats:
            scope.setdefault(FURTHER + link_id, []).append(element)
        else:
            self.faults.append(Fault("response-repeats", element, link_id, names={"link_id": link_id}))
            return
        if node.checks:
            self._check(element, node)
        if node.inside is not None:
            self._inside(element, node, scope, enclosing)

    def _inside(self, element: JsonObject, node: Node, scope: JsonObject, enclosing: tuple[Enclosure, ...]) -> None:
        inside = node.inside
        assert inside is not None
        if node.item.type == "group":
            if "item" in element:
                deeper = (*enclosing, Enclosure(node.item, element, element)) if self._computes else ()
                self.level(element["item"], inside, scope, deeper)
            return
        for answer in element.get("answer", ()):
            if "item" in answer or node.opens:
                inner = scope
                if node.opens:
                    inner = {OWNER: answer}
                    scope.setdefault(ANSWERS + node.item.link_id, []).append(inner)
                    self._own(node, inner, enclosing)
                deeper = (*enclosing, Enclosure(node.item, element, answer)) if self._computes else ()
                self.level(answer.get("item", ()), inside, inner, deeper)
            if not node.item.repeats:
                break  # a second answer is an error of its own

    def _repetition(self, element: JsonObject, node: Node, scope: JsonObject, enclosing: tuple[Enclosure, ...]) -> None:
        inner: JsonObject = {OWNER: element}
        scope.setdefault(node.item.link_id, []).append(inner)
        self._own(node, inner, enclosing)
        if node.inside is not None:
            deeper = (*enclosing, Enclosure(node.item, element, element)) if self._computes else ()
            self.level(element.get("item", ()), node.inside, inner, deeper)

    def _own(self, node: Node, inner: JsonObject, enclosing: tuple[Enclosure, ...]) -> None:
        if node.item.link_id in self._owners:
            self._pending.append(((node.item,), inner, enclosing))

    def _check(self, element: JsonObject, node: Node) -> None:
        for number, answer in enumerate(element.get("answer", ())):
            value = typed_value(answer)
            if value is None or value.type not in node.types:
                continue
            for check in node.checks:
                if broken := check(value):
                    rule, names = broken
                    self.faults.append(Fault(rule, element, node.item.link_id, ("answer", number, "value"), names))

    def _stray(self, element: JsonObject, link_id: object) -> Fault:
        if not isinstance(link_id, str):
            return Fault("", element, None)  # base R4 reports a missing linkId
        if link_id in self._tree.by_link_id:
            return Fault("response-nesting", element, link_id, names={"link_id": link_id})
        return Fault("response-link-id-unknown", element, link_id)

    def compute(self) -> None:
        """Note where conditions are met that ask about another scope, or compare as no schema can."""
        for items, scope, enclosing in self._pending:
            for item in items:
                if is_enabled(self._tree, item, enclosing):
                    scope[ENABLED + item.link_id] = True
