"""What a schema cannot say, checked in one walk: invariants by function, extensions, codes, nested resources.

The walk follows the function plan of the compiled type, so it visits only what some rule wants to see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from fhir_keta.definitions.library import base as base_library
from fhir_keta.records.parse import LEVELS
from fhir_keta.validation import rules
from fhir_keta.validation.compiled import Check, Compiled, FunctionPlan
from fhir_keta.validation.explain import element_name
from fhir_keta.validation.index import Slice
from fhir_keta.validation.issue import Issue, Severity
from fhir_keta.validation.primitives import primitive_remedy
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.suggestions import suggestion
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

CODED = frozenset({"Coding", "Quantity"})
"""The types whose codes are looked up; as for HL7's validator not those made from Quantity, such as Age."""

URIS = "urn:ietf:rfc:3986"
"""The system of identifiers that are URIs."""

_LOOKS_AHEAD = 2  # steps below the root; everywhere, a deep record would be looked at once for each of its levels

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# what the schema judges by the type it names; where several # leave a choice, HL7's validator takes the last (unlike
# reference_format)
_TYPE_AND_ID = re.compile(r"(?:https?://\S*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]+(?:/_history/[A-Za-z0-9.-]+)?(?:#.*)?")


class Location(NamedTuple):
    """Where the walk is, as links upwards: FHIRPath text is made only for a finding."""

    parent: Location | None
    step: str | int
    depth: int = 0

    def down(self, step: str | int) -> Location:
        return Location(self, step, self.depth + 1)

    @property
    def above(self) -> str:
        return str(self.parent.step) if self.parent else ""

    def expression(self, compiled: Compiled) -> str:
        steps: list[str] = []
        here = self
        while here.parent is not None:
            step = here.step
            steps.append(f"[{step}]" if isinstance(step, int) else f".{element_name(compiled, step)}")
            here = here.parent
        return f"{here.step}{''.join(reversed(steps))}"


class NestedResource(NamedTuple):
    """A resource found inside (contained, or an entry of a Bundle): checked on its own by the caller.

    ``profiles`` are those of which it must meet one, because it stands here.
    """

    value: Any
    expression: str
    contained: bool
    profiles: tuple[str, ...]


class FoundExtension(NamedTuple):
    """An extension and the element it stands on, with that one's path and type."""

    value: JsonObject
    expression: str
    element_path: str
    element_type: str
    modifier: bool
    element: JsonObject


Found = Issue | NestedResource | FoundExtension


# value, plan, that of the element above, key there: whether the walk would find nothing
IsClean = Callable[[JsonObject, FunctionPlan, FunctionPlan, str], bool]

# value, path and type of the element it stands on, whether in modifierExtension
ExtensionIsClean = Callable[[JsonObject, str, str, bool], bool]


class Shortcut(NamedTuple):
    """What says quickly that the walk would find nothing in an element, or in an extension."""

    is_clean: IsClean
    extension_is_clean: ExtensionIsClean


def walk(
    compiled: Compiled,
    value: JsonObject,
    scope: Scope,
    terminology: Terminology,
    prefix: str,
    shortcut: Shortcut | None = None,
) -> Iterator[Found]:
    """All that the functions find in a record that the schema has been asked about (or not: shapes are not trusted).

    With ``shortcut``, elements not far from the root are passed over where it says so: most often all but one.
    """
    return _Walk(compiled, scope, terminology, shortcut).visit(value, compiled.functions, Location(None, prefix))


def element_path(plan: FunctionPlan, above: FunctionPlan | None, key: str) -> str:
    """How an extension's context names an element: its own path, or that of its parent's type and its name."""
    if above is None or "." in plan.path:
        return plan.path
    return f"{above.path}.{above.names.get(key, key)}"


