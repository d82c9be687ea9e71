"""What one answer to an item may be: a JSON Schema as far as one can say it, and checks for the rest."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from fhir_keta.questionnaires import items as forms
from fhir_keta.questionnaires.items import Item
from fhir_keta.questionnaires.values import TypedValue, choice_name, compare, same_dimension

JsonObject = dict[str, Any]

# looks at the value of one answer: the broken rule and the names for its message, or None
Broken = tuple[str, dict[str, object]]
AnswerCheck = Callable[[TypedValue], Broken | None]


class Codes(Protocol):
    """The codes of a value set, by system (see definitions.codes)."""

    @property
    def systems(self) -> Mapping[str, Mapping[str, str | None]]: ...
    @property
    def any_case(self) -> frozenset[str]: ...
    def contains(self, system: str | None, code: str) -> bool: ...


class CodeSource(Protocol):
    """Where value sets come from (see definitions.library)."""

    def codes(self, value_set_canonical: str) -> Codes | None: ...
    def expand(self, value_set: JsonObject) -> Codes | None: ...


# item type -> FHIR type of its answers (R4, item-type); choices are read from their options
_ANSWER_TYPES = {
    "boolean": "boolean",
    "decimal": "decimal",
    "integer": "integer",
    "date": "date",
    "dateTime": "dateTime",
    "time": "time",
    "string": "string",
    "text": "string",
    "url": "uri",
    "attachment": "Attachment",
    "reference": "Reference",
    "quantity": "Quantity",
}
_ANY_CHOICE = ("Coding", "date", "time", "integer", "string")
_TEXTS = frozenset(("string", "text", "url", "open-choice"))
_ENUMERATED_AT_MOST = 300


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """The FHIR types an answer may have, the schema of an ``answer`` element, and the checks beyond it."""

    types: tuple[str, ...]
    schema: JsonObject
    checks: tuple[AnswerCheck, ...]


def answer_types(item: Item) -> tuple[str, ...]:
    """The FHIR types that an answer to a question may have (R4, Questionnaire.item.type and answerOption)."""
    if item.type in _ANSWER_TYPES:
        return (_ANSWER_TYPES[item.type],)
    if item.options:
        types = dict.fromkeys(option.value.type for option in item.options)
    else:
        types = dict.fromkeys(("Coding",) if item.answer_value_set else _ANY_CHOICE)
    if item.type == "open-choice":
        types["string"] = None
    return tuple(types)


def answer_rules(item: Item, library: CodeSource, contained: Mapping[str, JsonObject]) -> AnswerRules:
    """The rules for one answer of a question; ``contained`` has the questionnaire's own resources by id."""
    types = answer_types(item)
    codes = _codes(item.answer_value_set, library, contained)
    properties: JsonObject = {"id": True, "extension": True, "modifierExtension": True}
    for type_code in types:
        name = choice_name("value", type_code)
        properties[name] = _value_schema(item, type_code, codes)
        properties["_" + name] = True
    if item.children:
        properties["item"] = True
    schema = {"$comment": "response-answer-type", "properties": properties, "additionalProperties": False}
    return AnswerRules(types, schema, tuple(_checks(item, types, codes, library, contained)))


def coding_schema(pairs: Iterable[tuple[object, object]]) -> JsonObject:
    """A schema for a Coding with one of these systems and codes (None: without)."""
    codes: dict[object, list[object]] = {}
    choices: list[JsonObject] = []
    for system, code in pairs:
        if code is None:
            choices.append(_coding_of(system, False))
        else:
            codes.setdefault(system, []).append(code)
    choices += [_coding_of(system, {"enum": known}) for system, known in codes.items()]
    return choices[0] if len(choices) == 1 else {"$comment": "response-option", "anyOf": choices}


def _coding_of(system: object, code: JsonObject | bool) -> JsonObject:
    """A schema for a Coding of this system (None: without) whose code is as the schema ``code`` says (False: none)."""
    return {
        "$comment": "response-option",
        "properties": {"system": {"const": system} if system is not None else False, "code": code},
        "required": [name for name, given in (("system", system is not None), ("code", code is not False)) if given],
    }


