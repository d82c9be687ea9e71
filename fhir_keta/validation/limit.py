"""How many findings one record may have: a list of a hundred thousand helps nobody, and takes as long to make."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue

MOST = 1_000
"""Findings of one record that are listed. Behind them, one more says that there are others."""


def first(found: Iterable[Issue], expression: str) -> list[Issue]:
    """The first findings, each once; no more are asked for than it takes to know whether there are others.

    Warnings alone do not end the search: whether the record is wrong must not depend on the limit. ``expression`` is
    the FHIRPath of the record.
    """
    kept: dict[Issue, None] = {}
    wrong = more = False
    for issue in found:
        if issue in kept:
            continue
        error = issue.severity in ("error", "fatal")
        if len(kept) < MOST or (error and not wrong):
            kept[issue] = None
            wrong = wrong or error
        else:
            more = True
        if more and wrong:
            break
    return [*kept, *([rules.issue("findings-limit", expression, limit=MOST)] if more else [])]
