"""The accept path of the functions: is there anything to say about an element at all? Most often not.

Same plan, same functions as the walk in functions.py, without places or findings; where it is unsure it says no, and
the walk decides. So it can be quick, and can never accept what the walk would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.records.parse import written
from fhir_keta.validation.compiled import FunctionPlan
from fhir_keta.validation.functions import (
    CODED,
    URIS,
    ExtensionIsClean,
    coding_verdict,
    element_path,
    leads_elsewhere,
    meets_none,
    of_slice,
)
from fhir_keta.validation.index import Slice
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_TYPE_AND_ID = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")
_REMEMBERED = 20_000  # elements: a bound on memory
_LONGEST = 500  # bytes of one that is remembered

# the rules of every Reference: a plain one to a resource outside keeps them
_OF_REFERENCES = frozenset({"ref-1", "reference-relative", "reference-search", "reference-container", "reference-type"})

# what may be said of an element: that the walk decides, that it is clean where it stands, or by its content alone
_UNSURE, _HERE, _ANYWHERE = 0, 1, 2


@dataclass(slots=True, eq=False)
class Prepared:
    """A function plan at one place below another, with what the accept path asks of it worked out once.

    ``path`` is how the context of an extension names an element here, ``is_judged`` whether a rule is about the
    element itself, ``only_coded`` and ``only_refers`` whether it is none but those of every Coding or Reference;
    ``clean`` are elements that were clean by their content alone, as JSON: codings and counts, and what has nothing but
    texts beside them.
    """

    plan: FunctionPlan
    above: FunctionPlan | None
    path: str
    holds: tuple[Callable[[JsonObject, Scope], bool | None], ...]
    is_judged: bool
    only_coded: bool
    only_refers: bool
    clean: set[bytes] = field(default_factory=set)
    children: dict[str, Prepared] = field(default_factory=dict)
    slices: dict[str, list[tuple[Slice, Prepared]]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class PreparedPlans:
    """The plans that one validator has met so far, and how many elements are remembered with them.

    ``known`` is by the id() of a plan and of that above it, which stay their own since both are kept, and the key.
    """

    known: dict[tuple[int, int, str], Prepared] = field(default_factory=dict)
    remembered: int = 0

    def of(self, plan: FunctionPlan, above: FunctionPlan | None, key: str) -> Prepared:
        """The plan of what stands under a key of what ``above`` is for."""
        found = self.known.get((id(plan), id(above), key))
        return found or self.known.setdefault((id(plan), id(above), key), _prepared(plan, above, key))

    def below(self, prepared: Prepared, key: str) -> Prepared:
        """The plan of what stands under a key that has one."""
        plan = prepared.plan
        if key in plan.slices:
            prepared.slices[key] = [(slice_, self.of(own, plan, key)) for slice_, own in plan.slices[key]]
        return prepared.children.setdefault(key, self.of(plan.children[key], plan, key))

    def remember(self, value: JsonObject, prepared: Prepared) -> None:
        """Remember an element that is clean by its content alone."""
        text = written(value)
        if text is not None and len(text) <= _LONGEST and self.remembered < _REMEMBERED:
            prepared.clean.add(text)
            self.remembered += 1


def _prepared(plan: FunctionPlan, above: FunctionPlan | None, key: str) -> Prepared:
    invariants = [*plan.invariants, *plan.more]
    more = bool(invariants or plan.choices or plan.profiles or plan.targets)
    is_usual = {each.key for each in invariants} <= _OF_REFERENCES and "reference" not in plan.checks
    return Prepared(
        plan,
        above,
        path=element_path(plan, above, key),
        holds=tuple([each.holds for each in invariants]),
        is_judged=more or plan.type in CODED or plan.type == "Identifier",
        only_coded=plan.type == "Coding" and not more,
        only_refers=plan.type == "Reference" and is_usual and not plan.profiles,
    )


@dataclass(slots=True)
class AcceptPath:
    """Says of elements of one resource whether the walk would find nothing in them."""

    scope: Scope
    terminology: Terminology
    extension_is_clean: ExtensionIsClean
    plans: PreparedPlans

    def is_clean(self, value: JsonObject, plan: FunctionPlan, above: FunctionPlan | None = None, key: str = "") -> bool:
        """Whether the walk would find nothing in an element: no finding, no id, no nested resource, only extensions
        known good. ``plan`` is its own, ``above`` that of the element around it, where it stands under ``key``."""
        return self._judged(value, self.plans.of(plan, above, key)) != _UNSURE

    def _judged(self, value: JsonObject, prepared: Prepared) -> int:
        if prepared.clean and written(value) in prepared.clean:
            return _ANYWHERE
        surely = _ANYWHERE
        if prepared.is_judged:
            if prepared.only_refers and _leads_outside(value) and not self.scope.bundle:
                return _HERE
            if not self._keeps_rules(value, prepared):
                return _UNSURE
            surely = _ANYWHERE if prepared.only_coded else _HERE
        plan = prepared.plan
        if plan.checks and not plan.checks.keys().isdisjoint(value):
            if not _passes(value, plan, self.scope):
                return _UNSURE
            surely = _HERE
        if "id" in value:
            return _UNSURE
        one_of_few = prepared.only_coded
        for key, content in value.items():
            kind = type(content)
            if kind is str:  # most are, and no rule here is about them
                continue
            below = prepared.children.get(key)
            if below is None:
                if key not in plan.children:
                    if kind is list and (key in plan.integers or None in content or f"_{key}" in value):
                        return _UNSURE
                    if kind is float and key in plan.integers:
                        return _UNSURE
                    if kind is bool or kind is int:
                        one_of_few = True
                    else:
                        surely = _HERE
                    continue
                below = self.plans.below(prepared, key)
            type_ = below.plan.type
            if type_ == "Resource":
                return _UNSURE
            if type_ == "Extension":
                if kind is not list or not self._extensions_are_clean(content, key, prepared):
                    return _UNSURE
                surely = _HERE
                continue
            one_of_few = True
            slices = prepared.slices.get(key)
            if slices:
                surely = _HERE
            for item in content if kind is list else (content,):
                if type(item) is not dict:
                    return _UNSURE
                found = self._judged(item, of_slice(slices, item, self.scope, below) if slices else below)
                if found != _ANYWHERE:
                    if found == _UNSURE:
                        return _UNSURE
                    surely = _HERE
        if surely == _ANYWHERE:
            if not one_of_few:
                return _HERE
            self.plans.remember(value, prepared)
        return surely

    def _keeps_rules(self, value: JsonObject, prepared: Prepared) -> bool:
        """Whether an element keeps the rules about itself, but for checks of what stands under its keys."""
        scope, plan = self.scope, prepared.plan
        for holds in prepared.holds:
            if not holds(value, scope):
                return False
        if plan.type in CODED:
            if coding_verdict(value, plan, prepared.above, self.terminology):
                return False
        elif (
            (plan.type == "Identifier" and value.get("system") == URIS)  # its value is not any text: the walk decides
            or (plan.targets and leads_elsewhere(value, plan, scope))
            or (plan.profiles and meets_none(value, plan, scope))
        ):
            return False
        return not plan.choices or len(plan.names.keys() & value.keys()) <= 1

    def _extensions_are_clean(self, extensions: list[Any], key: str, prepared: Prepared) -> bool:
        path, type_, modifier = prepared.path, prepared.plan.type, key == "modifierExtension"
        for each in extensions:
            if type(each) is not dict or "id" in each or not self.extension_is_clean(each, path, type_, modifier):
                return False
        return True


def _passes(value: JsonObject, plan: FunctionPlan, scope: Scope) -> bool:
    for key, checks in plan.checks.items():
        if key in value:
            content = value[key]
            for check in checks:
                for item in content if type(content) is list else (content,):
                    if item is not None and not check.holds(item, scope):
                        return False
    return True


def _leads_outside(reference: JsonObject) -> bool:
    """A plain reference to a resource by type and id: the schema has said all about it, unless a Bundle has it too."""
    target = reference.get("reference")
    return len(reference) == 1 and type(target) is str and _TYPE_AND_ID.fullmatch(target) is not None
