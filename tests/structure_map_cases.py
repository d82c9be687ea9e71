"""Structure maps, each with one thing changed: with the findings that R4 and the FHIR Mapping Language ask for."""

from __future__ import annotations

import copy
from typing import Any

from tests.base_records import BaseCase, JsonObject, case

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_WHOLE: JsonObject = {
    "resourceType": "StructureMap",
    "url": "http://ehr.test/map",
    "name": "Map",
    "status": "active",
    "structure": [
        {"url": _CORE + "QuestionnaireResponse", "mode": "source", "alias": "Form"},
        {"url": _CORE + "Observation", "mode": "target", "alias": "Seen"},
    ],
    "group": [
        {
            "name": "main",
            "typeMode": "none",
            "input": [
                {"name": "from", "type": "Form", "mode": "source"},
                {"name": "to", "type": "Seen", "mode": "target"},
            ],
            "rule": [
                {
                    "name": "status",
                    "source": [{"context": "from", "element": "status", "variable": "s"}],
                    "target": [
                        {
                            "context": "to",
                            "contextType": "variable",
                            "element": "status",
                            "transform": "copy",
                            "parameter": [{"valueId": "s"}],
                        }
                    ],
                },
                {
                    "name": "items",
                    "source": [{"context": "from", "element": "item", "variable": "item"}],
                    "rule": [
                        {
                            "name": "answers",
                            "source": [{"context": "item", "element": "answer", "variable": "answer"}],
                            "target": [
                                {
                                    "context": "to",
                                    "contextType": "variable",
                                    "element": "note",
                                    "variable": "note",
                                    "transform": "create",
                                    "parameter": [{"valueString": "Annotation"}],
                                }
                            ],
                            "dependent": [{"name": "noted", "variable": ["answer", "note"]}],
                        }
                    ],
                },
            ],
        },
        {
            "name": "noted",
            "typeMode": "none",
            "input": [{"name": "answer", "mode": "source"}, {"name": "note", "mode": "target"}],
            "rule": [
                {
                    "name": "text",
                    "source": [{"context": "answer", "element": "value", "variable": "v", "type": "string"}],
                    "target": [
                        {
                            "context": "note",
                            "contextType": "variable",
                            "element": "text",
                            "transform": "copy",
                            "parameter": [{"valueId": "v"}],
                        }
                    ],
                }
            ],
        },
    ],
}
_GROUP = ("group", 0)
_RULE = (*_GROUP, "rule", 0)
_SOURCE, _TARGET = (*_RULE, "source", 0), (*_RULE, "target", 0)
_ITEMS = (*_GROUP, "rule", 1)
_ANSWERS = (*_ITEMS, "rule", 0)
_DEPENDENT = (*_ANSWERS, "dependent", 0)
_NOTED = ("group", 1)
_TEXT = (*_NOTED, "rule", 0)
_PLACE = "StructureMap.group[0].rule[0]"
_INSIDE = "StructureMap.group[0].rule[1].rule[0]"
_VALUE = ("structure-map-path", "StructureMap.group[1].rule[0].source[0].element")


def _map(*path: str | int, to: Any = None) -> JsonObject:
    """The map with this element changed, or without it."""
    changed = copy.deepcopy(_WHOLE)
    holder: Any = changed
    for step in path[:-1]:
        holder = holder[step]
    if to is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = to
    return changed


def _transformed(transform: str, *parameters: str, element: str = "status", **more: Any) -> JsonObject:
    """With a target of this transformation; parameters are texts, those that begin with % variables."""
    given = [{"valueId": each[1:]} if each[0] == "%" else {"valueString": each} for each in parameters]
    target = {"context": "to", "contextType": "variable", "element": element, "transform": transform, **more}
    return _map(*_RULE, "target", to=[{**target, **({"parameter": given} if given else {})}])


def _made(type_: str, *more: str) -> JsonObject:
    """With a target of no context, made anew."""
    given = [{"valueString": each} for each in (type_, *more)]
    return _map(*_RULE, "target", to=[{"variable": "made", "transform": "create", "parameter": given}])


def _transforms() -> tuple[BaseCase, ...]:
    bad = ("structure-map-transform", f"{_PLACE}.target[0]")
    right = (
        ("create",),
        ("create", "code"),
        ("copy",),
        ("uuid",),
        ("append", "x"),
        ("evaluate", "from.status"),
        ("evaluate", "status"),
        ("evaluate", "'x'.exists()"),
        ("translate", "%s", "http://ehr.test/cm", "code"),
        ("truncate", "%s", "3"),
    )
    wrong = (
        ("create", "code", "code"),
        ("copy", "%s", "%s"),
        ("uuid", "x"),
        ("append",),
        ("evaluate",),
        ("evaluate", "'x"),
        ("evaluate", "statuz"),
        ("evaluate", "%s", "'x'"),
        ("reference", "%s", "%s"),
        ("cc", "x"),
        ("translate", "%s", "http://ehr.test/cm"),
        ("translate", "%s", "http://ehr.test/cm", "codes"),
        ("translate", "%nope", "http://ehr.test/cm", "code"),
    )
    return (
        *(case(f"map that does {' '.join(each)}", _transformed(*each)) for each in right),
        *(case(f"map that cannot {' '.join(each)}", _transformed(*each), bad) for each in wrong),
    )


