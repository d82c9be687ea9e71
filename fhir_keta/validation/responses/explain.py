"""Why a response was refused: the engine's errors and the index's faults as findings at FHIRPaths of the response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from fhir_keta.questionnaires import items as forms
from fhir_keta.questionnaires.items import Item, ItemTree
from fhir_keta.questionnaires.values import type_name, typed_value
from fhir_keta.validation import rules
from fhir_keta.validation.engine import Engine
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.limit import MOST
from fhir_keta.validation.refusal import Refusal
from fhir_keta.validation.responses.answers import AnswerRules
from fhir_keta.validation.responses.index import ANSWERS, FURTHER, OWNER, Fault
from fhir_keta.validation.suggestions import suggestion

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]

_KEYWORD_RULES = {
    "minimum": "response-min-value",
    "maximum": "response-max-value",
    "minLength": "response-min-length",
    "maxLength": "response-max-length",
    "minItems": "response-min-occurs",
}
# rules about an answer's value as a whole, wherever in it the engine stopped
_VALUE_RULES = frozenset(("response-option", "response-option-exclusive"))
# what follows from a question's own finding is not reported again at the items that depend on it
_CONSEQUENCES = frozenset(("response-required", "response-disabled", "response-min-occurs"))
_TOTALS = frozenset(("response-total", "response-total-incomplete"))
_STRAYS = frozenset(("response-link-id-unknown", "response-nesting"))

_LEVELS = 100  # of items and answers: more than any questionnaire has


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule at a place of the response; ``link_id`` is the item it is about."""

    rule: str
    expression: str
    link_id: str | None
    names: Mapping[str, object] = field(default_factory=dict)


def places(response: JsonObject) -> dict[int, str] | None:
    """The FHIRPath of the response and of each item and answer in it, by ``id()``.

    None where a shape is odd, see ``without_odd_shapes``: it would be changed there.
    """
    if not isinstance(response.get("linkId", ""), str):
        return None
    found = {id(response): "QuestionnaireResponse"}
    pending = [(response, "QuestionnaireResponse", _LEVELS)]
    while pending:
        element, expression, levels = pending.pop()
        for name in ("item", "answer"):
            if name not in element:
                continue
            entries = element[name]
            if not isinstance(entries, list) or not entries or not levels:
                return None
            before = f"{expression}.{name}["
            for index, entry in enumerate(entries):
                number = id(entry)
                if not isinstance(entry, dict) or number in found or not isinstance(entry.get("linkId", ""), str):
                    return None
                found[number] = at = f"{before}{index}]"
                if "item" in entry or "answer" in entry:
                    pending.append((entry, at, levels - 1))
    return found


def without_odd_shapes(response: JsonObject, levels: int = _LEVELS) -> JsonObject:
    """A copy of the response whose items and answers are objects in arrays, at their places; no element occurs twice.

    What is not as R4 says (reported elsewhere) is left out or replaced by an empty object, what is inside more items
    and answers than any questionnaire has is left out.
    """
    copy = dict(response)
    for name in ("item", "answer"):
        if name in copy:
            entries = copy[name] if isinstance(copy[name], list) and levels else []
            copy[name] = [without_odd_shapes(entry, levels - 1) if isinstance(entry, dict) else {} for entry in entries]
            if not copy[name]:
                del copy[name]
    if not isinstance(copy.get("linkId", ""), str):
        del copy["linkId"]
    return copy


