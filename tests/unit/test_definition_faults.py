"""Faults of definitions beside what else is known: each case has the very findings that it should."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.validator import Validator
from tests.base_records import BaseCase
from tests.definition_fault_cases import DEFINITION_FAULT_CASES
from tests.given_definition_cases import GIVEN, GIVEN_DEFINITION_CASES
from tests.search_cases import SEARCH_CASES
from tests.structure_map_cases import STRUCTURE_MAP_CASES

CASES = (*DEFINITION_FAULT_CASES, *SEARCH_CASES, *STRUCTURE_MAP_CASES)
VALIDATOR = Validator()
WITH_GIVEN = Validator(bundled().with_resources(GIVEN))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_findings_are_those_expected(case: BaseCase) -> None:
    found = VALIDATOR.check(case.resource)
    assert tuple((issue.rule, issue.expression) for issue in found if issue.severity == "error") == case.findings


@pytest.mark.parametrize("case", GIVEN_DEFINITION_CASES, ids=lambda case: case.name)
def test_the_findings_beside_what_was_given_are_those_expected(case: BaseCase) -> None:
    found = WITH_GIVEN.check(case.resource)
    assert tuple((issue.rule, issue.expression) for issue in found if issue.severity == "error") == case.findings


def test_the_cases_have_names_of_their_own() -> None:
    names = [case.name for case in (*CASES, *GIVEN_DEFINITION_CASES)]
    assert len(set(names)) == len(names)


ODD_VALUES: tuple[Any, ...] = ([], {}, None, 7, "x", [None], [[1]], {"a": 1}, [{}], True, "|", "#x", "")
PLAIN = {
    case.resource["resourceType"]: case.resource for case in (*CASES, *GIVEN_DEFINITION_CASES) if not case.findings
}


def changed(node: Any) -> Iterator[Any]:
    """The value with each of its parts replaced by each odd value."""
    parts = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for step, part in list(parts):
        if step == "resourceType":
            continue
        for new in (*ODD_VALUES, *changed(part)):
            whole = copy.copy(node)
            whole[step] = new
            yield whole


@pytest.mark.parametrize("resource_type", sorted(PLAIN))
def test_definitions_of_any_shape_are_judged(resource_type: str) -> None:
    assert all(isinstance(WITH_GIVEN.check(each), list) for each in list(changed(PLAIN[resource_type]))[::3])


@pytest.mark.parametrize("given", GIVEN[1:], ids=lambda given: given["url"])
def test_what_was_given_may_have_any_shape(given: dict[str, Any]) -> None:
    """As a DefinitionError, or not at all, such a definition is known: never as an error in a program."""
    asking = [case.resource for case in GIVEN_DEFINITION_CASES if given["url"] in str(case.resource)][:2]
    rest = [each for each in GIVEN if each is not given]
    for each in [each for each in changed(given) if isinstance(each.get("version", ""), str)][::29]:
        validator = Validator(bundled().with_resources([*rest, each]))
        for resource in asking:
            with contextlib.suppress(DefinitionError):
                assert isinstance(validator.check(resource), list)
