"""Totals that a questionnaire calculates from its answers, and what instruments call their ranges.

A total is read out of its item's calculatedExpression. The form understood is the one that all renderers and FHIRPath
engines tried agree on, counting answers by code with a guard for completeness::

    iif(A.count() = n, A.where(value.code = 'x').count() + 2 * A.where(value.code = 'y').count() + ..., {})
    A = %resource.item.where(linkId = 'g').item.where(linkId = 'a' or linkId = 'b' ...).answer

An expression of another form is no total here: it is not evaluated, and nothing is said about its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_keta.questionnaires.items import CALCULATED_EXPRESSION, Item, ItemTree

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Total:
    """A calculated total: the item that holds it, the linkIds of the items it sums, what each answer code counts."""

    link_id: str
    members: tuple[str, ...]
    weights: Mapping[str, int]

    def score(self, items: Mapping[str, JsonObject]) -> int | None:
        """The total over response items, given by linkId.

        None where a member is not answered exactly once, or with something that is not one of its options.
        """
        score = 0
        try:
            for link_id in self.members:
                (answer,) = items[link_id]["answer"]
                score += self.weights[answer["valueCoding"]["code"]]
        except (KeyError, ValueError, TypeError):
            return None
        return score


def totals(tree: ItemTree) -> tuple[Total, ...]:
    """The totals of a questionnaire whose expression is understood, in document order."""
    return tuple(total for item in tree if (total := _total(tree, item)) is not None)


def not_evaluated(tree: ItemTree) -> tuple[Item, ...]:
    """The items with a calculatedExpression that is not understood as a total."""
    calculated = (item for item in tree if item.extension_value(CALCULATED_EXPRESSION) is not None)
    return tuple(item for item in calculated if _total(tree, item) is None)


def _total(tree: ItemTree, item: Item) -> Total | None:
    expression = item.expression(CALCULATED_EXPRESSION)
    if expression is None or expression.get("language") != "text/fhirpath":
        return None
    counted = read_count_by_code(expression.get("expression"))
    if counted is None:
        return None
    if any(outer is None or outer.repeats for outer in map(tree.by_link_id.get, counted.path)):
        return None
    members = [tree.by_link_id.get(link_id) for link_id in counted.members]
    weights: dict[str, int] = {}
    for member in members:
        if member is None or member.path != counted.path or not member.options or member.repeats:
            return None
        for option in member.options:
            code = option.value.value.get("code") if isinstance(option.value.value, dict) else None
            if isinstance(code, str):
                weights[code] = counted.weights.get(code, 0)
    return Total(item.link_id, counted.members, weights)


@dataclass(frozen=True, slots=True)
class CountByCode:
    """A count-by-code expression: the linkIds down to its items, those items, and the factor of each code it counts."""

    path: tuple[str, ...]
    members: tuple[str, ...]
    weights: Mapping[str, int]


def read_count_by_code(expression: object) -> CountByCode | None:
    """Read a FHIRPath expression of the form above; None where it is of any other."""
    tokens = _tokens(expression) if isinstance(expression, str) else None
    if tokens is None:
        return None
    try:
        return _Reader(tokens).total()
    except (_OtherForm, IndexError):
        return None


_TOKEN = re.compile(r"\s*(?:('[^'\\]*')|(%?[A-Za-z_]\w*)|(\d+)|([.(),=+*{}]))", re.ASCII)


def _tokens(expression: str) -> list[str] | None:
    tokens, position = [], 0
    text = expression.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            return None
        tokens.append(found.group().strip())
        position = found.end()
    return tokens


class _OtherForm(Exception):
    """The expression is not of the count-by-code form."""


class _Reader:
    """Reads the tokens of one expression from left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0

    def total(self) -> CountByCode:
        self._expect("iif", "(")
        path, members = self._answers()
        self._expect(".", "count", "(", ")", "=")
        complete = self._number()
        self._expect(",")
        weights: dict[str, int] = {}
        self._term(path, members, weights)
        while self._peek() == "+":
            self._expect("+")
            self._term(path, members, weights)
        self._expect(",", "{", "}", ")")
        if self._next != len(self._tokens) or complete != len(members) or len(set(members)) != len(members):
            raise _OtherForm
        return CountByCode(path, members, weights)

    def _answers(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """``%resource.item.where(linkId = ...) ... .answer``: the path to the members, and the members."""
        self._expect("%resource")
        levels: list[tuple[str, ...]] = []
        while self._tokens[self._next + 1] == "item":
            self._expect(".", "item", ".", "where", "(", "linkId", "=")
            names = [self._string()]
            while self._peek() == "or":
                self._expect("or", "linkId", "=")
                names.append(self._string())
            self._expect(")")
            levels.append(tuple(names))
        self._expect(".", "answer")
        if not levels or any(len(level) != 1 for level in levels[:-1]):
            raise _OtherForm
        return tuple(level[0] for level in levels[:-1]), levels[-1]

    def _term(self, path: tuple[str, ...], members: tuple[str, ...], weights: dict[str, int]) -> None:
        """``2 * A.where(value.code = 'y').count()`` over the same A; a factor of 1 need not be written."""
        factor = 1
        if self._peek().isdigit():
            factor = self._number()
            self._expect("*")
        if self._answers() != (path, members):
            raise _OtherForm
        self._expect(".", "where", "(", "value", ".", "code", "=")
        code = self._string()
        self._expect(")", ".", "count", "(", ")")
        weights[code] = weights.get(code, 0) + factor

    def _expect(self, *wanted: str) -> None:
        for token in wanted:
            if self._tokens[self._next] != token:
                raise _OtherForm
            self._next += 1

    def _peek(self) -> str:
        return self._tokens[self._next]

    def _number(self) -> int:
        token = self._tokens[self._next]
        if not token.isdigit():
            raise _OtherForm
        self._next += 1
        return int(token)

    def _string(self) -> str:
        token = self._tokens[self._next]
        if not token.startswith("'"):
            raise _OtherForm
        self._next += 1
        return token[1:-1]


@dataclass(frozen=True, slots=True)
class Band:
    """A range of a score, both ends included, and what the instrument calls it."""

    low: int
    high: int
    name: str


_LOINC = "http://loinc.org"
# by LOINC code of the score: PHQ-9 (Kroenke, Spitzer, Williams 2001) and GAD-7 (Spitzer, Kroenke, Williams, Löwe 2006)
_BANDS: dict[str, tuple[Band, ...]] = {
    "44261-6": (
        Band(0, 4, "minimal"),
        Band(5, 9, "mild"),
        Band(10, 14, "moderate"),
        Band(15, 19, "moderately severe"),
        Band(20, 27, "severe"),
    ),
    "70274-6": (Band(0, 4, "minimal"), Band(5, 9, "mild"), Band(10, 14, "moderate"), Band(15, 21, "severe")),
}


def bands(score: object) -> tuple[Band, ...]:
    """The severity bands of a score, named by its Coding; empty for a score without known bands."""
    if isinstance(score, dict) and score.get("system") == _LOINC and isinstance(code := score.get("code"), str):
        return _BANDS.get(code, ())
    return ()


def band(score: object, value: int) -> Band | None:
    """The severity band that a value of the score (a Coding) falls in, or None."""
    return next((found for found in bands(score) if found.low <= value <= found.high), None)


def total_value(item: JsonObject) -> float | None:
    """The number that a response item gives as its total, or None where it gives none."""
    answers = item.get("answer")
    answer = answers[0] if isinstance(answers, list) and answers else None
    value = answer.get("valueInteger", answer.get("valueDecimal")) if isinstance(answer, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