class Explanation:
    """Turns what refused one response into issues. ``expressions`` are the ``places`` of the response indexed."""

    def __init__(self, tree: ItemTree, answer_rules: Mapping[str, AnswerRules], expressions: Mapping[int, str]) -> None:
        self._tree = tree
        self._answer_rules = answer_rules
        self._expressions = expressions

    def issues(
        self, faults: Iterable[Fault], engine: Engine, scope: JsonObject, totals: Iterable[Fault]
    ) -> Iterator[Issue]:
        """The findings of the index, the engine and the totals, those that only follow from others left out.

        No more are looked for than it takes to give as many as are listed (see ``limit.py``).
        """
        found = self._found(faults, engine, scope, totals)
        while listed := list(islice(found, MOST)):
            unique = {(finding.rule, finding.expression, finding.link_id): finding for finding in reversed(listed)}
            for finding in self._without_consequences(list(unique.values())[::-1]):
                yield rules.issue(finding.rule, finding.expression, **finding.names)

    def _found(
        self, faults: Iterable[Fault], engine: Engine, scope: JsonObject, totals: Iterable[Fault]
    ) -> Iterator[Finding]:
        for fault in faults:
            yield from self._of_fault(fault)
        for refusal in engine.refusals(scope):
            yield from self._of_refusal(engine, refusal, scope)
        for fault in totals:
            yield from self._of_fault(fault)

    # from faults

    def _of_fault(self, fault: Fault) -> Iterator[Finding]:
        if not fault.rule:
            return
        expression = self._expressions[id(fault.element)]
        names = dict(fault.names)
        if fault.rule == "response-link-id-unknown":
            names["suggestion"] = suggestion(fault.link_id, tuple(self._tree.by_link_id))
        if fault.rule == "response-nesting" and fault.link_id is not None:
            names["place"] = self._place(self._tree.by_link_id[fault.link_id])
        if fault.steps:
            expression = self._below(expression, fault.element, fault.steps)
        yield Finding(fault.rule, expression, fault.link_id, names)

    def _below(self, expression: str, element: JsonObject, steps: Path) -> str:
        """The FHIRPath of ``answer``, number, and "value" below an item."""
        answer = element["answer"][steps[1]]
        value = typed_value(answer)
        typed = f".value.ofType({value.type})" if value is not None and steps[-1] == "value" else ""
        return f"{expression}.answer[{steps[1]}]{typed}"

    def _place(self, item: Item) -> str:
        """Where the questionnaire has an item, as the end of a sentence."""
        if not item.path:
            return "at the top level"
        parent = self._tree.by_link_id[item.path[-1]]
        return f"inside '{parent.link_id}'" if parent.type == "group" else f"inside the answer to '{parent.link_id}'"

    # from the engine

    def _of_refusal(self, engine: Engine, refusal: Refusal, scope: JsonObject) -> Iterator[Finding]:
        rule = _KEYWORD_RULES.get(refusal.keyword) or _stated(engine, refusal.schema_path)
        element, link_id, rest = _element_at(scope, refusal.path)
        expression = self._expressions.get(id(element), "QuestionnaireResponse")
        item = self._tree.by_link_id.get(link_id) if link_id is not None else None
        if rule == "response-required":
            if item is None:  # the name that a scope lacks is a linkId
                missing = self._tree.by_link_id[refusal.detail[0]]
                expression = self._parent_expression(missing, scope, refusal.path)
            else:
                missing = item
            yield Finding(rule, expression, missing.link_id, {"link_id": missing.link_id})
        elif item is None:
            return
        elif rule == "response-disabled":
            yield Finding(rule, expression, item.link_id, {"link_id": item.link_id})
        elif rule in ("response-min-occurs", "response-max-occurs"):
            yield from self._of_number(rule, item, _node_at(scope, refusal.path))
        elif rule == "response-nesting":
            yield from self._strays(element.get("item", ()))
        elif rule == "response-answer-prohibited":
            yield Finding(rule, f"{expression}.answer[0]", item.link_id, {"type": item.type})
        elif rule == "response-text":
            yield Finding(rule, f"{expression}.text", item.link_id)
        elif rule == "response-answer-max":
            yield Finding(rule, f"{expression}.answer[1]", item.link_id, {"link_id": item.link_id})
        elif rule and len(rest) >= 2:
            yield from self._of_answer(rule, refusal, item, f"{expression}.answer[{rest[1]}]", element, rest)

    def _parent_expression(self, item: Item, scope: JsonObject, path: Path) -> str:
        """Where an item that the scope at ``path`` lacks would stand."""
        lacking = _node_at(scope, path)
        parent = self._tree.by_link_id[item.path[-1]] if item.path else None
        if parent is None:
            return "QuestionnaireResponse"
        if parent.link_id not in lacking:
            return self._expressions[id(lacking[OWNER])]
        within = "" if parent.type == "group" else ".answer[0]"
        return self._expressions[id(lacking[parent.link_id])] + within

    def _of_number(self, rule: str, item: Item, node: Any) -> Iterator[Finding]:
        """Too few or too many: ``node`` is an item, its answers, or the scopes of a group's repetitions."""
        limit = item.integer(forms.MIN_OCCURS if rule == "response-min-occurs" else forms.MAX_OCCURS) or 0
        names = {"link_id": item.link_id, "limit": limit}
        entries = [entry.get(OWNER, entry) for entry in node] if isinstance(node, list) else []
        if rule == "response-max-occurs":
            yield Finding(rule, self._expressions[id(entries[limit])], item.link_id, names)
        else:
            at = self._expressions[id(entries[0])].rpartition(".")[0] if entries else self._expressions[id(node)]
            yield Finding(rule, at, item.link_id, names)

    def _strays(self, elements: Iterable[JsonObject]) -> Iterator[Finding]:
        """Items where the questionnaire has none at all."""
        for element in elements:
            link_id = element.get("linkId")
            if link_id in self._tree.by_link_id:
                names = {"link_id": link_id}
                yield from self._of_fault(Fault("response-nesting", element, link_id, names=names))
            elif isinstance(link_id, str):
                yield from self._of_fault(Fault("response-link-id-unknown", element, link_id))

    def _of_answer(
        self, rule: str, refusal: Refusal, item: Item, at: str, element: JsonObject, rest: Path
    ) -> Iterator[Finding]:
        answer = element["answer"][rest[1]]
        if rule == "response-answer-type":
            expected = " or ".join(self._answer_rules[item.link_id].types)
            for name in refusal.detail:
                if name == "item":
                    yield from self._strays(answer["item"])
                elif (suffix := name.removeprefix("_").removeprefix("value")) and suffix[0].isupper():
                    path = f"{at}.value.ofType({type_name(suffix)})"
                    yield Finding(rule, path, item.link_id, {"expected": expected})
            return
        value = typed_value(answer)
        path = f"{at}.value.ofType({value.type})" if value is not None else at
        if rule == "response-option":
            given = value.value if value is not None else None
            code = given.get("code") if isinstance(given, dict) else given
            yield Finding(rule, path, item.link_id, {"suggestion": suggestion(code, _codes(item))})
        elif rule in _VALUE_RULES:
            yield Finding(rule, path, item.link_id)
        else:
            yield Finding(rule, path, item.link_id, {"limit": _limit(rule, item)})

    # what only follows from another finding

    def _without_consequences(self, findings: list[Finding]) -> list[Finding]:
        """Leave out what only follows from another finding that stays."""
        disabled = _disabled(findings)
        reasons = [finding for finding in findings if not _is_inside(finding, disabled)]
        faulty = {reason.link_id for reason in reasons if reason.rule not in _CONSEQUENCES | _TOTALS}
        misplaced = {reason.link_id for reason in reasons if reason.rule == "response-nesting"}
        strays = any(reason.rule in _STRAYS for reason in reasons)

        def follows(finding: Finding) -> bool:
            if finding.rule in _TOTALS:
                return strays or finding.link_id in faulty
            if finding.rule not in _CONSEQUENCES or finding.link_id is None:
                return False
            asked = {condition.question for condition in self._tree.by_link_id[finding.link_id].conditions}
            return not asked.isdisjoint(faulty) or finding.link_id in misplaced

        kept = [finding for finding in findings if not follows(finding)]
        disabled = _disabled(kept)
        return [finding for finding in kept if not _is_inside(finding, disabled)]


