"""What a profile asks of single values beyond their type: profiles, and the cases for and against each."""

from __future__ import annotations

from typing import Any

from tests.base_records import DATA_ABSENT, observation, patient
from tests.foreign.case import BLUE, HOLDS_CHILD, RED, URNS, ForeignCase, bundle, case, claiming, of_contained
from tests.foreign.profiles import COLOURS, HL7, MADE, JsonObject, bound, typed, value_set
from tests.unit.made_profiles import element, profile, slicing

BIRTH_TIME = HL7 + "patient-birthTime"
GREEN = {"coding": [{"system": COLOURS, "code": "green"}]}

_SHOWN = {"coding": [{**GREEN["coding"][0], "display": "Green"}]}


def limited(identifier: str, name: str, value: Any, **members: Any) -> JsonObject:
    """An element with one of HL7's extensions of ElementDefinition; ``value`` is the member of the extension."""
    return {**element(identifier, **members), "extension": [{"url": HL7 + name, **value}]}


def aggregated(identifier: str, mode: str) -> JsonObject:
    return element(identifier, type=[{**typed("Reference", target=(HL7 + "Patient",)), "aggregation": [mode]}])


def capped(strength: str) -> JsonObject:
    """A binding to red that allows no other than red and green."""
    extension = {"url": HL7 + "elementdefinition-maxValueSet", "valueCanonical": MADE + "red-or-green"}
    return {**bound(strength, "warm"), "extension": [extension]}


LIMIT_PROFILES: tuple[JsonObject, ...] = (
    value_set("red-or-green", "red", "green"),
    profile(
        "limited",
        limited("Observation.value[x]", "maxDecimalPlaces", {"valueInteger": 1}, type=[typed("Quantity")]),
        limited("Observation.note.text", "regex", {"valueString": "[A-Z].*"}),
        element("Observation.bodySite", binding=capped("preferred")),
        element("Observation.method", binding=capped("extensible")),
        limited("Observation.referenceRange.low", "maxDecimalPlaces", {"valueInteger": 1}),
    ),
    profile(
        "small-photo",
        element("Patient.implicitRules", maxLength=12),
        element("Patient.language", maxLength=2),
        element("Patient.birthDate", maxLength=4),
        limited("Patient.photo.data", "maxSize", {"valueDecimal": 3}),
        on="Patient",
    ),
    profile(
        "answered",
        element("QuestionnaireResponse.item.answer", min=1),
        on="QuestionnaireResponse",
    ),
    profile(
        "well-noted",
        element("Observation.note", patternAnnotation={"text": "Well"}),
    ),
    profile(
        "aggregated",
        aggregated("Observation.subject", "contained"),
        aggregated("Observation.focus", "bundled"),
        aggregated("Observation.performer", "referenced"),
    ),
    profile(
        "birth-time",
        element("Patient.birthDate.extension", slicing=slicing("value", "url")),
        element("Patient.birthDate.extension:time", min=1, max="1", type=[typed("Extension", BIRTH_TIME)]),
        on="Patient",
    ),
    profile(
        "given-marked",
        element("Patient.name.given.extension", slicing=slicing("value", "url")),
        element("Patient.name.given.extension:absent", min=1, max="1", type=[typed("Extension", DATA_ABSENT)]),
        on="Patient",
    ),
)

_TIME = {"url": BIRTH_TIME, "valueDateTime": "2020-01-01T10:00:00Z"}
_ABSENT = {"url": DATA_ABSENT, "valueCode": "unknown"}


def _born(*extensions: JsonObject, **elements: Any) -> JsonObject:
    return patient(**elements, **({"_birthDate": {"extension": list(extensions)}} if extensions else {}))


def _photo(data: str) -> JsonObject:
    return patient(photo=[{"contentType": "image/png", "data": data}])