@dataclass(slots=True)
class _Walk:
    """One walk through one resource; ``ids`` are those of the elements met so far."""

    compiled: Compiled
    scope: Scope
    terminology: Terminology
    shortcut: Shortcut | None
    ids: set[str] = field(default_factory=set)

    def visit(
        self,
        value: JsonObject,
        plan: FunctionPlan,
        here: Location,
        above: FunctionPlan | None = None,
        key_here: str = "",
    ) -> Iterator[Found]:
        compiled = self.compiled
        if here.depth > LEVELS:
            yield rules.issue("json-depth", here.expression(compiled), limit=LEVELS)
            return
        for invariant in chain(plan.invariants, plan.more):
            met = invariant.holds(value, self.scope)
            if not met:
                check = Check(invariant.key, {"human": invariant.human}, invariant.holds)
                yield _broken(check, met, here.expression(compiled), invariant.severity)
        if plan.choices:
            yield from _one_choice(compiled, value, plan, here)
        if plan.targets and leads_elsewhere(value, plan, self.scope):
            yield rules.issue("reference-target", here.expression(compiled), allowed=" or ".join(sorted(plan.targets)))
        elif plan.profiles and meets_none(value, plan, self.scope):
            yield rules.issue("reference-profile", here.expression(compiled), allowed=" or ".join(plan.profiles))
        if plan.checks:
            yield from self._checked(value, plan, here)
        if plan.type == "Identifier" and not _is_identified(value):
            yield rules.issue("identifier-uri", here.down("value").expression(compiled))
        if plan.type in CODED and (verdict := coding_verdict(value, plan, above, self.terminology)):
            yield _miscoded(compiled, value, verdict, self.terminology, here)
        shortcut = self.shortcut if here.depth <= _LOOKS_AHEAD else None
        for key, content in value.items():
            if type(content) is str:  # most are, and no rule here is about them
                continue
            below = plan.children.get(key)
            if below is None:
                if key in plan.integers or (type(content) is list and (None in content or f"_{key}" in value)):
                    yield from _primitive(compiled, value, plan, here.down(key))
                continue
            is_list = isinstance(content, list)
            slices = plan.slices.get(key)
            for position, item in enumerate(content if is_list else (content,)):
                if not isinstance(item, dict):
                    continue
                own = of_slice(slices, item, self.scope, below) if slices else below
                if below.type == "Extension":
                    path, modifier = element_path(plan, above, key_here), key == "modifierExtension"
                    if shortcut and "id" not in item and shortcut.extension_is_clean(item, path, plan.type, modifier):
                        continue
                elif own.type != "Resource" and shortcut and shortcut.is_clean(item, own, plan, key):
                    continue
                location = here.down(key).down(position) if is_list else here.down(key)
                if own.type == "Resource":
                    yield NestedResource(item, location.expression(compiled), key == "contained", own.profiles)
                    continue
                if "id" in item:
                    yield from self._identified(item, below, location, value)
                if below.type == "Extension":
                    yield FoundExtension(item, location.expression(compiled), path, plan.type, modifier, value)
                yield from self.visit(item, own, location, plan, key)

    def _checked(self, value: JsonObject, plan: FunctionPlan, here: Location) -> Iterator[Issue]:
        for key in [key for key in value if key in plan.checks]:
            for check in plan.checks[key]:
                for item, location in _items(value[key], here.down(key)):
                    met = True if item is None else check.holds(item, self.scope)
                    if not met:
                        yield _broken(check, met, location.expression(self.compiled))

    def _identified(
        self, element: JsonObject, plan: FunctionPlan, here: Location, parent: JsonObject
    ) -> Iterator[Issue]:
        """An id is no content (ele-1), and the only such one in the resource (R4, Element.id).

        A snapshot and its differential name the same elements.
        """
        if len(element) == 1 and not _has_value(parent, here):
            yield rules.issue("element-empty", here.expression(self.compiled))
        if plan.type != "ElementDefinition" and isinstance(element["id"], str):
            if element["id"] in self.ids:
                yield rules.issue("element-id", here.expression(self.compiled))
            self.ids.add(element["id"])


def _broken(check: Check, met: bool | None, expression: str, severity: Severity = "error") -> Issue:
    """The finding for what does not hold, or (None) of which nobody knows."""
    if met is None:
        return rules.issue("invariant-unevaluated", expression, name=check.rule)
    if "human" in check.names:
        return rules.invariant(check.rule, severity, check.names["human"], expression)
    return rules.issue(check.rule, expression, **check.names)


def _has_value(parent: JsonObject, here: Location) -> bool:
    """Whether this is the ``_name`` of a primitive that has a value beside it."""
    key, position = (here.step, None) if isinstance(here.step, str) else (here.above, here.step)
    if not key.startswith("_"):
        return False
    value = parent.get(key[1:])
    if position is not None:
        value = value[position] if isinstance(value, list) and position < len(value) else None
    return value is not None


def _primitive(compiled: Compiled, value: JsonObject, plan: FunctionPlan, here: Location) -> Iterator[Issue]:
    key = str(here.step)
    content = value[key]
    if key in plan.integers and _has_float(content):
        remedy = primitive_remedy("integer")
        yield rules.issue("primitive-format", here.expression(compiled), type="integer", remedy=remedy)
    if type(content) is list and (None in content or f"_{key}" in value) and rules.is_name(key):
        yield from _unaligned(compiled, value, key, here)


def _items(content: Any, here: Location) -> Iterator[tuple[Any, Location]]:
    if isinstance(content, list):
        for position, item in enumerate(content):
            yield item, here.down(position)
    else:
        yield content, here


