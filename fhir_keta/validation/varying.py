"""Which values of a record may differ without a change of the verdict on it, and within which bounds.

Asked of a compiled profile, never of a record: a value may vary where the schema says no more of it than its type, and
no constraint on the way down to it reads it. Where that is not certain, the answer is no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fhir_keta.errors import DefinitionError
from fhir_keta.validation.compiled import Compiled, FunctionPlan
from fhir_keta.validation.index import BY_SLICE, IndexPlan
from fhir_keta.validation.primitives import PRIMITIVE_TYPES, primitive_schema
from fhir_keta.validation.scope import Invariant

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]
# the names of elements that are read, each with those inside it that are, or None for perhaps all of it
Reading = dict[str, "frozenset[str] | None"]

REFERENCE = "Reference"
"""Stands for the id in ``Reference.reference``; the type in front of it does not vary."""

_PLAIN = r"[ !#-\[\]-\xff]*"  # bytes of UTF-8, but for control characters, quotation marks and backslashes
_TEXT = rf'(?!"){_PLAIN}(?:\\["\\/bfnrt]{_PLAIN})*'
_WHOLE = "[1-9][0-9]{0,8}"

# how a value may be written in JSON (inside its quotation marks, if any), by type; some types allow more than this.
# Of times only those of a day, and each in its length: so rules about how exact a time is are kept
WRITTEN: dict[str, str] = {
    "id": primitive_schema("id")["pattern"][1:-1],
    REFERENCE: r"[A-Za-z0-9.\-]{1,64}",
    "string": _TEXT,
    "markdown": _TEXT,
    "decimal": rf"-?(?:0|{_WHOLE})(?:\.[0-9]{{1,6}})?",
    "integer": f"(?:0|-?{_WHOLE})",
    "unsignedInt": f"(?:0|{_WHOLE})",
    "positiveInt": _WHOLE,
}
_DATES = frozenset({"date", "dateTime", "instant"})

# every day but the 29th of February, and no leap second: what is rare is left to the full check
_DAY = "[1-9][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_TIME = "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ZONE = "[+-](?:0[0-9]|1[0-3]):[0-5][0-9]"
_TIMES = re.compile(rf"{_DAY}(?:{_TIME}(?:\.(?P<fraction>[0-9]+))?(?P<zone>Z|{_ZONE}))?")


def written(type_name: str, value: str) -> str | None:
    """The regular expression of the bytes that may stand instead of ``value``; None where that is only itself."""
    if type_name in _DATES:
        return _time(value)
    pattern = WRITTEN[type_name]
    return pattern if re.fullmatch(pattern.encode(), value.encode()) else None


def _time(value: str) -> str | None:
    """Days or times that are written like this one: as exact, and with or without a zone's offset."""
    found = _TIMES.fullmatch(value)
    if found is None:
        return None
    if found["zone"] is None:
        return _DAY
    fraction = rf"\.[0-9]{{{len(found['fraction'])}}}" if found["fraction"] else ""
    return f"{_DAY}{_TIME}{fraction}{'Z' if found['zone'] == 'Z' else _ZONE}"


# rules about what varies only within bounds that keep them: an id in a reference is no fragment and no search, and
# the type before it stays; the two ends of a Period vary together
_KEPT_BY_REFERENCES = frozenset(
    {"ref-1", "reference-relative", "reference-search", "reference-container", "reference-type"}
)
_KEPT_BY_PERIODS = frozenset({"per-1"})
_KEPT_BY_DAYS = frozenset({"vs-1"})
# with nothing contained they have nothing to say
_ABOUT_CONTAINED = frozenset({"dom-2", "dom-3", "dom-4", "dom-5", "contained-id"})

_STRING = re.compile(r"'(?:[^'\\]|\\.)*'")
_PRESENCE = re.compile(r"(?<![.\w%$])\w+\.(?:empty|exists|hasValue)\(\)")
_NAME = re.compile(r"(?<![\w%$])(?P<name>[A-Za-z_]\w*)(?!\w*\()(?=\.(?P<inside>[A-Za-z_]\w*)(?!\w*\()|)")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_READS_MORE = re.compile(r"\b(?:children|descendants|repeat)\(|\$this(?!\.)")
_ABROAD = re.compile(r"%(?:resource|rootResource|context)\b")
_WORDS = frozenset({"and", "or", "xor", "implies", "not", "in", "contains", "is", "as", "div", "mod", "true", "false"})

