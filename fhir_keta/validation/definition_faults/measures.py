"""Measures: the libraries that their criteria are written in (R4, Measure.library and criteria; CQL 1.5, ELM)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import items, objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_ELM = "{urn:hl7-org:elm:r1}"


def faults(measure: JsonObject, expression: str, _scope: Scope, terminology: Terminology) -> Iterator[Issue]:
    """The findings on a Measure: a criterion in CQL is one of a library that the measure names and that is known."""
    found = [terminology.library.find(text(each)) for each in items(measure.get("library"))]
    libraries = [each for each in found if each is not None and each["resourceType"] == "Library"]
    for place, criterion in _criteria(measure, expression):
        language = text(criterion.get("language"))
        if language.startswith("text/cql") and not language.startswith("text/cql-expression"):
            problem = _problem(text(criterion.get("expression")), libraries)
            if problem:
                yield rules.issue("measure-criteria", place, problem=problem)


def _criteria(measure: JsonObject, expression: str) -> Iterator[tuple[str, JsonObject]]:
    for number, group in enumerate(objects(measure.get("group"))):
        for name in ("population", "stratifier"):
            for position, part in enumerate(objects(group.get(name))):
                if isinstance(part.get("criteria"), dict):
                    yield f"{expression}.group[{number}].{name}[{position}].criteria", part["criteria"]
    for position, part in enumerate(objects(measure.get("supplementalData"))):
        if isinstance(part.get("criteria"), dict):
            yield f"{expression}.supplementalData[{position}].criteria", part["criteria"]


def _problem(criterion: str, libraries: list[JsonObject]) -> str:
    if not libraries:
        return "no library of the measure is known here"
    name, point, definition = criterion.partition(".")
    if point:
        libraries = [each for each in libraries if each.get("name") == name]
        if len(libraries) != 1:
            return "it names no library of the measure, or several"
    elif len(libraries) > 1:
        return "it does not say of which library it is"
    definitions = _definitions(libraries[0])
    if definitions is None:
        return "the library has no compiled form (application/elm+xml) that can be read"
    return "" if (definition if point else criterion) in definitions else "the library does not define it"


def _definitions(library: JsonObject) -> set[str] | None:
    """The names that a library defines, by its compiled form; None without one that can be read."""
    compiled = [each for each in objects(library.get("content")) if each.get("contentType") == "application/elm+xml"]
    try:
        data = base64.b64decode(text(compiled[-1].get("data"))) if compiled else b""
        root = ElementTree.fromstring(data) if b"<!DOCTYPE" not in data else None
    except (ValueError, ElementTree.ParseError):
        return None
    if root is None or root.tag != f"{_ELM}library":
        return None
    return {each.get("name", "") for each in root.iterfind(f"{_ELM}statements/{_ELM}def")}
