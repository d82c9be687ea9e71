"""The accept path of the functions: is there anything to say about a record at all? Most often not.

Same plan, same functions as the walk in functions.py, without places or findings; where it is unsure it says no, and
the walk decides. So it can be quick, and can never accept what the walk would refuse.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_keta.validation.compiled import FunctionPlan
from fhir_keta.validation.functions import (
    CODED,
    URIS,
    ExtensionIsClean,
    coding_verdict,
    element_path,
    leads_elsewhere,
    meets_none,
    slice_plan,
)
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_TYPE_AND_ID = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")
_PLAIN_CODING = frozenset({"system", "code", "display"})
_LEVELS = 24  # objects; deeper ones are rare, and the walk knows the limit


def is_clean(
    scope: Scope,
    terminology: Terminology,
    extension_is_clean: ExtensionIsClean,
    value: JsonObject,
    plan: FunctionPlan,
    above: FunctionPlan | None = None,
    key_here: str = "",
    depth: int = 0,
) -> bool:
    """Whether the walk would find nothing in ``value``: no finding, no nested resource, only extensions known good."""
    for invariant in plan.invariants:
        if not invariant.holds(value, scope):
            return False
    for invariant in plan.more:
        if not invariant.holds(value, scope):
            return False
    if plan.checks and not plan.checks.keys().isdisjoint(value) and not _passes(value, plan, scope):
        return False
    type_ = plan.type
    if type_ in CODED:
        if coding_verdict(value, plan, above, terminology):
            return False
        if type_ == "Coding" and value.keys() <= _PLAIN_CODING and list not in map(type, value.values()):
            return True
    elif (
        depth > _LEVELS
        or (type_ == "Identifier" and value.get("system") == URIS)  # its value is not any text: the walk decides
        or (plan.targets and leads_elsewhere(value, plan, scope))
        or (plan.profiles and meets_none(value, plan, scope))
    ):
        return False
    if depth and "id" in value:
        return False
    if plan.choices and len(plan.names.keys() & value.keys()) > 1:
        return False
    children, slices = plan.children, plan.slices
    for key, content in value.items():
        kind = type(content)
        below = children.get(key)
        if below is None:
            if kind is list:
                if key in plan.integers or None in content or f"_{key}" in value:
                    return False
            elif kind is float and key in plan.integers:
                return False
        elif below.type == "Resource":
            return False
        elif below.type == "Extension":
            path, modifier = element_path(plan, above, key_here), key == "modifierExtension"
            if kind is not list or not all(
                type(item) is dict and "id" not in item and extension_is_clean(item, path, type_, modifier)
                for item in content
            ):
                return False
        else:
            for item in content if kind is list else (content,):
                if type(item) is not dict:
                    return False
                if below.type == "Reference" and not below.profiles and _leads_outside(item):
                    continue
                own = below if key not in slices else slice_plan(slices[key], item, scope, below)
                if not is_clean(scope, terminology, extension_is_clean, item, own, plan, key, depth + 1):
                    return False
    return True


def _passes(value: JsonObject, plan: FunctionPlan, scope: Scope) -> bool:
    for key, checks in plan.checks.items():
        if key in value:
            content = value[key]
            for check in checks:
                if not all(
                    item is None or check.holds(item, scope)
                    for item in (content if type(content) is list else (content,))
                ):
                    return False
    return True


def _leads_outside(reference: JsonObject) -> bool:
    """A plain reference to a resource by type and id: the schema has said all about it, unless a Bundle has it too."""
    target = reference.get("reference")
    return len(reference) == 1 and type(target) is str and _TYPE_AND_ID.fullmatch(target) is not None
