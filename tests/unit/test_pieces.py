"""The memory of accepted pieces never changes a verdict: with it and without it, in any order, the findings agree."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.validation import pieces
from fhir_keta.validation.validator import Validator
from tests.base_cases import BASE_CASES
from tests.invalid import cases

EXPORT = Path(__file__).resolve().parents[2] / "examples" / "export"

pytestmark = pytest.mark.skipif(not pieces.AVAILABLE, reason="without orjson there is no such memory")


def valid() -> list[bytes]:
    return [line for file in sorted(EXPORT.glob("*.ndjson")) for line in file.read_bytes().splitlines()[:30]]


def faulty() -> list[bytes]:
    records = [*(case.resource for case in BASE_CASES), *(case.resource for case in cases())]
    return [json.dumps(record).encode() for record in records]


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
            yield json.dumps(record).encode()
            record = json.loads(line)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


@pytest.fixture(autouse=True)
def from_the_first_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "WORTH_BUILDING", 0)


def test_few_records_do_not_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "WORTH_BUILDING", 2)
    validator = Validator()
    records = [b'{"resourceType": "Patient", "id": "a%d"}' % number for number in range(4)]
    built = []
    for record in records:
        assert validator.check(record) == []
        built.append(validator._known("Patient").pieces._root is not None)
    assert built == [False, False, True, True]


@pytest.fixture(scope="module")
def full() -> Iterator[Validator]:
    """Checks everything, remembers nothing."""
    validator = Validator()
    validator._accepts = lambda _resource, _data: False  # type: ignore[method-assign]
    yield validator


@pytest.mark.parametrize("seed", [1, 2])
def test_findings_are_the_same_with_and_without_memory(seed: int, full: Validator) -> None:
    records = [*valid(), *faulty(), *mutants(seed)]
    random.Random(seed).shuffle(records)
    remembering = Validator()
    for record in [*valid()[:50], *records]:
        assert remembering.check(record) == full.check(record), record


def test_most_valid_records_are_accepted_from_memory(full: Validator) -> None:
    """Else the memory would be there for nothing."""
    remembering = Validator()
    for line in valid():
        remembering.check(line)
    alone = [line for line in valid() if "contained" not in json.loads(line)]
    assert all(remembering._accepts(json.loads(line), line) for line in alone)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_REMEMBERED", 5)
    validator = Validator()
    for number in range(50):
        assert validator.check({"resourceType": "Patient", "id": f"a{number}", "active": True}) == []
        assert validator.check(b'{"resourceType": "Patient", "id": "b%d", "active": true}' % number) == []
    memory = validator._known("Patient").pieces
    assert all(len(known) <= 5 for known in memory._known.values())
    assert len(memory._known_roots) <= 5
