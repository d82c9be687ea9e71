"""FHIRPath expressions as trees (FHIRPath N1, 5 and 6): the syntax alone, without evaluation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fhir_keta.errors import DefinitionError

_TOKEN = re.compile(
    r"(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<moment>@T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?|@\d{4}(?:-\d\d(?:-\d\d)?)?"
    r"(?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<name>%[A-Za-z_][\w-]*|\$?[A-Za-z_]\w*|%?`[^`]+`)"
    r"|(?P<sign>!=|!~|<=|>=|\{\s*\}|[()=~|.,<>+&\-*/\[\]])"
)
_BLANKS = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
# loosest first (FHIRPath N1, 6.8 Operator precedence)
_BINARY = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "!=", "~", "!~"),
    ("<", ">", "<=", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_UNITS = frozenset(
    name + ending
    for name in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for ending in ("", "s")
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number or boolean."""

    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal of another kind as it is written: ``type`` is date, time or quantity, or empty for ``{}``."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """An element name, a type name, or a variable with its sign (``$this``, ``%resource``)."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """``target.then``."""

    target: Node
    then: Name | Call


@dataclass(frozen=True, slots=True)
class Operation:
    """``left operator right``."""

    operator: str
    left: Node
    right: Node


Node = Literal | Constant | Name | Call | Step | Operation


@lru_cache(1_000)  # profiles repeat the constraints of their bases
def parse_fhirpath(expression: str) -> Node:
    """The tree of an expression; an indexer is the call of ``item``, a sign in front that of ``-`` or ``+``.

    Raises DefinitionError for what is not FHIRPath.
    """
    parser = _Parser(_tokens(expression), expression)
    tree = parser.binary(0)
    if parser.position != len(parser.tokens):
        raise parser.fault()
    return tree


def _tokens(expression: str) -> list[str]:
    tokens: list[str] = []
    position = _after_blanks(expression, 0)
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise DefinitionError(f"This FHIRPath cannot be read here: {expression}. Simplify the constraint.")
        tokens.append(match.group())
        position = _after_blanks(expression, match.end())
    return tokens


def _after_blanks(expression: str, position: int) -> int:
    match = _BLANKS.match(expression, position)
    return match.end() if match else position


@dataclass(slots=True)
class _Parser:
    tokens: list[str]
    expression: str
    position: int = 0

    def fault(self) -> DefinitionError:
        return DefinitionError(f"This FHIRPath cannot be read here: {self.expression}. Simplify the constraint.")

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise self.fault()
        self.position += 1
        return token

    def binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self.term()
        left = self.binary(level + 1)
        while self.peek() in _BINARY[level]:
            operator = self.take()
            left = Operation(operator, left, self.binary(level + 1))
        return left

    def term(self) -> Node:
        token = self.peek()
        node: Node
        if token == "(":
            self.take()
            node = self.binary(0)
            self.take(")")
        elif token in ("-", "+"):
            self.take()
            return Call(token, (self.term(),))
        elif token[:1] in ("'", '"'):
            self.take()
            node = Literal(re.sub(r"\\(.)", r"\1", token[1:-1]))
        elif token[:1].isdigit():
            node = self.number()
        elif token[:1] in ("@", "{"):
            self.take()
            node = Constant({"@T": "time", "{": "empty"}.get(token[:2].rstrip(" }"), "date"), token)
        elif token in ("true", "false"):
            self.take()
            node = Literal(token == "true")
        else:
            node = self.invocation()
        while self.peek() in (".", "["):
            if self.take() == ".":
                node = Step(node, self.invocation())
            else:
                node = Step(node, Call("item", (self.binary(0),)))
                self.take("]")
        return node

    def number(self) -> Literal | Constant:
        """A number, or with a unit behind it a quantity."""
        token = self.take()
        if self.peek() in _UNITS or self.peek()[:1] == "'":
            return Constant("quantity", f"{token} {self.take()}")
        return Literal(float(token) if "." in token else int(token))

    def invocation(self) -> Name | Call:
        name = self.take()
        if not (name[0].isalpha() or name[0] in "_$%`"):
            raise self.fault()
        name = name.replace("`", "")
        if self.peek() != "(":
            return Name(name)
        self.take("(")
        arguments: list[Node] = []
        while self.peek() != ")":
            if arguments:
                self.take(",")
            arguments.append(self.binary(0))
        self.take(")")
        return Call(name, tuple(arguments))
