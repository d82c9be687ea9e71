"""Response items of the usual shape, told without a schema: text, choices, numbers and yes or no, nothing unusual.

What R4 demands of such items (R4, QuestionnaireResponse) is said here in plain Python, since they are most of what a
response is; anything else about them is left to the schema. Codings count as plain once the schema has accepted them.
"""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

Codings = set[tuple[Any, Any, Any]]

_ITEM = frozenset({"linkId", "text", "answer", "item"}).issuperset
_CODING = frozenset({"system", "code", "display"}).issuperset
_INTEGER_LIMIT = 2_147_483_647
_REMEMBERED = 10_000


def are_plain(items: Any, codings: Codings) -> bool:
    """Whether all these items, and those below them, are valid R4 of the usual shape; False where it is not sure."""
    if type(items) is not list or not items:
        return False
    for item in items:
        if type(item) is not dict or not _ITEM(item):
            return False
        link_id, text = item.get("linkId"), item.get("text", "-")
        if type(link_id) is not str or not link_id or type(text) is not str or not text:
            return False
        if "answer" in item:
            answers = item["answer"]
            if "item" in item or type(answers) is not list or not answers:
                return False  # qrs-1: items stand in the answer
            for answer in answers:
                if not _is_plain(answer, codings):
                    return False
        elif "item" in item and not are_plain(item["item"], codings):
            return False
    return True


def _is_plain(answer: Any, codings: Codings) -> bool:
    if type(answer) is not dict or len(answer) != 1:
        return False
    for key, value in answer.items():
        if key == "valueCoding":
            return type(value) is dict and _CODING(value) and _is_known(value, codings)
        if key == "valueInteger":
            return type(value) is int and -_INTEGER_LIMIT - 1 <= value <= _INTEGER_LIMIT
        if key == "valueBoolean":
            return type(value) is bool
        return key == "valueString" and type(value) is str and value != ""
    return False


def _is_known(coding: JsonObject, codings: Codings) -> bool:
    try:
        return _key(coding) in codings
    except TypeError:  # an array or object where text belongs: the schema says so
        return False


def remember_codings(items: Any, codings: Codings) -> None:
    """Note the codings of items that the full check has accepted."""
    for item in items if type(items) is list else ():
        remember_codings(item.get("item"), codings)
        for answer in item.get("answer", ()):
            remember_codings(answer.get("item"), codings)
            coding = answer.get("valueCoding")
            if coding is not None and _CODING(coding) and len(codings) < _REMEMBERED:
                codings.add(_key(coding))


def _key(coding: JsonObject) -> tuple[Any, Any, Any]:
    return coding.get("system"), coding.get("code"), coding.get("display")
