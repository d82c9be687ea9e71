"""FHIR's primitive types as JSON Schema (R4, Data Types, Primitive Types), with the remedy each refusal names.

White space is written out (``[ \\t\\r\\n]``) where R4's regexes say ``\\s``: engines differ on whether that means
Unicode spaces, and published codes contain no-break spaces.
"""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

_YEAR = r"(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_LEAP_YEAR = r"(?:[0-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_MONTH_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DAY = rf"(?:{_YEAR}-{_MONTH_DAY}|{_LEAP_YEAR}-02-29)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_OID = r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"
_NAMED: JsonObject = {
    "anyOf": [
        {"not": {"pattern": "^(?:urn:)?(?:oid|uuid):"}},
        {"pattern": rf"^(?:{_OID}|urn:uuid:{_UUID})(?:[|#].*)?$"},
    ]
}
# white space that base64 may contain
SPACE = r"[ \t\r\n]*"
_BASE64 = "[0-9a-zA-Z+/]"
_BASE64_END = f"(?:{_BASE64}{{2}}==|{_BASE64}{{3}}=)"

_INTEGER_LIMIT = 2_147_483_647

LONGEST_STRING = 2**20
"""Characters (R4, Data Types, string)."""

_TEXT: JsonObject = {"type": "string", "minLength": 1}
_STRING: JsonObject = {**_TEXT, "maxLength": LONGEST_STRING}
# Unicode's White_Space, as it is, for engines that have no name for it
_WHITE = "\t-\r \x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NO_SPACES = rf"[^{_WHITE}](?:[^\t-\r ]*[^{_WHITE}])?"  # R4's regular expression knows the spaces of ASCII alone
_URI: JsonObject = {"type": "string", "pattern": f"^{_NO_SPACES}$"}

# type -> (schema, remedy)
_PRIMITIVES: dict[str, tuple[JsonObject, str]] = {
    "boolean": ({"type": "boolean"}, "write true or false, without quotation marks."),
    "integer": (
        {"type": "integer", "minimum": -_INTEGER_LIMIT - 1, "maximum": _INTEGER_LIMIT},
        "write a whole number of 32 bits, without quotation marks.",
    ),
    "unsignedInt": (
        {"type": "integer", "minimum": 0, "maximum": _INTEGER_LIMIT},
        "write a whole number from 0 to 2147483647, without quotation marks.",
    ),
    "positiveInt": (
        {"type": "integer", "minimum": 1, "maximum": _INTEGER_LIMIT},
        "write a whole number from 1 to 2147483647, without quotation marks.",
    ),
    "decimal": ({"type": "number"}, "write a number, without quotation marks."),
    "string": (_STRING, "write text of at least one character."),
    "markdown": (_STRING, "write text of at least one character."),
    "xhtml": (_TEXT, "write one xhtml div element."),
    "uri": (
        {**_URI, **_NAMED},
        "write a URI without spaces; an OID as urn:oid:..., a UUID in lower case as urn:uuid:...",
    ),
    "url": ({**_URI, **_NAMED}, "write a URL without spaces."),
    "canonical": (
        {"type": "string", "pattern": rf"^(?:#|[A-Za-z][A-Za-z0-9+.\-]*:)(?:[^\t-\r ]*[^{_WHITE}])?$", **_NAMED},
        "write an absolute URL without spaces, or # and the id of a contained resource.",
    ),
    "oid": (
        {"type": "string", "pattern": rf"^{_OID}$"},
        "write urn:oid: and the number.",
    ),
    "uuid": ({"type": "string", "pattern": rf"^urn:uuid:{_UUID}$"}, "write urn:uuid: and the UUID."),
    "id": (
        {"type": "string", "pattern": r"^[A-Za-z0-9\-\.]{1,64}$"},
        "use letters, digits, '-' and '.', 64 characters at most.",
    ),
    "code": (
        {"type": "string", "pattern": f"^[^{_WHITE}]+(?: [^{_WHITE}]+)*$"},
        "leave out leading, trailing and double spaces, tabs and line ends.",
    ),
    "base64Binary": (
        {"type": "string", "pattern": rf"^{SPACE}(?:(?:{_BASE64}{{4}}{SPACE})+{_BASE64_END}?|{_BASE64_END}){SPACE}$"},
        "write base64 (RFC 4648), padded with = to a multiple of four characters.",
    ),
    "date": (
        {"type": "string", "pattern": rf"^(?:{_YEAR}(?:-(?:0[1-9]|1[0-2]))?|{_DAY})$"},
        "write YYYY, YYYY-MM or YYYY-MM-DD, a day that exists.",
    ),
    "dateTime": (
        {"type": "string", "pattern": rf"^(?:{_YEAR}(?:-(?:0[1-9]|1[0-2]))?|{_DAY}(?:T{_TIME}{_ZONE})?)$"},
        "write YYYY, YYYY-MM, YYYY-MM-DD, or a day with time to the second and zone (2026-01-31T09:30:00Z).",
    ),
    "instant": (
        {"type": "string", "pattern": rf"^{_DAY}T{_TIME}{_ZONE}$"},
        "write day, time to the second and zone (2026-01-31T09:30:00Z).",
    ),
    "time": ({"type": "string", "pattern": rf"^{_TIME}$"}, "write HH:MM:SS, without a zone."),
}

INTEGER_TYPES = frozenset({"integer", "unsignedInt", "positiveInt"})

PRIMITIVE_TYPES = frozenset(_PRIMITIVES)


def primitive_schema(type_code: str) -> JsonObject:
    """A fresh JSON Schema for a FHIR primitive; its ``description`` names the type for the explanation."""
    schema, _ = _PRIMITIVES[type_code]
    return {"$comment": "primitive-format", "description": type_code, **schema}


def primitive_remedy(type_code: str) -> str:
    """What to write instead, as the end of a sentence."""
    return _PRIMITIVES[type_code][1]
