"""Where an extension may stand (R4, Defining Extensions, Context)."""

from __future__ import annotations

from typing import Any

from fhir_keta.definitions.library import Library
from fhir_keta.validation.shapes import items

JsonObject = dict[str, Any]

# R4's own snapshots carry these on ElementDefinition.type, one level above the context their definitions name
_ALSO_ON = {
    "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type": "ElementDefinition.type",
    "http://hl7.org/fhir/StructureDefinition/regex": "ElementDefinition.type",
}


def allowed_here(structure: JsonObject, element_path: str, element_type: str, library: Library) -> bool:
    """Whether an extension's definition allows it on the element at this path, of this type.

    Contexts by FHIRPath are not evaluated here and count as met.
    """
    contexts = structure.get("context", ())
    if any(context.get("type") == "fhirpath" for context in contexts):
        return True
    if _ALSO_ON.get(structure["url"]) == element_path:
        return True
    names = {element_path, element_type, *_ancestors(element_type, library), "Element"}
    return any(context.get("expression") in names for context in contexts)


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
