"""Around the records of each constraint key: what the constraint reads is taken away, or left without a value.

Both validators must report the key, or neither, unless both have other errors: what follows from an element that is
empty, or that is not there and must be, they may see differently.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from fhir_keta import Validator
from fhir_keta.definitions.library import bundled
from tests import java
from tests.base_records import DATA_ABSENT
from tests.oracle.oracle import Oracle
from tests.oracle.test_constraint_keys import NAMED_OTHERWISE, RECORDS
from tests.unit.key_case import JsonObject

_ABSENT = {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}

DIFFER = {
    "vs-1": "its text is of an effectiveDateTime that has a value, its expression is not met by one without",
    "cpb-12": "an expression over names of which one has no value is not met, but no two names are the same",
    "eld-14": "the same, of the keys of constraints",
}
COMPARED = [key for key in dict.fromkeys(key for key, _, _ in RECORDS) if key not in {**NAMED_OTHERWISE, **DIFFER}]


@cache
def expressions() -> dict[str, str]:
    """All that R4 and our profiles write under each key."""
    found: dict[str, str] = {}
    for definition in bundled().of_type("StructureDefinition"):
        for element in (definition.get("snapshot") or definition["differential"])["element"]:
            for constraint in element.get("constraint", ()):
                found[constraint["key"]] = f"{found.get(constraint['key'], '')} {constraint.get('expression', '')}"
    return found


def nodes(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    for step in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, step)
        yield from nodes(value[step], (*path, step))


def variants(rule: str, record: JsonObject) -> Iterator[JsonObject]:
    read = tuple(set(re.findall(r"[a-z]\w+", expressions()[rule])))
    for path in nodes(record):
        *way, last = path
        if not isinstance(last, str) or not last.startswith(read) or last in ("id", "resourceType"):
            continue
        for absent in (False, True):
            made = copy.deepcopy(record)
            holder: Any = made
            for step in way:
                holder = holder[step]
            value = holder.pop(last)
            if absent and not isinstance(value, dict | list):
                holder[f"_{last}"] = _ABSENT
            elif absent:
                continue
            yield made


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


@pytest.mark.parametrize("key", COMPARED)
def test_both_report_the_key_or_neither(key: str, validator: Validator, oracle: Oracle) -> None:
    rule = key.rpartition(" ")[2]
    for record in (record for name, met, broken in RECORDS if name == key for record in (met, broken)):
        for variant in variants(rule, record):
            found = validator.check(json.dumps(variant).encode())
            ours = {issue.rule for issue in found if issue.severity in ("error", "fatal")}
            try:
                theirs = {issue.message_id.rpartition("#")[2] for issue in oracle.errors(variant)}
            except java.JavaError:
                continue  # it breaks down on some definitions
            both = ours - {rule} and theirs - {rule}
            assert (rule in ours) is (rule in theirs) or both, (ours, theirs, variant)
