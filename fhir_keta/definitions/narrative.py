"""Narratives: a short readable text of a definition, generated from it, as FHIR's limited XHTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import Any

JsonObject = dict[str, Any]

NAMESPACE = "http://www.w3.org/1999/xhtml"
FIRST = ("resourceType", "id", "meta", "implicitRules", "language")
# what XML 1.0 cannot hold at all
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def with_narrative(resource: JsonObject) -> JsonObject:
    """Return the resource with a generated ``text`` (status "generated"); one that has a ``text`` comes back as it is.

    Takes any definition (a resource with title or name); what it says beyond title and description is written for
    Questionnaire, StructureDefinition, CodeSystem, ValueSet, ConceptMap, SearchParameter and ImplementationGuide.
    Source: FHIR R4, "Narrative" (txt-1, txt-2).
    """
    if "text" in resource:
        return resource
    language = _text(resource.get("language", ""))
    spoken = f' lang="{language}" xml:lang="{language}"' if language else ""
    content = "".join([*_head(resource), *BODIES.get(resource["resourceType"], _nothing)(resource)])
    text = {"status": "generated", "div": f'<div xmlns="{NAMESPACE}"{spoken}>{content}</div>'}
    first = {name: resource[name] for name in FIRST if name in resource}
    return {**first, "text": text, **{name: value for name, value in resource.items() if name not in first}}


def _text(value: object) -> str:
    return escape(NOT_XML.sub("", str(value)))


def _element(name: str, *content: str) -> str:
    return f"<{name}>{''.join(content)}</{name}>"


def _code(value: object) -> str:
    return _element("code", _text(value))


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = _element("tr", *(_element("th", _text(title)) for title in titles))
    body = "".join(_element("tr", *(_element("td", cell) for cell in row)) for row in rows)
    return _element("table", _element("thead", head), _element("tbody", body)) if body else ""


def _head(resource: JsonObject) -> Iterator[str]:
    yield _element("h2", _text(resource.get("title") or resource.get("name") or resource["resourceType"]))
    if "url" in resource:
        version = f", version {_text(resource['version'])}" if "version" in resource else ""
        yield _element("p", _code(resource["url"]), version)
    for paragraph in re.split(r"\n\s*\n", resource.get("description", "").strip()):
        if paragraph:
            yield _element("p", _text(paragraph))


def _nothing(_resource: JsonObject) -> Iterator[str]:
    yield from ()


def _value(element: JsonObject, *stems: str) -> Iterator[tuple[str, Any]]:
    """The choice elements of these names: ("Code", "final") for patternCode with the stem "pattern"."""
    for name, value in element.items():
        for stem in stems:
            if name.startswith(stem) and name[len(stem) : len(stem) + 1].isupper():
                yield name[len(stem) :], value


def _shown(value: Any) -> str:
    """A value in few words: a coding as system|code, a concept as its codings, otherwise its plain parts."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    if not isinstance(value, dict):
        return _text(value)
    if "coding" in value:
        return _shown(value["coding"])
    if "code" in value:
        system = value.get("system", "").rpartition("/")[2]
        display = f" ({_text(value['display'])})" if "display" in value else ""
        return f"{_text(system)}|{_text(value['code'])}{display}" if system else f"{_text(value['code'])}{display}"
    return ", ".join(f"{_text(name)} {_shown(item)}" for name, item in value.items() if name != "extension")


# ---- one function a resource type ----


def _questionnaire(resource: JsonObject) -> Iterator[str]:
    def items(level: list[JsonObject]) -> str:
        return _element("ul", *(_element("li", *item(one)) for one in level))

    def item(one: JsonObject) -> Iterator[str]:
        yield _text(f"{one['prefix']} " if "prefix" in one else "") + _text(one.get("text", one["linkId"]))
        marks = [_text(one["type"]), *(mark for mark in ("required", "repeats", "readOnly") if one.get(mark))]
        if one["type"] not in ("group", "display"):
            yield f" ({', '.join(marks)})"
        options = [_option(option) for option in one.get("answerOption", ())]
        if options:
            yield f": {'; '.join(options)}"
        elif "answerValueSet" in one:
            yield f": {_code(one['answerValueSet'])}"
        if "item" in one:
            yield items(one["item"])

    if "item" in resource:
        yield items(resource["item"])


def _option(option: JsonObject) -> str:
    value = next((value for _, value in _value(option, "value")), "")
    return _text(value.get("display", value.get("code", ""))) if isinstance(value, dict) else _text(value)


