"""Which of the validator's issues are objections, and which only say that something could not be checked offline."""

from __future__ import annotations

from collections.abc import Iterable

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