STRUCTURE_MAP_CASES = (
    case("map", _WHOLE),
    case("map with a hyphen in a rule's name", _map(*_RULE, "name", to="a-b"), ("structure-map-name", _PLACE)),
    case("map with a digit before a rule's name", _map(*_RULE, "name", to="1a"), ("structure-map-name", _PLACE)),
    case(
        "map with a hyphen in a variable",
        _map(*_SOURCE, "variable", to="a-b"),
        ("structure-map-name", f"{_PLACE}.source[0].variable"),
    ),
    case("map with a variable not used", _map(*_SOURCE, "variable", to="other")),
    case(
        "map with two inputs of a name",
        _map(*_GROUP, "input", 1, "name", to="from"),
        ("structure-map-variable", "StructureMap.group[0].input[1]"),
        ("structure-map-variable", f"{_PLACE}.target[0].context"),
        ("structure-map-variable", f"{_INSIDE}.target[0].context"),
        ("structure-map-variable", f"{_INSIDE}.dependent[0].variable[1]"),
    ),
    case("map of a type by its name", _map(*_GROUP, "input", 0, "type", to="QuestionnaireResponse")),
    case(
        "map of a type not known",
        _map(*_GROUP, "input", 0, "type", to="Foo"),
        ("structure-map-type", "StructureMap.group[0].input[0].type"),
    ),
    case("map of a structure not known", _map("structure", 0, "url", to="http://ehr.test/nope")),
    case("map without types", _map(*_GROUP, "input", 0, "type")),
    case("map from a target", _map("structure", 0, "mode", to="target")),
    case(
        "map to a source",
        _map("structure", 1, "mode", to="source"),
        ("structure-map-type", "StructureMap.group[0].input[1]"),
    ),
    case(
        "map from a variable not known",
        _map(*_SOURCE, "context", to="nope"),
        ("structure-map-variable", f"{_PLACE}.source[0].context"),
    ),
    case(
        "map from what is written",
        _map(*_SOURCE, "context", to="to"),
        ("structure-map-variable", f"{_PLACE}.source[0].context"),
    ),
    case(
        "map to what is read",
        _map(*_TARGET, "context", to="from"),
        ("structure-map-variable", f"{_PLACE}.target[0].context"),
    ),
    case(
        "map from another rule's variable",
        _map(*_ITEMS, "source", 0, "context", to="s"),
        ("structure-map-variable", "StructureMap.group[0].rule[1].source[0].context"),
        ("structure-map-variable", f"{_INSIDE}.source[0].context"),
        ("structure-map-variable", f"{_INSIDE}.dependent[0].variable[0]"),
    ),
    case(
        "map from no element",
        _map(*_SOURCE, "element", to="state"),
        ("structure-map-path", f"{_PLACE}.source[0].element"),
    ),
    case(
        "map to no element",
        _map(*_TARGET, "element", to="state"),
        ("structure-map-path", f"{_PLACE}.target[0].element"),
    ),
    case("map from items in items", _map(*_ANSWERS, "source", 0, "element", to="item"), _VALUE),
    case(
        "map from no part of an item",
        _map(*_ANSWERS, "source", 0, "element", to="name"),
        ("structure-map-path", f"{_INSIDE}.source[0].element"),
    ),
    case(
        "map from a choice by its type",
        _map(*_TEXT, "source", 0, "element", to="valueString"),
        ("structure-map-path", "StructureMap.group[1].rule[0].source[0].element"),
    ),
    case(
        "map to no part of what was made",
        _map(*_TEXT, "target", 0, "element", to="words"),
        ("structure-map-path", "StructureMap.group[1].rule[0].target[0].element"),
    ),
    case("map of a type that the element has", _map(*_SOURCE, "type", to="code")),
    case(
        "map of a type that the element has not",
        _map(*_SOURCE, "type", to="Patient"),
        ("structure-map-type", f"{_PLACE}.source[0].type"),
    ),
    case(
        "map of a type that the choice has not",
        _map(*_TEXT, "source", 0, "type", to="Patient"),
        ("structure-map-type", "StructureMap.group[1].rule[0].source[0].type"),
    ),
    case("map that makes a patient", _made("Patient")),
    case("map that makes what it declares", _made("Seen")),
    case("map that makes nothing", _made("Pat"), ("structure-map-type", f"{_PLACE}.target[0]")),
    case(
        "map that goes on nowhere",
        _map(*_DEPENDENT, "name", to="nope"),
        ("structure-map-group", f"{_INSIDE}.dependent[0].name"),
    ),
    case(
        "map that goes on with too little",
        _map(*_DEPENDENT, "variable", to=["answer"]),
        ("structure-map-group", f"{_INSIDE}.dependent[0]"),
    ),
    case(
        "map that goes on with what is not there",
        _map(*_DEPENDENT, "variable", to=["answer", "nope"]),
        ("structure-map-variable", f"{_INSIDE}.dependent[0].variable[1]"),
    ),
    case(
        "map that goes on reading what it writes",
        _map(*_DEPENDENT, "variable", to=["note", "note"]),
        ("structure-map-path", "StructureMap.group[1].rule[0].source[0].element"),
    ),
    case(
        "map that goes on writing what it reads",
        _map(*_DEPENDENT, "variable", to=["answer", "answer"]),
        ("structure-map-variable", f"{_INSIDE}.dependent[0].variable[1]"),
    ),
    case("map that goes on with its type", _map(*_NOTED, "input", 1, "type", to="Annotation")),
    case(
        "map that goes on with another type",
        _map(*_NOTED, "input", 1, "type", to="Patient"),
        ("structure-map-type", f"{_INSIDE}.dependent[0].variable[1]"),
    ),
    case("map that extends a group", _map(*_GROUP, "extends", to="noted")),
    case(
        "map that extends no group",
        _map(*_GROUP, "extends", to="nope"),
        ("structure-map-group", "StructureMap.group[0].extends"),
    ),
    *_transforms(),
)
