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

from fhir_keta.errors import DefinitionError
from fhir_keta.validation.elements import Element, choice_key, type_code
from fhir_keta.validation.fhirpath.syntax import Call, Literal, Name, Node, Operation, Step, parse_fhirpath
from fhir_keta.validation.primitives import PRIMITIVE_TYPES

JsonObject = dict[str, Any]

# how to find the children of an element whose type is defined elsewhere
Children = Callable[[Element], Mapping[str, Element]]

# what R4 wrote, and what it meant: "more than one enableWhen"
_CORRECTED = {
    "enableWhen.count() > 2 implies enableBehavior.exists()": "enableWhen.count() > 1 implies enableBehavior.exists()"
}

_NEVER: JsonObject = {"not": {}}
_VARIABLES = {"%ucum": "http://unitsofmeasure.org"}
_COMPARISONS = {"<": "exclusiveMaximum", "<=": "maximum", ">": "exclusiveMinimum", ">=": "minimum"}


class _Truth(NamedTuple):
    """When an expression is true, and when it is false."""

    true: JsonObject
    false: JsonObject


@dataclass(frozen=True, slots=True)
class _Path:
    """A way down from the context element: JSON names and filters, and the element it ends at."""

    steps: tuple[str | _Truth, ...]
    element: Element


class _Unsupported(Exception):
    """The expression says more than a schema can."""


def existence_schema(expression: str, element: Element, children: Children) -> JsonObject | None:
    """The schema of the objects at ``element`` for which the FHIRPath expression is true; None if it cannot be said."""
    try:
        return _Context(element, children).truth(parse_fhirpath(_CORRECTED.get(expression, expression))).true
    except (_Unsupported, DefinitionError):
        return None


