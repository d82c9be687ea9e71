"""From the bytes of one record to a JSON object, or to the rule that says why not.

The good path is one call of orjson. What exactly is wrong is found out only when that fails.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

try:
    import orjson

    _loads = orjson.loads

    def _dumps(value: Any, *, indented: bool = False) -> bytes:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indented else None)

except ImportError:  # PyPy, Pyodide: see the environment marker in setup.cfg

    def _loads(data: bytes | bytearray | memoryview | str, /) -> Any:
        return _loads_with_json(bytes(data) if not isinstance(data, str) else data.encode())

    def _dumps(value: Any, *, indented: bool = False) -> bytes:
        return json.dumps(value, ensure_ascii=False, indent=2 if indented else None).encode()


LEVELS = 64
"""How deep objects and arrays may stand inside one another.

FHIR sets no limit. 64 is where .NET's System.Text.Json stops by default, so a deeper record cannot be exchanged in
practice; it still leaves room for questionnaire items nested 30 deep, and answers with items nested 15 deep. Without
any limit a hostile record could exhaust the stack of whoever walks it.
"""

_TOO_FAR_IN = b"\n" + b" " * 2 * LEVELS

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
TO_BRACKET = re.compile(rb'(?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+[][{}]', re.DOTALL)
"""Matches up to and including the next bracket outside strings. For ``match`` only, one after another."""

_STRING_OR_NUMBER = re.compile(r'"(?:[^"\\]++|\\.)*+"|-?(?:NaN|Infinity)|-?[0-9][0-9.eE+-]*', re.DOTALL)
_NOT_A_NUMBER = re.compile(r"-?(?:nan|inf(?:inity)?)\b", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")


class ParseFault(Exception):
    """Why the bytes are not one JSON object.

    ``rule`` is an id of ``validation/rules.py``, ``names`` fill its message, ``line`` and ``column`` (from 1, in
    characters) say where in the bytes. Nothing of the content is quoted.
    """

    def __init__(self, rule: str, line: int, column: int, **names: str | int) -> None:
        super().__init__(rule)
        self.rule = rule
        self.line = line
        self.column = column
        self.names: dict[str, str | int] = names


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data`` (UTF-8, RFC 8259); a byte order mark in front is passed over.

    Raises ParseFault for what is not JSON, not UTF-8, nothing at all, no object, XML, deeper than the parser goes
    (1024), or holds a number that no double holds (NaN, 1e400).
    """
    try:
        value = _loads(data)
    except ValueError as error:
        if data.startswith(_BYTE_ORDER_MARK):
            return parse(data[len(_BYTE_ORDER_MARK) :])
        raise _fault(data, error) from None
    if type(value) is not dict:
        raise ParseFault("json-not-object", *position(data, len(data) - len(data.lstrip())), found=_kind(value))
    return value


def colons(data: bytes) -> int:
    """How many colons stand in JSON, each name's and those inside strings; -1 where escapes may hide some.

    What a parser keeps of a record has fewer, written out again, if and only if a name stood twice in an object.
    """
    if b"\\" in data and b"\\u003" in data:
        return -1
    return data.count(b":")


def colons_within(value: Any) -> int:
    """How many colons a value has, written out as JSON."""
    return _dumps(value).count(b":")


def written(value: Any) -> bytes | None:
    """A value as JSON; None where it cannot be written out."""
    try:
        return _dumps(value)
    except (TypeError, ValueError, RecursionError):
        return None


def repeated_names(data: bytes, value: Any) -> list[tuple[str | int, ...]]:
    """The paths (names and indexes from the root) of the names that stand more than once in one object.

    ``value`` is what ``parse`` gave for ``data``: of repeated names the last. Only what it kept is looked into.
    """
    try:
        if colons_within(value) == colons(data):
            return []
        pairs = json.loads(data.removeprefix(_BYTE_ORDER_MARK), object_pairs_hook=_Pairs)
        return list(_repeated(pairs, ()))
    except (TypeError, RecursionError):  # deeper than any record may be, which check_depth finds
        return []


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with everything that stands in it."""


def _repeated(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, _Pairs):
        kept: dict[str, Any] = dict(value)
        if len(kept) < len(value):
            counted = Counter(name for name, _ in value)
            yield from ((*path, name) for name, count in counted.items() if count > 1)
        for name, content in kept.items():
            if type(content) in (_Pairs, list):
                yield from _repeated(content, (*path, name))
    elif isinstance(value, list):
        for index, content in enumerate(value):
            if type(content) in (_Pairs, list):
                yield from _repeated(content, (*path, index))


def check_depth(data: bytes, value: Any = None) -> None:
    """Raises ParseFault when objects and arrays stand more than ``LEVELS`` deep inside one another.

    Apart from ``parse`` because it costs more than the parse: ask before walking through a record, which may run out of
    stack. With ``value``, what ``parse`` gave for ``data``, it is quicker.
    """
    if data.count(b"{") + data.count(b"[") <= LEVELS:  # of most records
        return
    if value is not None and not is_too_deep(value):
        return
    if (too_deep := _first_too_deep(data)) is not None:
        raise ParseFault("json-depth", *position(data, too_deep), limit=LEVELS)


def is_too_deep(value: Any) -> bool:
    """Whether objects and arrays stand more than ``LEVELS`` deep inside one another in parsed JSON."""
    try:  # each level is indented by two
        if _TOO_FAR_IN not in _dumps(value, indented=True):
            return False
    except (TypeError, ValueError, RecursionError):  # deeper than can be written, or no JSON
        pass
    level = [value]
    for _ in range(LEVELS):
        level = [
            each
            for node in level
            for each in (node.values() if type(node) is dict else node)
            if type(each) is dict or type(each) is list
        ]
        if not level:
            return False
    return True


def position(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column, counted from 1 and in characters, of a byte offset."""
    line_start = data.rfind(b"\n", 0, offset) + 1
    return data.count(b"\n", 0, offset) + 1, len(data[line_start:offset].decode(errors="replace")) + 1


