"""Mutants of one seed: both validators agree on each but for the listed kinds, and each family of rules is met."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_keta import Validator
from tests.oracle.differences import ONLY_OURS, ONLY_THEIRS
from tests.oracle.fuzz import FAMILY_OF_RULES, Comparison, Run
from tests.oracle.mutants import Mutants, origins
from tests.oracle.oracle import Oracle

SEED = 20261122
COUNT = 2000
PARTS = 20  # so that a failure shows early, and with what else of its part


@pytest.fixture(scope="module")
def comparison(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return Comparison(Mutants(SEED), oracle, tmp_path_factory.mktemp("questionnaires"))


@pytest.fixture(scope="module")
def total() -> Iterator[Run]:
    yield Run()


@pytest.mark.parametrize("part", range(PARTS))
def test_both_agree_on_mutants(comparison: Comparison, total: Run, part: int) -> None:
    run = comparison.run(range(part, COUNT, PARTS))
    total.add(run)
    assert run.unknown == []


def test_the_quotas_are_met(total: Run) -> None:
    """Each family of rules refuses one mutant in a hundred at least; about three in ten are valid."""
    count = total.tried.total()
    if count < COUNT:
        pytest.skip("not all parts were run")
    assert {family for family in FAMILY_OF_RULES if total.refused[family] < count / 100} == set()
    assert 0.25 < total.valid / count < 0.42
    assert total.given_up < count / 50
    assert total.agreement > 0.9


def test_the_origins_are_valid(oracle: Oracle) -> None:
    validator = Validator()
    made = [(str(one["url"]), one) for one in Mutants(SEED).questionnaires]
    for name, resource in (origin for group in (*origins(), made) for origin in group):
        assert [issue for issue in validator.check(resource) if issue.severity in ("error", "fatal")] == [], name
        assert [str(issue) for issue in oracle.errors(resource)] == [], name


def test_the_listed_kinds_have_their_source() -> None:
    assert all(row.source.startswith("http") and row.why for row in (*ONLY_OURS, *ONLY_THEIRS))
