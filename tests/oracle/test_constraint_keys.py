"""HL7's validator on the records of each constraint key: no error where it is met, an error that names it where not."""

from __future__ import annotations

import pytest

from tests import java
from tests.oracle.oracle import Oracle
from tests.unit.key_case import KeyCase
from tests.unit.schema_key_cases import SCHEMA_CASES, STRUCTURAL_CASES

_SAME = "of two constraints of an element with the same expression it evaluates the first"
NAMED_OTHERWISE = {
    "txt-2": ("#txt-2]", "as a key of its own"),
    "ele-1": ("Object must have some content", "said by its parser"),
    "dom-3": ("(dom-3)", "a check of its own, the key is in the message"),
    "tst-11": ("#tst-10", _SAME),
    "tst-13": ("#tst-12", _SAME),
}
FAILS = {"smp-1"}  # it looks for the context that is missing and ends with a NullPointerException

ALL = [*SCHEMA_CASES, *STRUCTURAL_CASES]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.key)
def test_met(case: KeyCase, oracle: Oracle) -> None:
    assert [str(error) for error in oracle.errors(case.met)] == []


@pytest.mark.parametrize("case", [case for case in ALL if case.key not in FAILS], ids=lambda case: case.key)
def test_broken(case: KeyCase, oracle: Oracle) -> None:
    sign, _ = NAMED_OTHERWISE.get(case.key, (f"#{case.rule}]", ""))
    errors = [str(error) for error in oracle.errors(case.broken)]
    assert any(sign in error for error in errors), errors


@pytest.mark.parametrize("case", [case for case in ALL if case.key in FAILS], ids=lambda case: case.key)
def test_it_fails(case: KeyCase, oracle: Oracle) -> None:
    with pytest.raises(java.JavaError, match="NullPointerException"):
        oracle.errors(case.broken)
