"""What of a record its rules may relate: which root elements are judged together, and whether items are one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import starmap

from fhir_keta.validation.accepted.reading import (
    ABOUT_CONTAINED,
    each_once,
    element_name,
    expressions_in,
    is_read,
    names_in_expression,
    names_in_schema,
    required_names,
)
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.index import BY_SLICE

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_ABROAD = re.compile(r"%(?:resource|rootResource|context)\b")


@dataclass(frozen=True, slots=True)
class Together:
    """The root elements whose contents a rule may read beside others; in ``fixed`` ones nothing varies.

    ``asked`` are those of which rules ask whether they are there. Names are those of the definition, choices without
    ``[x]``.
    """

    names: frozenset[str]
    fixed: frozenset[str]
    asked: frozenset[str]


def read_together(compiled: Compiled) -> Together | None:
    """What rules read together; None: perhaps all. What no such rule reads is good or bad by itself."""
    if "together" not in compiled.remembered:
        compiled.remembered["together"] = _read_together(compiled)
    found: Together | None = compiled.remembered["together"]
    return found


def _read_together(compiled: Compiled) -> Together | None:
    plan = compiled.functions
    names: set[str] = set()
    fixed: set[str] = set()
    asked = {*compiled.schema.get("required", ()), *compiled.schema.get("dependentSchemas", ()), *plan.names}
    for demand in (*compiled.schema.get("allOf", ()), *compiled.schema.get("dependentSchemas", {}).values()):
        if demand.get("$comment") in ABOUT_CONTAINED:
            continue
        asked |= required_names(demand)
        in_schema = names_in_schema(demand, lengths=True)
        if in_schema is None:
            return None
        names |= {element_name(plan, name.removesuffix(BY_SLICE)) for name in in_schema}
    for invariant in (*plan.invariants, *plan.more):
        if invariant.key not in ABOUT_CONTAINED:
            read = names_in_expression(invariant.expression)
            if read is None:
                return None
            names |= read.keys()
            asked |= {*_IDENTIFIER.findall(invariant.expression)}
    if any(starmap(_looks_abroad, expressions_in(plan.children.values()))):
        for key, below in plan.children.items():
            for rule, expression in expressions_in([below]):
                if not _looks_abroad(rule, expression):
                    continue
                read = names_in_expression(expression)
                if read is None:
                    return None
                fixed |= {*read, element_name(plan, key)}
    asked = {element_name(plan, name.removesuffix(BY_SLICE)) for name in asked}
    return Together(frozenset(names | fixed), frozenset(fixed), frozenset(asked))


def element_of(compiled: Compiled, key: str) -> str:
    """The name of the root element that JSON writes under ``key``, as ``Together`` has it."""
    return element_name(compiled.functions, key)


def items_are_independent(compiled: Compiled) -> bool:
    """Whether the items of a response, as this profile of QuestionnaireResponse has them, are judged one by one."""
    together = read_together(compiled)
    if together is None or "item" in together.names or f"item{BY_SLICE}" in compiled.schema["properties"]:
        return False
    plans = each_once(
        [compiled.functions.children["item"]],
        lambda plan: [plan.children[key] for key in ("item", "answer") if key in plan.children],
    )
    return not any(
        plan.slices or any(is_read(plan, (name,), is_reference=False) for name in ("item", "answer", "linkId"))
        for plan in plans
    )


def _looks_abroad(key: str, expression: str) -> bool:
    if "%" not in expression or key in ABOUT_CONTAINED or key == "ref-1":
        return False
    return _ABROAD.search(expression) is not None
