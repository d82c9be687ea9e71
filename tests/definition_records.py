"""A valid record of each type of definition that has no rules of its own here, with most of what it can have."""

from __future__ import annotations

from typing import Any

from tests.base_records import CATEGORY, JsonObject, without

_TERMS = "http://terminology.hl7.org/CodeSystem/"
_CONCEPT = {"coding": [{"system": CATEGORY, "code": "exam"}], "text": "x"}
_FOCUS = [{"code": {"system": _TERMS + "usage-context-type", "code": "focus"}, "valueCodeableConcept": _CONCEPT}]
_ALWAYS = {"language": "text/fhirpath", "expression": "true"}
_DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
_CHANGED = [{"path": "status", "expression": {"language": "text/fhirpath", "expression": "'x'"}}]


def _record(resource_type: str, *missing: str, **elements: Any) -> JsonObject:
    whole = {
        "resourceType": resource_type,
        "url": "http://ehr.test/x",
        "version": "1",
        "name": "Xy",
        "title": "t",
        "status": "active",
        "experimental": False,
        "date": "2020-01-01",
        "publisher": "p",
        "description": "d",
        **elements,
    }
    return without(whole, *missing)


def _coded(system: str, code: str) -> JsonObject:
    return {"coding": [{"system": _TERMS + system, "code": code}]}


DEFINITION_RECORDS: tuple[JsonObject, ...] = (
    _record(
        "ActivityDefinition",
        kind="ServiceRequest",
        intent="plan",
        code=_CONCEPT,
        timingTiming=_DAILY,
        participant=[{"type": "patient"}],
        dynamicValue=_CHANGED,
        library=["http://ehr.test/lib"],
    ),
    _record(
        "CompartmentDefinition",
        "title",
        code="Patient",
        search=True,
        resource=[{"code": "Observation", "param": ["subject"]}],
    ),
    _record("EventDefinition", trigger=[{"type": "named-event", "name": "x"}], useContext=_FOCUS),
    _record(
        "ExampleScenario",
        "title",
        "description",
        actor=[{"actorId": "a", "type": "person", "name": "A"}],
        instance=[
            {
                "resourceId": "r",
                "resourceType": "Patient",
                "name": "r",
                "version": [{"versionId": "1", "description": "x"}],
                "containedInstance": [{"resourceId": "r"}],
            }
        ],
        process=[{"title": "p", "step": [{"operation": {"number": "1", "initiator": "a", "receiver": "a"}}]}],
    ),
    _record(
        "GraphDefinition",
        "title",
        start="Patient",
        link=[
            {
                "path": "Patient.link",
                "min": 0,
                "max": "*",
                "target": [
                    {
                        "type": "Observation",
                        "params": "patient={ref}",
                        "compartment": [
                            {"use": "condition", "code": "Patient", "rule": "custom", "expression": "a = b"}
                        ],
                        "link": [{"path": "Observation.subject", "target": [{"type": "Patient"}]}],
                    }
                ],
            }
        ],
    ),
    _record(
        "Library",
        type=_coded("library-type", "logic-library"),
        relatedArtifact=[{"type": "depends-on", "resource": "http://ehr.test/y", "url": "http://ehr.test/z"}],
        parameter=[{"name": "x", "use": "in", "type": "string", "min": 0, "max": "1"}],
        dataRequirement=[
            {
                "type": "Observation",
                "mustSupport": ["code"],
                "codeFilter": [{"path": "code", "valueSet": "http://ehr.test/vs"}],
            }
        ],
        content=[{"url": "http://ehr.test/logic", "title": "x"}],
    ),
    _record(
        "MessageDefinition",
        eventUri="http://ehr.test/e",
        category="notification",
        focus=[{"code": "Patient", "min": 1, "max": "1", "profile": "http://hl7.org/fhir/StructureDefinition/Patient"}],
        responseRequired="never",
        allowedResponse=[{"message": "http://ehr.test/m2"}],
    ),
    _record(
        "NamingSystem",
        "url",
        "version",
        "title",
        "experimental",
        kind="identifier",
        uniqueId=[
            {"type": "uri", "value": "http://ehr.test/ids", "preferred": True},
            {"type": "oid", "value": "1.2.36.1.2001.1003.0"},
        ],
        type=_CONCEPT,
        useContext=_FOCUS,
    ),
    _record(
        "PlanDefinition",
        type=_coded("plan-definition-type", "clinical-protocol"),
        goal=[
            {"id": "g", "description": {"text": "x"}, "target": [{"measure": _CONCEPT, "detailQuantity": {"value": 1}}]}
        ],
        action=[
            {
                "id": "a1",
                "title": "t",
                "trigger": [{"type": "named-event", "name": "x"}],
                "condition": [{"kind": "applicability", "expression": _ALWAYS}],
                "goalId": ["g"],
                "relatedAction": [{"actionId": "a2", "relationship": "before"}],
                "definitionCanonical": "http://ehr.test/ad",
            },
            {"id": "a2", "timingTiming": _DAILY, "participant": [{"type": "patient"}], "dynamicValue": _CHANGED},
        ],
    ),
    _record("ResearchDefinition", population={"reference": "ResearchElementDefinition/1"}),
    _record(
        "TerminologyCapabilities",
        kind="requirements",
        codeSystem=[
            {
                "uri": "http://loinc.org",
                "version": [
                    {
                        "code": "1",
                        "isDefault": True,
                        "language": ["en"],
                        "filter": [{"code": "x", "op": ["is-a"]}],
                        "property": ["x"],
                    }
                ],
                "subsumption": True,
            }
        ],
        expansion={"hierarchical": False, "paging": False, "parameter": [{"name": "x"}]},
        codeSearch="explicit",
        validateCode={"translations": True},
        translation={"needsMap": True},
        closure={"translation": False},
    ),
    _record(
        "TestScript",
        origin=[{"index": 1, "profile": _coded("testscript-profile-origin-types", "FHIR-Client")["coding"][0]}],
        destination=[
            {"index": 1, "profile": _coded("testscript-profile-destination-types", "FHIR-Server")["coding"][0]}
        ],
        metadata={"capability": [{"required": True, "validated": False, "capabilities": "http://ehr.test/cap"}]},
        fixture=[{"autocreate": False, "autodelete": False, "resource": {"reference": "Patient/1"}}],
        variable=[{"name": "v", "path": "Patient/id", "sourceId": "f"}],
        setup={
            "action": [
                {
                    "operation": {
                        "type": _coded("testscript-operation-codes", "read")["coding"][0],
                        "resource": "Patient",
                        "encodeRequestUrl": True,
                        "params": "/1",
                    }
                },
                {"assert": {"response": "okay", "warningOnly": False}},
            ]
        },
        test=[{"name": "t", "action": [{"assert": {"response": "okay", "warningOnly": False}}]}],
    ),
)
