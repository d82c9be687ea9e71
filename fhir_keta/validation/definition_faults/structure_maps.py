"""Structure maps: names, variables, groups, and the elements that the rules speak of (R4, StructureMap).

As far as it is certain: of a variable whose type is not said, or is one of several, nothing is asked.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.validation import rules
from fhir_keta.validation.definition_faults.structure_map_variables import (
    Element,
    Variable,
    Variables,
    is_made_from,
    parts,
    same_type,
)
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import items, objects, text
from fhir_keta.validation.structures.expressions import Spot, expression_problem
from fhir_keta.validation.structures.types import Types, codes_of
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]
Faults = Iterator[Issue]

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]*")
_DEFAULT = "DefaultMappingGroupAnonymousAlias"  # stands for the group that maps such types
_MODES_OF_TRANSLATION = frozenset({"code", "system", "display", "Coding", "CodeableConcept"})
# how many parameters a transformation has
_COUNTS = {
    "create": (0, 1),
    "copy": (0, 1),
    "reference": (1, 1),
    "evaluate": (1, 1),
    "cc": (2, 3),
    "append": (1, 1_000),
    "uuid": (0, 0),
    "translate": (3, 3),
}


def faults(structure_map: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Faults:
    """The findings on a StructureMap."""
    return _Reading(structure_map, Types(terminology.library)).read(expression)


@dataclass(eq=False)
class _Reading:
    """One map; ``given`` is what the groups are called with by the rules read so far, by their names."""

    map: JsonObject
    known: Types
    given: dict[str, Variables] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.imported = list(_imported(self.map, self.known.library))

    def read(self, expression: str) -> Faults:
        """Groups whose types are known come first: what they call others with may be all that is known of those."""
        waiting = list(enumerate(objects(self.map.get("group"))))
        while waiting:
            ready = [pair for pair in waiting if self._is_ready(pair[1])] or waiting
            for position, group in ready:
                yield from self._group(group, f"{expression}.group[{position}]")
            waiting = [pair for pair in waiting if pair not in ready]

    def _is_ready(self, group: JsonObject) -> bool:
        return all("type" in each for each in objects(group.get("input"))) or text(group.get("name")) in self.given

    def _group(self, group: JsonObject, place: str) -> Faults:
        yield from _named(group.get("name"), place)
        if "extends" in group and self._called(text(group["extends"])) is None:
            yield rules.issue("structure-map-group", f"{place}.extends", problem="no such group is known here")
        variables = Variables()
        given = self.given.get(text(group.get("name")), Variables())
        for position, each in enumerate(objects(group.get("input"))):
            yield from self._input(each, f"{place}.input[{position}]", variables, given)
        yield from self._rules(group, place, variables)

    def _input(self, given: JsonObject, place: str, variables: Variables, called: Variables) -> Faults:
        name, mode, type_ = text(given.get("name")), text(given.get("mode")), text(given.get("type"))
        if _NAME.fullmatch(name) is None:
            yield from _named(name, place)
            return
        if variables.has(name):
            yield rules.issue("structure-map-variable", place, problem="another input has this name")
            return
        element = None
        if not type_:
            variable = called.get(name, mode == "source") or called.get(name, False)
            element = replace(variable.element, type="") if variable and variable.element else None
        else:
            structure = next((each for each in objects(self.map.get("structure")) if each.get("alias") == type_), None)
            root = self.known.root(text(structure.get("url")) if structure else type_)
            element = Element(root, root) if root else None
            if structure is None and root is None:
                yield rules.issue("structure-map-type", f"{place}.type", problem="no such type is known here")
            stated = structure.get("mode") if structure else None
            if stated not in (None, mode) and (stated, mode) != ("target", "source"):
                yield rules.issue("structure-map-type", place, problem=f"the structure is declared as {stated}")
                element = None
        variables.add(Variable(name, mode, element))

    def _rules(self, holder: JsonObject, place: str, variables: Variables) -> Faults:
        for position, rule in enumerate(objects(holder.get("rule"))):
            here, own = f"{place}.rule[{position}]", variables.copy()
            yield from _named(rule.get("name"), here)
            for number, source in enumerate(objects(rule.get("source"))):
                yield from self._source(source, f"{here}.source[{number}]", own)
            for number, target in enumerate(objects(rule.get("target"))):
                yield from self._target(target, f"{here}.target[{number}]", own)
            yield from self._rules(rule, here, own)
            for number, dependent in enumerate(objects(rule.get("dependent"))):
                yield from self._dependent(dependent, f"{here}.dependent[{number}]", own)

    def _source(self, source: JsonObject, place: str, variables: Variables) -> Faults:
        context = text(source.get("context"))
        yield from _named(source.get("context"), f"{place}.context")
        found = variables.get(context, True)
        if found is None:
            if _NAME.fullmatch(context):
                yield rules.issue("structure-map-variable", f"{place}.context", problem="no such source is known here")
            return
        own: Element | None = found.element
        if found.element is not None and "element" in source:
            candidates = parts(found.element, text(source["element"]), self.known)
            if not candidates:
                yield rules.issue("structure-map-path", f"{place}.element")
            own = candidates[0] if len(candidates) == 1 else None
            type_ = text(source.get("type"))
            if own is not None and type_:
                if not any(is_made_from(type_, code, self.known) for code in codes_of(own.node.element)):
                    yield rules.issue("structure-map-type", f"{place}.type", problem="the element has no such type")
                own = Element(own.root, own.node, type_)
        elif found.element is None:
            own = None
        if "variable" in source:
            if found.element is not None:
                yield from _named(source["variable"], f"{place}.variable")
            variables.add(Variable(text(source["variable"]), found.mode, own))

    def _target(self, target: JsonObject, place: str, variables: Variables) -> Faults:
        name = target.get("variable")
        if "context" not in target:
            if name is not None:
                yield from _named(name, f"{place}.variable")
            if target.get("transform") in ("create", "uuid"):
                yield from self._transform(target, place, variables)
            type_ = self._created(target)
            root = self.known.root(type_) if type_ else None
            if isinstance(name, str) and type_ and root is None:
                yield rules.issue("structure-map-type", place, problem="no such type is known here")
            if isinstance(name, str):
                variables.add(Variable(name, "target", Element(root, root) if root else None))
            return
        yield from _named(target["context"], f"{place}.context")
        found = variables.get(text(target["context"]), False)
        if found is None:
            if _NAME.fullmatch(text(target["context"])):
                yield rules.issue("structure-map-variable", f"{place}.context", problem="no such target is known here")
            return
        own: Element | None = None
        if found.element is not None:
            if name is not None:
                yield from _named(name, f"{place}.variable")
            if "element" in target:
                candidates = parts(found.element, text(target["element"]), self.known)
                if not candidates:
                    yield rules.issue("structure-map-path", f"{place}.element")
                else:
                    yield from self._transform(target, place, variables, found.element)
                    own = self._made(candidates, target)
        if isinstance(name, str):
            variables.add(Variable(name, found.mode, own))

    def _made(self, candidates: list[Element], target: JsonObject) -> Element | None:
        """What a target's variable stands for."""
        codes = codes_of(candidates[0].node.element)
        if len(candidates) > 1 or target.get("transform") not in (None, "create"):
            return None
        type_ = self._created(target) or (codes[0] if len(codes) == 1 else "")
        if codes == ["Resource"] and type_:
            root = self.known.root(type_)
            return Element(root, root) if root else None
        return Element(candidates[0].root, candidates[0].node, type_) if type_ else None

    def _created(self, target: JsonObject) -> str:
        """The type that a target is created with."""
        if target.get("transform") == "uuid":
            return "string"
        given = objects(target.get("parameter"))
        if target.get("transform") != "create" or len(given) != 1:
            return ""
        type_ = text(_value(given[0]))
        for structure in objects(self.map.get("structure")):
            if structure.get("alias") == type_ and structure.get("mode") == "target":
                return text(structure.get("url"))
        return type_

    def _transform(
        self, target: JsonObject, place: str, variables: Variables, context: Element | None = None
    ) -> Faults:
        transform, given = target.get("transform"), objects(target.get("parameter"))
        least, most = _COUNTS.get(text(transform), (0, 1_000) if transform else (0, 0))
        problem = ""
        if not least <= len(given) <= most:
            problem = "it has not as many parameters as it takes"
        elif transform == "evaluate":
            problem = self._evaluated(text(_value(given[0])), variables, context)
        elif transform == "translate":
            source = given[0].get("valueId")
            if source is not None and variables.get(text(source), True) is None:
                problem = "its source is not known"
            elif text(_value(given[2])) not in _MODES_OF_TRANSLATION:
                problem = "what it is to give is not one of code, system, display, Coding, CodeableConcept"
        if problem:
            yield rules.issue("structure-map-transform", place, problem=problem)

    def _evaluated(self, expression: str, variables: Variables, context: Element | None) -> str:
        """What is wrong with an expression; where it speaks of variables, only whether it is FHIRPath."""
        named = "%" in expression or any(re.search(rf"\b{name}\b", expression) for name, _ in variables.found)
        focus = [Spot(context.node, context.root)] if context is not None and not named else None
        return expression_problem(expression.replace("%", "") if named else expression, focus, self.known)

    def _dependent(self, dependent: JsonObject, place: str, variables: Variables) -> Faults:
        name, names = text(dependent.get("name")), [text(each) for each in items(dependent.get("variable"))]
        called = self._called(name)
        if name == _DEFAULT:
            return
        if called is None:
            yield rules.issue("structure-map-group", f"{place}.name", problem="no such group is known here")
            return
        home, group = called
        inputs = objects(group.get("input"))
        if len(inputs) != len(names):
            problem = f"the group has {len(inputs)} inputs, not {len(names)}"
            yield rules.issue("structure-map-group", place, problem=problem)
            return
        handed = Variables()
        for position, (variable, given) in enumerate(zip(names, inputs, strict=True)):
            here, is_source = f"{place}.variable[{position}]", given.get("mode") == "source"
            found = variables.get(variable, is_source) or (variables.get(variable, False) if is_source else None)
            if found is None:
                yield rules.issue("structure-map-variable", here, problem=f"no such {given.get('mode')} is known here")
                return
            if not self._fits(found, _declared(home, text(given.get("type")))):
                yield rules.issue("structure-map-type", here, problem="the group's input is of another type")
                return
            handed.add(Variable(text(given.get("name")), found.mode, found.element))
        if home is self.map:
            self.given.setdefault(name, handed)

    def _called(self, name: str) -> tuple[JsonObject, JsonObject] | None:
        """The group of this name with the map that it is in."""
        maps = (self.map, *self.imported)
        named = ((each, group) for each in maps for group in objects(each.get("group")) if group.get("name") == name)
        return next(named, None)

    def _fits(self, variable: Variable, type_: str) -> bool:
        element = variable.element
        if element is None or not type_:
            return True
        names = [element.type, *codes_of(element.node.element)]
        definition = self.known.definition(type_)
        if element.node is element.root or definition is None or not element.type:
            names += [text(each) for each in self._names(element.root)]
        same = any(same_type(type_, each) for each in names if each)
        return same or bool(element.type and definition and is_made_from(element.type, definition["url"], self.known))

    def _names(self, root: Any) -> tuple[Any, ...]:
        found = self.known.definition(root.name)
        return (found["url"], found.get("type")) if found else (root.name,)


def _imported(structure_map: JsonObject, library: Library) -> Iterator[JsonObject]:
    for canonical in map(text, items(structure_map.get("import"))):
        if "*" in canonical:
            yield from (each for each in library.of_type("StructureMap") if fnmatch.fnmatch(each["url"], canonical))
        elif (found := library.find(canonical)) is not None and found["resourceType"] == "StructureMap":
            yield found


def _declared(home: JsonObject, type_: str) -> str:
    """The canonical of what a map calls by an alias; any other type as it is."""
    structures = objects(home.get("structure"))
    return next((text(each.get("url")) for each in structures if type_ and each.get("alias") == type_), type_)


def _named(name: Any, place: str) -> Faults:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        yield rules.issue("structure-map-name", place)


def _value(parameter: JsonObject) -> Any:
    return next((value for key, value in parameter.items() if key.startswith("value")), None)
