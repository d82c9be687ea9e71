"""Where an extension may stand (R4, Defining Extensions, Context)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.validation.constraints import target_profiles
from fhir_keta.validation.shapes import items

JsonObject = dict[str, Any]

_BEYOND = re.compile(r"%(?!ucum)|\bresolve\(")

# R4's own snapshots carry these on ElementDefinition.type, one level above the context their definitions name
_ALSO_ON = {
    "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type": "ElementDefinition.type",
    "http://hl7.org/fhir/StructureDefinition/regex": "ElementDefinition.type",
}

# HL7's definitions carry these in more places than their contexts name (R4, ElementDefinition, CapabilityStatement)
_ANYWHERE = frozenset(
    f"http://hl7.org/fhir/StructureDefinition/{name}"
    for name in (
        "structuredefinition-normative-version",
        "capabilitystatement-expectation",
        "capabilitystatement-prohibited",
    )
)


def allowed_here(structure: JsonObject, element_path: str, element_type: str, library: Library) -> bool:
    """Whether an extension's definition allows it on the element at this path, of this type.

    Contexts by FHIRPath are not evaluated here and count as met.
    """
    contexts = structure.get("context", ())
    if any(context.get("type") == "fhirpath" for context in contexts):
        return True
    if structure["url"] in _ANYWHERE or _ALSO_ON.get(structure["url"]) == element_path:
        return True
    names = {element_path, element_type, *_ancestors(element_type, library), "Element"}
    return any(context.get("expression") in names for context in contexts)


def _is_question(item: JsonObject, _extension: JsonObject) -> bool:
    return item.get("type") != "display"


def _of_type(*types: str) -> Callable[[JsonObject, JsonObject], bool]:
    return lambda item, _extension: item.get("type") in types


# StructureDefinition.contextInvariant of R4's and SDC's extensions, as functions of the element and the extension
_CONTEXT_INVARIANTS: dict[str, Callable[[JsonObject, JsonObject], bool]] = {
    "type!='display'": _is_question,
    "type='reference'": _of_type("reference"),
    "type='integer'": _of_type("integer"),
    "type='quantity'": _of_type("quantity"),
    "type='choice' or type='open-choice'": _of_type("choice", "open-choice"),
    "type='integer' or type='decimal'": _of_type("integer", "decimal"),
    "type!='display' and (required=true or %extension.valueInteger=0)": lambda item, extension: (
        _is_question(item, extension) and (item.get("required") is True or extension.get("valueInteger") == 0)
    ),
    "type!='display' and (repeats=true or %extension.valueInteger=1)": lambda item, extension: (
        _is_question(item, extension) and (item.get("repeats") is True or extension.get("valueInteger") == 1)
    ),
    "mode = 'changes'": lambda list_, _extension: list_.get("mode") == "changes",
    "initial.empty()": lambda item, _extension: "initial" not in item,
}


def failed_condition(structure: JsonObject, element: JsonObject, extension: JsonObject) -> str | None:
    """The first context invariant of the definition that the element does not meet; those not known here are met."""
    for expression in structure.get("contextInvariant", ()):
        holds = _CONTEXT_INVARIANTS.get(expression)
        if holds is not None and not holds(element, extension):
            return str(expression)
    return None


def looks_beside(structure: JsonObject) -> bool:
    """Whether an extension's definition asks something of the element that it stands on."""
    return "contextInvariant" in structure


def looks_around(structure: JsonObject, library: Library) -> bool:
    """Whether what an extension's definition demands may depend on the record around, wherever the extension stands."""
    for element in structure["snapshot"]["element"]:
        if any(_BEYOND.search(constraint.get("expression", "")) for constraint in element.get("constraint", ())):
            return True
        if any(target_profiles(type_.get("targetProfile", ()), library) for type_ in element.get("type", ())):
            return True
    return False


def is_modifier(structure: JsonObject) -> bool:
    """Whether the extension changes the meaning of what it stands on (R4, Modifier Extensions)."""
    return structure["snapshot"]["element"][0].get("isModifier", False) is True


def undefined_parts(structure: JsonObject, value: JsonObject) -> list[int]:
    """Which extensions inside a complex one have a relative url that its definition does not know.

    Where the definition closes its slicing, the schema has said so.
    """
    known: set[Any] = set()
    for element in structure["snapshot"]["element"]:
        if element["path"] == "Extension.extension" and element.get("slicing", {}).get("rules") == "closed":
            return []
        if element["path"].endswith(".extension.url"):
            known.add(element.get("fixedUri"))
    found = []
    for position, part in enumerate(items(value.get("extension"))):
        url = part.get("url") if isinstance(part, dict) else None
        if isinstance(url, str) and ":" not in url and url not in known:
            found.append(position)
    return found


def contexts_in_words(structure: JsonObject) -> str:
    """The contexts of an extension, for a message."""
    return ", ".join(context.get("expression", "?") for context in structure.get("context", ()))


def _ancestors(type_name: str, library: Library) -> set[str]:
    found: set[str] = set()
    structure = library.structure(type_name) if type_name else None
    while structure is not None and (base := structure.get("baseDefinition")):
        structure = library.structure(base)
        if structure is None or structure["type"] in found:
            break
        found.add(structure["type"])
    return found
