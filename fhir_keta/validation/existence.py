"""The FHIRPath that a schema can say: existence, comparison with a literal, and their logic.

Most invariants of R4 and of profiles are of this kind ("if there is a duration there is a unit"). An expression outside
it is left to a named function or a FHIRPath library. FHIRPath's logic has three values (N1, 6.5): each expression
becomes two schemas, when it is true and when it is false; where neither holds it is empty, which a constraint
treats as not met.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fhir_keta.validation.elements import Element, type_code
from fhir_keta.validation.primitives import PRIMITIVE_TYPES

JsonObject = dict[str, Any]

# how to find the children of an element whose type is defined elsewhere
Children = Callable[[Element], Mapping[str, Element]]

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>!=|<=|>=|[()=|.,<>]))"
)
_NEVER: JsonObject = {"not": {}}


class _Truth(NamedTuple):
    """When an expression is true, and when it is false."""

    true: JsonObject
    false: JsonObject


@dataclass(frozen=True, slots=True)
class _Path:
    """A path from the context element: names and filters, innermost last."""

    steps: tuple[str | _Truth, ...]
    element: Element


class _Unsupported(Exception):
    """The expression says more than a schema can."""


def existence_schema(expression: str, element: Element, children: Children) -> JsonObject | None:
    """The schema of the objects at ``element`` for which the FHIRPath expression is true; None if it cannot be said."""
    try:
        tokens = _tokens(expression)
        truth = _Parser(tokens, element, children).whole()
    except _Unsupported:
        return None
    return truth.true


def _tokens(expression: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    text = expression.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _Unsupported
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens; the context is one element."""

    def __init__(self, tokens: list[str], element: Element, children: Children) -> None:
        self.tokens = tokens
        self.position = 0
        self.element = element
        self.children = children

    def whole(self) -> _Truth:
        truth = self.implication()
        if self.position != len(self.tokens):
            raise _Unsupported
        return truth

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise _Unsupported
        self.position += 1
        return token

    def implication(self) -> _Truth:
        left = self.disjunction()
        while self.peek() == "implies":
            self.take()
            right = self.disjunction()
            left = _Truth(_any(left.false, right.true), _all(left.true, right.false))
        return left

    def disjunction(self) -> _Truth:
        left = self.conjunction()
        while self.peek() in ("or", "xor"):
            exclusive = self.take() == "xor"
            right = self.conjunction()
            left = (
                _differ(left, right)
                if exclusive
                else _Truth(_any(left.true, right.true), _all(left.false, right.false))
            )
        return left

    def conjunction(self) -> _Truth:
        left = self.comparison()
        while self.peek() == "and":
            self.take()
            right = self.comparison()
            left = _Truth(_all(left.true, right.true), _any(left.false, right.false))
        return left

    def comparison(self) -> _Truth:
        left = self.term()
        operator = self.peek()
        if operator in ("=", "!="):
            self.take()
            truth = self.equality(left)
            return truth if operator == "=" else _Truth(truth.false, truth.true)
        if operator == "in":
            self.take()
            if isinstance(left, _Truth):
                raise _Unsupported
            return self.compare(left, {"enum": self.literals()})
        if isinstance(left, _Truth):
            return left
        # a boolean element standing alone
        return self.compare(left, {"const": True})

    def equality(self, left: _Path | _Truth) -> _Truth:
        if isinstance(left, _Truth):
            right = self.term()
            if not isinstance(right, _Truth):
                raise _Unsupported
            different = _differ(left, right)
            return _Truth(different.false, different.true)
        return self.compare(left, {"const": _literal(self.take())})

    def literals(self) -> list[Any]:
        self.take("(")
        found = [_literal(self.take())]
        while self.peek() == "|":
            self.take()
            found.append(_literal(self.take()))
        self.take(")")
        return found

    def compare(self, path: _Path, leaf: JsonObject) -> _Truth:
        element = self.element
        for step in path.steps:
            if not isinstance(step, str):
                raise _Unsupported
            element = self.child(element, step)
            if element.is_array:
                raise _Unsupported  # FHIRPath compares whole collections: not what a schema of one item says
        return _Truth(self.at(path.steps, self.element, leaf), self.at(path.steps, self.element, {"not": leaf}))

    def term(self) -> _Path | _Truth:
        found: _Path | _Truth
        if self.peek() == "(":
            self.take()
            found = self.implication()
            self.take(")")
        else:
            found = self.step(_Path((), self.element))
        while self.peek() == ".":
            self.take()
            if isinstance(found, _Path):
                found = self.step(found)
            else:
                self.take("not")
                self.take("(")
                self.take(")")
                found = _Truth(found.false, found.true)
        return found

    def step(self, path: _Path) -> _Path | _Truth:
        name = self.take()
        if not name[0].isalpha():
            raise _Unsupported
        if self.peek() != "(":
            if not path.steps and name[0].isupper() and name == self.element.name:
                return path  # the type's own name: Appointment.status
            return _Path((*path.steps, name), self.child(path.element, name))
        self.take("(")
        if name in ("where", "exists", "all") and self.peek() != ")":
            inside = _Parser(self.tokens, path.element, self.children)
            inside.position = self.position
            condition = inside.implication()
            self.position = inside.position
            self.take(")")
            if name == "all":
                failing = self.at((*path.steps, _Truth(_not(condition.true), {})), self.element, {})
                return _Truth(_not(failing), failing)
            filtered = _Path((*path.steps, condition), path.element)
            return filtered if name == "where" else self.exists(filtered)
        self.take(")")
        if name == "exists":
            return self.exists(path)
        if name == "empty":
            there = self.exists(path)
            return _Truth(there.false, there.true)
        if name == "hasValue":
            valued = self.at(path.steps, self.element, {"type": ["string", "number", "boolean"]})
            return _Truth(valued, _not(valued))
        raise _Unsupported

    def exists(self, path: _Path) -> _Truth:
        there = self.at(path.steps, self.element, {})
        return _Truth(there, _not(there))

    def child(self, element: Element, name: str) -> Element:
        children = self.children(element)
        found = children.get(name) or children.get(f"{name}[x]")
        if found is None:
            raise _Unsupported
        return found

    def at(self, steps: tuple[str | _Truth, ...], element: Element, leaf: JsonObject) -> JsonObject:
        """Some value at the path is as ``leaf`` says."""
        if not steps:
            return leaf
        first, rest = steps[0], steps[1:]
        if isinstance(first, _Truth):
            return _all(first.true, self.at(rest, element, leaf))
        child = self.child(element, first)
        inner = self.at(rest, child, leaf)
        filters = tuple(step for step in rest if not isinstance(step, str))
        if child.is_array:
            inner = {"contains": inner} if inner else {}
        keys: list[str] = []
        for type_ in child.types or [{}]:
            code = type_code(type_)
            key = first + code[:1].upper() + code[1:] if child.is_choice else first
            keys.append(key)
            if code in PRIMITIVE_TYPES and not leaf and not filters:
                keys.append(f"_{key}")  # a primitive may have extensions only
        found = [{"required": [key], **({"properties": {key: inner}} if inner else {})} for key in keys]
        return found[0] if len(found) == 1 else {"anyOf": found}


def _literal(token: str) -> Any:
    if token.startswith("'"):
        if "\\" in token:
            raise _Unsupported
        return token[1:-1]
    if token in ("true", "false"):
        return token == "true"
    if re.fullmatch(r"\d+", token):
        return int(token)
    raise _Unsupported


def _any(*schemas: JsonObject) -> JsonObject:
    flat = [part for schema in schemas for part in (schema["anyOf"] if set(schema) == {"anyOf"} else [schema])]
    return {"anyOf": flat}


def _all(*schemas: JsonObject) -> JsonObject:
    kept = [schema for schema in schemas if schema]
    if not kept:
        return {}
    return kept[0] if len(kept) == 1 else {"allOf": kept}


def _not(schema: JsonObject) -> JsonObject:
    if set(schema) == {"not"}:
        return dict(schema["not"])
    return {"not": schema} if schema else dict(_NEVER)


def _differ(left: _Truth, right: _Truth) -> _Truth:
    return _Truth(
        _any(_all(left.true, right.false), _all(left.false, right.true)),
        _any(_all(left.true, right.true), _all(left.false, right.false)),
    )
