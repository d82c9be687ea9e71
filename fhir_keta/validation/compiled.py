"""What a StructureDefinition compiles to: the schema, what is sliced, and what the functions look at."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from fhir_keta.validation.index import IndexPlan, Slice
from fhir_keta.validation.scope import Invariant, Scope

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule on one value that no schema says; ``names`` fill the rule's message (of a constraint: ``human``).

    ``holds`` answers None where it cannot tell; ``expression`` is the constraint's FHIRPath, if it is one.
    """

    rule: str
    names: dict[str, str]
    holds: Callable[[Any, Scope], bool | None]
    expression: str = ""


@dataclass(slots=True)
class FunctionPlan:
    """Which named functions run on an object, and which of its keys lead to more; shared by all uses of a type.

    ``path`` is the element path by which extensions name their context, ``names`` the element names of keys that are
    written otherwise (``valueQuantity``: ``value[x]``, ``_birthDate``: ``birthDate``), ``integers`` the keys of
    integers; ``keys`` are the invariants stated so far, ``choices`` the ``[x]`` elements of which only one may be
    given, ``targets`` what a reference may lead to, ``profiles`` those of which what it leads to (or the resource
    that stands here) must meet one; ``more`` are invariants of this use of a type; ``checks`` are rules on the
    values of a key, ``slices`` the slices of a key that carry more than the others.
    """

    type: str
    path: str
    invariants: list[Invariant] = field(default_factory=list)
    children: dict[str, FunctionPlan] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    integers: set[str] = field(default_factory=set)
    choices: list[str] = field(default_factory=list)
    targets: frozenset[str] = frozenset()
    keys: set[str] = field(default_factory=set)
    profiles: tuple[str, ...] = ()
    more: list[Invariant] = field(default_factory=list)
    checks: dict[str, list[Check]] = field(default_factory=dict)
    slices: dict[str, list[tuple[Slice, FunctionPlan]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compiled:
    """One profile or type, ready to check: the schema, what is sliced, what the functions look at.

    ``size`` is how many objects the schema is made of, those of a definition once; ``by_fhirpath`` are the keys of
    constraints that are evaluated as FHIRPath, ``unchecked`` those in words only. ``remembered`` is room for what
    others work out of all this: it lives as long.
    """

    url: str
    type: str
    schema: JsonObject
    size: int
    index: IndexPlan
    functions: FunctionPlan
    choice_keys: dict[str, tuple[str, str]]
    by_fhirpath: frozenset[str]
    unchecked: frozenset[str]
    remembered: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)


def carries_more(plan: FunctionPlan, base: FunctionPlan | None, known: frozenset[int] = frozenset()) -> bool:
    """Whether a plan looks at something that another one for the same type does not."""
    if plan is base or id(plan) in known:
        return False
    if (
        base is None
        or plan.more
        or plan.checks.keys() - base.checks.keys()
        or plan.slices
        or plan.integers - base.integers
    ):
        return True
    if plan.targets != base.targets or plan.profiles != base.profiles:
        return True
    if {each.key for each in plan.invariants} - {each.key for each in base.invariants}:
        return True
    inside = known | {id(plan)}
    return any(carries_more(below, base.children.get(key), inside) for key, below in plan.children.items())
