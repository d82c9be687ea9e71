"""What a StructureDefinition compiles to: the schema, what is sliced, and what the functions look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fhir_keta.validation.index import IndexPlan
from fhir_keta.validation.scope import Invariant

JsonObject = dict[str, Any]


@dataclass(slots=True)
class FunctionPlan:
    """Which named functions run on an object, and which of its keys lead to more; shared by all uses of a type.

    ``path`` is the element path by which extensions name their context, ``names`` the element names of keys that are
    written otherwise (``valueQuantity``: ``value[x]``, ``_birthDate``: ``birthDate``), ``integers`` the keys of
    integers; ``keys`` are the invariants stated so far, ``choices`` the ``[x]`` elements of which only one may be
    given, ``targets`` what a reference may lead to.
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


@dataclass(frozen=True, slots=True)
class Compiled:
    """One profile or type, ready to check: the schema, what is sliced, what the functions look at."""

    url: str
    type: str
    schema: JsonObject
    index: IndexPlan
    functions: FunctionPlan
    choice_keys: dict[str, tuple[str, str]]
    unchecked: frozenset[str]
