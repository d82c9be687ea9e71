"""Which elements of a record the rules of a profile may look at; where that is not certain, the answer is all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from fhir_keta.validation.compiled import FunctionPlan
from fhir_keta.validation.index import BY_SLICE

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]
# the names of elements that are read, each with those inside it that are, or None for perhaps all of it
Reading = Mapping[str, "frozenset[str] | None"]

# rules about what varies only within bounds that keep them: an id in a reference is no fragment and no search, and
# the type before it stays; the two ends of a Period vary together
_KEPT_BY_REFERENCES = frozenset(
    {"ref-1", "reference-relative", "reference-search", "reference-container", "reference-type"}
)
_KEPT_BY_PERIODS = frozenset({"per-1"})
# with nothing contained they have nothing to say
ABOUT_CONTAINED = frozenset({"dom-2", "dom-3", "dom-4", "dom-5", "contained-id"})

_STRING = re.compile(r"'(?:[^'\\]|\\.)*'")
_PRESENCE = re.compile(r"(?<![.\w%$])\w+\.(?:empty|exists|hasValue)\(\)")
_NAME = re.compile(r"(?<![\w%$])(?P<name>[A-Za-z_]\w*)(?!\w*\()(?=\.(?P<inside>[A-Za-z_]\w*)(?!\w*\()|)")
_READS_MORE = re.compile(r"\b(?:children|descendants|repeat)\(|\$this(?!\.)")
_WORDS = frozenset({"and", "or", "xor", "implies", "not", "in", "contains", "is", "as", "div", "mod", "true", "false"})

# keywords that say nothing of the values of an object's properties
_OF_THE_OBJECT = frozenset(
    {"$comment", "description", "type", "minProperties", "maxProperties", "required", "additionalProperties", "$defs"}
    | {"minLength", "maxLength", "propertyNames"}
)


def is_read(plan: FunctionPlan, path: Path, is_reference: bool) -> bool:
    """Whether a constraint of this object may read what stands at ``path`` in it."""
    kept = _KEPT_BY_REFERENCES if is_reference else _KEPT_BY_PERIODS if plan.type == "Period" else frozenset()
    return any(
        _reads(names_in_expression(invariant.expression), plan, path)
        for invariant in (*plan.invariants, *plan.more)
        if invariant.key not in kept | ABOUT_CONTAINED
    )


def _reads(read: Reading | None, plan: FunctionPlan, path: Path) -> bool:
    if read is None:
        return True
    name = element_name(plan, str(path[0]))
    children = read.get(name, frozenset())
    if not children:
        return children is None
    below = plan.children.get(str(path[0]))
    inside = next((step for step in path[1:] if isinstance(step, str)), None)
    return below is None or inside is None or element_name(below, inside) in children


@lru_cache(1_000)
def names_in_expression(expression: str) -> Reading | None:
    """The elements whose content a FHIRPath expression may read; None: perhaps all.

    With each, the elements inside it that are read, or None where it may be all of them. Whether an element is there
    at all is no content.
    """
    text = _STRING.sub("''", expression)
    if not text or _READS_MORE.search(text):
        return None
    bare, presences = _PRESENCE.subn("true", text)
    read: dict[str, frozenset[str] | None] = {}
    for found in _NAME.finditer(bare):
        if found["name"] not in _WORDS:
            known = read.get(found["name"], frozenset())
            inside = found["inside"]
            read[found["name"]] = known | {inside} if inside and known is not None else None
    return read if read or presences else None


def element_name(plan: FunctionPlan, key: str) -> str:
    """The name, without ``[x]``, of the element that JSON writes under ``key``."""
    return plan.names.get(key, key).removesuffix("[x]")


def expressions_in(plans: Iterable[FunctionPlan]) -> Iterator[tuple[str, str]]:
    """The constraints of these objects and of all below them, each once: key and FHIRPath."""
    for plan in each_once(plans, _below):
        for invariant in (*plan.invariants, *plan.more):
            yield invariant.key, invariant.expression
        for checks in plan.checks.values():
            for check in checks:
                yield check.rule, check.expression


def each_once(
    plans: Iterable[FunctionPlan], below: Callable[[FunctionPlan], Iterable[FunctionPlan]]
) -> Iterator[FunctionPlan]:
    """These objects, and what is ``below`` each, each once: objects may stand in themselves."""
    pending = list(plans)
    seen: set[int] = set()
    while pending:
        plan = pending.pop()
        if id(plan) not in seen:
            seen.add(id(plan))
            yield plan
            pending += below(plan)


def _below(plan: FunctionPlan) -> list[FunctionPlan]:
    return [*(each for slices in plan.slices.values() for _, each in slices), *plan.children.values()]


def names_demanded(part: JsonObject, passed_over: str, lengths: bool) -> frozenset[str] | None:
    """The properties of whose content a schema of an object says more than ``properties`` does; None: perhaps all.

    Demands of the rule ``passed_over`` do not count; ``lengths`` as for ``names_in_schema``.
    """
    if part.keys() - _OF_THE_OBJECT - {"$ref", "properties", "dependentSchemas", "allOf"}:
        return None
    names: set[str] = set()
    for demand in (*part.get("allOf", ()), *part.get("dependentSchemas", {}).values()):
        if demand.get("$comment") == passed_over:
            continue
        read = names_in_schema(demand, lengths)
        if read is None:
            return None
        names |= {name.removesuffix(BY_SLICE) for name in read}
    return frozenset(names)


def names_in_schema(schema: Any, lengths: bool) -> set[str] | None:
    """The properties of an instance whose content a schema looks at; None: perhaps all.

    Without ``lengths``, those of which it only asks how long they are do not count.
    """
    if isinstance(schema, bool):
        return set()
    names: set[str] = set()
    for keyword, content in schema.items():
        if keyword == "properties":
            names.update(name for name, inside in content.items() if lengths or not _only_measures(inside))
            continue
        if keyword in ("allOf", "anyOf", "oneOf"):
            inner = list(content)
        elif keyword in ("not", "if", "then", "else"):
            inner = [content]
        elif keyword in _OF_THE_OBJECT:
            continue
        else:
            return None
        for each in inner:
            read = names_in_schema(each, lengths)
            if read is None:
                return None
            names |= read
    return names


def required_names(schema: Any) -> set[str]:
    """The names of which a schema may ask whether they are there, at whatever depth."""
    if isinstance(schema, list):
        return {name for each in schema for name in required_names(each)}
    if not isinstance(schema, dict):
        return set()
    names = {*schema.get("required", ()), *schema.get("dependentRequired", ())}
    return names.union(
        *(required_names(each) for keyword, each in schema.items() if keyword not in ("required", "enum"))
    )


def _only_measures(schema: Any) -> bool:
    if isinstance(schema, bool) or schema.keys() - {"required", "properties", "minLength", "maxLength"}:
        return False
    return all(map(_only_measures, schema.get("properties", {}).values()))
