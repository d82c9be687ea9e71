"""Slices, items and extensions of foreign profiles."""

from __future__ import annotations

from tests.base_records import DATA_ABSENT, observation, patient, without
from tests.foreign.case import (
    BLUE,
    BORN,
    CODE,
    HOLDS_ADULT,
    HOLDS_CHILD,
    HOLDS_TEAM,
    OFFICIAL,
    ONE,
    RED,
    URNS,
    A,
    B,
    ForeignCase,
    JsonObject,
    bundle,
    case,
    claiming,
    form,
    ids,
    inner,
    noted,
    of_contained,
    parts,
)
from tests.foreign.profiles import COLOURS

_OWN_SLICING = "it refuses a slice that is sliced by something else"
_UNRESOLVED = "told to leave references alone, it resolves none that lead outside"
_AT_END = "it does not look at openAtEnd"


def _said(code: JsonObject) -> JsonObject:
    return {"code": code, "valueString": "x"}


_RESLICED = (
    case("as required", "resliced", ids(OFFICIAL), differs=_OWN_SLICING),
    case("none of a", "resliced", ids(B), "slice-min"),
    case("a without its official", "resliced", ids(A), "slice-min"),
    case("two official", "resliced", ids(OFFICIAL, OFFICIAL), "slice-max"),
    case("official without value", "resliced", ids({**without(OFFICIAL, "value")}), "cardinality-min"),
    case("an old one without period", "resliced", ids(OFFICIAL, {**A, "use": "old"}), "cardinality-min"),
    case(
        "an old one", "resliced", ids(OFFICIAL, {**A, "use": "old", "period": {"start": "2020"}}), differs=_OWN_SLICING
    ),
    case("too many of a", "resliced", ids(OFFICIAL, A, A, A), "slice-max"),
    case("others in a", "resliced", ids(OFFICIAL, A, A, B, B), differs=_OWN_SLICING),
)
_RED_AND_BLUE = {"coding": [*RED["coding"], *BLUE["coding"]]}
_SEVERAL = (
    case("one each", "overlapping", observation(component=[_said(RED), _said(BLUE)])),
    case("one of both", "overlapping", observation(component=[_said(_RED_AND_BLUE)]), "slice-several"),
    case("one of both slices of a slice", "resliced-alike", ids(A), "slice-several"),
    case("one of neither", "resliced-alike", ids(B)),
    case("one each", "entries-of-two", bundle(patient(**BORN), patient(name=[{"text": "x"}]))),
    case("one of both", "entries-of-two", bundle(patient(**BORN, name=[{"text": "x"}])), "slice-several"),
)
_BY_PROFILE = (
    case("an adult", "entries", bundle(patient(**BORN))),
    case("no adult", "entries", bundle(patient(active=True)), "slice-min"),
    case("an adult and others", "entries", bundle(patient(**BORN), patient(active=True), observation())),
    case("two adults", "entries", bundle(patient(**BORN), patient(**BORN)), "slice-max"),
    case("types", "entry-types", bundle(patient(active=True), observation())),
    case("no patient", "entry-types", bundle(observation()), "slice-min"),
    case("two patients", "entry-types", bundle(patient(active=True), patient(active=True)), "slice-max"),
    case(
        "another type",
        "entry-types",
        bundle(patient(active=True), {"resourceType": "Basic", "code": RED}),
        "slice-unmatched",
    ),
)
_RESOLVED = (
    case("by url", "performers", observation(performer=[{"reference": "Patient/1"}]), differs=_UNRESOLVED),
    case("contained", "performers", of_contained(HOLDS_CHILD, performer=[{"reference": "#p"}])),
    case("contained, another", "performers", of_contained([HOLDS_TEAM], performer=[{"reference": "#t"}]), "slice-min"),
    case("two contained", "performers", of_contained(HOLDS_CHILD, performer=[{"reference": "#p"}] * 2), "slice-max"),
    case("none", "performers", observation(), "slice-min"),
    case("contained", "performers-by-profile", of_contained(HOLDS_ADULT, performer=[{"reference": "#p"}])),
    case(
        "contained, not so",
        "performers-by-profile",
        of_contained(HOLDS_CHILD, performer=[{"reference": "#p"}]),
        "slice-min",
    ),
    ForeignCase(
        "performers: in a Bundle",
        bundle(patient(active=True), claiming("performers", observation(performer=[{"reference": URNS[0]}]))),
        frozenset(),
    ),
    ForeignCase(
        "performers: another in a Bundle",
        bundle(
            patient(active=True),
            claiming("performers", observation(performer=[{"reference": URNS[1]}])),
        ),
        frozenset({"slice-min", "reference-target"}),
    ),
)
_PRIMITIVES = (
    case("among others", "given-names", patient(name=[{"given": ["King", "Ada"]}])),
    case("not among", "given-names", patient(name=[{"given": ["King"]}]), "slice-min"),
    case("twice", "given-names", patient(name=[{"given": ["Ada", "Ada"]}]), "slice-max"),
    case("no name", "given-names", patient(active=True)),
    case(
        "one only by extension",
        "given-names",
        patient(
            name=[
                {"given": ["Ada", None], "_given": [None, {"extension": [{"url": DATA_ABSENT, "valueCode": "masked"}]}]}
            ]
        ),
    ),
)
_ORDER = (
    case("in order", "ordered", ids(A, B)),
    case("out of order", "ordered", ids(B, A), "slice-order"),
    case("another between", "ordered", ids(A, {"value": "x"}, B)),
    case("another last", "at-end", ids(A, B, {"value": "x"})),
    case("another between", "at-end", ids(A, {"value": "x"}, B), "slice-order", differs=_AT_END),
    case("another first", "at-end", ids({"value": "x"}, A), "slice-order", differs=_AT_END),
    case("in order", "ordered-closed", ids(A, A, B)),
    case("out of order", "ordered-closed", ids(B, A), "slice-order"),
    case("another", "ordered-closed", ids(A, {"value": "x"}), "slice-unmatched"),
)
_ITEMS = (
    case("one level", "items", form()),
    case(
        "no code", "items", without(form(), "item") | {"item": [without(form()["item"][0], "code")]}, "cardinality-min"
    ),
    case("no prefix", "items", {**form(), "item": [without(form()["item"][0], "prefix")]}, "it-1"),
    case("two levels", "items", form(item=[inner("2")])),
    case("the second without text", "items", form(item=[without(inner("2"), "text")]), "cardinality-min"),
    case("two on the second", "items", form(item=[inner("2"), inner("3")]), "cardinality-max"),
    case("the second without code", "items", form(item=[without(inner("2"), "code")])),
    case("the second without prefix", "items", form(item=[without(inner("2"), "prefix")])),
    case("two on the third", "items", form(item=[inner("2", item=[inner("3"), inner("4")])])),
)
OWN = {"coding": [{"system": COLOURS, "code": "red", "display": "Red"}]}
_NESTED = (
    case("all of it", "nested", observation(component=[{"code": OWN, "valueString": "x"}])),
    case(
        "inner without display", "nested", observation(component=[{"code": RED, "valueString": "x"}]), "cardinality-min"
    ),
    case("no value", "nested", observation(component=[{"code": OWN}]), "red-9"),
    case("none", "nested", observation(), "slice-min"),
    case("another without value", "nested", observation(component=[{"code": OWN, "valueString": "x"}, {"code": BLUE}])),
    case("holds", "slice-rule", observation(component=[{"code": RED, "valueQuantity": {"value": 4}}])),
    case("one does not", "slice-rule", observation(component=[{"code": RED, "valueQuantity": {"value": 2}}]), "red-2"),
    case("neither", "slice-rule", observation(component=[{"code": RED, "valueString": "x"}]), "red-1", "red-2"),
    case("another slice", "slice-rule", observation(component=[{"code": BLUE, "valueString": "x"}])),
    case(
        "full and bare",
        "present",
        observation(component=[{"code": RED, "valueString": "x", "interpretation": [RED]}, {"code": BLUE}]),
    ),
    case(
        "full without interpretation",
        "present",
        observation(component=[{"code": RED, "valueString": "x"}]),
        "cardinality-min",
    ),
    case(
        "two bare",
        "present",
        observation(
            component=[{"code": RED, "valueString": "x", "interpretation": [RED]}, {"code": BLUE}, {"code": BLUE}]
        ),
        "slice-max",
    ),
    case("only bare", "present", observation(component=[{"code": BLUE}]), "slice-min"),
)
_EXTENSIONS = (
    case("one", "extended", patient(extension=[CODE])),
    case("none", "extended", patient(active=True), "slice-min"),
    case("two", "extended", patient(extension=[CODE, CODE]), "slice-max"),
    case(
        "of a type the profile does not allow", "extended", patient(extension=[noted(valueString="x")]), "choice-type"
    ),
    case(
        "of a type the extension does not allow",
        "extended",
        patient(extension=[noted(valueBoolean=True)]),
        "choice-type",
    ),
    case("both parts", "extended", patient(extension=[CODE, parts(ONE, {"url": "two", "valueBoolean": True})])),
    case(
        "parts without the first",
        "extended",
        patient(extension=[CODE, parts({"url": "two", "valueBoolean": True})]),
        "slice-min",
    ),
    case(
        "part of another type",
        "extended",
        patient(extension=[CODE, parts({"url": "one", "valueString": "x"})]),
        "choice-type",
    ),
    case("another extension", "extended", patient(extension=[CODE, {"url": DATA_ABSENT, "valueCode": "masked"}])),
)

SLICING_CASES = (
    *_RESLICED,
    *_SEVERAL,
    *_BY_PROFILE,
    *_RESOLVED,
    *_PRIMITIVES,
    *_ORDER,
    *_ITEMS,
    *_NESTED,
    *_EXTENSIONS,
)
