"""Constraints of data types, of contained resources, Bundles and Parameters that the compiler states as schema."""

from __future__ import annotations

from typing import Any

from tests.base_records import observation, patient
from tests.unit.invariant_records import COMPOSITION, DOCUMENT, PERSON, UCUM, bundle, entry, timed
from tests.unit.key_case import JsonObject, KeyCase, case

_TEXT = {"text": "x"}


def _parameter(**value: Any) -> JsonObject:
    return {"resourceType": "Parameters", "parameter": [{"name": "a", **value}]}


def _with_contained(**meta: Any) -> JsonObject:
    inner = patient(id="p", active=True, meta=meta)
    return observation(contained=[inner], subject={"reference": "#p"})


def _required_data(**more: Any) -> JsonObject:
    return {
        "resourceType": "Library",
        "status": "draft",
        "type": _TEXT,
        "dataRequirement": [{"type": "Observation", **more}],
    }


def _event(**trigger: Any) -> JsonObject:
    return {"resourceType": "EventDefinition", "status": "draft", "trigger": [trigger]}


_AGE = {"value": 1, "unit": "a", "system": UCUM, "code": "a"}
_METRES = {"value": 1, "unit": "m", "system": UCUM, "code": "m"}
_HOURS = {"value": 1, "unit": "h", "system": UCUM, "code": "h"}
_DOCUMENT = bundle("document", entry(1, COMPOSITION), **DOCUMENT)
_DATA = [{"type": "Observation"}]
_REPEAT = "Observation.effective.ofType(Timing).repeat"
_TRIGGER = "EventDefinition.trigger[0]"

TYPE_CASES: tuple[KeyCase, ...] = (
    case(
        "age-1",
        _parameter(valueAge=_AGE),
        {"parameter.0.valueAge.value": -1},
        "Parameters.parameter[0].value.ofType(Age)",
    ),
    case(
        "att-1",
        patient(photo=[{"contentType": "image/png", "data": "eA=="}]),
        {"photo.0.contentType": None},
        "Patient.photo[0]",
    ),
    case(
        "cpt-2", patient(telecom=[{"system": "phone", "value": "1"}]), {"telecom.0.system": None}, "Patient.telecom[0]"
    ),
    case(
        "dis-1",
        _parameter(valueDistance=_METRES),
        {"parameter.0.valueDistance.system": "urn:x:y"},
        "Parameters.parameter[0].value.ofType(Distance)",
    ),
    case(
        "drt-1",
        _parameter(valueDuration=_HOURS),
        {"parameter.0.valueDuration.value": None},
        "Parameters.parameter[0].value.ofType(Duration)",
    ),
    case(
        "qty-3",
        observation(valueQuantity=_METRES),
        {"valueQuantity.system": None},
        "Observation.value.ofType(Quantity)",
    ),
    case(
        "rat-1",
        observation(valueRatio={"numerator": {"value": 1}, "denominator": {"value": 2}}),
        {"valueRatio.denominator": None},
        "Observation.value.ofType(Ratio)",
    ),
    case(
        "exp-1",
        _event(type="data-added", data=_DATA, condition={"language": "text/cql", "expression": "x"}),
        {"trigger.0.condition.expression": None},
        "EventDefinition.trigger[0].condition",
    ),
    case(
        "drq-1",
        _required_data(codeFilter=[{"path": "code"}]),
        {"dataRequirement.0.codeFilter.0.searchParam": "code"},
        "Library.dataRequirement[0].codeFilter[0]",
    ),
    case(
        "drq-2",
        _required_data(dateFilter=[{"searchParam": "date", "valueDateTime": "2020"}]),
        {"dataRequirement.0.dateFilter.0.searchParam": None},
        "Library.dataRequirement[0].dateFilter[0]",
    ),
    case("tim-1", timed(duration=1, durationUnit="h"), {"effectiveTiming.repeat.durationUnit": None}, _REPEAT),
    case("tim-2", timed(period=1, periodUnit="h"), {"effectiveTiming.repeat.periodUnit": None}, _REPEAT),
    case("tim-4", timed(duration=0, durationUnit="h"), {"effectiveTiming.repeat.duration": -0.5}, _REPEAT),
    case("tim-5", timed(period=0, periodUnit="h"), {"effectiveTiming.repeat.period": -0.5}, _REPEAT),
    case("tim-6", timed(period=1, periodMax=2, periodUnit="h"), {"effectiveTiming.repeat.period": None}, _REPEAT),
    case(
        "tim-7",
        timed(duration=1, durationMax=2, durationUnit="h"),
        {"effectiveTiming.repeat.duration": None},
        _REPEAT,
    ),
    case("tim-8", timed(count=1, countMax=2), {"effectiveTiming.repeat.count": None}, _REPEAT),
    case("tim-10", timed(when=["AC"]), {"effectiveTiming.repeat.timeOfDay": ["09:00:00"]}, _REPEAT),
    case(
        "trd-1",
        _event(type="periodic", timingDate="2020"),
        {"trigger.0.data": _DATA},
        _TRIGGER,
    ),
    case(
        "trd-2",
        _event(type="named-event", name="x", data=_DATA, condition={"language": "text/cql", "expression": "x"}),
        {"trigger.0.data": None},
        _TRIGGER,
    ),
    case("trd-3", _event(type="data-added", name="x", data=_DATA), {"trigger.0.data": None}, _TRIGGER),
    case(
        "Parameters inv-1", _parameter(valueBoolean=True), {"parameter.0.resource": PERSON}, "Parameters.parameter[0]"
    ),
    case(
        "dom-4",
        _with_contained(source="urn:x:y"),
        {"contained.0.meta.versionId": "1"},
        "Observation",
    ),
    case(
        "dom-5",
        _with_contained(tag=[{"code": "a"}]),
        {"contained.0.meta.security": [{"code": "a"}]},
        "Observation",
    ),
    case("bdl-1", bundle("searchset", entry(1, PERSON), total=0), {"type": "collection"}, "Bundle"),
    case(
        "bdl-2",
        bundle(
            "searchset",
            {"fullUrl": "https://ehr.test/Patient/1", "resource": patient(id="1"), "search": {"mode": "match"}},
        ),
        {"type": "collection"},
        "Bundle",
    ),
    case(
        "bdl-5",
        bundle("collection", entry(1, PERSON)),
        {"entry.0.resource": None},
        "Bundle.entry[0]",
    ),
    case("bdl-9", _DOCUMENT, {"identifier.system": None}, "Bundle"),
    case("bdl-10", _DOCUMENT, {"timestamp": None}, "Bundle"),
)