def _has_float(content: Any) -> bool:
    """6.0 and 1e2 are no integers in FHIR (R4, Data Types, integer), though a schema engine takes them for such.

    6.5 it refuses by itself.
    """
    values = content if isinstance(content, list) else [content]
    return any(type(each) is float and each.is_integer() for each in values)


def _one_choice(compiled: Compiled, value: JsonObject, plan: FunctionPlan, here: Location) -> Iterator[Issue]:
    for base in plan.choices:
        names = {key.removeprefix("_") for key in value if key.removeprefix("_") in compiled.choice_keys}
        if sum(compiled.choice_keys[name][0] == base for name in names) > 1:
            yield rules.issue("choice-multiple", here.expression(compiled), name=base)


def leads_elsewhere(value: JsonObject, plan: FunctionPlan, scope: Scope) -> bool:
    """Whether a reference inside the record leads to a type that is not allowed; by URL, the schema has judged it."""
    reference = value.get("reference")
    if not isinstance(reference, str):
        return False
    found = scope.type_of(reference)
    if found is None:
        return _is_expected_elsewhere(value, plan)
    if found in plan.targets:
        return False
    return reference.split("/")[-2:-1] != [found]  # Type/id names its type: the schema has refused that


def _is_expected_elsewhere(value: JsonObject, plan: FunctionPlan) -> bool:
    """Whether what a reference leads to is said to be of another type (R4, Reference.type); type and id name it."""
    stated = value.get("type")
    if not isinstance(stated, str) or not stated.strip():
        return False
    named = _TYPE_AND_ID.fullmatch(value["reference"])
    if named is not None and named[1] in base_library().resource_types:
        return False
    return stated.removeprefix("http://hl7.org/fhir/StructureDefinition/") not in plan.targets


def meets_none(reference: JsonObject, plan: FunctionPlan, scope: Scope) -> bool:
    """Whether a reference leads, inside the record, to a resource that meets none of the profiles asked for.

    Where it leads to another type, ``leads_elsewhere`` has judged it.
    """
    if plan.type != "Reference":
        return False
    target = scope.find(str(reference.get("reference")))
    return target is not None and not any(scope.meets(target, profile) for profile in plan.profiles)


Plan = TypeVar("Plan")


def of_slice(slices: list[tuple[Slice, Plan]], item: JsonObject, scope: Scope, otherwise: Plan) -> Plan:
    """The plan for an element of a sliced array: that of its slice, if it carries more than the others."""
    return next((plan for slice_, plan in slices if slice_.holds(item, scope)), otherwise)


def _unaligned(compiled: Compiled, value: JsonObject, key: str, here: Location) -> Iterator[Issue]:
    """Each null in ``name`` keeps the place of something in ``_name`` (R4, JSON, Arrays of primitive elements)."""
    values, companions = value[key], value.get(f"_{key}")
    others = companions if isinstance(companions, list) else [None] * len(values)
    problem = ""
    if len(values) != len(others):
        problem = "they differ in length"
    elif any(each is None and other is None for each, other in zip(values, others, strict=True)):
        problem = "at one place both are null"
    if problem:
        expression = here.expression(compiled)
        yield rules.issue("primitive-alignment", expression, name=key, problem=problem)


def _is_identified(identifier: JsonObject) -> bool:
    """Whether the value is a URI where the system says that it is one (R4, Identifier.system)."""
    value = identifier.get("value")
    return identifier.get("system") != URIS or not isinstance(value, str) or _URI.match(value) is not None


def coding_verdict(value: JsonObject, plan: FunctionPlan, above: FunctionPlan | None, terminology: Terminology) -> str:
    """The rule that the code of a Coding or Quantity breaks, if any.

    As for HL7's validator, one coding of several in a concept may name what it likes for its system.
    """
    display = value.get("display") if plan.type == "Coding" else None
    verdict = terminology.verdict(value.get("system"), value.get("code"), display, value.get("version"))
    in_a_concept = above is not None and above.type == "CodeableConcept"
    return "" if verdict == "system-value-set" and in_a_concept else verdict


def _miscoded(compiled: Compiled, value: JsonObject, verdict: str, terminology: Terminology, here: Location) -> Issue:
    system, code = value["system"], value.get("code")
    if verdict == "code-unknown":
        hint = suggestion(code, terminology.codes(system))
        return rules.issue(verdict, here.down("code").expression(compiled), system=system, suggestion=hint)
    if verdict == "display-wrong":
        return rules.issue(verdict, here.down("display").expression(compiled), system=system)
    return rules.issue(verdict, here.down("system").expression(compiled))
