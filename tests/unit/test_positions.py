"""Lines and columns were counted by hand in the texts below (an editor shows the same)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_keta.records.parse import position
from fhir_keta.records.positions import locate, locate_all

OBSERVATION = b"""\
{
  "resourceType": "Observation",
  "status": "final",
  "code": { "text": "\xc3\xa9\xc3\xa9", "coding": [] },
  "valueQuantity": {
    "value": 6.5,
    "unit": "score"
  },
  "component": [
    { "code": { "text": "a }] \\" {[" } },
    { "code": { "text": "b" }, "valueString": "x" }
  ],
  "foo" : true
}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Observation", (1, 1)),
        ("Observation.status", (3, 13)),
        ("Observation.code.coding", (4, 37)),  # in characters: the bytes of the two letters before are four
        ("Observation.value.ofType(Quantity)", (5, 20)),
        ("Observation.value.ofType(Quantity).unit", (7, 13)),
        ("Observation.value.ofType(FHIR.Quantity).unit", (7, 13)),
        ("Observation.value", (5, 20)),
        ("Observation.value.unit", (7, 13)),
        ("Observation.component", (9, 16)),
        ("Observation.component[0]", (10, 5)),
        ("Observation.component[1]", (11, 5)),
        ("Observation.component[1].code.text", (11, 25)),
        ("Observation.component[1].value.ofType(string)", (11, 47)),
        ("Observation.foo", (13, 11)),
    ],
)
def test_value_in_a_pretty_printed_file(expression: str, expected: tuple[int, int]) -> None:
    assert locate(OBSERVATION, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Observation.foo", (13, 3)),
        ("Observation.component[1].value.ofType(string)", (11, 32)),
        ("Observation.component[1]", (11, 5)),  # an array's element has no name
        ("Observation.component[1].bar", (11, 5)),  # what is not there: its parent's value
    ],
)
def test_name_of_an_element(expression: str, expected: tuple[int, int]) -> None:
    assert locate(OBSERVATION, expression, of_name=True) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Observation.subject", (1, 1)),
        ("Observation.code.text.extension[0].url", (4, 21)),
        ("Observation.component[7].code", (9, 16)),
        ("Observation.component[0].value.ofType(Quantity)", (10, 5)),
        ("Observation.component.code", (9, 16)),
        ("Observation.component.where(code.exists()).code", (9, 16)),
        ("Observation.status[0]", (3, 13)),
    ],
)
def test_nearest_parent_of_what_is_not_there(expression: str, expected: tuple[int, int]) -> None:
    assert locate(OBSERVATION, expression) == expected


BUNDLE = (
    b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"a"}},'
    b'{"resource":{"resourceType":"Observation","code":{"text":"x"},"extension":[{"url":"u"}],"contained":[{"id":"c"}]}}]}'
)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("Bundle.entry[1].resource", b'{"resourceType":"Observation"'),
        ("Bundle.entry[1].resource.code", b'{"text":"x"}'),
        ("Bundle.entry[1].resource.ofType(Observation).code.text", b'"x"'),
        ("Bundle.entry[1].resource.extension[0].url", b'"u"'),
        ("Bundle.entry[1].resource.contained[0].id", b'"c"'),
        ("Bundle.entry[0].resource.id", b'"a"'),
    ],
)
def test_inside_a_bundle_on_one_line(expression: str, text: bytes) -> None:
    assert BUNDLE.count(text) == 1
    assert locate(BUNDLE, expression) == (1, BUNDLE.index(text) + 1)


