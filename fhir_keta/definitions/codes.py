"""Value sets by enumeration: which codes a ValueSet holds, when its definition and the code systems at hand say it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fhir_keta.errors import DefinitionError

JsonObject = dict[str, Any]
Find = Callable[[str], JsonObject | None]
Displays = dict[str, str | None]


@dataclass(frozen=True)
class Codes:
    """The codes of a value set, by system, each with its display, and the systems that take a code in any case.

    A code system whose ``caseSensitive`` is false or missing takes codes in any case (R4, CodeSystem.caseSensitive).
    ``open_systems`` are those of which it holds codes, but nobody here knows which.
    """

    systems: Mapping[str, Mapping[str, str | None]]
    any_case: frozenset[str] = field(default_factory=frozenset)
    open_systems: frozenset[str] = field(default_factory=frozenset)

    def contains(self, system: str | None, code: str) -> bool:
        """Tell whether the code is, or may be, one of them; without a system (elements of type code) in any system."""
        if system is None:
            return bool(self.open_systems) or any(self.contains(known, code) for known in self.systems)
        if system in self.open_systems:
            return True
        codes = self.systems.get(system, {})
        return code in codes or (system in self.any_case and code.casefold() in self._folded.get(system, ()))

    @cached_property
    def _folded(self) -> dict[str, frozenset[str]]:
        return {
            system: frozenset(code.casefold() for code in codes)
            for system, codes in self.systems.items()
            if system in self.any_case
        }


@dataclass(frozen=True)
class _Selection:
    """What a part of a value set may select: the codes by system, None where all of a system's may be meant.

    Not ``exact``: some of them may not be selected.
    """

    systems: Mapping[str, Displays | None]
    exact: bool = True


def expand(value_set: JsonObject, find: Find) -> Codes | None:
    """Enumerate a ValueSet resource (R4, "Value Set Expansion").

    ``find`` gives the CodeSystem or ValueSet of a canonical. Returns None when the codes cannot be enumerated from what
    is at hand: a code system that is not here or not complete, or a filter on properties that are not here.
    Raises DefinitionError when value sets include each other in a circle.
    """
    selection = _value_set(value_set, find, ())
    return _codes(selection, find) if selection is not None and selection.exact else None


def limits(value_set: JsonObject, find: Find) -> Codes | None:
    """The codes that may be in a ValueSet resource, as far as what is at hand can tell: any other is surely not.

    Returns None when any code may be, since it includes a value set that is not here. Raises as ``expand``.
    """
    selection = _value_set(value_set, find, ())
    return _codes(selection, find) if selection is not None else None


def _codes(selection: _Selection, find: Find) -> Codes:
    systems = {system: codes for system, codes in selection.systems.items() if codes is not None}
    any_case = {system for system in systems if (known := find(system)) and not known.get("caseSensitive", False)}
    return Codes(systems, frozenset(any_case), frozenset(selection.systems.keys() - systems.keys()))


def _value_set(value_set: JsonObject, find: Find, outer: tuple[str, ...]) -> _Selection | None:
    url = value_set.get("url", "(no url)")
    if url in outer:
        circle = " -> ".join((*outer, url))
        raise DefinitionError(f"value sets include each other in a circle: {circle}; remove one of these includes")
    compose = value_set.get("compose")
    selection = _compose(compose, find, (*outer, url)) if compose else None
    if selection is not None and selection.exact:
        return selection
    return _expansion(value_set.get("expansion")) or selection


def _compose(compose: JsonObject, find: Find, outer: tuple[str, ...]) -> _Selection | None:
    result: dict[str, Displays | None] = {}
    exact = True
    for include in compose.get("include", ()):
        selected = _include(include, find, outer)
        if selected is None:
            return None
        exact = exact and selected.exact
        for system, codes in selected.systems.items():
            known = result.get(system, {})
            result[system] = None if codes is None or known is None else {**codes, **known}
    for exclude in compose.get("exclude", ()):
        selected = _include(exclude, find, outer)
        if selected is None or not selected.exact:
            exact = False
            continue
        for system, out in selected.systems.items():
            if known := result.get(system):
                result[system] = {code: text for code, text in known.items() if code not in (out or ())}
    return _Selection({system: codes for system, codes in result.items() if codes != {}}, exact)


def _include(include: JsonObject, find: Find, outer: tuple[str, ...]) -> _Selection | None:
    """What one include or exclude selects: its system's part, cut with every value set that it names."""
    parts: list[_Selection | None] = []
    if "system" in include:
        parts.append(_of_system(include, find))
    for canonical in include.get("valueSet", ()):
        value_set = find(canonical)
        known = value_set is not None and value_set.get("resourceType") == "ValueSet"
        parts.append(_value_set(value_set, find, outer) if value_set and known else None)
    return _intersection(parts)


def _intersection(parts: Iterable[_Selection | None]) -> _Selection | None:
    """What is in all parts; of one that is not known only that it may select anything."""
    result: _Selection | None = None
    exact = True
    for part in parts:
        exact = exact and part is not None and part.exact
        if part is not None:
            result = part if result is None else _Selection(_in_both(result.systems, part.systems))
    return None if result is None else _Selection(result.systems, exact)


