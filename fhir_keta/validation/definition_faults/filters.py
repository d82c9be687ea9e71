"""The filters of value sets: whether the property has such an operator, and the value is one of its type.

R4, ValueSet.compose.include.filter, CodeSystem.filter and property, and its pages on SNOMED CT and LOINC. Properties of
which nothing is known here are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fhir_keta.validation.primitives import primitive_schema
from fhir_keta.validation.shapes import items, objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_SNOMED = "http://snomed.info/sct"
_LOINC = "http://loinc.org"
_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
_HIERARCHY = frozenset({"=", "in", "not-in", "is-a", "is-not-a", "descendent-of", "generalizes"})


@dataclass(frozen=True, slots=True)
class _Property:
    """What a filter may ask of a property: the type of its values, and the operators (none listed: any).

    ``codes`` tells whether values of type code are those of the system itself.
    """

    type: str
    operators: frozenset[str] = frozenset()
    codes: bool = False


# those that every code system has (R4, CodeSystem, "Defined concept properties")
_EVERYWHERE = {
    "concept": _Property("code", _HIERARCHY, True),
    "code": _Property("code", _HIERARCHY | {"regex"}, True),
    "status": _Property("code"),
    "synonym": _Property("code"),
    "inactive": _Property("boolean"),
    "notSelectable": _Property("boolean"),
    "effectiveDate": _Property("dateTime"),
    "deprecationDate": _Property("dateTime"),
    "retirementDate": _Property("dateTime"),
    "itemWeight": _Property("decimal"),
}
_OF_A_HIERARCHY = dict.fromkeys(("parent", "child", "partOf"), _Property("code", codes=True))
_OF_SNOMED = {
    "concept": _Property("code", frozenset({"is-a", "descendent-of", "is-not-a", "in", "descendent-leaf"})),
    "expressions": _Property("boolean", frozenset({"=", "in"})),
    "inactive": _Property("boolean", frozenset({"=", "in"})),
}
_OF_LOINC = {
    "concept": _Property("code", frozenset({"=", "is-a", "is-not-a"})),
    "code": _Property("code", frozenset({"=", "is-a", "is-not-a"})),
    **dict.fromkeys(
        ("parent", "child", "ancestor", "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP"),
        _Property("code", frozenset({"=", "exists", "regex", "in", "not-in"})),
    ),
    **dict.fromkeys(
        ("CLASS", "STATUS", "CLASSTYPE", "ORDER_OBS"),
        _Property("string", frozenset({"=", "exists", "regex", "in", "not-in"})),
    ),
}
_COMPARED = re.compile(r"^(?:eq|ne|gt|lt|ge|le|sa|eb|ap)")
_WRITTEN = {
    "Coding": ("a coding (system#code)", re.compile(r"[^\s#]+#\S+|[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+\|\S+")),
    "boolean": ("true or false", re.compile("true|false")),
    "dateTime": ("a date", re.compile(primitive_schema("dateTime")["pattern"])),
    "decimal": ("a number", re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")),
    "integer": ("a whole number", re.compile(r"[+-]?\d+")),
}


def filter_problem(value: JsonObject, part: JsonObject, terminology: Terminology) -> str:
    """What is wrong with a filter of an include or exclude; empty: nothing, or nobody here can tell."""
    system = text(part.get("system")).partition("|")[0]
    name, operator = text(value.get("property")), value.get("op")
    asked = _properties(system, terminology).get(name) if system else None
    if asked is None:
        return ""
    if asked.operators and isinstance(operator, str) and operator not in asked.operators:
        return f"the operator of this property is one of {', '.join(sorted(asked.operators))}"
    given = value.get("value")
    if not isinstance(given, str):
        companion = value.get("_value")
        extensions = objects(companion.get("extension")) if isinstance(companion, dict) else []
        return "" if any(each.get("url") == _EXPRESSION for each in extensions) else "it has no value"
    if operator == "exists":
        return _written("boolean", given)
    if operator == "regex":
        return _regular(given, name)
    values = given.split(",") if operator in ("in", "not-in") else [given]
    if asked.type != "code":
        return next(filter(None, (_written(asked.type, each) for each in values)), "")
    if any(each != each.strip() for each in values):
        return "a code has no blanks around it"
    unknown = asked.codes and any(
        terminology.verdict(system, each, None, part.get("version")) == "code-unknown" for each in values
    )
    return "the value is no code of the system" if unknown else ""


def _written(type_: str, given: str) -> str:
    """Whether a value is written as its type is; numbers and dates may have a comparison in front."""
    if type_ not in _WRITTEN:
        return ""
    words, pattern = _WRITTEN[type_]
    bare = given if type_ in ("boolean", "Coding") else _COMPARED.sub("", given, count=1)
    return "" if pattern.fullmatch(bare) else f"the value is {words}"


def _regular(given: str, name: str) -> str:
    if name == "concept":
        return "a regular expression is asked of code"
    try:
        re.compile(given)
    except re.error:
        return "the value is no regular expression"
    return ""


def _properties(system: str, terminology: Terminology) -> dict[str, _Property]:
    """The properties that filters on this system may ask for."""
    if system == _SNOMED:
        return _OF_SNOMED
    if system == _LOINC:
        return _OF_LOINC
    known = terminology.library.code_system(system)
    if known is None:
        return _EVERYWHERE
    hierarchy = _OF_A_HIERARCHY if "hierarchyMeaning" in known else {}
    declared = {text(each.get("code")): _Property(text(each.get("type"))) for each in objects(known.get("property"))}
    found = {**_EVERYWHERE, **hierarchy, **declared}
    for each in objects(known.get("filter")):
        if (name := text(each.get("code"))) in found:
            operators = frozenset(map(text, items(each.get("operator"))))
            found[name] = _Property(found[name].type, found[name].operators | operators, found[name].codes)
    return found
