"""The grammar is RFC 8259's; places were counted by hand."""

import json

import pytest

from fhir_keta.records import parse as module
from fhir_keta.records.parse import LEVELS, ParseFault, check_depth, parse

FAULTS = [
    (b"", "json-empty", 1, 1),
    (b" \r\n\t", "json-empty", 1, 1),
    (b"[]", "json-not-object", 1, 1),
    (b"\n null", "json-not-object", 2, 2),
    (b'"text"', "json-not-object", 1, 1),
    (b"12", "json-not-object", 1, 1),
    (b"<Patient/>", "input-xml", 1, 1),
    (b'\n<?xml version="1.0"?><Patient/>', "input-xml", 2, 1),
    (b"\xef\xbb\xbf<Patient/>", "input-xml", 1, 1),
    (b'<Patient><name value="\xe9"/></Patient>', "input-xml", 1, 1),
    (b'{"a":"\xff"}', "json-encoding", 1, 7),
    (b'{"\xc3\xa9":\n "\xe9"}', "json-encoding", 2, 3),
    ('{"a":1}'.encode("utf-16"), "json-encoding", 1, 1),
    ('{"a":1}'.encode("utf-16-le"), "json-encoding", 1, 1),
    ('{"a":1}'.encode("utf-32-be"), "json-encoding", 1, 1),
    (b'{"a":NaN}', "json-number", 1, 6),
    (b'{"a":\n [1, Infinity]}', "json-number", 2, 6),
    (b'{"a":1e400}', "json-number", 1, 6),
    (b'{"a":"NaN 1e400","b":-1e400}', "json-number", 1, 22),
    (b"[" * 100_000, "json-depth", 1, LEVELS + 1),
    (b'{"a":1', "json-syntax", 1, 7),
    (b'{"a":"\xc3', "json-syntax", 1, 7),
    (b"{'a':1}", "json-syntax", 1, 2),
    (b'{"a":1}\n{', "json-syntax", 2, 1),
    (b'{"a":1} x', "json-syntax", 1, 9),
    (b'{"a":"\\ud800"}', "json-syntax", 1, 7),
    (b'{"a":"\\udc00"}', "json-syntax", 1, 7),
    (b'{"a":"line\nbreak"}', "json-syntax", 1, 11),
    (b"not JSON at all", "json-syntax", 1, 1),
    (b"{infirmary: 1}", "json-syntax", 1, 2),
]


@pytest.mark.parametrize(("data", "rule", "line", "column"), FAULTS)
def test_fault(data: bytes, rule: str, line: int, column: int) -> None:
    with pytest.raises(ParseFault) as caught:
        parse(data)
    assert (caught.value.rule, caught.value.line, caught.value.column) == (rule, line, column)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a":1', "the text ends in the middle"),
        (b'{"a":{"b":[1,2', "the text ends in the middle"),
        (b'{"a":[1,]}', "a comma too many"),
        (b'{"a":1,,"b":2}', "a comma too many"),
        (b'{"a":[}', "a bracket where none may stand"),
        (b"{'a':1}", "single quotes instead of double ones"),
        (b'{"a":1, // why\n"b":2}', "a comment"),
        (b'{"a":1}{"a":2}', "more text after the end of the object"),
        (b'{"a":"\\ud83dx"}', "half of a surrogate pair"),
        (b'{"a":"\\x41"}', "an unknown escape"),
        (b'{"a":"\x01"}', "a control character inside a string"),
        (b'{"a" 1}', "an unexpected character"),
    ],
)
def test_problem_in_words(data: bytes, problem: str) -> None:
    with pytest.raises(ParseFault) as caught:
        parse(data)
    assert caught.value.names == {"problem": problem}


VALID = [
    b'{"a":1}',
    b'\xef\xbb\xbf{"a":1}',
    b'\r\n {"a":\r\n"\xc3\xa9 \\ud83d\\ude00 \\\\ud800",\t"b":[-1.5e-3,null,true]}\r\n',
    b'{"text":"NaN Infinity 1e400 <xml/> [[[[{{{{"}',
    b'{"a":1e308,"b":1e-400}',
]


@pytest.mark.parametrize("data", VALID)
def test_valid(data: bytes) -> None:
    assert parse(data) == json.loads(data)


def test_the_standard_library_gives_the_same_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where orjson cannot be installed (PyPy, Pyodide)."""
    monkeypatch.setattr(module, "_loads", module._loads_with_json)
    for data, rule, _line, _column in FAULTS:
        with pytest.raises(ParseFault) as caught:
            parse(data)
        assert caught.value.rule == rule, data
    for data in VALID:
        assert parse(data) == json.loads(data)


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_depth() -> None:
    check_depth(nested(LEVELS))
    check_depth(b'{"a":"' + b"[" * 200 + b'"}')
    check_depth(nested(LEVELS), parse(nested(LEVELS)))
    empty = nested(LEVELS).replace(b"1", b"[]")
    for data, column in ((nested(LEVELS + 1), 5 * LEVELS + 1), (nested(100), 5 * LEVELS + 1), (empty, 5 * LEVELS + 1)):
        for value in (None, parse(data)):
            with pytest.raises(ParseFault) as caught:
                check_depth(data, value)
            assert (caught.value.rule, caught.value.column) == ("json-depth", column)
    with pytest.raises(ParseFault, match="json-depth"):
        parse(nested(5000))
