"""Finer points of R4's constraints on which HL7's validator and ours once differed, as in ``differed_cases.py``."""

from __future__ import annotations

from typing import Any

from tests.base_records import DATA_ABSENT, JsonObject, case, observation, patient
from tests.unit.invariant_records import (
    R4,
    UCUM,
    bundle,
    counted,
    differential,
    dispensed,
    entry,
    guide,
    logical,
    operation,
    questionnaire,
    task,
    timed,
)

_ABSENT = {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}
_ELEMENT = "StructureDefinition.differential.element[1]"


def _without_value(record: JsonObject, *names: str) -> JsonObject:
    """The primitives have only extensions: to FHIRPath they exist, and any comparison of them is empty."""
    return {(f"_{name}" if name in names else name): (_ABSENT if name in names else record[name]) for name in record}


def _element(*names: str) -> JsonObject:
    made = logical()
    made["differential"]["element"][1] = _without_value(made["differential"]["element"][1], *names)
    return made


def _conditional(count: int, **more: Any) -> JsonObject:
    when = {"question": "b", "operator": "exists", "answerBoolean": True}
    first = {"linkId": "a", "type": "string", "enableWhen": [when] * count, **more}
    return questionnaire(first, {"linkId": "b", "type": "string"})


def _asking(**condition: Any) -> JsonObject:
    when = {"operator": "exists", "answerBoolean": True, **condition}
    return questionnaire({"linkId": "a", "type": "string", "enableWhen": [when]}, {"linkId": "b", "type": "string"})


def _coded(own: JsonObject, components: JsonObject) -> JsonObject:
    component = {"code": {"coding": [{"system": "urn:x:y", **components}]}, "valueString": "x"}
    code = {"coding": [{"system": "urn:x:y", **own}]}
    return observation(code=code, valueString="x", component=[component])


def _range(low: JsonObject, high: JsonObject) -> JsonObject:
    return observation(valueRange={"low": {"value": 1, **low}, "high": {"value": 2, **high}})


def _of(code: str, **more: Any) -> JsonObject:
    return {"system": UCUM, "code": code, **more}


_COUNT = "Parameters.parameter[0].value.ofType(Count)"
_REPEAT = "Observation.effective.ofType(Timing).repeat"
_LOCAL = {"system": "urn:x:y", "code": "mg"}
_RANGE = ("rng-2", "Observation.value.ofType(Range)")
_BARE = {"resourceType": "Patient"}

DIFFERED_CONSTRAINTS = (
    case("one condition", _conditional(1)),
    case("two conditions", _conditional(2), ("que-12", "Questionnaire.item[0]")),
    case("two conditions with a behaviour", _conditional(2, enableBehavior="any")),
    *(
        case(f"target of a {type_}", operation(type=type_, targetProfile=[f"{R4}ValueSet"]))
        for type_ in ("Reference", "canonical", "ValueSet", "Resource")
    ),
    case(
        "target of an Element",
        operation(type="Element", targetProfile=[f"{R4}ValueSet"]),
        ("opd-3", "OperationDefinition.parameter[0]"),
    ),
    case("condition on no question", _asking(_question=_ABSENT), ("questionnaire-condition", "Questionnaire")),
    case("least number without a value", _element("min"), ("eld-2", _ELEMENT)),
    case("greatest number without a value", _element("max"), ("eld-3", _ELEMENT), ("eld-2", _ELEMENT)),
    case("no numbers", differential()),
    case("count in no system", counted(value=2, code="1", _system=_ABSENT), ("cnt-3", _COUNT)),
    case("offset without a value", timed(_offset=_ABSENT, when=["C"]), ("tim-9", _REPEAT)),
    case("offset without a value before a meal", timed(_offset=_ABSENT, when=["AC"])),
    case("group of no id", guide(resource={"_groupingId": _ABSENT}), ("ig-1", "ImplementationGuide.definition")),
    *(
        case(
            f"{name} without a value", _without_value(dispensed("2020", "2021"), name), ("mdd-1", "MedicationDispense")
        )
        for name in ("whenPrepared", "whenHandedOver")
    ),
    case(
        "neither time has a value",
        _without_value(dispensed("2020", "2021"), "whenPrepared", "whenHandedOver"),
        ("mdd-1", "MedicationDispense"),
    ),
    *(
        case(f"{name} without a value", _without_value(task("2020", "2021"), name), ("inv-1", "Task"))
        for name in ("authoredOn", "lastModified")
    ),
    *(
        case(
            f"component with the code and {name}",
            _coded({"code": "a"}, {"code": "a", **more}),
            ("obs-7", "Observation"),
        )
        for name, more in (("a display", {"display": "A"}), ("a version", {"version": "1"}), ("no more", {}))
    ),
    *(
        case(f"component without the {name} of the code", _coded({"code": "a", **more}, {"code": "a"}))
        for name, more in (("display", {"display": "A"}), ("version", {"version": "1"}), ("extension", _ABSENT))
    ),
    case("component with another display", _coded({"code": "a", "display": "A"}, {"code": "a", "display": "B"})),
    case("component of a code that is only a system", _coded({}, {"code": "a"}), ("obs-7", "Observation")),
    case("range in one unit", _range({"unit": "mg"}, {"unit": "mg"})),
    case("range in units that differ", _range({"unit": "mg"}, {"unit": "g"}), _RANGE),
    case("range with one unit", _range({"unit": "mg"}, {}), _RANGE),
    case("range in one code", _range(_of("mg", unit="mg"), _of("mg"))),
    case("range in codes without units, high", _range(_of("mg", value=3), _of("g")), _RANGE),
    case("range in a code not of UCUM", _range({**_LOCAL, "unit": "a"}, {**_LOCAL, "unit": "b"}), _RANGE),
    case("entry with nothing but a type", bundle("collection", entry(1, _BARE)), ("bdl-5", "Bundle.entry[0]")),
    case(
        "parameter with nothing but a type",
        {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": _BARE}]},
        ("inv-1", "Parameters.parameter[0]"),
    ),
    case(
        "parameter with a value and nothing but a type",
        {"resourceType": "Parameters", "parameter": [{"name": "a", "valueBoolean": True, "resource": _BARE}]},
    ),
    case(
        "code of an extension without a value",
        patient(extension=[{"url": DATA_ABSENT, "_valueCode": _ABSENT}]),
        ("cardinality-min", "Patient.extension[0]"),
    ),
)
