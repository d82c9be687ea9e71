"""StructureDefinition snapshots compiled to JSON Schema 2020-12, with the plans for what a schema cannot say.

Every schema object that states a rule carries the rule's id in ``$comment`` and, where the message needs a word from
the definition, that word in ``description``: the explanation reads both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.advice import advice
from fhir_keta.validation.checks import VALUE_CONSTRAINTS, value_checks
from fhir_keta.validation.compiled import Check, Compiled, FunctionPlan
from fhir_keta.validation.constraints import (
    element_constraints,
    one_of_keys,
    refused_types,
    target_profiles,
    target_schema,
    target_types,
    with_its_value,
)
from fhir_keta.validation.elements import Element, choice_key, element_tree, type_code
from fhir_keta.validation.fhirpath.existence import existence_schema
from fhir_keta.validation.fhirpath.expressions import Expression
from fhir_keta.validation.invariants.records import invariant_function
from fhir_keta.validation.parts import (
    BACKBONES,
    EXTENSION_APART,
    Contents,
    ObjectInTheMaking,
    Value,
    array_of,
    asked_of_companion,
    is_bound,
    listed,
    plan_path,
    reached,
    say_in_words,
    with_more,
)
from fhir_keta.validation.primitives import INTEGER_TYPES, PRIMITIVE_TYPES, primitive_schema
from fhir_keta.validation.scope import Invariant
from fhir_keta.validation.sliced import add_sliced

JsonObject = dict[str, Any]

# Above this many types, "only one of them" is a function on the element: as schema it grows with the square.
_CHOICE_LIMIT = 16

_ANY_RESOURCE: JsonObject = {"$comment": "element-type", "description": "object", "type": "object"}
_RESOURCE_TYPES = frozenset({"Resource", "DomainResource"})

# every object's minProperties and every primitive's own schema
_STATED_BY_STRUCTURE = frozenset({"ele-1"})


class DataTypes:
    """The data types of a library, compiled once for all the structures that use them.

    ``extensions_apart``: of an extension only that it is an object; what else there is to say, its own definition says,
    which somebody asks. An extension can have a value of any type: without them most types are seldom met.
    """

    def __init__(self, library: Library, extensions_apart: bool = False) -> None:
        self.library = library
        self._extensions_apart = extensions_apart
        self._compilation = _Compilation(library)
        self._contents: dict[str, Contents] = {}

    def structure(self, structure: JsonObject) -> Compiled:
        """Compile a StructureDefinition with a snapshot (of a resource or a data type).

        Raises DefinitionError when the snapshot is missing or names a type the library does not have.
        """
        types = self._compilation
        compilation = _Compilation(self.library, types)
        built = compilation.structure(structure)
        schema = built.schema()
        compilation.finish()
        types.finish()
        if self._extensions_apart:
            types.definitions["Extension"] = EXTENSION_APART
        schema["$defs"], size = reached(schema, compilation.definitions, types.definitions, self._contents)
        return Compiled(
            structure["url"],
            structure["type"],
            schema,
            size,
            built.index,
            built.functions,
            {**types.choice_keys, **compilation.choice_keys},
            frozenset(compilation.by_fhirpath | types.by_fhirpath),
            frozenset(compilation.unchecked | types.unchecked),
        )


def compile_structure(structure: JsonObject, library: Library) -> Compiled:
    """One structure with all that there is to say of it, extensions included; raises as ``DataTypes.structure``."""
    return DataTypes(library).structure(structure)


@dataclass(slots=True)
class _Compilation:
    """The state of one compilation: shared definitions and plans, filled on first use.

    ``types`` is that of the data types; None: it is that itself.
    """

    library: Library
    types: _Compilation | None = None
    definitions: JsonObject = field(default_factory=dict)
    plans: dict[str, FunctionPlan] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    choice_keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    by_fhirpath: set[str] = field(default_factory=set)
    unchecked: set[str] = field(default_factory=set)
    trees: dict[str, Mapping[str, Element]] = field(default_factory=dict)
    pending: list[tuple[str, Element, Element]] = field(default_factory=list)

    def structure(self, structure: JsonObject) -> ObjectInTheMaking:
        """The object that a resource or data type is."""
        root = element_tree(structure)
        built = self.object(root, FunctionPlan(structure["type"], structure["type"]), root)
        if structure["kind"] == "resource":
            say_in_words("Resource", built)
            built.properties["resourceType"] = {"const": structure["type"]}
        return built

    def finish(self) -> None:
        """Compile the shared definitions until none is pending."""
        while self.pending:
            name, element, root = self.pending.pop()
            self.definitions[name] = self.object(element, self.plans[name], root).schema()

    def object(self, element: Element, functions: FunctionPlan, root: Element) -> ObjectInTheMaking:
        """The closed object for an element with children."""
        built = ObjectInTheMaking(root, functions)
        for child in element.children.values():
            if child.is_choice:
                self._choice(child, built)
            else:
                self._single(child, built)
        self._invariants(element, element.definition.get("constraint", ()), built)
        say_in_words(element.definition["path"], built)
        return built

    def _invariants(self, element: Element, constraints: Iterable[JsonObject], built: ObjectInTheMaking) -> None:
        for constraint in constraints:
            key = constraint["key"]
            if key in built.functions.keys or key in _STATED_BY_STRUCTURE:
                continue
            built.functions.keys.add(key)
            if constraint.get("severity") != "error":
                built.functions.invariants += advice(constraint, element, self._children)
                continue
            stated = constraint.get("expression", "")
            function = invariant_function(element.definition["path"], key)
            if key in VALUE_CONSTRAINTS:
                continue  # they are about values of primitive types
            if function is not None:
                built.functions.invariants.append(Invariant(key, constraint["human"], function, stated))
                continue
            schema = existence_schema(stated, element, self._children)
            if schema is not None:
                built.demands.append({"$comment": key, "description": constraint["human"], **schema})
            elif expression := self._expression(constraint, element, built.functions.type):
                built.functions.invariants.append(Invariant(key, constraint["human"], expression, stated))

    def _expression(self, constraint: JsonObject, element: Element, type_name: str) -> Expression | None:
        """The constraint as FHIRPath on values of this type, or on this element where that is not a type's."""
        if "expression" not in constraint:
            self.unchecked.add(constraint["key"])
            return None
        self.by_fhirpath.add(constraint["key"])
        path = element.definition["path"] if type_name in BACKBONES else type_name
        return Expression(constraint["expression"], path, self.library)

    def _children(self, element: Element) -> Mapping[str, Element]:
        """The children of an element, from its type's definition where the snapshot does not walk into it."""
        if element.children or len(element.types) != 1:
            return element.children
        code = type_code(element.types[0])
        trees = (self.types or self).trees
        if code not in trees:
            structure = None if code in PRIMITIVE_TYPES else self.library.structure(code)
            trees[code] = element_tree(structure).children if structure else {}
        return trees[code]

    def _shared(self, name: str, element: Element, type_name: str, root: Element) -> Value:
        """A reference to a shared definition, compiled later if this is its first use."""
        if name not in self.plans:
            self.plans[name] = FunctionPlan(type_name, element.definition["path"])
            self.definitions[name] = {}
            self.pending.append((name, element, root))
        return Value({"$ref": f"#/$defs/{name}"}, self.plans[name])

    def _type(self, code: str, profiles: list[str]) -> Value:
        """The schema of a data type, or of the one profile on it that the element names (``SimpleQuantity``)."""
        if self.types is not None:
            return self.types._type(code, profiles)
        canonical = profiles[0] if len(profiles) == 1 and code != "Extension" else code
        structure = self.library.structure(canonical)
        if structure is None:
            raise DefinitionError(f"The type {canonical} is not known. Add its definition with --definitions.")
        identity = (structure["url"], structure.get("version", ""))
        if identity not in self.names:  # two definitions may have one id
            number = sum(name.partition("@")[0] == structure["id"] for name in self.names.values())
            self.names[identity] = f"{structure['id']}@{number}" if number else structure["id"]
        name = self.names[identity]
        if name in self.plans:
            return Value({"$ref": f"#/$defs/{name}"}, self.plans[name])
        tree = element_tree(structure)
        return self._shared(name, tree, structure["type"], tree)

    def _single(self, child: Element, built: ObjectInTheMaking) -> None:
        name = child.name
        code = child.type_codes[0] if child.types else ""
        primitive = code in PRIMITIVE_TYPES
        if child.max == 0:
            prohibited = {"$comment": "element-prohibited", "description": name, "not": {}}
            built.properties.update({name: prohibited, f"_{name}": prohibited} if primitive else {name: prohibited})
            return
        value = self._value(child, code, built.root)
        built.functions.integers.update({name} if code in INTEGER_TYPES else ())
        self._checks(child, code, name, built)
        if child.is_array and child.slices:
            value_of = partial(self._value, root=built.root)
            add_sliced(child, code, value, built, self.library, value_of, self._checks_of)
        else:
            built.add(name, array_of(child, code, value) if child.is_array else value)
        if primitive and code != "xhtml" and child.is_extensible:
            built.add(f"_{name}", self._companion(child, code, name, built), name)
            if is_bound(child) and not child.min:  # a code from a required value set is never only an extension
                built.dependent[f"_{name}"] = {"required": [name]}
        if primitive:
            path, stated = child.definition["path"], child.definition.get("constraint", ())
            self._invariants(child, [each for each in stated if invariant_function(path, each["key"])], built)
        if child.min >= 1:
            if primitive and child.is_extensible and not is_bound(child):
                built.demands.append(one_of_keys(name, [name, f"_{name}"]))
            else:
                built.required.append(name)

    def _choice(self, child: Element, built: ObjectInTheMaking) -> None:
        base = child.name.removesuffix("[x]")
        allowed = [] if child.max == 0 else [type_code(type_) for type_ in child.types]
        for key, code, refusal in refused_types(child, base, allowed, self.library):
            self.choice_keys[key] = (base, code)
            built.properties[key] = refusal
        by_type: dict[str, list[str]] = {}
        for type_, code in zip(child.types, allowed, strict=False):
            key = choice_key(base, code)
            self.choice_keys[key] = (base, code)
            narrowed = next((s for s in child.slices.values() if [type_code(t) for t in s.types] == [code]), child)
            built.add(key, self._value(narrowed, code, built.root, type_), child.name)
            built.functions.integers.update({key} if code in INTEGER_TYPES else ())
            self._checks(narrowed, code, key, built)
            by_type[code] = [key]
            if code in PRIMITIVE_TYPES:
                built.add(f"_{key}", self._companion(narrowed, code, key, built), child.name)
                by_type[code].append(f"_{key}")
                if is_bound(narrowed):
                    built.demands.append(with_its_value(child.name, key))
            if narrowed is not child and narrowed.min >= 1:
                built.demands.append(one_of_keys(child.name, by_type[code]))
        if len(by_type) > _CHOICE_LIMIT:
            built.functions.choices.append(base)
        elif len(by_type) > 1:
            for code, keys in by_type.items():
                others = [key for other, names in by_type.items() if other != code for key in names]
                only: JsonObject = {"not": {"not": {"propertyNames": {"not": {"enum": others}}}}}  # as small as can be
                for key in keys:
                    built.dependent[key] = {"$comment": "choice-multiple", "description": base, **only}
        if child.min >= 1 and by_type:
            built.demands.append(one_of_keys(child.name, [key for keys in by_type.values() for key in keys]))

    def _checks(self, child: Element, code: str, key: str, built: ObjectInTheMaking) -> None:
        if found := self._checks_of(child, code):
            built.functions.checks[key] = found

    def _checks_of(self, child: Element, code: str) -> list[Check]:
        found = list(value_checks(child, code, self.library))
        for constraint in child.definition.get("constraint", ()) if code in PRIMITIVE_TYPES else ():
            name, stated = constraint["key"], constraint.get("severity") == "error"
            if name in _STATED_BY_STRUCTURE or not stated or invariant_function(child.definition["path"], name):
                continue
            if holds := VALUE_CONSTRAINTS.get(name) or self._expression(constraint, child, code):
                found.append(Check(name, {"human": constraint["human"]}, holds, constraint.get("expression", "")))
        return found

    def _companion(self, child: Element, code: str, key: str, built: ObjectInTheMaking) -> Value:
        """``_name``: the id and extensions of a primitive (R4, JSON, Representation of primitive elements)."""
        asked = asked_of_companion(child, key)
        if asked is None:
            element = self._type("Element", [])
            shared = element.functions or FunctionPlan("Element", "Element")
            element = Value(element.schema, FunctionPlan(code, code, shared.invariants, shared.children))
        else:
            own = self.object(asked.element, FunctionPlan(code, code), built.root)
            element = Value(own.schema(), own.functions, own.index)
            built.demands += asked.demands
        schema = element.schema
        if child.values.get("fixed") is not None:  # exactly the value: no extensions beside it
            schema = {**schema, "allOf": [{"$comment": "value-fixed", "not": {"required": ["extension"]}}]}
        if child.is_array:
            items = schema if asked and asked.demands else {"if": {"type": "null"}, "else": schema}
            schema = {"type": "array", "minItems": 1, "items": items}
        return element._replace(schema=schema)

    def _value(self, child: Element, code: str, root: Element, type_: JsonObject | None = None) -> Value:
        """One value of an element, without its array."""
        type_ = type_ or (child.types[0] if child.types else {})
        reference = child.definition.get("contentReference")
        if reference:
            target = next(element for element in root.walk() if element.id == reference.partition("#")[2])
            shared = self._shared(target.id.replace(":", "."), target, "BackboneElement", root)
            here = Element(child.definition, target.name, target.children)
            known = {constraint["key"] for constraint in target.definition.get("constraint", ())}
            return with_more(shared, self._added_invariants(here, "", known))
        if code in _RESOURCE_TYPES or code in self.library.resource_types:
            return self._resource(child)
        demands = element_constraints(child, code, self.library)
        if code in PRIMITIVE_TYPES:
            return Value(listed(primitive_schema(code), demands))
        if child.children:
            built = self.object(child, FunctionPlan(code, plan_path(child, code)), root)
            self._type_invariants(code, built)
            value = Value(built.schema(), built.functions, built.index)
        else:
            value = self._type(code, type_.get("profile", []))
            value = with_more(value, self._element_invariants(child, code))
        if code == "Reference" and (targets := target_types(type_.get("targetProfile", ()), self.library)):
            demands.append(target_schema(targets))
            if value.functions:
                profiles = target_profiles(type_.get("targetProfile", ()), self.library)
                value = value._replace(functions=replace(value.functions, targets=targets, profiles=profiles))
        if demands:
            value = value._replace(schema={**value.schema, "allOf": [*value.schema.get("allOf", ()), *demands]})
        return value

    def _type_invariants(self, code: str, built: ObjectInTheMaking) -> None:
        """A data type walked into inline keeps the type's own rules."""
        structure = None if code in BACKBONES else self.library.structure(code)
        if structure is not None:
            tree = element_tree(structure)
            self._invariants(tree, tree.definition.get("constraint", ()), built)
            say_in_words(code, built)

    def _resource(self, child: Element) -> Value:
        """A resource inside another: of any type, or of those that a profile leaves."""
        codes = child.type_codes
        schema = dict(_ANY_RESOURCE)
        if not _RESOURCE_TYPES & {*codes}:
            schema = {**schema, "description": "resource of type " + " or ".join(codes)}
            schema["properties"] = {"resourceType": {"enum": codes}}
        profiles = tuple(profile for type_ in child.types for profile in type_.get("profile", ()))
        return Value(schema, FunctionPlan("Resource", "Resource", profiles=profiles))

    def _element_invariants(self, child: Element, code: str) -> ObjectInTheMaking:
        """The constraints an element adds to those of its type, where the type is a shared definition."""
        structure = None if code in BACKBONES else self.library.structure(code)
        if structure is None:
            return ObjectInTheMaking(child, FunctionPlan(code, code))
        known = {constraint["key"] for constraint in structure["snapshot"]["element"][0].get("constraint", ())}
        return self._added_invariants(child.as_type(code), code, known)

    def _added_invariants(self, element: Element, code: str, known: set[str]) -> ObjectInTheMaking:
        built = ObjectInTheMaking(element, FunctionPlan(code, code))
        added = [each for each in element.definition.get("constraint", ()) if each["key"] not in known]
        self._invariants(element, added, built)
        return built