@dataclass(frozen=True, slots=True)
class _Context:
    """What names mean: the element that the expression is about."""

    element: Element
    children: Children

    def truth(self, node: Node) -> _Truth:
        if isinstance(node, Operation):
            return self._operation(node)
        if isinstance(node, Step) and isinstance(node.then, Call):
            found = self._test(node.target, node.then)
            if found is not None:
                return found
        if isinstance(node, Call) and node.name in ("exists", "empty", "hasValue") and not node.arguments:
            return self._test(Name("$this"), node) or _unsupported()
        return self._compared(self.paths(node), {"const": True})  # a boolean element standing alone

    def _operation(self, node: Operation) -> _Truth:
        match node.operator:
            case "implies":
                left, right = self.truth(node.left), self.truth(node.right)
                return _Truth(_any(left.false, right.true), _all(left.true, right.false))
            case "or":
                left, right = self.truth(node.left), self.truth(node.right)
                return _Truth(_any(left.true, right.true), _all(left.false, right.false))
            case "and":
                left, right = self.truth(node.left), self.truth(node.right)
                return _Truth(_all(left.true, right.true), _any(left.false, right.false))
            case "xor":
                return _differ(self.truth(node.left), self.truth(node.right))
            case "=" | "!=":
                same = self._equal(node)
                return same if node.operator == "=" else _Truth(same.false, same.true)
            case "in":
                return self._compared(self.paths(node.left), {"enum": _literals(node.right)})
            case "is":
                return self._typed(node)
            case "<" | "<=" | ">" | ">=":
                return self._ordered(node)
        raise _Unsupported

    def _equal(self, node: Operation) -> _Truth:
        if isinstance(node.right, Literal):
            return self._compared(self.paths(node.left), {"const": node.right.value})
        if isinstance(node.right, Name) and node.right.text in _VARIABLES:
            return self._compared(self.paths(node.left), {"const": _VARIABLES[node.right.text]})
        different = _differ(self.truth(node.left), self.truth(node.right))
        return _Truth(different.false, different.true)

    def _ordered(self, node: Operation) -> _Truth:
        if not isinstance(node.right, Literal) or isinstance(node.right.value, str | bool):
            raise _Unsupported
        bound, left = node.right.value, node.left
        counted = _counted(left)
        if counted:
            return self._counts(counted, node.operator, int(bound))
        if isinstance(left, Step) and left.then == Call("length", ()):
            text = left.target
            if isinstance(text, Step) and text.then == Call("toString", ()):
                text = text.target
            return self._compared(self.paths(text), _length(node.operator, int(bound)))
        leaf = {"type": "number", _COMPARISONS[node.operator]: bound}
        return self._compared(self.paths(left), leaf)

    def _counts(self, counted: list[Node], operator: str, bound: int) -> _Truth:
        """How many there are; of several elements together only whether there is any."""
        paths = [path for node in counted for path in self.paths(node)]
        least, negated = {">": (bound + 1, False), ">=": (bound, False), "<": (bound, True), "<=": (bound + 1, True)}[
            operator
        ]
        found = self._exists(paths).true if least == 1 else self._at_least(paths, least)
        truth = _Truth(found, _not(found))
        return _Truth(truth.false, truth.true) if negated else truth

    def _at_least(self, paths: list[_Path], least: int) -> JsonObject:
        if len(paths) != 1 or len(paths[0].steps) != 1 or not paths[0].element.is_array:
            raise _Unsupported
        name = paths[0].steps[0]
        if not isinstance(name, str):
            raise _Unsupported
        return {"required": [name], "properties": {name: {"minItems": least}}}

    def _typed(self, node: Operation) -> _Truth:
        """``value is Quantity``; the types of FHIRPath's System are written with a capital (N1, 6.3).

        Of nothing it is false, not empty: R4's own ras-2 would else refuse every prediction without a probability.
        """
        if not isinstance(node.right, Name):
            raise _Unsupported
        paths = self.paths(node.left)
        codes = [code for path in paths for code in map(type_code, path.element.types)]
        code = next((code for code in codes if code.casefold() == node.right.text.casefold()), node.right.text)
        same = self._at_any([self._of_type(path, code) for path in paths], {})
        return _Truth(same, _not(same))

    def _test(self, target: Node, call: Call) -> _Truth | None:
        """A function that answers true or false about its target; None for another function."""
        match call:
            case Call("not", ()):
                truth = self.truth(target)
                return _Truth(truth.false, truth.true)
            case Call("exists", ()):
                return self._exists(self.paths(target))
            case Call("exists", (condition,)):
                return self._exists([self._filtered(path, condition) for path in self.paths(target)])
            case Call("empty", ()):
                there = self._exists(self.paths(target))
                return _Truth(there.false, there.true)
            case Call("all", (condition,)):
                failing = _any(*(self._failing(path, condition) for path in self.paths(target)))
                return _Truth(_not(failing), failing)
            case Call("hasValue", ()):
                valued = self._at_any(self.paths(target), {"type": ["string", "number", "boolean"]})
                return _Truth(valued, _not(valued))
            case Call("contains" | "startsWith" | "endsWith", (Literal(str(text)),)):
                pattern = {"contains": "{}", "startsWith": "^{}", "endsWith": "{}$"}[call.name].format(_literally(text))
                return self._compared(self.paths(target), {"pattern": pattern})
        return None

    def _exists(self, paths: list[_Path]) -> _Truth:
        there = self._at_any(paths, {})
        return _Truth(there, _not(there))

    def _failing(self, path: _Path, condition: Node) -> JsonObject:
        truth = _Context(path.element, self.children).truth(condition)
        return self._at((*path.steps, _Truth(_not(truth.true), {})), self.element, {})

    def _compared(self, paths: list[_Path], leaf: JsonObject) -> _Truth:
        """FHIRPath compares whole collections: a schema of one item says the same only of a single path to one."""
        if len(paths) != 1:
            raise _Unsupported
        element = self.element
        for step in paths[0].steps:
            if not isinstance(step, str):
                raise _Unsupported
            element = self._child(element, step)
            if element.is_array:
                raise _Unsupported
        return _Truth(self._at_any(paths, leaf), self._at_any(paths, {"not": leaf}))

    def paths(self, node: Node) -> list[_Path]:
        match node:
            case Name("$this"):
                return [_Path((), self.element)]
            case Name(name) if name[0].isupper() and name == self.element.name:
                return [_Path((), self.element)]  # the type's own name: Appointment.status
            case Call("where", (condition,)):
                return [self._filtered(_Path((), self.element), condition)]
            case Name(name):
                return [_Path((name,), self._child(self.element, name))]
            case Operation("|", left, right):
                return [*self.paths(left), *self.paths(right)]
            case Operation("as", left, Name(type_name)):
                return [self._of_type(path, type_name) for path in self.paths(left)]
            case Step(target, Call("trace", _)):
                return self.paths(target)
            case Step(target, Name(name)):
                return [_Path((*path.steps, name), self._child(path.element, name)) for path in self.paths(target)]
            case Step(target, Call("where", (condition,))):
                return [self._filtered(path, condition) for path in self.paths(target)]
            case Step(target, Call("ofType", (Name(type_name),))):
                return [self._of_type(path, type_name) for path in self.paths(target)]
        raise _Unsupported

    def _filtered(self, path: _Path, condition: Node) -> _Path:
        truth = _Context(path.element, self.children).truth(condition)
        return _Path((*path.steps, truth), path.element)

    def _of_type(self, path: _Path, type_name: str) -> _Path:
        if not path.element.is_choice or not path.steps or not isinstance(path.steps[-1], str):
            raise _Unsupported
        if type_name not in (type_code(type_) for type_ in path.element.types):
            return _Path((*path.steps[:-1], _Truth(_NEVER, {})), path.element)  # no such value in this profile
        narrowed = path.element.as_type(type_name)
        return _Path((*path.steps[:-1], narrowed.name), narrowed)

    def _child(self, element: Element, name: str) -> Element:
        children = self.children(element)
        found = children.get(name) or children.get(f"{name}[x]")
        if found is not None:
            return found
        for child in children.values():
            base = child.name.removesuffix("[x]")
            if child.is_choice and name.startswith(base):
                for type_ in child.types:
                    if name == choice_key(base, type_code(type_)):
                        return child.as_type(type_code(type_))
        raise _Unsupported

    def _at_any(self, paths: list[_Path], leaf: JsonObject) -> JsonObject:
        return _any(*(self._at(path.steps, self.element, leaf) for path in paths))

    def _at(self, steps: tuple[str | _Truth, ...], element: Element, leaf: JsonObject) -> JsonObject:
        """Some value at the path is as ``leaf`` says."""
        if not steps:
            return leaf
        first, rest = steps[0], steps[1:]
        if isinstance(first, _Truth):
            return _all(first.true, self._at(rest, element, leaf))
        child = self._child(element, first)
        inner = self._at(rest, child, leaf)
        if not inner and child.type_codes == ["Resource"]:
            only_a_type = {"type": "object", "required": ["resourceType"], "maxProperties": 1}
            inner = {"not": only_a_type}  # that is an empty one
        if child.is_array:
            inner = {"contains": inner} if inner else {}
        keys: list[str] = []
        for type_ in child.types or [{}]:
            code = type_code(type_)
            key = choice_key(first, code) if child.is_choice else first
            keys.append(key)
            if code in PRIMITIVE_TYPES and not inner:
                keys.append(f"_{key}")  # a primitive may have extensions only
        return _any(*({"required": [key], **({"properties": {key: inner}} if inner else {})} for key in keys))


