"""Which values of a record may differ without a change of the verdict on it, and within which bounds.

Asked of a compiled profile, never of a record: a value may vary where the schema says no more of it than its type, and
no constraint on the way down to it reads it. Where that is not certain, the answer is no.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_keta.errors import DefinitionError
from fhir_keta.validation.accepted.reading import is_read, names_demanded, names_in_schema
from fhir_keta.validation.accepted.written import DATES, REFERENCE, WRITTEN
from fhir_keta.validation.compiled import Compiled, FunctionPlan
from fhir_keta.validation.index import BY_SLICE, IndexPlan
from fhir_keta.validation.primitives import PRIMITIVE_TYPES, primitive_schema

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]

_KEPT_BY_DAYS = frozenset({"vs-1"})
_OF_THE_ARRAY = frozenset({"$comment", "description", "type", "minItems", "maxItems"})


def varying_type(compiled: Compiled, path: Path) -> str | None:
    """The type of the value at ``path`` if it may vary as ``written`` says; None where it may not.

    ``path`` are the names and indexes from the root. It is only asked of records without contained resources that
    stand in no Bundle, and below no extension.
    """
    free = _varying_type(compiled, path, lengths=True)
    if free:
        return free
    measured = _varying_type(compiled, path, lengths=False)
    return measured if measured in DATES else None


def _varying_type(compiled: Compiled, path: Path, lengths: bool) -> str | None:
    asked = _Asked(compiled, lengths)
    name = path[0]
    if index := compiled.index.children.get(str(name)):  # of one with slices only further down nothing varies
        return _in_slices(compiled, index, path, asked) if index.slices else None
    return _below(compiled.schema, compiled.functions, path, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What stays the same on the way down; ``lengths``: whether rules on how long a value is count."""

    compiled: Compiled
    lengths: bool

    def says_more(self, part: JsonObject, name: str, passed_over: str) -> bool:
        """Whether a schema of an object may look at the content of its property ``name`` otherwise than by
        ``properties``, or in a rule other than ``passed_over``."""
        remembered, question = self.compiled.remembered, (id(part), passed_over, self.lengths)
        if question not in remembered:
            remembered[question] = names_demanded(part, passed_over, self.lengths)
        names = remembered[question]
        return names is None or name in names


def _below(node: Any, plan: FunctionPlan | None, path: Path, asked: _Asked, checked: bool = False) -> str | None:
    """The type of what stands at ``path`` in what ``node`` and ``plan`` judge; ``checked``: by its length, too."""
    if not path:
        type_name = _plain_type(node)
        return None if checked and type_name not in DATES else type_name
    step, rest = path[0], path[1:]
    parts = list(_referred(node, asked.compiled.schema.get("$defs", {})))
    if isinstance(step, int):
        items = _items(parts)
        return None if items is None else _below(items, plan, rest, asked, checked)
    if plan is None or plan.type in ("Coding", "Extension", "Resource") or step in plan.slices:
        return None
    checks = {check.rule for check in plan.checks.get(step, ())}
    is_reference = plan.type == "Reference" and step == "reference"
    if not checks <= _KEPT_BY_DAYS or is_read(plan, path, is_reference):
        return None
    found = [part["properties"][step] for part in parts if step in part.get("properties", ())]
    if len(found) != 1 or any(f"{step}{BY_SLICE}" in part.get("properties", ()) for part in parts):
        return None
    if any(asked.says_more(part, step, "reference-target" if is_reference else "") for part in parts):
        return None
    if is_reference:
        return REFERENCE if not rest else None
    return _below(found[0], plan.children.get(step), rest, asked, bool(checks))


def _in_slices(compiled: Compiled, index: IndexPlan, path: Path, asked: _Asked) -> str | None:
    """The type of what stands in a sliced root element, if it is the same in all slices and decides about none."""
    plan, (name, *_), inside = compiled.functions, path, path[2:]
    slices = [*index.slices, *(each for group in index.reslices.values() for each in group)]
    if not inside or name in plan.checks or is_read(plan, path, is_reference=False):
        return None
    if asked.says_more(compiled.schema, str(name), "slice-min") or any(each.resolved for each in slices):
        return None
    for each in slices:
        try:
            decides = names_in_schema(each.schema(), lengths=True)
        except DefinitionError:  # it cannot be said as a schema
            return None
        if decides is None or inside[0] in decides:
            return None
    judged = compiled.schema["properties"][f"{name}{BY_SLICE}"]["properties"]
    plans = [plan.children.get(str(name)), *(more for _, more in plan.slices.get(str(name), ()))]
    found = {
        _below(each["items"], more, inside, asked)
        for each in judged.values()
        if not _is_never(each["items"]) and not _is_never(each["items"].get("properties", {}).get(inside[0], {}))
        for more in plans
    }
    return found.pop() if len(found) == 1 else None


def _is_never(schema: Any) -> bool:
    """Whether nothing may stand there, so that a record found good has nothing there."""
    return isinstance(schema, dict) and schema.get("not") == {}


def _referred(node: JsonObject, definitions: JsonObject) -> Iterator[JsonObject]:
    yield node
    while "$ref" in node:
        node = definitions[node["$ref"].removeprefix("#/$defs/")]
        yield node


def _items(parts: list[JsonObject]) -> Any:
    """The schema of an array's items, where the array itself is only counted."""
    (node, *rest) = parts
    if rest or node.keys() - _OF_THE_ARRAY - {"items", "allOf"}:
        return None
    if any(demand.keys() - _OF_THE_ARRAY for demand in node.get("allOf", ())):
        return None
    return node.get("items")


def _plain_type(node: Any) -> str | None:
    """The primitive type of a value of which its type says all; null is left to who looks."""
    name = node.get("description") if isinstance(node, dict) else None
    if name not in PRIMITIVE_TYPES or name not in WRITTEN.keys() | DATES:
        return None
    plain = primitive_schema(name)
    return name if node in (plain, {**plain, "type": [plain["type"], "null"]}) else None