# keywords that say nothing of the values of an object's properties
_OF_THE_OBJECT = frozenset(
    {"$comment", "description", "type", "minProperties", "maxProperties", "required", "additionalProperties", "$defs"}
    | {"minLength", "maxLength", "propertyNames"}
)
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
    return measured if measured in _DATES else None


def _varying_type(compiled: Compiled, path: Path, lengths: bool) -> str | None:
    asked = _Asked(compiled.schema.get("$defs", {}), lengths)
    name = path[0]
    if index := compiled.index.children.get(str(name)):  # of one with slices only further down nothing varies
        return _in_slices(compiled, index, path, asked) if index.slices else None
    return _below(compiled.schema, compiled.functions, path, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What stays the same on the way down; ``lengths``: whether rules on how long a value is count."""

    definitions: JsonObject
    lengths: bool


def _below(node: Any, plan: FunctionPlan | None, path: Path, asked: _Asked, checked: bool = False) -> str | None:
    """The type of what stands at ``path`` in what ``node`` and ``plan`` judge; ``checked``: by its length, too."""
    if not path:
        type_name = _plain_type(node)
        return None if checked and type_name not in _DATES else type_name
    step, rest = path[0], path[1:]
    parts = list(_referred(node, asked.definitions))
    if isinstance(step, int):
        items = _items(parts)
        return None if items is None else _below(items, plan, rest, asked, checked)
    if plan is None or plan.type in ("Coding", "Extension", "Resource") or step in plan.slices:
        return None
    checks = {check.rule for check in plan.checks.get(step, ())}
    is_reference = plan.type == "Reference" and step == "reference"
    if not checks <= _KEPT_BY_DAYS or _is_read(plan, path, is_reference):
        return None
    found = [part["properties"][step] for part in parts if step in part.get("properties", ())]
    if len(found) != 1 or not all(_says_nothing_of(part, step, is_reference, asked.lengths) for part in parts):
        return None
    if is_reference:
        return REFERENCE if not rest else None
    return _below(found[0], plan.children.get(step), rest, asked, bool(checks))


def _in_slices(compiled: Compiled, index: IndexPlan, path: Path, asked: _Asked) -> str | None:
    """The type of what stands in a sliced root element, if it is the same in all slices and decides about none."""
    plan, (name, *_), inside = compiled.functions, path, path[2:]
    schema = {key: value for key, value in compiled.schema.items() if key != "properties"}
    schema["allOf"] = [demand for demand in schema.get("allOf", ()) if demand.get("$comment") != "slice-min"]
    slices = [*index.slices, *(each for group in index.reslices.values() for each in group)]
    if not inside or name in plan.checks or _is_read(plan, path, is_reference=False):
        return None
    if not _says_nothing_of(schema, str(name), False, asked.lengths) or any(each.resolved for each in slices):
        return None
    for each in slices:
        try:
            decides = _names_in_schema(each.schema(), lengths=True)
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


def _is_read(plan: FunctionPlan, path: Path, is_reference: bool) -> bool:
    """Whether a constraint of this object may read what stands at ``path`` in it."""
    kept = _KEPT_BY_REFERENCES if is_reference else _KEPT_BY_PERIODS if plan.type == "Period" else frozenset()
    for invariant in (*plan.invariants, *plan.more):
        if invariant.key not in kept | _ABOUT_CONTAINED and _reads(names_in_invariant(invariant), plan, path):
            return True
    return False


def _reads(read: Reading | None, plan: FunctionPlan, path: Path) -> bool:
    if read is None:
        return True
    name = _element(plan, str(path[0]))
    children = read.get(name, frozenset())
    if not children:
        return children is None
    below = plan.children.get(str(path[0]))
    inside = next((step for step in path[1:] if isinstance(step, str)), None)
    return below is None or inside is None or _element(below, inside) in children


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
    plan = compiled.functions
    names: set[str] = set()
    fixed: set[str] = set()
    asked = {*compiled.schema.get("required", ()), *compiled.schema.get("dependentSchemas", ()), *plan.names}
    for demand in (*compiled.schema.get("allOf", ()), *compiled.schema.get("dependentSchemas", {}).values()):
        if demand.get("$comment") in _ABOUT_CONTAINED:
            continue
        asked |= _required(demand)
        in_schema = _names_in_schema(demand, lengths=True)
        if in_schema is None:
            return None
        names |= {_element(plan, name.removesuffix(BY_SLICE)) for name in in_schema}
    for invariant in (*plan.invariants, *plan.more):
        if invariant.key not in _ABOUT_CONTAINED:
            read = names_in_invariant(invariant)
            if read is None:
                return None
            names |= read.keys()
            asked |= {*_IDENTIFIER.findall(invariant.expression)}
    if any(map(_looks_abroad, _invariants_in(plan.children.values()))):
        for key, below in plan.children.items():
            for invariant in filter(_looks_abroad, _invariants_in([below])):
                read = names_in_invariant(invariant)
                if read is None:
                    return None
                fixed |= {*read, _element(plan, key)}
    asked = {_element(plan, name.removesuffix(BY_SLICE)) for name in asked}
    return Together(frozenset(names | fixed), frozenset(fixed), frozenset(asked))


def element_of(compiled: Compiled, key: str) -> str:
    """The name of the root element that JSON writes under ``key``, as ``names_read_together`` has it."""
    return _element(compiled.functions, key)


def items_are_independent(compiled: Compiled) -> bool:
    """Whether the items of a response, as this profile of QuestionnaireResponse has them, are judged one by one."""
    together = read_together(compiled)
    if together is None or "item" in together.names or f"item{BY_SLICE}" in compiled.schema["properties"]:
        return False
    pending = [compiled.functions.children["item"]]
    seen: set[int] = set()
    while pending:
        plan = pending.pop()
        if id(plan) in seen:
            continue
        seen.add(id(plan))
        if plan.slices or any(_is_read(plan, (name,), is_reference=False) for name in ("item", "answer", "linkId")):
            return False
        pending += [plan.children[key] for key in ("item", "answer") if key in plan.children]
    return True


def names_in_invariant(invariant: Invariant) -> Reading | None:
    """The elements whose content a constraint's FHIRPath may read; None: perhaps all.

    With each, the elements inside it that are read, or None where it may be all of them. Whether an element is there
    at all is no content.
    """
    text = _STRING.sub("''", invariant.expression)
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


def _element(plan: FunctionPlan, key: str) -> str:
    return plan.names.get(key, key).removesuffix("[x]")


def _looks_abroad(invariant: Invariant) -> bool:
    return bool(_ABROAD.search(invariant.expression)) and invariant.key not in _ABOUT_CONTAINED | {"ref-1"}


def _invariants_in(plans: Iterable[FunctionPlan]) -> Iterator[Invariant]:
    """The constraints of these objects and of all below them, each once."""
    pending = list(plans)
    seen: set[int] = set()
    while pending:
        plan = pending.pop()
        if id(plan) in seen:
            continue
        seen.add(id(plan))
        yield from plan.invariants
        yield from plan.more
        for checks in plan.checks.values():
            for check in checks:
                yield Invariant(check.rule, "", check.holds, check.expression)
        for slices in plan.slices.values():
            pending += [below for _, below in slices]
        pending += plan.children.values()


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


def _says_nothing_of(part: JsonObject, name: str, is_reference: bool, lengths: bool) -> bool:
    if f"{name}{BY_SLICE}" in part.get("properties", ()):
        return False
    if part.keys() - _OF_THE_OBJECT - {"$ref", "properties", "dependentSchemas", "allOf"}:
        return False
    for demand in (*part.get("allOf", ()), *part.get("dependentSchemas", {}).values()):
        if is_reference and demand.get("$comment") == "reference-target":
            continue
        read = _names_in_schema(demand, lengths)
        if read is None or name in read or f"{name}{BY_SLICE}" in read:
            return False
    return True


def _names_in_schema(schema: Any, lengths: bool) -> set[str] | None:
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
            read = _names_in_schema(each, lengths)
            if read is None:
                return None
            names |= read
    return names


def _required(schema: Any) -> set[str]:
    """The names of which a schema may ask whether they are there, at whatever depth."""
    if isinstance(schema, list):
        return {name for each in schema for name in _required(each)}
    if not isinstance(schema, dict):
        return set()
    names = {*schema.get("required", ()), *schema.get("dependentRequired", ())}
    return names.union(*(_required(each) for keyword, each in schema.items() if keyword not in ("required", "enum")))


def _only_measures(schema: Any) -> bool:
    if isinstance(schema, bool) or schema.keys() - {"required", "properties", "minLength", "maxLength"}:
        return False
    return all(map(_only_measures, schema.get("properties", {}).values()))


def _plain_type(node: Any) -> str | None:
    """The primitive type of a value of which its type says all; null is left to who looks."""
    name = node.get("description") if isinstance(node, dict) else None
    if name not in PRIMITIVE_TYPES or name not in WRITTEN.keys() | _DATES:
        return None
    plain = primitive_schema(name)
    return name if node in (plain, {**plain, "type": [plain["type"], "null"]}) else None