def _first_too_deep(data: bytes) -> int | None:
    """The offset of the first bracket that opens a level beyond the limit."""
    depth = offset = 0
    while found := TO_BRACKET.match(data, offset):
        offset = found.end()
        if data[offset - 1] in b"[{":
            depth += 1
            if depth > LEVELS:
                return offset - 1
        else:
            depth -= 1
    return None


def _fault(data: bytes, error: ValueError) -> ParseFault:
    start = len(data) - len(data.lstrip())
    if start == len(data):
        return ParseFault("json-empty", 1, 1)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:  # UTF-16 or UTF-32
        return ParseFault("json-encoding", 1, 1)
    if data.startswith(b"<", start):
        return ParseFault("input-xml", *position(data, start))
    if (too_deep := _first_too_deep(data)) is not None:
        return ParseFault("json-depth", *position(data, too_deep), limit=LEVELS)
    try:
        text = data.decode()
    except UnicodeDecodeError as undecodable:
        if undecodable.reason == "unexpected end of data" and undecodable.end == len(data):
            return ParseFault("json-syntax", *position(data, undecodable.start), problem=_CUT_OFF)
        return ParseFault("json-encoding", *position(data, undecodable.start))
    return _syntax_fault(text, error)


_CUT_OFF = "the text ends in the middle"


def _syntax_fault(text: str, error: ValueError) -> ParseFault:
    offset = error.pos if isinstance(error, json.JSONDecodeError) else 0
    line_start = text.rfind("\n", 0, offset) + 1
    line, column = text.count("\n", 0, offset) + 1, offset - line_start + 1
    if offset >= len(text.rstrip()):
        return ParseFault("json-syntax", line, column, problem=_CUT_OFF)
    if _NOT_A_NUMBER.match(text, offset):
        return ParseFault("json-number", line, column, problem="NaN or Infinity")
    if (number := _NUMBER.match(text, offset)) and float(number[0]) in (float("inf"), float("-inf")):
        return ParseFault("json-number", line, column, problem="Larger than a double can hold")
    return ParseFault("json-syntax", line, column, problem=_problem(text, offset))


def _problem(text: str, offset: int) -> str:
    space = len(text) - len(text.lstrip())
    try:
        end = json.JSONDecoder().raw_decode(text, space)[1]
    except (ValueError, RecursionError):
        end = len(text)
    if end <= offset:
        return "more text after the end of the object"
    found = text[offset]
    if found == ",":
        return "a comma too many"
    if found in "]}":
        before = text[:offset].rstrip()[-1:]
        return "a comma too many" if before == "," else "a bracket where none may stand"
    if found == "'":
        return "single quotes instead of double ones"
    if found == "/":
        return "a comment"
    if found == "\\":
        return "half of a surrogate pair" if _HALF_PAIR.match(text, offset) else "an unknown escape"
    if found < " ":
        return "a control character inside a string"
    return "an unexpected character"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {list: "an array", str: "a string", bool: "a boolean"}
    return kinds.get(type(value), "a number")


def _loads_with_json(data: bytes) -> Any:
    """What ``orjson.loads`` does, by the standard library: as strict, slower.

    Raises ValueError, a JSONDecodeError with the offset wherever one is known.
    """
    if data.startswith(_BYTE_ORDER_MARK):
        raise ValueError("byte order mark")
    text = data.decode()

    def refuse(_constant: str) -> float:
        raise OverflowError

    def finite(literal: str) -> float:
        number = float(literal)
        if number in (float("inf"), float("-inf")):
            raise OverflowError
        return number

    try:
        value = json.loads(text, parse_constant=refuse, parse_float=finite)
    except RecursionError:
        raise ValueError("too deep") from None
    except OverflowError:
        for token in _STRING_OR_NUMBER.finditer(text):
            if token[0][0] != '"' and (token[0][-1].isalpha() or abs(float(token[0])) == float("inf")):
                raise json.JSONDecodeError("no double", text, token.start()) from None
        raise ValueError("no double") from None
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            half = _HALF_PAIR.search(text)
            raise json.JSONDecodeError("half of a surrogate pair", text, half.start() if half else 0) from None
    return value