def _structure_definition(resource: JsonObject) -> Iterator[str]:
    facts = [f"Type {_code(resource['type'])}"]
    if "baseDefinition" in resource:
        facts.append(f"based on {_code(resource['baseDefinition'])}")
    contexts = [_code(context["expression"]) for context in resource.get("context", ())]
    if contexts:
        facts.append(f"used on {', '.join(contexts)}")
    yield _element("p", "; ".join(facts))
    rows = []
    for element in resource.get("differential", {}).get("element", ()):
        slice_name = f":{element['sliceName']}" if "sliceName" in element else ""
        name = element.get("id") or element["path"] + slice_name
        limits = f"{element.get('min', '')}..{element.get('max', '')}" if "min" in element or "max" in element else ""
        types = ", ".join(_type(kind) for kind in element.get("type", ()))
        rows.append([_code(name), _text(limits), types, "; ".join(_says(element))])
    yield _table(["Element", "How many", "Type", "What it says"], rows)


def _type(kind: JsonObject) -> str:
    targets = [url.rpartition("/")[2] for url in (*kind.get("profile", ()), *kind.get("targetProfile", ()))]
    return _text(kind["code"]) + (f" ({_text(', '.join(targets))})" if targets else "")


def _says(element: JsonObject) -> Iterator[str]:
    if "short" in element:
        yield _text(element["short"])
    for _, value in _value(element, "fixed"):
        yield f"exactly {_shown(value)}"
    for _, value in _value(element, "pattern"):
        yield f"with {_shown(value)}"
    for _, value in _value(element, "minValue"):
        yield f"from {_shown(value)}"
    for _, value in _value(element, "maxValue"):
        yield f"up to {_shown(value)}"
    if "binding" in element:
        yield f"{_text(element['binding']['strength'])}: {_code(element['binding'].get('valueSet', ''))}"
    for constraint in element.get("constraint", ()):
        yield f"{_text(constraint['key'])}: {_text(constraint['human'])}"


def _code_system(resource: JsonObject) -> Iterator[str]:
    def rows(level: list[JsonObject], depth: int) -> Iterator[list[str]]:
        for concept in level:
            indent = "\u00a0" * 2 * depth
            yield [
                indent + _code(concept["code"]),
                _text(concept.get("display", "")),
                _text(concept.get("definition", "")),
            ]
            yield from rows(concept.get("concept", []), depth + 1)

    yield _table(["Code", "Display", "Definition"], rows(resource.get("concept", []), 0))


def _value_set(resource: JsonObject) -> Iterator[str]:
    for word, name in (("Includes", "include"), ("Leaves out", "exclude")):
        for part in resource.get("compose", {}).get(name, ()):
            sources = [_code(part["system"])] if "system" in part else []
            sources += [_code(url) for url in part.get("valueSet", ())]
            conditions = [f"{item['property']} {item['op']} {item['value']}" for item in part.get("filter", ())]
            where = f" where {_text(' and '.join(conditions))}" if conditions else ""
            yield _element("p", f"{word} codes of {' and '.join(sources)}{where}")
            codes = ([_code(item["code"]), _text(item.get("display", ""))] for item in part.get("concept", ()))
            yield _table(["Code", "Display"], codes)


def _concept_map(resource: JsonObject) -> Iterator[str]:
    for group in resource.get("group", ()):
        yield _element("p", f"From {_code(group.get('source', ''))} to {_code(group.get('target', ''))}")
        rows = []
        for element in group.get("element", ()):
            for target in element.get("target", ()):
                ends = [
                    " ".join([_code(end.get("code", "")), _text(end.get("display", ""))]) for end in (element, target)
                ]
                rows.append([ends[0], _text(target["equivalence"]), ends[1]])
        yield _table(["Code", "The other code is", "Other code"], rows)


def _search_parameter(resource: JsonObject) -> Iterator[str]:
    yield _element(
        "p", f"{_code(resource['code'])} ({_text(resource['type'])}) on {_text(', '.join(resource['base']))}"
    )
    if "expression" in resource:
        yield _element("p", _code(resource["expression"]))


def _implementation_guide(resource: JsonObject) -> Iterator[str]:
    rows = []
    for part in resource.get("definition", {}).get("resource", ()):
        reference = part.get("reference", {}).get("reference", "")
        rows.append([_code(reference), _text(part.get("name", "")), _text(part.get("description", ""))])
    yield _table(["Resource", "Name", "What it is"], rows)


BODIES: dict[str, Callable[[JsonObject], Iterator[str]]] = {
    "Questionnaire": _questionnaire,
    "StructureDefinition": _structure_definition,
    "CodeSystem": _code_system,
    "ValueSet": _value_set,
    "ConceptMap": _concept_map,
    "SearchParameter": _search_parameter,
    "ImplementationGuide": _implementation_guide,
}
