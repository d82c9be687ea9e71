"""The invariants that neither a schema nor a named function says: FHIRPath, evaluated by fhirpathpy.

The library is slow, so it is imported when the first such invariant meets an element that it mentions, and what an
expression says of a value without any of them is worked out once. An expression that the library cannot evaluate, or
not in time, or that asks for what is not known here, is neither met nor broken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from fhir_keta.definitions.library import Library
from fhir_keta.validation.conditions import codings
from fhir_keta.validation.fhirpath.deadline import TooLong, within
from fhir_keta.validation.scope import Scope

JsonObject = dict[str, Any]

_SECONDS = 2.0
_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'")
_NAMES = re.compile(r"(?<![%$\w])[A-Za-z_]\w*")
_OF_ITSELF = re.compile(r"%|\$this|(?<![.\w])resolve\(")
_EVERYTHING = frozenset({"descendants", "children", "repeat", "conformsTo", "memberOf"})

# evaluates a value in a scope
_Evaluate = Callable[[Any, Scope], bool]


@dataclass(slots=True)
class Expression:
    """One constraint of an element at ``path``; called with a value it says whether it is met, None where it cannot.

    ``library`` is where value sets and profiles are looked up.
    """

    text: str
    path: str
    library: Library | None = None
    _names: frozenset[str] = frozenset()
    _evaluate: _Evaluate | None = None
    _without: dict[bool, bool | None] = field(default_factory=dict)
    _given_up: bool = False

    def __post_init__(self) -> None:
        self._names = frozenset(_NAMES.findall(_TEXTS.sub("", self.text)))

    def __call__(self, value: Any, scope: Scope) -> bool | None:
        if self._given_up:
            return None
        if not isinstance(value, dict) or self._mentions(value):
            return self._evaluated(value, scope)
        if True not in self._without:
            self._without[True] = self._evaluated({}, scope)
        return self._without[True]

    def _mentions(self, value: JsonObject) -> bool:
        """Whether the value has an element that the expression names, or the expression looks at more than names."""
        if _OF_ITSELF.search(self.text) or self._names & _EVERYTHING:
            return True
        return any(key.lstrip("_").startswith(name) for key in value for name in self._names)

    def _evaluated(self, value: Any, scope: Scope) -> bool | None:
        try:
            if self._evaluate is None:
                self._evaluate = _compiled(self.text, self.path, self.library)
            evaluate = self._evaluate
            return within(_SECONDS, lambda: evaluate(value, scope))
        except TooLong:
            self._given_up = True
            return None
        except Exception:  # whatever the library raises on what it does not know, and LookupError of our own functions
            return None


def _compiled(text: str, path: str, library: Library | None) -> _Evaluate:
    from fhirpathpy import apply_parsed_path
    from fhirpathpy.engine.nodes import ResourceNode
    from fhirpathpy.models import models
    from fhirpathpy.parser import parse

    _check_syntax(text)
    read, node_of, apply = cast(Any, parse), cast(Any, ResourceNode).create_node, cast(Any, apply_parsed_path)
    text = _from_context(text, path)
    parsed = read(f"where({text}).exists()" if "$this" in text else text)

    def evaluate(value: Any, scope: Scope) -> bool:
        node = node_of(value, path)
        around = {"resource": scope.resource, "rootResource": scope.root}
        variables = {name: node_of(each, str(each.get("resourceType"))) for name, each in around.items()}
        variables["context"] = node
        options = {"userInvocationTable": _functions(scope, node_of, library), "traceFn": lambda _label, _found: None}
        found = apply(node, parsed, variables, models["r4"], options)
        return bool(found) and all(each is not False for each in found)

    return evaluate


def _check_syntax(text: str) -> None:
    """Raises ValueError for what is no FHIRPath: the library itself reads past what it does not understand."""
    from antlr4 import CommonTokenStream, InputStream, Token
    from antlr4.error.ErrorListener import ErrorListener
    from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
    from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

    class Refuse(ErrorListener):  # type: ignore[misc]
        def syntaxError(self, *_where: object) -> None:
            raise ValueError(text)

    lexer = FHIRPathLexer(InputStream(text))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(Refuse())
    parser.expression()
    if parser.getCurrentToken().type != Token.EOF:
        raise ValueError(text)


def _from_context(text: str, path: str) -> str:
    """The expression without the type's own name in front of a path (``Patient.name``), which the library misreads."""
    own_name = re.compile(rf"(?<![\w.%`]){re.escape(path)}\.")
    between = _TEXTS.split(text)
    quoted = [*_TEXTS.findall(text), ""]
    return "".join(own_name.sub("%context.", part) + word for part, word in zip(between, quoted, strict=True))


def _functions(scope: Scope, node_of: Callable[[Any, str], Any], library: Library | None) -> JsonObject:
    """FHIR's own functions that the library lacks (R4, FHIRPath, Additional functions)."""

    def resolve(found: list[Any]) -> list[Any]:
        references = (each.get("reference") if isinstance(each, dict) else each for each in found)
        targets = (target for each in references if (target := scope.find(str(each))) is not None)
        return [node_of(target, str(target.get("resourceType"))) for target in targets]

    def has_value(found: list[Any]) -> list[bool]:
        return [len(found) == 1 and not isinstance(found[0], dict)]

    def member_of(found: list[Any], value_set: str) -> list[bool]:
        return [_is_member(found[0], value_set, library)] if len(found) == 1 else []

    def conforms_to(found: list[Any], canonical: str) -> list[bool]:
        if scope.conforms is None or library is None or library.structure(canonical) is None:
            raise LookupError(canonical)
        return [scope.conforms(found[0], canonical, scope)] if len(found) == 1 and isinstance(found[0], dict) else []

    return {
        "resolve": {"fn": resolve, "arity": {0: []}},
        "hasValue": {"fn": has_value, "arity": {0: []}},
        "memberOf": {"fn": member_of, "arity": {1: ["String"]}},
        "conformsTo": {"fn": conforms_to, "arity": {1: ["String"]}},
    }


def _is_member(value: Any, value_set: str, library: Library | None) -> bool:
    """Whether a code, a Coding or one of a CodeableConcept's is in the value set.

    Raises LookupError where the value set is not known here, or nobody here knows all of its codes.
    """
    possible = library.possible_codes(value_set) if library else None
    if library is None or possible is None:
        raise LookupError(value_set)
    given = codings(value)
    codes = library.codes(value_set)
    if codes is None and any(possible.contains(system, code) for system, code in given):
        raise LookupError(value_set)
    return codes is not None and any(codes.contains(system, code) for system, code in given)
