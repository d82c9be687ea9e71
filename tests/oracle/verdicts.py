"""Which of the validator's issues are objections, and which only say that something could not be checked offline."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fhir_keta.questionnaires.enablement import ItemState
from fhir_keta.validation.issue import Issue
from tests.oracle.oracle import NO_NARRATIVE, OracleIssue

# What the validator cannot know without a terminology server, and two pieces of advice that do not fit.
_UNCHECKED = {
    "UNKNOWN_CODESYSTEM",  # UCUM, m49 and languages are not in the R4 definitions
    "Error_validating_code_running_without_terminology_services",  # LOINC, SNOMED CT, UCUM
    "TYPE_SPECIFIC_CHECKS_DT_QTY_UCUM_ANNOTATIONS_NO_UNIT",  # "{score}" is what instruments use
    NO_NARRATIVE,  # narratives are made when definitions are uploaded, records need none
}
_UNCHECKED_TEXTS = (
    "A definition for CodeSystem 'urn:ietf:bcp:47' could not be found",
    "A definition for CodeSystem 'http://unitsofmeasure.org' could not be found",
    "The code provided (http://unitsofmeasure.org#",
    "The value set references CodeSystem 'http://snomed.info/sct' which has status 'not-present'",
)


def objections(issues: Iterable[OracleIssue]) -> list[str]:
    """The errors, and the warnings that the validator could give reasons for, as text."""
    return [str(issue) for issue in issues if issue.is_error or _is_founded(issue)]


def _is_founded(issue: OracleIssue) -> bool:
    unchecked = issue.message_id in _UNCHECKED or issue.message.startswith(_UNCHECKED_TEXTS)
    return issue.severity == "warning" and not unchecked


def broke_down(issues: Iterable[OracleIssue]) -> bool:
    """Whether the validator gave up on codes that it cannot look up offline, which it says in a warning."""
    return any(issue.message_id.startswith("Terminology_TX_Error") for issue in issues)


# what the validator says of a disabled item that is there without answers: R4 requires nothing of it
# (http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.required)
_REQUIRES = re.compile("required item|MIN_OCCURS|GROUP_REQUIRED")


def judged_responses(
    states: Iterable[ItemState], ours: list[Issue], theirs: list[OracleIssue]
) -> tuple[list[Issue], list[OracleIssue]]:
    """The errors on a response, without those that only one side gives for reasons known (see the two functions)."""
    states = list(states)
    if not ours:
        disabled = {without_answers(state.expression) for state in states if state.enabled is False}
        theirs = [error for error in theirs if not _requires_of_disabled(error, disabled)]
    if not theirs:
        choices = {state.expression for state in states if state.item.answer_value_set}
        ours = [issue for issue in ours if not _other_than_coding(issue, choices)]
    return ours, theirs


def _requires_of_disabled(error: OracleIssue, disabled: set[str]) -> bool:
    required = _REQUIRES.search(f"{error.message_id} {error.message}")
    return required is not None and without_answers(error.expression) in disabled


def _other_than_coding(issue: Issue, choices: set[str]) -> bool:
    """An answer of another type to a choice with a value set, which the validator lets pass (case value-set-text)."""
    return issue.rule == "response-answer-type" and issue.expression.rpartition(".answer[")[0] in choices


def without_answers(expression: str) -> str:
    """The validator leaves the answers out of the paths of items under them."""
    return re.sub(r"\.answer\[\d+\]", "", expression)
