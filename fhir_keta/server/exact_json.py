"""JSON in and out with every decimal digit kept: 6.50 is read and written as 6.50 (FHIR R4, Data Types, decimal)."""

from __future__ import annotations

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NoReturn

from fhir_keta.records.parse import LEVELS

_HOLDERS = (dict, list)


class ExactDecimal(Decimal):
    """A Decimal that prints as it was written."""

    __slots__ = ("literal",)
    literal: str

    def __new__(cls, literal: str) -> ExactDecimal:
        number = super().__new__(cls, literal)
        number.literal = literal
        return number

    def __str__(self) -> str:
        return self.literal


def parse(data: bytes | str) -> Any:
    """The JSON value in ``data``, with decimals as ``Decimal``. Raises ValueError for what is not, or too deep."""
    text = data if isinstance(data, str) else data.decode("utf-8-sig")
    try:
        value = json.loads(text, parse_float=ExactDecimal, parse_constant=_refuse_constant)
        if "\\ud" in text or "\\uD" in text:
            write(value)  # half a surrogate pair is no text that could be sent: UnicodeEncodeError is a ValueError
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count("{") + text.count("[") > LEVELS:
        _check_depth(value)
    return value


def write(value: Any) -> bytes:
    """``value`` (as ``parse`` gives it, or with floats) as compact UTF-8 JSON."""
    return _text(value).encode()


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, _HOLDERS) else []
    for _ in range(LEVELS):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, _HOLDERS)
        ]
        if not level:
            return
    raise ValueError(f"nested more than {LEVELS} levels deep")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(key)}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, allow_nan=False)
