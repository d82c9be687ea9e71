"""On every mutant: accepting and explaining agree, nothing breaks, and no message has a value of the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.accept import AcceptPath
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.validator import Validator
from tests.oracle.mutants import Mutant, Mutants, origins
from tests.unit.test_pieces import without_memory

SEED = 20261122
COUNT = 2000  # those that the oracle judges too
MUTANTS = Mutants(SEED)
LIBRARY = bundled().with_resources(MUTANTS.questionnaires)


@cache
def remembering() -> Validator:
    """Knows all that the mutants are made of."""
    made = Validator(LIBRARY)
    for _, resource in (origin for group in origins() for origin in group):
        made.check(json.dumps(resource).encode())
    return made


@cache
def full() -> Validator:
    """Checks everything, remembers nothing."""
    return without_memory(Validator(LIBRARY))


@cache
def known_texts() -> str:
    """All that definitions say: what a message may have from there is not of the record."""
    profiles = [profile["url"] for profile in LIBRARY.of_type("StructureDefinition")]
    return json.dumps(
        [*LIBRARY.of_type("Questionnaire"), *LIBRARY.of_type("CodeSystem"), *profiles], ensure_ascii=False
    )


def values(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from values(inner)


def explained(mutant: Mutant) -> list[Issue]:
    """What the full check finds, without any short cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AcceptPath, "is_clean", lambda *_: False)
        return full().check(mutant.data)


def hold(mutant: Mutant) -> None:
    found = explained(mutant)
    assert remembering().check(mutant.data) == found, mutant
    said = "\n".join(f"{issue.expression} {issue.message}" for issue in found)
    for value in set(values(mutant.record)):
        telling = " " in value.strip() or len(value) > 64
        if telling and value in said:
            assert value in known_texts(), f"{mutant}: {said}"
    assert "Qwerty" not in said, f"{mutant}: {said}"


@pytest.mark.parametrize("part", range(20))
def test_accepting_and_explaining_agree(part: int) -> None:
    for number in range(part, COUNT, 20):
        hold(MUTANTS.mutant(number))


@given(number=st.integers(COUNT, 10**9))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_they_agree_on_any_mutant(number: int) -> None:
    hold(MUTANTS.mutant(number))


def test_the_python_engine_gives_the_same_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_KETA_ENGINE", "python")
    slow = without_memory(Validator(LIBRARY))
    verdicts = set()
    for number in range(0, COUNT, 25):
        mutant = MUTANTS.mutant(number)
        verdict = bool(slow.check(mutant.data))
        verdicts.add(verdict)
        assert verdict is bool(explained(mutant)), mutant
    assert verdicts == {True, False}


def test_a_mutant_is_made_from_its_seed_and_number() -> None:
    assert [Mutants(7).mutant(number) for number in range(60)] == list(Mutants(7).mutants(60))
    assert {str(mutant) for mutant in Mutants(8).mutants(60)} != {str(mutant) for mutant in Mutants(7).mutants(60)}
