"""FHIRPath as trees: precedence and forms (FHIRPath N1, 5 and 6.8), and what is refused."""

from __future__ import annotations

import pytest

from fhir_keta.errors import DefinitionError
from fhir_keta.validation.fhirpath.syntax import Call, Constant, Literal, Name, Node, Operation, Step, parse_fhirpath

A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("a", A),
        (" a.b.c ", Step(Step(A, B), C)),
        (
            "a.where(b = 'x').exists()",
            Step(Step(A, Call("where", (Operation("=", B, Literal("x")),))), Call("exists", ())),
        ),
        ("iif(a, b, c)", Call("iif", (A, B, C))),
        ("$this", Name("$this")),
        ("%ucum", Name("%ucum")),
        ("'it\\'s'", Literal("it's")),
        ("1", Literal(1)),
        ("1.5", Literal(1.5)),
        ("true", Literal(True)),
        ("false.not()", Step(Literal(False), Call("not", ()))),
        ("a implies b or c", Operation("implies", A, Operation("or", B, C))),
        ("a or b and c", Operation("or", A, Operation("and", B, C))),
        ("a and b = c", Operation("and", A, Operation("=", B, C))),
        ("a = b > c", Operation("=", A, Operation(">", B, C))),
        ("a > b | c", Operation(">", A, Operation("|", B, C))),
        ("a | b + c", Operation("|", A, Operation("+", B, C))),
        ("a is b", Operation("is", A, B)),
        ("a + b * c", Operation("+", A, Operation("*", B, C))),
        ("a - b - c", Operation("-", Operation("-", A, B), C)),
        ("a implies b implies c", Operation("implies", Operation("implies", A, B), C)),
        ("(a or b) and c", Operation("and", Operation("or", A, B), C)),
        ("a in (b | c)", Operation("in", A, Operation("|", B, C))),
        ("a != b", Operation("!=", A, B)),
        ("a<=b", Operation("<=", A, B)),
        ("a !~ b", Operation("!~", A, B)),
        ("a div b mod c", Operation("mod", Operation("div", A, B), C)),
        ("a[0].b", Step(Step(A, Call("item", (Literal(0),))), B)),
        ("`a`.b // why", Step(A, B)),
        ("a /* why */ | b", Operation("|", A, B)),
        ("a > -1", Operation(">", A, Call("-", (Literal(1),)))),
        ("a >= @2020-01-31T10:00Z", Operation(">=", A, Constant("date", "@2020-01-31T10:00Z"))),
        ("@T10:30", Constant("time", "@T10:30")),
        ("4 days", Constant("quantity", "4 days")),
        ("1.5 'mg' + a", Operation("+", Constant("quantity", "1.5 'mg'"), A)),
        ("{}", Constant("empty", "{}")),
    ],
)
def test_trees(expression: str, tree: Node) -> None:
    assert parse_fhirpath(expression) == tree


@pytest.mark.parametrize(
    "expression",
    ["", "a.", "a(", "a)", "a b", "a[0", "(a", "a = ", "'a", ".a", "a..b", "f(a,)", "#", "@20", "f(,a)"],
)
def test_refused(expression: str) -> None:
    with pytest.raises(DefinitionError):
        parse_fhirpath(expression)