def _literally(text: str) -> str:
    """The text as a pattern; ECMA 262 knows no escapes but those of its own syntax, so not all of re.escape's."""
    return re.sub(r"[\^$\\.*+?()\[\]{}|]", r"\\\g<0>", text)


def _length(operator: str, bound: int) -> JsonObject:
    return {
        ">": {"minLength": bound + 1},
        ">=": {"minLength": bound},
        "<": {"maxLength": bound - 1},
        "<=": {"maxLength": bound},
    }[operator]


def _counted(node: Node) -> list[Node]:
    """The terms of ``a.count() + b.count()``; empty for anything else."""
    if isinstance(node, Operation) and node.operator == "+":
        left, right = _counted(node.left), _counted(node.right)
        return [*left, *right] if left and right else []
    return [node.target] if isinstance(node, Step) and node.then == Call("count", ()) else []


def _literals(node: Node) -> list[Any]:
    if isinstance(node, Operation) and node.operator == "|":
        return [*_literals(node.left), *_literals(node.right)]
    if isinstance(node, Literal):
        return [node.value]
    raise _Unsupported


def _unsupported() -> _Truth:
    raise _Unsupported


def _any(*schemas: JsonObject) -> JsonObject:
    flat = [part for schema in schemas for part in (schema["anyOf"] if set(schema) == {"anyOf"} else [schema])]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


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
