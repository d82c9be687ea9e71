"""The constraints of base R4 that are evaluated as FHIRPath: a record that meets each, one that breaks it, where."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

_OPERATIONS = "http://terminology.hl7.org/CodeSystem/testscript-operation-codes"


def _risk(**low: Any) -> JsonObject:
    prediction = {"probabilityRange": {"low": {"value": 1, "system": "http://unitsofmeasure.org", **low}}}
    return {
        "resourceType": "RiskAssessment",
        "status": "final",
        "subject": {"reference": "Patient/1"},
        "prediction": [prediction],
    }


def _message(most: str) -> JsonObject:
    focus = {"code": "Patient", "min": 0, "max": most}
    return {
        "resourceType": "MessageDefinition",
        "status": "draft",
        "date": "2020",
        "eventUri": "urn:x:y",
        "focus": [focus],
    }


def _sequence(**more: Any) -> JsonObject:
    return {"resourceType": "MolecularSequence", "coordinateSystem": 0, "referenceSeq": {"windowStart": 1, **more}}


def _naming(**second: Any) -> JsonObject:
    ids = [{"type": "uri", "value": "http://ehr.test/a", "preferred": True}, {"type": "uri", **second}]
    return {
        "resourceType": "NamingSystem",
        "name": "X",
        "status": "draft",
        "kind": "identifier",
        "date": "2020",
        "uniqueId": ids,
    }


def script(part: str = "setup", **action: Any) -> JsonObject:
    content: Any = {"action": [action]}
    return {
        "resourceType": "TestScript",
        "url": "http://ehr.test/t",
        "name": "X",
        "status": "draft",
        part: [content] if part == "test" else content,
    }


def _operation(code: str, part: str = "setup") -> JsonObject:
    return script(part, operation={"encodeRequestUrl": True, "type": {"system": _OPERATIONS, "code": code}})


def _assertion(part: str, **more: Any) -> JsonObject:
    return script(part, **{"assert": {"warningOnly": False, "response": "okay", **more}})


def _team(member_type: str) -> JsonObject:
    member = {"member": {"reference": "#m"}, "onBehalfOf": {"reference": "Organization/1"}}
    contained = {"resourceType": member_type, "id": "m", "active": True}
    return {"resourceType": "CareTeam", "contained": [contained], "participant": [member]}


# key: met, broken, where
FHIRPATH_CASES: dict[str, tuple[JsonObject, JsonObject, str]] = {
    "ctm-1": (_team("Practitioner"), _team("Patient"), "CareTeam.participant[0]"),
    "md-1": (_message("3"), _message("0"), "MessageDefinition.focus[0]"),
    "msq-6": (_sequence(referenceSeqString="A"), _sequence(), "MolecularSequence.referenceSeq"),
    "nsd-2": (
        _naming(value="http://ehr.test/b"),
        _naming(value="http://ehr.test/b", preferred=True),
        "NamingSystem",
    ),
    "ras-1": (_risk(code="%"), _risk(code="g"), "RiskAssessment.prediction[0].probability.ofType(Range)"),
    "tst-5": (
        _assertion("setup"),
        _assertion("setup", contentType="application/fhir+json"),
        "TestScript.setup.action[0].assert",
    ),
    "tst-6": (
        _assertion("test"),
        _assertion("test", contentType="application/fhir+json"),
        "TestScript.test[0].action[0].assert",
    ),
    "tst-8": (_operation("search", "test"), _operation("read", "test"), "TestScript.test[0].action[0].operation"),
    "tst-9": (
        _operation("search", "teardown"),
        _operation("read", "teardown"),
        "TestScript.teardown.action[0].operation",
    ),
    "tst-7": (_operation("search"), _operation("read"), "TestScript.setup.action[0].operation"),
}