def _value_schema(item: Item, type_code: str, codes: Codes | None) -> JsonObject | bool:
    options = [option.value.value for option in item.options if option.value.type == type_code]
    free_text = type_code == "string" and item.type == "open-choice"
    schema: JsonObject = {}
    if type_code == "Coding":
        if item.options:
            return coding_schema((_part(option, "system"), _part(option, "code")) for option in options)
        if codes is not None and _enumerable(codes):
            pairs = ((system, code) for system, known in codes.systems.items() for code in known)
            return coding_schema(pairs) if codes.systems else {"$comment": "response-option", "not": {}}
        return True
    if type_code == "Reference" and options:
        targets = [reference for option in options if (reference := _part(option, "reference")) is not None]
        return {
            "$comment": "response-option",
            "properties": {"reference": {"enum": targets}},
            "required": ["reference"],
        }
    if options and not free_text and type_code != "Quantity":
        schema = {"$comment": "response-option", "enum": options}
    if item.type in _TEXTS and type_code in ("string", "uri"):
        schema |= _text_limits(item)
    if type_code in ("integer", "decimal"):
        schema |= _number_limits(item)
    return schema or True


def _text_limits(item: Item) -> JsonObject:
    schema: JsonObject = {}
    if item.max_length is not None:
        schema["maxLength"] = max(item.max_length, 0)
    minimum = item.integer(forms.MIN_LENGTH)
    if minimum is not None and minimum > 0:
        schema["minLength"] = minimum
    return schema


def _number_limits(item: Item) -> JsonObject:
    schema: JsonObject = {}
    for keyword, url in (("minimum", forms.MIN_VALUE), ("maximum", forms.MAX_VALUE)):
        limit = item.extension_value(url)
        if limit is not None and isinstance(limit.value, int | float) and not isinstance(limit.value, bool):
            schema[keyword] = limit.value
    return schema


def _codes(canonical: str | None, library: CodeSource, contained: Mapping[str, JsonObject]) -> Codes | None:
    if canonical is None:
        return None
    if canonical.startswith("#"):
        value_set = contained.get(canonical[1:])
        return library.expand(value_set) if value_set is not None else None
    return library.codes(canonical)


def _enumerable(codes: Codes) -> bool:
    return not codes.any_case and sum(len(known) for known in codes.systems.values()) <= _ENUMERATED_AT_MOST


def _checks(
    item: Item,
    types: tuple[str, ...],
    codes: Codes | None,
    library: CodeSource,
    contained: Mapping[str, JsonObject],
) -> Iterable[AnswerCheck]:
    if codes is not None and not item.options and not ("Coding" in types and _enumerable(codes)):
        yield _in_codes(codes, free_text=item.type == "open-choice")
    if types[0] in ("date", "dateTime", "time") and len(types) == 1:
        yield from _limit_checks(item, forms.MIN_VALUE, forms.MAX_VALUE)
    if item.type in _TEXTS and (pattern := _pattern(item)) is not None:
        yield _matches(pattern)
    places = item.integer(forms.MAX_DECIMAL_PLACES)
    if places is not None and item.type in ("decimal", "quantity"):
        yield _decimal_places(places)
    if item.type == "quantity":
        yield from _limit_checks(item, forms.MIN_QUANTITY, forms.MAX_QUANTITY)
        yield from _unit_checks(item, library, contained)
    if item.type == "attachment":
        yield from _attachment_checks(item)


def _in_codes(codes: Codes, free_text: bool) -> AnswerCheck:
    def check(value: TypedValue) -> Broken | None:
        if value.type == "string" and free_text:
            return None
        if value.type == "string":
            return None if codes.contains(None, str(value.value)) else ("response-option", {"suggestion": ""})
        system, code = _part(value.value, "system"), _part(value.value, "code")
        known = isinstance(code, str) and isinstance(system, str) and codes.contains(system, code)
        return None if known else ("response-option", {"suggestion": ""})

    return check


