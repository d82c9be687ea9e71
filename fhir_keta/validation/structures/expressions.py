"""FHIRPath in definitions: whether an expression can be read, and asks only for elements that its context has.

FHIRPath N1; what it says is not evaluated, only the types of its steps are followed, as far as they are certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_keta.definitions.elements import Node
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.fhirpath.syntax import Call, Constant, Literal, Name, Operation, Step, parse_fhirpath
from fhir_keta.validation.fhirpath.syntax import Node as Expression
from fhir_keta.validation.shapes import text
from fhir_keta.validation.structures.types import Types, codes_of, referred

JsonObject = dict[str, Any]

# FHIRPath N1, 5, and FHIR R4, FHIRPath, "Additional functions"
_SAME_IN_AND_OUT = "where first last tail skip take single distinct trace exclude intersect"
_READ_INSIDE = "where all exists select repeat aggregate iif"
_WITHOUT_ARGUMENTS = """
    empty not first last tail single distinct isDistinct count allTrue anyTrue allFalse anyFalse
    toInteger toDecimal toString toBoolean toDateTime toTime
    convertsToInteger convertsToDecimal convertsToString convertsToBoolean convertsToDate convertsToDateTime
    convertsToTime
    length upper lower toChars trim abs ceiling exp floor ln sqrt truncate precision
    children descendants now today type hasValue resolve htmlChecks
"""
_OF_ONE_ARGUMENT = """
    where select repeat ofType as is skip take union combine intersect exclude subsetOf supersetOf item
    indexOf startsWith endsWith contains matches matchesFull split encode decode escape unescape log power
    memberOf extension conformsTo comparable section entry hasTemplateIdOf
"""
_OTHERS = """
    all exists aggregate iif trace substring replace replaceMatches join round sort lowBoundary highBoundary
    toDate toQuantity convertsToQuantity timeOfDay elementDefinition slice checkModifiers subsumes subsumedBy
    defineVariable coalesce getValue
"""
_SAME = frozenset(_SAME_IN_AND_OUT.split())
_INSIDE = frozenset(_READ_INSIDE.split())
_TYPED = frozenset({"ofType", "as", "is"})
_COUNTS = dict.fromkeys(_WITHOUT_ARGUMENTS.split(), 0) | dict.fromkeys(_OF_ONE_ARGUMENT.split(), 1)
_FUNCTIONS = _COUNTS.keys() | frozenset(_OTHERS.split())
_CONSTANTS = frozenset(
    {"resource", "rootResource", "context", "ucum", "sct", "loinc", "extension", "map-codes", "us-zip"}
)
_NAMED = ("vs-", "cs-", "ext-")  # value sets, code systems and extensions (R4, FHIRPath, Variables)
_SIGNS = frozenset({"-", "+"})
_OPEN = frozenset({"Resource", "DomainResource"})  # what stands there may have any element


@dataclass(frozen=True, slots=True)
class Spot:
    """An element that an expression may be at, and the root of the definition that it is one of."""

    node: Node
    root: Node


# None: it may be anything
Focus = list[Spot] | None


class _Unreadable(Exception):
    """What is wrong with an expression, in words."""


def expression_problem(expression: str, focus: Focus, known: Types, must_lead: bool = False) -> str:
    """What is wrong with an expression whose context is one of these elements; empty: nothing that is certain.

    ``must_lead``: only in the end there must be something, as for a discriminator.
    """
    try:
        found = _Reading(known, must_lead).read(parse_fhirpath(expression), focus, focus, True)
    except DefinitionError:
        return "the expression is not FHIRPath"
    except _Unreadable as problem:
        return str(problem)
    except RecursionError:  # hundreds of steps or operators
        return ""
    return "the expression leads to no element" if found == [] else ""


def spots_of(element: JsonObject, node: Node | None, root: Node | None, known: Types) -> Focus:
    """The elements that an ElementDefinition speaks of: its types, or ``node`` where its parts are its own."""
    if "." not in text(element.get("path")):
        own = known.root(text(element.get("path")))
        return [Spot(own, own)] if own else None
    spots: list[Spot] = []
    for code in codes_of(element):
        definition = known.definition(code)
        if definition is not None and definition.get("abstract") and code not in _OPEN:
            if node is None or root is None:
                return None
            spots.append(Spot(node, root))
        else:
            of_type = known.root(code)
            if of_type is None:
                return None
            spots.append(Spot(of_type, of_type))
    return spots or None


def node_at(root: Node | None, path: str) -> Node | None:
    """The element at a path in a definition's tree."""
    node = root
    for name in path.split(".")[1:]:
        node = node.children.get(name) if node else None
    return node


