"""HL7's validator on the records of each constraint key: no error where it is met, an error that names it where not."""

from __future__ import annotations

import pytest

from tests import java
from tests.oracle.oracle import Oracle
from tests.unit.fhirpath_cases import FHIRPATH_CASES
from tests.unit.invariant_cases import CASES
from tests.unit.key_case import JsonObject
from tests.unit.schema_key_cases import KEY_CASES

_SAME = "of two constraints of an element with the same expression it evaluates the first"
NAMED_OTHERWISE = {
    "ele-1": ("Object must have some content", "said by its parser"),
    "dom-3": ("(dom-3)", "a check of its own, the key is in the message"),
    "eld-11": ("has a Binding but the types", "as a check of its own: R4's expression is true of every type"),
    "tst-11": ("#tst-10", _SAME),
    "tst-13": ("#tst-12", _SAME),
}
FAILS = {
    "smp-1": "NullPointerException",  # it looks for the context that is missing
    "sdf-15a": "Type on first differential element",  # it makes the snapshot first
}

RECORDS = [
    *((case.key, case.met, case.broken) for case in KEY_CASES),
    *((key, met, broken) for key, (met, broken, _) in [*FHIRPATH_CASES.items(), *CASES.items()]),
]


@pytest.mark.parametrize(("key", "met", "broken"), RECORDS, ids=[key for key, _, _ in RECORDS])
def test_each_constraint(key: str, met: JsonObject, broken: JsonObject, oracle: Oracle) -> None:
    assert [str(error) for error in oracle.errors(met)] == []
    if key in FAILS:
        with pytest.raises(java.JavaError, match=FAILS[key]):
            oracle.errors(broken)
    else:
        sign, _ = NAMED_OTHERWISE.get(key, (f"#{key.rpartition(' ')[2]}]", ""))
        errors = [str(error) for error in oracle.errors(broken)]
        assert any(sign in error for error in errors), errors