def _in_both(
    first: Mapping[str, Displays | None], second: Mapping[str, Displays | None]
) -> Mapping[str, Displays | None]:
    common: dict[str, Displays | None] = {}
    for system in first.keys() & second.keys():
        one, other = first[system], second[system]
        if one is None or other is None:
            common[system] = one or other
        else:
            common[system] = {code: text for code, text in one.items() if code in other}
    return common


def _of_system(include: JsonObject, find: Find) -> _Selection:
    system = include["system"]
    canonical = f"{system}|{include['version']}" if "version" in include else system
    code_system = find(canonical)
    if code_system is not None and code_system.get("resourceType") != "CodeSystem":
        code_system = None
    if "concept" in include:
        known = concepts(code_system) if code_system else {}
        named: Displays = {
            concept["code"]: concept.get("display", known.get(concept["code"], {}).get("display"))
            for concept in include["concept"]
        }
        return _Selection({system: named})
    if code_system is None or code_system.get("content") != "complete":
        return _Selection({system: None}, exact=False)
    selected, exact = concepts(code_system), True
    for condition in include.get("filter", ()):
        accepts = _filter(condition, code_system)
        if accepts is None:
            exact = False
        else:
            selected = {code: concept for code, concept in selected.items() if accepts(code, concept)}
    return _Selection({system: {code: concept.get("display") for code, concept in selected.items()}}, exact)


def _expansion(expansion: JsonObject | None) -> _Selection | None:
    """The codes of an expansion that came with the value set, when it is whole."""
    if expansion is None or "offset" in expansion:
        return None
    result: dict[str, Displays] = {}
    pending = list(expansion.get("contains", ()))
    count = 0
    while pending:
        item = pending.pop()
        count += 1
        pending.extend(item.get("contains", ()))
        if "code" in item and not item.get("abstract", False):
            result.setdefault(item.get("system", ""), {})[item["code"]] = item.get("display")
    return None if expansion.get("total", count) > count else _Selection(result)


# ---- code systems ---------------------------------------------------------------------------------------------------


def concepts(code_system: JsonObject) -> dict[str, JsonObject]:
    """Every concept of a CodeSystem resource by its code, nested ones too, in the order of the definition."""
    found: dict[str, JsonObject] = {}

    def walk(level: list[JsonObject]) -> None:
        for concept in level:
            found[concept["code"]] = concept
            walk(concept.get("concept", []))

    walk(code_system.get("concept", []))
    return found


def _properties(concept: JsonObject) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for item in concept.get("property", ()):
        value = next((value for name, value in item.items() if name.startswith("value")), None)
        value = value.get("code") if isinstance(value, dict) else value
        values.setdefault(item["code"], []).append(value)
    return values


def children(code_system: JsonObject) -> dict[str, set[str]]:
    """The codes directly below each code: nested concepts and the properties parent, subsumedBy and child."""
    known = concepts(code_system)
    below: dict[str, set[str]] = {code: set() for code in known}
    for code, concept in known.items():
        below[code].update(child["code"] for child in concept.get("concept", ()))
        values = _properties(concept)
        below[code].update(values.get("child", ()))
        for parent in (*values.get("parent", ()), *values.get("subsumedBy", ())):
            below.setdefault(parent, set()).add(code)
    return below


def _descendants(code: str, code_system: JsonObject) -> set[str]:
    below = children(code_system)
    found: set[str] = set()
    pending = [code]
    while pending:
        for child in below.get(pending.pop(), ()):
            if child not in found:
                found.add(child)
                pending.append(child)
    return found


def _filter(condition: JsonObject, code_system: JsonObject) -> Callable[[str, JsonObject], bool] | None:
    """The test of one filter (R4, ValueSet.compose.include.filter), None for one that cannot be told here."""
    name, operator, value = condition["property"], condition["op"], condition["value"]
    if name in ("concept", "code") and operator in ("is-a", "descendent-of", "is-not-a"):
        selected = _descendants(value, code_system)
        if operator == "descendent-of":
            return lambda code, _concept: code in selected
        selected.add(value)
        return lambda code, _concept: (code in selected) is (operator == "is-a")
    if name in ("concept", "code"):
        return _text_test(operator, value, lambda code, _concept: [code])
    if name == "display":
        return _text_test(operator, value, lambda _code, concept: [concept.get("display", "")])
    if name in ("parent", "child"):
        below = children(code_system)
        if name == "child":
            return _text_test(operator, value, lambda code, _concept: sorted(below.get(code, ())))
        return _text_test(
            operator, value, lambda code, _concept: [above for above, codes in below.items() if code in codes]
        )
    if any(declared["code"] == name for declared in code_system.get("property", ())):
        return _text_test(
            operator, value, lambda _code, concept: [_text(v) for v in _properties(concept).get(name, ())]
        )
    return None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text_test(
    operator: str, value: str, values: Callable[[str, JsonObject], list[str]]
) -> Callable[[str, JsonObject], bool] | None:
    listed = {part.strip() for part in value.split(",")}
    if operator == "=":
        return lambda code, concept: value in values(code, concept)
    if operator == "in":
        return lambda code, concept: not listed.isdisjoint(values(code, concept))
    if operator == "not-in":
        return lambda code, concept: listed.isdisjoint(values(code, concept))
    if operator == "exists":
        return lambda code, concept: bool(values(code, concept)) is (value == "true")
    if operator == "regex":
        pattern = re.compile(value)
        return lambda code, concept: any(pattern.fullmatch(text) for text in values(code, concept))
    return None