def _node_at(scope: JsonObject, path: Path) -> Any:
    node: Any = scope
    for step in path:
        node = node[step]
    return node


def _element_at(scope: JsonObject, path: Path) -> tuple[JsonObject, str | None, Path]:
    """The item of the response that a path in an index leads to, its linkId, and the rest of the path.

    For a path that ends at a scope: what opened the scope (the response itself: an empty object), and no linkId.
    """
    node: Any = scope
    link_id: str | None = None
    for depth, step in enumerate(path):
        if isinstance(step, str):
            if step == OWNER:
                return node[OWNER], link_id, path[depth + 1 :]
            link_id = step.removeprefix(FURTHER).removeprefix(ANSWERS)
        node = node[step]
        if isinstance(node, dict) and OWNER not in node:
            return node, link_id, path[depth + 1 :]
        if isinstance(node, dict):
            link_id = None if depth == len(path) - 1 else link_id
    if isinstance(node, dict):
        return node.get(OWNER, {}), None, ()
    return {}, link_id, ()


def _stated(engine: Engine, path: Path) -> str:
    """The innermost ``$comment`` on the way to a keyword of the schema: the rule that the keyword states."""
    if path not in engine.stated:
        found = ""
        schema: Any = engine.schema
        for segment in path:
            if isinstance(schema, dict):
                found = schema.get("$comment", found)
            schema = schema[segment]
        engine.stated[path] = found
    return str(engine.stated[path])


def _disabled(findings: Iterable[Finding]) -> set[str]:
    return {finding.expression for finding in findings if finding.rule == "response-disabled"}


def _is_inside(finding: Finding, disabled: set[str]) -> bool:
    """Whether a finding is inside a disabled item, or about that item itself."""
    if finding.rule != "response-disabled" and finding.expression in disabled:
        return True
    outer = finding.expression
    while disabled and (outer := outer.rpartition(".")[0]):
        if outer in disabled:
            return True
    return False


def _limit(rule: str, item: Item) -> object:
    if rule == "response-max-length":
        return item.max_length
    if rule == "response-min-length":
        return item.integer(forms.MIN_LENGTH)
    limit = item.extension_value(forms.MIN_VALUE if rule == "response-min-value" else forms.MAX_VALUE)
    return limit.value if limit is not None else None


def _codes(item: Item) -> list[object]:
    """The codes, or the values, of an item's options."""
    options = (option.value.value for option in item.options)
    return [option.get("code") if isinstance(option, dict) else option for option in options]
