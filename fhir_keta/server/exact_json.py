"""JSON in and out with every decimal digit kept: 6.50 is read and written as 6.50 (FHIR R4, Data Types, decimal)."""

from __future__ import annotations

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NoReturn


def parse(data: bytes | str) -> Any:
    """The JSON value in ``data``, with decimals as ``Decimal``. Raises ValueError for anything that is not JSON."""
    try:
        return json.loads(data, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def write(value: Any) -> bytes:
    """``value`` (as ``parse`` gives it, or with floats) as compact UTF-8 JSON."""
    return _text(value).encode()


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