_OF_VALUES = (
    case("one decimal place", "limited", observation(valueQuantity={"value": 1.5})),
    case("two decimal places", "limited", observation(valueQuantity={"value": 1.25}), "value-decimal-places"),
    case("none", "limited", observation(valueQuantity={"value": 125})),
    case(
        "two decimal places in a limit",
        "limited",
        observation(referenceRange=[{"low": {"value": 1.25}}]),
        "value-decimal-places",
    ),
    case("as written", "limited", observation(note=[{"text": "Well"}])),
    case("not as written", "limited", observation(note=[{"text": "Well"}, {"text": "well"}]), "value-regex"),
    case("code of the value set", "limited", observation(method=RED)),
    case("code beyond it", "limited", observation(method=GREEN)),
    case("display that its system does not give", "limited", observation(method=_SHOWN), "display-wrong"),
    case("code beyond the last", "limited", observation(method=BLUE), "binding-required"),
    case("no code", "limited", observation(method={"text": "x"}), "binding-required"),
    case("code beyond the last, where it is only preferred", "limited", observation(bodySite=BLUE)),
    case("short uri", "small-photo", patient(implicitRules="http://a.tes")),
    case("long uri", "small-photo", patient(implicitRules="http://a.test"), "max-length"),
    case("long code", "small-photo", patient(language="de-DE"), "max-length"),
    case("long date", "small-photo", patient(birthDate="2020-01"), "max-length"),
)
_ANSWERED = {"answer": [{"valueBoolean": True}]}


def _answers(*items: JsonObject) -> JsonObject:
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": list(items)}


_WHERE_IT_LEADS = "it holds only the rules of R4 where contentReference leads back to an element, not the profile's"
_NO_PATTERN = (
    "it compares no patterns of some types (Annotation, ContactDetail, Dosage, Meta, UsageContext), and refuses"
)
_OF_STRUCTURES = (
    case("an answer", "answered", _answers({"linkId": "1", **_ANSWERED})),
    case("no answer", "answered", _answers({"linkId": "1"}), "cardinality-min"),
    case(
        "no answer of an item inside",
        "answered",
        _answers({"linkId": "1", "answer": [{"valueBoolean": True, "item": [{"linkId": "2"}]}]}),
        "cardinality-min",
        differs=_WHERE_IT_LEADS,
    ),
    case("as the pattern has it", "well-noted", observation(note=[{"text": "Well"}]), differs=_NO_PATTERN),
    case("not as the pattern has it", "well-noted", observation(note=[{"text": "Ill"}]), "value-pattern"),
)
_OF_REFERENCES = (
    case("contained", "aggregated", of_contained(HOLDS_CHILD, subject={"reference": "#p"})),
    case("not contained", "aggregated", observation(subject={"reference": "Patient/1"}), "reference-aggregation"),
    case("in words", "aggregated", observation(subject={"display": "x"})),
    case("elsewhere", "aggregated", observation(performer=[{"reference": "Patient/1"}])),
    case(
        "contained, not elsewhere",
        "aggregated",
        of_contained(HOLDS_CHILD, performer=[{"reference": "#p"}]),
        "reference-aggregation",
    ),
    case("not in a Bundle", "aggregated", observation(focus=[{"reference": "Patient/1"}]), "reference-aggregation"),
    *(
        ForeignCase(
            f"aggregated: {name} in a Bundle",
            bundle(patient(active=True), claiming("aggregated", observation(**elements))),
            frozenset({"reference-aggregation"} if refused else ()),
        )
        for name, elements, refused in (
            ("focus", {"focus": [{"reference": URNS[0]}]}, False),
            ("performer", {"performer": [{"reference": URNS[0]}]}, False),
            ("subject", {"subject": {"reference": URNS[0]}}, True),
        )
    ),
)
_OF_PRIMITIVES = (
    case("with its extension", "birth-time", _born(_TIME, birthDate="2020-01-01")),
    case("without", "birth-time", _born(birthDate="2020-01-01"), "slice-min"),
    case("with another extension", "birth-time", _born(_ABSENT, birthDate="2020-01-01"), "slice-min"),
    case("only the extension", "birth-time", _born(_TIME)),
    case("only another extension", "birth-time", _born(_ABSENT), "slice-min"),
    case("two of it", "birth-time", _born(_TIME, _TIME, birthDate="2020-01-01"), "slice-max"),
    case("nothing", "birth-time", patient(active=True)),
    case(
        "each with its extension",
        "given-marked",
        patient(name=[{"given": ["A", "B"], "_given": [{"extension": [_ABSENT]}, {"extension": [_ABSENT]}]}]),
    ),
    case("none with it", "given-marked", patient(name=[{"given": ["A"]}]), "slice-min"),
    case(
        "one of two with it",
        "given-marked",
        patient(name=[{"given": ["A", "B"], "_given": [{"extension": [_ABSENT]}, None]}]),
        "element-empty",
    ),
)
LIMIT_CASES = (*_OF_VALUES, *_OF_STRUCTURES, *_OF_REFERENCES, *_OF_PRIMITIVES)
