"""Writes ``docs/verdicts.md`` out of the tables that the tests hold us to: ``python -m tests.oracle.page``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.foreign.cases import FOREIGN_CASES
from tests.java import ROOT
from tests.oracle.differences import ONLY_OURS, ONLY_THEIRS, Kind

PAGE = ROOT / "docs" / "verdicts.md"

_HEAD = """# Where our verdict and HL7's validator's are not the same

`fhir-keta validate` says error or no error as HL7's validator 6.10.4 does (R4, without a terminology server). The
tests hold it to that on the examples, on the definitions, on a record that meets and one that breaks each of R4's
constraints, on made and on foreign profiles and forms, and on 2,000 mutants of all these; `make fuzz` goes on from
there with random ones. What is left are the kinds of difference below. Any other one is a fault of ours: please report
it with the record that shows it.

This page is written by `python -m tests.oracle.page` from the tables the tests use.
"""

_OURS = """
## An error here, none there

| rule | why | specification |
|---|---|---|
"""

_THEIRS = """
## An error there, none here

| its message id | why | specification |
|---|---|---|
"""

_PROFILES = """
## On profiles

What HL7's validator says otherwise of profiles, each with a profile and a record in the tests:

"""

_MORE = """
## What neither looks at, and we say so

- Codes of SNOMED CT, LOINC and UCUM are not looked up: that takes a terminology server. Their display is not compared.
- References that leave the record are not followed: only the type they name is judged.
- A constraint that the FHIRPath library cannot evaluate, or not within its time, is a finding of its own
  (`fhir-keta explain invariant-unevaluated`), never silence.
- Totals are computed here and not there: `response-total` and `response-total-incomplete` are rules beyond HL7's
  validator.
"""


def page() -> str:
    """The page as Markdown."""
    return "".join((_HEAD, _OURS, *_rows(ONLY_OURS), _THEIRS, *_rows(ONLY_THEIRS), _PROFILES, *_of_profiles(), _MORE))


def _rows(kinds: Iterable[Kind]) -> Iterator[str]:
    rows = dict.fromkeys((f"`{kind.rule}`" if kind.rule else "several", kind.why, kind.source) for kind in kinds)
    for rule, why, source in rows:
        yield f"| {rule} | {why} | [{source.rpartition('/')[2]}]({source}) |\n"


def _of_profiles() -> Iterator[str]:
    found = dict.fromkeys((each.differs, bool(each.errors)) for each in FOREIGN_CASES if each.differs)
    for why, is_ours in found:
        yield f"- {why} (an error {'here' if is_ours else 'there'} only)\n"


if __name__ == "__main__":
    PAGE.write_text(page())
