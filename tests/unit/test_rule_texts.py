"""Every rule has a text with an example: the Validator finds the rule in the wrong record, and nothing in the right."""

from __future__ import annotations

import pytest

from fhir_keta.validation.rule_texts import text_of, texts
from fhir_keta.validation.rules import RULES
from fhir_keta.validation.validator import Validator

VALIDATOR = Validator()
WITHOUT_RECORD = {
    "json-depth": "one such record would fill the screen",
    "findings-limit": "one such record would fill the screen",
    "input-gzip": "about a file",
    "input-unreadable": "about a file",
    "input-size": "about a file",
    "max-length": "no profile here has one",
    "string-length": "one such record would fill the screen",
    "slice-order": "no profile here has one",
    "type-profile": "no profile here asks for one",
    "value-regex": "no profile here has one",
    "value-decimal-places": "no profile here has such a limit",
    "value-bytes": "no profile here has such a limit",
    "reference-aggregation": "no profile here asks where",
    "reference-profile": "no profile here asks for one",
    "invariant-unevaluated": "no constraint here is so",
    "profile-abstract": "nothing gives it yet",
    "operation-base": "no operation here is made from another",
    "questionnaire-derived": "no questionnaire here is made from another",
}
WITH_RECORD = sorted(set(texts()) - set(WITHOUT_RECORD))


def test_every_rule_has_a_text_and_every_text_a_rule() -> None:
    assert set(texts()) == set(RULES)


@pytest.mark.parametrize("rule", sorted(texts()))
def test_a_text_says_what_why_and_how_to_mend_it(rule: str) -> None:
    text = text_of(rule)
    assert all(part.endswith((".", "...")) for part in (text.says, text.why, text.fix))
    assert (text.wrong is None) == (text.right is None) == (rule in WITHOUT_RECORD)


@pytest.mark.parametrize("rule", WITH_RECORD)
def test_the_wrong_example_gives_the_rule_and_the_right_one_nothing(rule: str) -> None:
    text = text_of(rule)
    assert rule in {issue.rule for issue in VALIDATOR.check(text.wrong)}
    assert VALIDATOR.check(text.right) == []