PATIENT = b"""\
{ "resourceType": "Patient",
  "_birthDate": { "extension": [ { "url": "a" } ] },
  "_gender": { "id": "g" },
  "gender": "female",
  "name": [ {
    "given": [ "A", null ],
    "_given": [ null, { "extension": [ { "url": "b" } ] } ] } ],
  "_active": null, "active": true
}"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Patient.birthDate", (2, 17)),
        ("Patient.birthDate.extension[0].url", (2, 43)),
        ("Patient._birthDate", (2, 17)),
        ("Patient.gender", (4, 13)),
        ("Patient.gender.id", (3, 22)),
        ("Patient.name[0].given[0]", (6, 16)),
        ("Patient.name[0].given[1]", (7, 23)),
        ("Patient.name[0].given[1].extension[0].url", (7, 49)),
        ("Patient.active", (8, 30)),
    ],
)
def test_primitives_with_a_sibling_for_their_extensions(expression: str, expected: tuple[int, int]) -> None:
    assert locate(PATIENT, expression) == expected


def test_names_are_read_as_json_and_as_fhirpath() -> None:
    data = b'{"resourceType":"X","st\\u0061tus":1,"a.b":{"c":2}}'
    assert locate(data, "X.status") == (1, data.index(b":1") + 2)
    assert locate(data, "X.`a.b`.c") == (1, data.index(b":2") + 2)


def test_the_last_of_two_same_names_counts_as_in_the_parsed_record() -> None:
    assert locate(b'{"a":1,"a":2}', "X.a") == (1, 12)


def test_text_cut_off_anywhere_still_has_a_place() -> None:
    for cut in range(1, len(OBSERVATION)):
        line, _column = locate(OBSERVATION[:cut], "Observation.component[1].value.ofType(string)") or (0, 0)
        assert 1 <= line <= 11


@pytest.mark.parametrize("data", [b"", b"  \n "])
def test_nothing_has_no_place(data: bytes) -> None:
    assert locate(data, "Observation.status") is None


def test_many_at_once_as_one_by_one() -> None:
    asked = [("Observation.component[1].code", False), ("Observation.foo", True), ("Observation.nothing[2].x", False)]
    assert locate_all(OBSERVATION, asked) == [(11, 15), (13, 3), (1, 1)]


NAMES = st.text('abcXY "\\{}[]:,\n\u00e9\U0001f600', min_size=1, max_size=4).filter(lambda name: "`" not in name)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inside: st.lists(inside, min_size=1, max_size=4) | st.dictionaries(NAMES, inside, min_size=1, max_size=4),
    max_leaves=20,
)


def paths(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, value
    if isinstance(value, dict):
        for name, below in value.items():
            yield from paths(below, f"{path}.`{name}`")
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from paths(below, f"{path}[{index}]")


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.sampled_from([None, 1]), st.booleans())
def test_what_stands_at_the_place_is_the_value(value: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    """Against the standard library: what it reads from the place found on is the value itself."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    asked = list(paths(value, "X"))
    for (path, expected), place in zip(
        asked, locate_all(text.encode(), [(path, False) for path, _ in asked]), strict=True
    ):
        assert place is not None, path
        line, column = place
        offset = sum(len(before) + 1 for before in text.split("\n")[: line - 1]) + column - 1
        assert json.JSONDecoder().raw_decode(text, offset)[0] == expected, path


@pytest.mark.parametrize("indent", [None, 1])
def test_many_places_in_one_record_are_found_in_one_pass(monkeypatch: pytest.MonkeyPatch, indent: int | None) -> None:
    """However many places are asked for, lines and columns are counted once over the bytes; each is right."""
    counted: list[int] = []

    def counting(data: bytes, offset: int) -> tuple[int, int]:
        counted.append(len(data))
        return position(data, offset)

    monkeypatch.setattr("fhir_keta.records.positions.position", counting)
    number = 500
    record = {"resourceType": "Patient", "name": [{"famíly": "é"}] * number}
    data = json.dumps(record, indent=indent, ensure_ascii=False).encode()
    asked = [(f"Patient.name[{index}].famíly", index % 2 == 0) for index in reversed(range(number))]
    found = locate_all(data, asked)
    assert len(counted) == number
    assert sum(counted) <= len(data)
    text = data.decode().split("\n")
    for (_, of_name), place in zip(asked, found, strict=True):
        assert place is not None
        assert text[place[0] - 1][place[1] - 1 :].startswith('"famíly"' if of_name else '"é"')
    assert len(set(found)) == number