@dataclass(eq=False)
class _Reading:
    known: Types
    may_be_empty: bool

    def read(self, node: Expression, focus: Focus, this: Focus, is_first: bool) -> Focus:
        """Where an expression leads; ``this`` is its outer context. Raises _Unreadable."""
        if isinstance(node, Literal | Constant):
            return None
        if isinstance(node, Step):
            return self.read(node.then, self.read(node.target, focus, this, is_first), this, False)
        if isinstance(node, Operation):
            return self._operation(node, focus, this)
        if isinstance(node, Call):
            return self._call(node, focus, this)
        return self._name(node, focus, this, is_first)

    def _name(self, node: Name, focus: Focus, this: Focus, is_first: bool) -> Focus:
        name = node.text
        if name[0] == "$":
            return this if name == "$this" else None
        if name[0] == "%":
            if name[1:] not in _CONSTANTS and not name[1:].startswith(_NAMED):
                raise _Unreadable("the expression has a variable that FHIR does not know")
            return None
        if focus is None:
            return None
        if is_first and name[:1].isupper():
            same = [spot for spot in focus if self._is_type(spot, name)]
            if not same:
                raise _Unreadable("the expression begins with another type than its context's")
            return same
        found: list[Spot] = []
        for spot in focus:
            parts = self._parts(spot)
            if parts is None:
                return None
            part = parts.get(name) or parts.get(f"{name}[x]")
            if part is not None:
                found.append(part)
        if not found and not (self.may_be_empty and focus):
            raise _Unreadable("the expression asks for an element that is not there")
        return found

    def _is_type(self, spot: Spot, name: str) -> bool:
        return spot.node is spot.root and any(each.get("type") == name for each in self.known.lineage(spot.root.name))

    def _parts(self, spot: Spot) -> dict[str, Spot] | None:
        """The parts of an element, also of all types that it may have; None where these are not all known."""
        node, root = spot.node, spot.root
        if "contentReference" in node.element:
            target = referred(root, text(node.element["contentReference"]))
            return {name: Spot(part, root) for name, part in target.children.items()} if target else None
        if node.children:
            if node is root and node.name in _OPEN:
                return None
            return {name: Spot(part, root) for name, part in node.children.items()}
        parts: dict[str, Spot] = {}
        for code in codes_of(node.element):
            of_type = self.known.root(code)
            if of_type is None or code in _OPEN:
                return None
            parts |= {name: Spot(part, of_type) for name, part in of_type.children.items()}
        return parts

    def _operation(self, node: Operation, focus: Focus, this: Focus) -> Focus:
        left = self.read(node.left, focus, this, True)
        if node.operator in ("is", "as"):
            return self._of_type(node.right) if node.operator == "as" else None
        right = self.read(node.right, focus, this, True)
        return left + right if node.operator == "|" and left is not None and right is not None else None

    def _call(self, node: Call, focus: Focus, this: Focus) -> Focus:
        if node.name not in _FUNCTIONS and node.name not in _SIGNS:
            raise _Unreadable("the expression has a function that FHIRPath does not know")
        if len(node.arguments) != _COUNTS.get(node.name, len(node.arguments)):
            raise _Unreadable(f"{node.name} has not as many arguments as it takes")
        if node.name == "item" and isinstance(node.arguments[0], Literal) and isinstance(node.arguments[0].value, str):
            raise _Unreadable("what stands in brackets is a number")
        if node.name in _TYPED:
            return self._of_type(node.arguments[0]) if node.name != "is" and node.arguments else None
        inside = focus if node.name in _INSIDE else this
        found = [self.read(argument, inside, inside, True) for argument in node.arguments]
        if node.name in _SAME:
            return focus
        if node.name == "children":
            return self._children(focus)
        if node.name == "extension":
            root = self.known.root("Extension")
            return [Spot(root, root)] if root else None
        return found[0] if node.name == "select" and found else None

    def _children(self, focus: Focus) -> Focus:
        found: list[Spot] = []
        for spot in focus or ():
            parts = self._parts(spot)
            if parts is None:
                return None
            found += parts.values()
        return found or None

    def _of_type(self, node: Expression) -> Focus:
        name = node.then if isinstance(node, Step) else node
        root = self.known.root(name.text) if isinstance(name, Name) else None
        return [Spot(root, root)] if root else None
