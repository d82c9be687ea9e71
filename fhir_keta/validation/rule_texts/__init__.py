"""What ``fhir-keta explain`` says of each rule of ``rules.py``; the one home of these texts.

Invariants have none here: what they say is the ``human`` and ``expression`` of the constraint in its definition.
"""

from __future__ import annotations

from functools import cache

from fhir_keta.validation.rule_texts.text import RuleText


@cache
def texts() -> dict[str, RuleText]:
    """All texts by rule id. Imported only when somebody asks."""
    from fhir_keta.validation.rule_texts import content, definitions, form, links, responses, structure, structures

    parts = (form, structure, content, definitions, structures, links, responses)
    return {rule: text for part in parts for rule, text in part.TEXTS.items()}


def text_of(rule_id: str) -> RuleText:
    """The text of a listed rule. Raises KeyError for one without: a fault in this package, held by a test."""
    return texts()[rule_id]
