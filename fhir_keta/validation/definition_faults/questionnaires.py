"""Questionnaires made from others: what they say of an item is no wider (R4, Questionnaire.derivedFrom).

How much they keep of it stands in HL7's extension questionnaire-derivationType.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import items, objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_TYPE_OF_DERIVATION = "http://hl7.org/fhir/StructureDefinition/questionnaire-derivationType"
_SYSTEM = "http://hl7.org/fhir/questionnaire-derivationType"


def faults(questionnaire: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on a Questionnaire."""
    companions = items(questionnaire.get("_derivedFrom"))
    for position, canonical in enumerate(items(questionnaire.get("derivedFrom"))):
        kind = _kind(companions[position]) if position < len(companions) else ""
        origin = terminology.library.find(text(canonical)) if kind else None
        if origin is None or origin["resourceType"] != "Questionnaire":
            continue
        known = {text(item.get("linkId")): item for _, item in _items(origin, "")}
        for place, item in _items(questionnaire, expression):
            before = known.get(text(item.get("linkId")))
            if before is not None:
                problem = _problem(item, before)
            else:
                problem = "" if kind == "extends" else "the questionnaire that it is made from has no such item"
            if problem:
                yield rules.issue("questionnaire-derived", place, problem=problem)


def _kind(companion: Any) -> str:
    for extension in objects(companion.get("extension")) if isinstance(companion, dict) else ():
        coding = extension.get("valueCoding")
        if extension.get("url") == _TYPE_OF_DERIVATION and isinstance(coding, dict) and coding.get("system") == _SYSTEM:
            return code if (code := text(coding.get("code"))) in ("extends", "compliesWith") else ""
    return ""


def _items(node: JsonObject, place: str) -> Iterator[tuple[str, JsonObject]]:
    for position, item in enumerate(objects(node.get("item"))):
        here = f"{place}.item[{position}]"
        yield here, item
        yield from _items(item, here)


def _problem(item: JsonObject, before: JsonObject) -> str:
    """What an item allows that the one with its linkId, which it is made from, does not."""
    if item.get("type", before.get("type")) != before.get("type"):
        return f"its type there is {before.get('type')}"
    if item.get("repeats") is True and before.get("repeats") is not True:
        return "it may not be repeated there"
    if item.get("required") is False and before.get("required") is True:
        return "it is required there"
    longest, allowed = item.get("maxLength"), before.get("maxLength")
    if isinstance(allowed, int) and not (isinstance(longest, int) and longest <= allowed):
        return f"its maxLength there is {allowed}"
    options = [_option(each) for each in objects(before.get("answerOption"))]
    own = [_option(each) for each in objects(item.get("answerOption"))]
    if options and ("answerValueSet" in item or not own):
        return "it has options there"
    if options and not all(each in options for each in own):
        return "it has fewer options there"
    return "it has a value set there" if "answerValueSet" in before and own else ""


def _option(option: JsonObject) -> tuple[Any, ...]:
    """What makes an option the same one: its value, of a coding without the display."""
    name, value = next(((name, value) for name, value in option.items() if name.startswith("value")), ("", None))
    if isinstance(value, dict):
        return (name, *(value.get(part) for part in ("system", "version", "code", "reference")))
    return name, value
