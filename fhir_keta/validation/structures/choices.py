"""Slices by type: what a differential says of single types of an element such as ``value[x]``.

R4, ElementDefinition.path ("valueQuantity" for a value[x] of that type), and Profiling FHIR, "Slicing".
"""

from __future__ import annotations

from typing import Any

from fhir_keta.definitions.elements import Node
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.structures.blocks import Block
from fhir_keta.validation.structures.types import Types, codes_of

JsonObject = dict[str, Any]


def is_shortcut(name: str, choice: str) -> bool:
    """Whether this is the name of one type of a choice."""
    return choice.endswith("[x]") and name != choice and name.startswith(choice[:-3])


def type_slices(
    node: Node, group: list[Block], known: Types
) -> tuple[list[tuple[Block, str]], list[tuple[Block, str]]]:
    """What is wrong with the slices of a choice, as block and words, and the slices with their types."""
    stem = node.name.removesuffix("[x]")
    first = group[0]
    problems: list[tuple[Block, str]] = []
    typed = [(block, _type_of(block, stem, known)) for block in group]
    is_short = typed[0][1] is not None or ("slicing" in node.element and _is_slice(first))
    if not is_short:
        if first.name != node.name:
            return [(first, "no type of FHIR has this name")], []
        typed = typed[1:]
        slicing = first.element.get("slicing", {})
        if slicing.get("ordered") is True:
            problems.append((first, "slices by type have no order"))
        discriminators = objects(slicing.get("discriminator"))
        if discriminators and [(each.get("type"), each.get("path")) for each in discriminators] != [("type", "$this")]:
            problems.append((first, "an element of several types is sliced by type:$this"))
    slices: list[tuple[Block, str]] = []
    for position, (block, code) in enumerate(typed):
        name = block.slice_name
        expected = stem + code[:1].upper() + code[1:] if code else ""
        if code is None and name and "type" not in block.element:
            problems.append((block, "the slice's name does not end in a type"))
        elif name and code and name != expected:
            problems.append((block, "the slice of a type is named by it (valueQuantity)"))
        elif name and len(codes_of(block.element)) > 1 and (block.element.get("min") or "slicing" in node.element):
            problems.append((block, "a slice by type has one type"))
        elif not name and not code:
            problems.append((block, "a slice has a name or a type"))
        if block.element.get("min") and position + 1 < len(typed):
            problems.append((block, "one type is required, so there can be no other"))
        slices.append((block, code or ""))
    return problems, slices


def _is_slice(block: Block) -> bool:
    return bool(block.slice_name) and "slicing" not in block.element


def _type_of(block: Block, stem: str, known: Types) -> str | None:
    """The type that a block speaks of, by its type, its own name or that of its slice; None where it names none."""
    codes = codes_of(block.element)
    suffix = block.name.removeprefix(stem)
    if block.slice_name:
        if len(codes) == 1:
            return codes[0]
        if codes:
            return None
        return _named(suffix, known) or _named(block.slice_name.removeprefix(stem), known)
    if suffix == "[x]":
        return None
    found = _named(suffix, known)
    if found is None:
        definition = known.definition(suffix)
        profile = definition is not None and definition.get("kind") == "complex-type"
        found = text(definition.get("type")) if definition and profile else None
    return found


def type_named(name: str, choice: str, known: Types) -> str:
    """The type in the name of one type of a choice; empty where there is none."""
    return _named(name.removeprefix(choice.removesuffix("[x]")), known) or ""


def _named(suffix: str, known: Types) -> str | None:
    if known.is_data_type(suffix):
        return suffix
    lower = suffix[:1].lower() + suffix[1:]
    return lower if known.is_primitive(lower) else None
