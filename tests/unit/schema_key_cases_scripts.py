"""Constraints of TestScript and TestReport that the compiler states as schema."""

from __future__ import annotations

from typing import Any

from tests.unit.fhirpath_cases import script
from tests.unit.key_case import JsonObject, KeyCase, case

_OPERATION = {"encodeRequestUrl": True, "url": "Patient/1"}
_SAID = {"warningOnly": False, "response": "okay"}


def _assertion(part: str, **more: Any) -> JsonObject:
    return script(part, **{"assert": {"warningOnly": False, **more}})


def _report(**parts: Any) -> JsonObject:
    return {
        "resourceType": "TestReport",
        "status": "completed",
        "testScript": {"reference": "TestScript/1"},
        "result": "pass",
        **parts,
    }


_DONE = {"operation": {"result": "pass"}}
_SETUP = "TestScript.setup.action[0]"
_TEST = "TestScript.test[0].action[0]"
_WHOLE = script(operation=_OPERATION)
_BOTH = {"compareToSourceId": "a", "compareToSourceExpression": "x", "expression": "x"}

SCRIPT_CASES: tuple[KeyCase, ...] = (
    case("tst-1", script(operation=_OPERATION), {"setup.action.0.assert": _SAID}, _SETUP),
    case("tst-2", script("test", operation=_OPERATION), {"test.0.action.0.assert": _SAID}, _TEST),
    case(
        "tst-3",
        {**_WHOLE, "variable": [{"name": "a", "expression": "x", "path": "x"}]},
        {"variable.0.headerField": "x"},
        "TestScript.variable[0]",
    ),
    case(
        "tst-4",
        {
            **_WHOLE,
            "metadata": {
                "capability": [
                    {"required": True, "validated": False, "capabilities": "https://ehr.test/CapabilityStatement/a"}
                ]
            },
        },
        {"metadata.capability.0.required": None, "metadata.capability.0.validated": None},
        "TestScript.metadata",
        "cardinality-min",  # R4 requires each of the two anyway
    ),
    case(
        "tst-10",
        _assertion("setup", **_BOTH),
        {"setup.action.0.assert.compareToSourceExpression": None},
        f"{_SETUP}.assert",
    ),
    case(
        "tst-11",
        _assertion("test", **_BOTH),
        {"test.0.action.0.assert.compareToSourceId": None},
        f"{_TEST}.assert",
        "tst-10",  # the same, of setup.action.assert, whose content this is
    ),
    case(
        "tst-12",
        _assertion("setup", response="okay", direction="response"),
        {"setup.action.0.assert.direction": "request"},
        f"{_SETUP}.assert",
    ),
    case(
        "tst-13",
        _assertion("test", responseCode="200", direction="response"),
        {"test.0.action.0.assert.direction": "request"},
        f"{_TEST}.assert",
        "tst-12",
    ),
    case(
        "TestReport inv-1",
        _report(setup={"action": [_DONE]}),
        {"setup.action.0.assert": {"result": "pass"}},
        "TestReport.setup.action[0]",
    ),
    case(
        "inv-2",
        _report(test=[{"action": [_DONE]}]),
        {"test.0.action.0.assert": {"result": "pass"}},
        "TestReport.test[0].action[0]",
    ),
)