def _limit_checks(item: Item, min_url: str, max_url: str) -> Iterable[AnswerCheck]:
    for url, rule, sign in ((min_url, "response-min-value", -1), (max_url, "response-max-value", 1)):
        limit = item.extension_value(url)
        if limit is not None:
            yield _limit_check(limit, rule, sign)


def _limit_check(limit: TypedValue, rule: str, sign: int) -> AnswerCheck:
    if limit.type == "Quantity":
        shown = " ".join(str(part) for name in ("value", "unit") if (part := _part(limit.value, name)) is not None)
    else:
        shown = str(limit.value)

    def check(value: TypedValue) -> Broken | None:
        order = compare(value, limit)
        if limit.type == "Quantity" and same_dimension(value, limit) is False:
            return "response-unit", {"allowed": _part(limit.value, "code") or _part(limit.value, "unit")}
        return (rule, {"limit": shown}) if order == sign else None

    return check


def _pattern(item: Item) -> re.Pattern[str] | None:
    found = item.extension_value(forms.REGEX)
    try:
        return re.compile(found.value) if found is not None and isinstance(found.value, str) else None
    except re.error:
        return None


def _matches(pattern: re.Pattern[str]) -> AnswerCheck:
    def check(value: TypedValue) -> Broken | None:
        is_text = value.type in ("string", "uri") and isinstance(value.value, str)
        return ("response-pattern", {}) if is_text and not pattern.fullmatch(value.value) else None

    return check


def _decimal_places(places: int) -> AnswerCheck:
    def check(value: TypedValue) -> Broken | None:
        number = _part(value.value, "value") if value.type == "Quantity" else value.value
        if not isinstance(number, int | float) or isinstance(number, bool):
            return None
        exponent = Decimal(str(number)).normalize().as_tuple().exponent
        return (
            ("response-decimal-places", {"limit": places}) if isinstance(exponent, int) and -exponent > places else None
        )

    return check


def _unit_checks(item: Item, library: CodeSource, contained: Mapping[str, JsonObject]) -> Iterable[AnswerCheck]:
    options = [option.value for option in item.extension_values(forms.UNIT_OPTION) if option.type == "Coding"]
    value_set = item.extension_value(forms.UNIT_VALUE_SET)
    codes = _codes(str(value_set.value), library, contained) if value_set is not None else None
    allowed = ", ".join(str(_part(option, "code") or _part(option, "display")) for option in options)

    def is_option(quantity: object) -> bool:
        return any(
            all(
                _part(option, name) in (None, _part(quantity, "unit" if name == "display" else name))
                for name in ("system", "code", "display")
            )
            for option in options
        )

    def check(value: TypedValue) -> Broken | None:
        if options and not is_option(value.value):
            return "response-unit", {"allowed": allowed}
        code = _part(value.value, "code")
        if codes is not None and not codes.contains(_part(value.value, "system"), code if code else ""):
            return "response-unit", {"allowed": value_set.value if value_set is not None else ""}
        return None

    if options or codes is not None:
        yield check


def _attachment_checks(item: Item) -> Iterable[AnswerCheck]:
    types = [str(found.value) for found in item.extension_values(forms.MIME_TYPE)]
    size = item.extension_value(forms.MAX_SIZE)
    limit = size.value if size is not None and isinstance(size.value, int | float) else None

    def check(value: TypedValue) -> Broken | None:
        content_type, data = _part(value.value, "contentType"), _part(value.value, "data")
        if types and not any(str(content_type or "").startswith(name) for name in types):
            return "response-attachment-type", {"allowed": ", ".join(types)}
        if limit is not None and isinstance(data, str) and _decoded_size(data) > limit:
            return "response-attachment-size", {"limit": limit}
        return None

    if types or limit is not None:
        yield check


def _decoded_size(data: str) -> int:
    try:
        return len(base64.b64decode(data))
    except binascii.Error:
        return 0  # base R4 reports it


def _part(element: object, name: str) -> Any:
    return element.get(name) if isinstance(element, Mapping) else None
