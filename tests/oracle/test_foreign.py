"""Error or no error on foreign profiles: HL7's verdict, but for those cases that say why it differs."""

from __future__ import annotations

import json

import pytest

from tests.foreign.case import ForeignCase
from tests.foreign.cases import DEFINITIONS, FOREIGN_CASES
from tests.oracle.oracle import Oracle


@pytest.fixture(scope="module")
def foreign(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    folder = tmp_path_factory.mktemp("foreign")
    for definition in DEFINITIONS:
        name = f"{definition['resourceType']}-{definition['id']}.json"
        (folder / name).write_text(json.dumps(definition))
    return oracle.with_definitions([folder])


def test_the_definitions_are_understood(foreign: Oracle) -> None:
    problems = [problem for problem in foreign.definition_problems() if "/resliced:" not in problem]
    assert problems == []


@pytest.mark.parametrize("case", FOREIGN_CASES, ids=lambda case: case.name)
def test_the_verdict_is_the_same(case: ForeignCase, foreign: Oracle) -> None:
    found = foreign.errors(case.resource)
    assert (bool(found) == bool(case.errors)) is not bool(case.differs), [str(each) for each in found]
