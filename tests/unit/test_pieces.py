"""The memory of accepted pieces never changes a verdict: with it and without it, in any order, the findings agree."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.validation.accepted import items as accepted_items
from fhir_keta.validation.accepted import layouts, pieces
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.validator import Validator
from tests.base_cases import BASE_CASES
from tests.invalid import cases

EXPORT = Path(__file__).resolve().parents[2] / "examples" / "export"

JsonObject = dict[str, Any]

# what may stand where a date, an id, a number or a text stood, and mostly may not
ODD_TEXT = (
    *('""', '" "', '"#x"', '"Patient/1"', '"Group/1"', '"Patient/"', '"x y"', '"\\u0000"', '"\\ud800"', '"a\\"b"'),
    *('"2026-02-30"', '"2026-02-29"', '"2024-02-29"', '"2026"', '"2026-13-01"', '"2026-01-01T24:00:00Z"'),
    *('"2026-01-01T10:00:00"', '"2026-01-01T10:00:00.5Z"', '"2026-12-31T23:59:60Z"', '"9999-12-31T10:00:00+14:01"'),
    *('"2026-01-01T10:00:00+02:00"', '"2026-09-07T09:30:00+02:00"', '"1900-01-01T00:00:00Z"', f'"{"x" * 65}"'),
    *("0", "01", "-0", "6.0", "1e2", "1e400", "-1", "11", "2147483648", "0.1234567", "true", "null", "{}", "[]", "NaN"),
    *('"\x07"', '"ü"', '"\u2028"', '"\\/"', '"\\x"', '"a", "b"', '"a","b":"c"', '"a,"', '"0000-01-01"'),
)


def valid() -> list[bytes]:
    return [line for file in sorted(EXPORT.glob("*.ndjson")) for line in file.read_bytes().splitlines()[:60]]


def faulty() -> list[bytes]:
    records = [*(case.resource for case in BASE_CASES), *(case.resource for case in cases())]
    return [written(record) for record in records]


def written(record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def mutants(seed: int) -> Iterator[bytes]:
    """Valid records with one value replaced, removed or doubled anywhere: most are wrong, some are not."""
    chance = random.Random(seed)
    for line in valid():
        record = json.loads(line)
        for _ in range(2):
            places = list(_places(record))
            holder, key = chance.choice(places)
            match chance.randrange(5):
                case 0:
                    holder[key] = chance.choice([None, "", " ", 6.0, 1, True, {}, [], "2026-02-30", "#x", {"a": 1}])
                case 1 if isinstance(holder, dict):
                    del holder[key]
                case 2 if isinstance(holder, list):
                    holder.append(holder[key])
                case 3:
                    other, name = chance.choice(places)
                    holder[key] = json.loads(json.dumps(other[name]))
                case _ if isinstance(holder, dict):
                    holder[f"{key}x"] = holder[key]
            yield chance.choice([written, lambda each: json.dumps(each).encode()])(record)
            record = json.loads(line)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


def rewritten(seed: int) -> Iterator[bytes]:
    """Valid records with the text of one leaf exchanged, whatever that makes of the JSON."""
    chance = random.Random(seed)
    for line in valid():
        record = json.loads(line)
        leaves = [(holder, key) for holder, key in _places(record) if not _inner(holder[key])]
        for holder, key in chance.sample(leaves, min(6, len(leaves))):
            before, holder[key] = holder[key], "@@"
            yield written(record).replace(b'"@@"', chance.choice(ODD_TEXT).encode())
            holder[key] = before


def _inner(value: Any) -> bool:
    return isinstance(value, dict | list)


def recombined(seed: int) -> Iterator[bytes]:
    """Root elements of one record in another, items of one response in another, elements left out or in other order."""
    chance = random.Random(seed)
    by_type: dict[str, list[JsonObject]] = {}
    for line in valid():
        by_type.setdefault(json.loads(line)["resourceType"], []).append(json.loads(line))
    for records in by_type.values():
        for record in records:
            for _ in range(3):
                other = chance.choice(records)
                made = dict(record)
                match chance.randrange(4):
                    case 0:
                        for name in chance.sample(list(other), min(2, len(other))):
                            made[name] = other[name]
                    case 1:
                        del made[chance.choice(list(made))]
                    case 2:
                        made = dict(chance.sample(list(made.items()), len(made)))
                    case _:
                        made["item"] = _exchanged(record.get("item", []), other.get("item", []), chance)
                        made = made if made["item"] else dict(record)
                yield written(made)


def _exchanged(items: list[JsonObject], others: list[JsonObject], chance: random.Random) -> list[JsonObject]:
    found = json.loads(json.dumps(items))
    holders = [holder for holder, key in _places(found) if key == "linkId"]
    sources = [holder for holder, key in _places(others) if key == "linkId"]
    if holders and sources:
        here, there = chance.choice(holders), chance.choice(sources)
        by_link_id = {source["linkId"]: source for source in sources}
        source = by_link_id.get(here["linkId"], there) if chance.random() < 0.7 else there
        if chance.random() < 0.3:
            here.pop("answer", None)
        else:
            here.update(json.loads(json.dumps(source)))
    return found


@pytest.fixture(scope="module")
def full() -> Validator:
    """Checks everything, remembers nothing."""
    return without_memory(Validator())


def without_memory(validator: Validator) -> Validator:
    validator._accepted.accepts = lambda data: False  # type: ignore[method-assign]
    return validator


def taught() -> Validator:
    validator = Validator()
    for line in valid():
        assert validator.check(line) == []
        assert validator.check(json.dumps(json.loads(line), ensure_ascii=False).encode()) == []
    return validator


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("made", [mutants, rewritten, recombined])
def test_findings_are_the_same_with_and_without_memory(made: Any, seed: int, full: Validator) -> None:
    records = [*valid(), *faulty(), *made(seed)]
    random.Random(seed).shuffle(records)
    remembering = taught()
    verdicts: list[bool] = []
    for record in records:
        found = full.check(record)
        verdicts.append(bool(found))
        assert remembering.check(record) == found, record
        assert found or remembering.check(record) == []
    assert 0.1 < sum(verdicts) / len(verdicts) < 0.95


def test_most_valid_records_are_accepted_from_memory() -> None:
    """Else the memory would be there for nothing."""
    remembering = taught()
    accepted = [line for line in valid() if remembering._accepted.accepts(line)]
    assert len(accepted) == len(valid())


def accepted(records: list[str], then: str) -> bool:
    """Whether a record is accepted from the memory of valid ones."""
    validator = Validator()
    for record in records:
        assert validator.check(record.encode()) == []
    return validator._accepted.accepts(then.encode())


PATIENT = '{"resourceType":"Patient","id":"a","gender":"female","birthDate":"1980-05-05"}'
WITHOUT_BIRTH_DATE = PATIENT.replace(',"birthDate":"1980-05-05"', "")
ENCOUNTER = (
    '{"resourceType":"Encounter","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode",'
    '"code":"AMB"},"period":{"start":"2026-01-01T10:00:00Z","end":"2026-01-01T11:00:00Z"}}'
)


@pytest.mark.parametrize(
    ("records", "then"),
    [
        ([PATIENT], PATIENT.replace('"a"', '"b"').replace("1980-05-05", "2000-02-28")),
        ([PATIENT], '{"id":"c","birthDate":"1980-05-06","resourceType":"Patient","gender":"female"}'),
        ([PATIENT.replace('":', '": ').replace(',"', ', "')], PATIENT.replace('":', '": ').replace(',"', ', "')),
        ([PATIENT, WITHOUT_BIRTH_DATE.replace("female", "male")], PATIENT.replace("female", "male")),
        ([ENCOUNTER], ENCOUNTER.replace("11:00:00Z", "10:00:00Z")),
    ],
)
def test_values_and_pieces_vary(records: list[str], then: str) -> None:
    assert accepted(records, then)
    assert Validator().check(then.encode()) == []


@pytest.mark.parametrize(
    ("records", "then"),
    [
        ([PATIENT], PATIENT.replace("1980-05-05", "1980-02-30")),
        ([PATIENT], PATIENT.replace('"a"', f'"{"a" * 65}"')),
        ([PATIENT], PATIENT.replace("female", "woman")),
        ([PATIENT], PATIENT.replace("1980-05-05", "1980")),
        ([PATIENT], PATIENT[:-1]),
        ([PATIENT], PATIENT + "}"),
        ([PATIENT], PATIENT.replace('"gender"', '"id":"b","gender"')),
        ([PATIENT], PATIENT.replace(',"gender":"female"', '","gender":"female"')),
        ([ENCOUNTER], ENCOUNTER.replace("11:00:00Z", "09:00:00Z")),
        ([ENCOUNTER], ENCOUNTER.replace("11:00:00Z", "11:00:00+05:00")),
    ],
)
def test_what_is_not_surely_good_is_left_to_the_full_check(records: list[str], then: str) -> None:
    assert not accepted(records, then)


def test_bytes_that_are_no_utf_8_are_not_accepted() -> None:
    validator = Validator()
    record = b'{"resourceType":"Observation","status":"final","code":{"text":"a text"},"valueString":"x"}'
    assert validator.check(record) == []
    assert validator._accepted.accepts(record.replace(b'"x"', "ü".encode().join([b'"', b'"'])))
    for odd in (b'"\xff"', b'"\xed\xa0\x80"', b'"\xc3"'):
        assert not validator._accepted.accepts(record.replace(b'"x"', odd))
        assert [issue.rule for issue in validator.check(record.replace(b'"x"', odd))] == ["json-encoding"]


CONTAINING = (
    '{"resourceType":"Patient","id":"a","contained":[{"resourceType":"Organization","id":"o","name":"O"}],'
    '"managingOrganization":{"reference":"#o"}}'
)


@pytest.mark.parametrize("name", ["a", "b", "o"])
def test_what_is_contained_is_remembered_with_what_refers_to_it(name: str) -> None:
    then = CONTAINING.replace('"id":"a"', f'"id":"{name}"')
    assert accepted([CONTAINING], then)
    assert Validator().check(then.encode()) == []
    for odd in (then.replace('"#o"', '"#p"'), then.replace('"id":"o"', '"id":"p"'), then.replace('"#o"', '"#a"')):
        assert not accepted([CONTAINING], odd)


def test_records_with_warnings_are_not_learnt() -> None:
    validator = Validator()
    record = b'{"resourceType":"Patient","meta":{"profile":["https://example.org/unknown"]},"active":true}'
    found = validator.check(record)
    assert [issue.severity for issue in found] == ["warning"]
    assert validator.check(record) == found


def test_combinations_and_items_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_REMEMBERED", 5)
    monkeypatch.setattr(accepted_items, "_REMEMBERED", 5)
    validator = Validator()
    for line in valid() * 2:
        assert validator.check(line) == []
    memory = validator._accepted
    items = [kind.items for kind in memory._kinds.values() if kind.items]
    assert sum(len(each.known) for each in memory._layouts._by_places.values()) <= 5
    assert items
    assert all(len(each._sequences) <= 6 for each in items)


def test_many_distinct_texts_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_REMEMBERED", 20_000)
    validator = Validator()
    largest = 0
    for number in range(200):
        validator.check(b'{"resourceType":"Patient","language":"en","implicitRules":"https://example.org/%d"}' % number)
        largest = max(largest, validator._accepted._tree.size)
    assert 15_000 < largest < 25_000


def test_findings_are_issues(full: Validator) -> None:
    assert all(isinstance(issue, Issue) for record in faulty() for issue in full.check(record))


def test_what_one_element_says_of_another_is_not_forgotten() -> None:
    """A link leads to the id of one record, not of the next; an identifier that is a URI stays one."""
    div = '<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><a href=\\"#q\\">x</a></div>'
    linked = '{"resourceType":"Patient","id":"%s","text":{"status":"generated","div":"' + div + '"}}'
    identified = '{"resourceType":"Patient","identifier":[{"system":"urn:ietf:rfc:3986","value":"%s"}]}'
    named = '{"resourceType":"ActivityDefinition","id":"%s","status":"active","library":["#q"]}'
    validator = Validator()
    for text, good, bad in ((linked, "q", "r"), (named, "q", "r"), (identified, "urn:x:y", "y")):
        for _ in range(3):
            assert validator.check((text % good).encode()) == []
        assert validator.check((text % bad).encode()) != []


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\t", "  ", " \n\t "])
@pytest.mark.parametrize("mark", ["{", "}", "[", "]", ",", ":"])
@pytest.mark.parametrize("behind", [True, False])
def test_white_space_anywhere_inside(blank: str, mark: str, behind: bool) -> None:
    """JSON allows it between any two tokens (RFC 8259, 2), also where a record is otherwise on one line."""
    compact = '{"resourceType":"Patient","name":[{"text":"a","given":["b","c"]},{"text":"d"}],"active":true}'
    validator = Validator()
    start = compact.index("[")
    for place in (place for place in range(start, len(compact)) if compact[place] == mark):
        at = place + behind
        text = compact[:at] + blank + compact[at:]
        for data in (text, text, text.replace('"a"', '"another"')):
            assert validator.check(data.encode()) == []
        wrong = text.replace('"given"', '"givn"').encode()
        assert [issue.rule for issue in validator.check(wrong)] == ["element-unknown"]
