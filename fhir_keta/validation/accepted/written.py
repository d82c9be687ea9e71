"""How a value may be written in JSON that stands instead of another of its type."""

from __future__ import annotations

import re

from fhir_keta.validation.primitives import primitive_schema

REFERENCE = "Reference"
"""Stands for the id in ``Reference.reference``; the type in front of it does not vary."""

_PLAIN = r"[ !#-\[\]-\xff]*"  # bytes of UTF-8, but for control characters, quotation marks and backslashes
_TEXT = rf'(?!"){_PLAIN}(?:\\["\\/bfnrt]{_PLAIN})*'
_WHOLE = "[1-9][0-9]{0,8}"

# how a value may be written in JSON (inside its quotation marks, if any), by type; some types allow more than this.
# Of times only those of a day, and each in its length: so rules about how exact a time is are kept
WRITTEN: dict[str, str] = {
    "id": primitive_schema("id")["pattern"][1:-1],
    REFERENCE: r"[A-Za-z0-9.\-]{1,64}",
    "string": _TEXT,
    "markdown": _TEXT,
    "decimal": rf"-?(?:0|{_WHOLE})(?:\.[0-9]{{1,6}})?",
    "integer": f"(?:0|-?{_WHOLE})",
    "unsignedInt": f"(?:0|{_WHOLE})",
    "positiveInt": _WHOLE,
}
DATES = frozenset({"date", "dateTime", "instant"})

# every day but the 29th of February, and no leap second: what is rare is left to the full check
_DAY = "[1-9][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_TIME = "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ZONE = "[+-](?:0[0-9]|1[0-3]):[0-5][0-9]"
_TIMES = re.compile(rf"{_DAY}(?:{_TIME}(?:\.(?P<fraction>[0-9]+))?(?P<zone>Z|{_ZONE}))?")


def written(type_name: str, value: str) -> str | None:
    """The regular expression of the bytes that may stand instead of ``value``; None where that is only itself."""
    if type_name in DATES:
        return _time(value)
    pattern = WRITTEN[type_name]
    return pattern if re.fullmatch(pattern.encode(), value.encode()) else None


def _time(value: str) -> str | None:
    """Days or times that are written like this one: as exact, and with or without a zone's offset."""
    found = _TIMES.fullmatch(value)
    if found is None:
        return None
    if found["zone"] is None:
        return _DAY
    fraction = rf"\.[0-9]{{{len(found['fraction'])}}}" if found["fraction"] else ""
    return f"{_DAY}{_TIME}{fraction}{'Z' if found['zone'] == 'Z' else _ZONE}"
