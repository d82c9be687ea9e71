"""FHIRPath expressions as trees (FHIRPath N1, 5 and 6): the syntax alone, without evaluation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_keta.errors import DefinitionError

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[$%]?[A-Za-z_]\w*)"
    r"|(?P<sign>!=|<=|>=|[()=|.,<>+&\-*/]))"
)
# loosest first (FHIRPath N1, 6.8 Operator precedence)
_BINARY = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "!="),
    ("<", ">", "<=", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/"),
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number or boolean."""

    value: str | int | float | bool


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


Node = Literal | Name | Call | Step | Operation


def parse_fhirpath(expression: str) -> Node:
    """The tree of an expression.

    Raises DefinitionError for what is not FHIRPath, or uses more of it than constraints do (indexers, quantities).
    """
    parser = _Parser(_tokens(expression), expression)
    tree = parser.binary(0)
    if parser.position != len(parser.tokens):
        raise parser.fault()
    return tree


def _tokens(expression: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    text = expression.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise DefinitionError(f"This FHIRPath cannot be read here: {expression}. Simplify the constraint.")
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


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
        elif token[:1] == "'":
            self.take()
            node = Literal(re.sub(r"\\(.)", r"\1", token[1:-1]))
        elif token[:1].isdigit():
            self.take()
            node = Literal(float(token) if "." in token else int(token))
        elif token in ("true", "false"):
            self.take()
            node = Literal(token == "true")
        else:
            node = self.invocation()
        while self.peek() == ".":
            self.take()
            node = Step(node, self.invocation())
        return node

    def invocation(self) -> Name | Call:
        name = self.take()
        if not (name[0].isalpha() or name[0] in "_$%"):
            raise self.fault()
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
