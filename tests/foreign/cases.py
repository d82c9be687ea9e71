"""Records for and against each foreign profile, with the rule of every error that is to be found.

``differs`` says why HL7's validator has no error for what is one, or the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.base_records import DATA_ABSENT, observation, patient, without
from tests.foreign.profiles import COLOURS, UCUM
from tests.unit.made_profiles import MADE

JsonObject = dict[str, Any]

A = {"system": "https://ehr.test/a", "value": "1"}
B = {"system": "https://ehr.test/b", "value": "2"}
RED = {"coding": [{"system": COLOURS, "code": "red"}]}
BLUE = {"coding": [{"system": COLOURS, "code": "blue"}]}
OFFICIAL = {**A, "use": "official"}
BORN = {"birthDate": "1990-01-01"}
MG = {"value": 5, "unit": "mg", "system": UCUM, "code": "mg"}
URNS = [f"urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a1{number}" for number in range(9)]


@dataclass(frozen=True)
class ForeignCase:
    name: str
    resource: JsonObject
    errors: frozenset[str]
    differs: str = ""


def case(name: str, profile: str, resource: JsonObject, *errors: str, differs: str = "") -> ForeignCase:
    """A record that claims the profile (more than one: separated by spaces)."""
    claims = [MADE + each for each in profile.split()]
    return ForeignCase(f"{profile}: {name}", {**resource, "meta": {"profile": claims}}, frozenset(errors), differs)


def ids(*identifiers: JsonObject) -> JsonObject:
    return patient(identifier=list(identifiers))


def bundle(*resources: JsonObject) -> JsonObject:
    entries = [{"fullUrl": url, "resource": resource} for url, resource in zip(URNS, resources, strict=False)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def claiming(profile: str, resource: JsonObject) -> JsonObject:
    return {**resource, "meta": {"profile": [MADE + profile]}}


def form(**item: Any) -> JsonObject:
    given = {"linkId": "1", "prefix": "1", "type": "string", "code": [{"system": COLOURS, "code": "red"}], **item}
    return {"resourceType": "Questionnaire", "status": "active", "item": [given]}


def inner(link_id: str, **more: Any) -> JsonObject:
    return {
        "linkId": link_id,
        "type": "string",
        "text": "x",
        "prefix": "1",
        "code": [{"system": COLOURS, "code": "red"}],
        **more,
    }


def noted(**value: Any) -> JsonObject:
    return {"url": MADE + "noted", **value}


def parts(*each: JsonObject) -> JsonObject:
    return {"url": MADE + "two-parts", "extension": list(each)}


ONE = {"url": "one", "valueInteger": 1}
CODE = noted(valueCode="x")
HOLDS_ADULT = [{"resourceType": "Patient", "id": "p", **BORN}]
HOLDS_CHILD = [{"resourceType": "Patient", "id": "p"}]
HOLDS_TEAM = {"resourceType": "CareTeam", "id": "t"}


def of_contained(contained: list[JsonObject], **elements: Any) -> JsonObject:
    return observation(contained=contained, **elements)


def about(subject: JsonObject, **elements: Any) -> JsonObject:
    """A Bundle of a patient and an observation of it that claims the profile on subjects."""
    return bundle(subject, claiming("subject-adult", observation(subject={"reference": URNS[0]}, **elements)))


def plain(resource: JsonObject) -> JsonObject:
    return without(resource, "meta")


_OWN_SLICING = "it refuses a slice that is sliced by something else"
_UNRESOLVED = "told to leave references alone, it resolves none that lead outside"
_AT_END = "it does not look at openAtEnd"
_MAXIMUM = "it does not look at maxValue of dates"

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
_TARGETS = (
    ForeignCase("subject-adult: in a Bundle", about(patient(**BORN)), frozenset()),
    ForeignCase("subject-adult: a child in a Bundle", about(patient(active=True)), frozenset({"reference-profile"})),
    case("contained", "subject-adult", of_contained(HOLDS_ADULT, subject={"reference": "#p"})),
    case(
        "contained, a child",
        "subject-adult",
        of_contained(HOLDS_CHILD, subject={"reference": "#p"}),
        "reference-profile",
    ),
    case("outside", "subject-adult", observation(subject={"reference": "Patient/1"})),
    case("missing", "subject-adult", observation(), "cardinality-min"),
)
_CHOICES = (
    case("a quantity", "choice", observation(valueQuantity=MG)),
    case("a quantity without unit", "choice", observation(valueQuantity=without(MG, "unit")), "cardinality-min"),
    case("a quantity of another code", "choice", observation(valueQuantity={**MG, "code": "g"}), "value-fixed"),
    case("a string", "choice", observation(valueString="12345")),
    case("a long string", "choice", observation(valueString="123456"), "max-length"),
    case("another type", "choice", observation(valueBoolean=True)),
    case("both", "choice-needed", observation(valueQuantity=MG, effectiveDateTime="2020")),
    case("no value", "choice-needed", observation(effectiveDateTime="2020"), "cardinality-min"),
    case("another type", "choice-needed", observation(valueString="x", effectiveDateTime="2020"), "choice-type"),
    case(
        "another type of time",
        "choice-needed",
        observation(valueQuantity=MG, effectivePeriod={"start": "2020"}),
        "choice-type",
    ),
    case("as it names", "shortcut", observation(valueQuantity=MG)),
    case("no value", "shortcut", observation(), "cardinality-min"),
    case("no code", "shortcut", observation(valueQuantity={"value": 1}), "cardinality-min"),
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
_VALUES = (
    case("active", "fixed", patient(active=True)),
    case("not active", "fixed", patient(active=False), "value-fixed"),
    case("born then", "fixed", patient(birthDate="1990-01-01")),
    case("born another day", "fixed", patient(birthDate="1990-01-02"), "value-fixed"),
    case("concept", "fixed", patient(maritalStatus=RED)),
    case("concept with more", "fixed", patient(maritalStatus={**RED, "text": "red"}), "value-fixed"),
    case("two of them", "fixed", patient(multipleBirthInteger=2)),
    case("three of them", "fixed", patient(multipleBirthInteger=3), "value-fixed"),
    case(
        "name with more",
        "fixed",
        patient(name=[{"family": "Lovelace", "given": ["King", "Ada"], "use": "usual"}]),
        differs="it wants as many given names as the pattern has",
    ),
    case("name without", "fixed", patient(name=[{"family": "Lovelace", "given": ["King"]}]), "value-pattern"),
    case(
        "one of two names without",
        "fixed",
        patient(name=[{"family": "Lovelace", "given": ["Ada"]}, {"family": "King"}]),
        "value-pattern",
    ),
    case("contact then", "fixed", patient(contact=[{"name": {"text": "x"}, "period": {"start": "2020-01-01"}}])),
    case(
        "contact until",
        "fixed",
        patient(contact=[{"name": {"text": "x"}, "period": {"start": "2020-01-01", "end": "2021-01-01"}}]),
        "value-fixed",
    ),
    case("identifier", "fixed", ids(A)),
    case("identifier of b", "fixed", ids(B), "value-pattern"),
    case("organization", "fixed", patient(managingOrganization={"reference": "Organization/1", "display": "x"})),
    case(
        "another organization", "fixed", patient(managingOrganization={"reference": "Organization/2"}), "value-pattern"
    ),
    case("quantity", "pattern-quantity", observation(valueQuantity=MG)),
    case(
        "quantity of another unit", "pattern-quantity", observation(valueQuantity={**MG, "code": "g"}), "value-pattern"
    ),
    case("low", "pattern-quantity", observation(referenceRange=[{"low": {"value": 1.5}}])),
    case("another low", "pattern-quantity", observation(referenceRange=[{"low": {"value": 1.6}}]), "value-fixed"),
)
_RANGES = (
    case("inside", "ranges", observation(effectiveDateTime="2020-05-05", valueQuantity=MG)),
    case("too early", "ranges", observation(effectiveDateTime="2019-12-31"), "value-range"),
    case("too late", "ranges", observation(effectiveDateTime="2022-01-01"), "value-range", differs=_MAXIMUM),
    case("at the end", "ranges", observation(effectiveDateTime="2021")),
    case("too little", "ranges", observation(valueQuantity={**MG, "value": 0.5}), "value-range"),
    case("too much", "ranges", observation(valueQuantity={**MG, "value": 9.5}), "value-range"),
    case(
        "of another unit",
        "ranges",
        observation(valueQuantity={"value": 50, "system": UCUM, "code": "cm"}),
        differs="without units of measure it cannot convert, and refuses",
    ),
    case("issued too early", "ranges", observation(issued="2019-12-31T23:59:59Z"), "value-range"),
    case("issued in another zone", "ranges", observation(issued="2020-01-01T00:30:00+01:00"), "value-range"),
    case("note", "ranges", observation(note=[{"text": "abc"}])),
    case(
        "long note",
        "ranges",
        observation(note=[{"text": "abcd"}]),
        "max-length",
        differs="it does not look at maxLength of markdown",
    ),
    case("integer", "ranges-plain", observation(valueInteger=9)),
    case("high integer", "ranges-plain", observation(valueInteger=10), "value-range"),
    case("time", "ranges-plain", observation(component=[{"code": RED, "valueTime": "08:00:00"}])),
    case("early time", "ranges-plain", observation(component=[{"code": RED, "valueTime": "07:59:59"}]), "value-range"),
    case("birth", "birth", patient(birthDate="1990-01-01")),
    case("birth too early", "birth", patient(birthDate="1899-12-31"), "value-range"),
    case("birth too late", "birth", patient(birthDate="2020-07-01"), "value-range", differs=_MAXIMUM),
)
_TYPES = (
    case("own identifier", "types", observation(identifier=[A])),
    case("none", "types", observation(), "cardinality-min"),
    case("identifier without system", "types", observation(identifier=[{"value": "1"}]), "cardinality-min"),
    case("identifier too long", "types", observation(identifier=[{**A, "value": "12345"}]), "max-length"),
    case("own quantity", "types", observation(identifier=[A], valueQuantity=MG)),
    case("quantity without unit", "types", observation(identifier=[A], valueQuantity={"value": 1}), "cardinality-min"),
    case("string", "types", observation(identifier=[A], valueString="x")),
)
_SEVERAL = (
    case("both met", "adult named", patient(**BORN, name=[{"text": "x"}])),
    case("one broken", "adult named", patient(name=[{"text": "x"}]), "cardinality-min"),
    case("with its version", "adult|1", patient(**BORN)),
    case("broken, with its version", "adult|1", patient(active=True), "cardinality-min"),
    case(
        "of a version not known",
        "adult|2",
        patient(active=True),
        differs="it refuses example.org in a canonical that it does not know",
    ),
    case("abstract", "abstract", patient(name=[{"text": "x"}])),
    case("abstract, broken", "abstract", patient(active=True), "cardinality-min"),
    case("child of an abstract one", "child", patient(gender="female", name=[{"text": "x"}])),
    case("child without what the abstract one asks", "child", patient(gender="female"), "cardinality-min"),
    case("nothing of it", "must-support", patient(active=True)),
    case("only a warning", "warned", patient(active=True)),
)
_CONTAINED = (
    case("an adult", "contained", of_contained(HOLDS_ADULT, subject={"reference": "#p"})),
    case("a child", "contained", of_contained(HOLDS_CHILD, subject={"reference": "#p"}), "cardinality-min"),
    case("nobody", "contained", observation(), "slice-min"),
    case("an adult", "all-contained", of_contained(HOLDS_ADULT, subject={"reference": "#p"})),
    case("a child", "all-contained", of_contained(HOLDS_CHILD, subject={"reference": "#p"}), "cardinality-min"),
    case("a team", "all-contained", of_contained([HOLDS_TEAM], performer=[{"reference": "#t"}]), "element-type"),
)
_BINDINGS = (
    case("extensible, in", "bindings", observation(method=RED)),
    case("extensible, out", "bindings", observation(method=BLUE)),
    case("extensible, only text", "bindings", observation(method={"text": "x"})),
    case("preferred, out", "bindings", observation(bodySite=BLUE)),
    case("required, in", "bindings", observation(category=[RED])),
    case("required, out", "bindings", observation(category=[BLUE]), "binding-required"),
    case("required, one of two", "bindings", observation(category=[{"coding": [*RED["coding"], *BLUE["coding"]]}])),
    case(
        "required, not enumerable",
        "bindings",
        observation(component=[{"code": BLUE}]),
        differs="it sees that the value set has no code of that system",
    ),
    case("quantity, in", "bindings", observation(valueQuantity={"value": 1, "system": COLOURS, "code": "red"})),
    case(
        "quantity, out",
        "bindings",
        observation(valueQuantity={"value": 1, "system": COLOURS, "code": "blue"}),
        "binding-required",
    ),
    case("quantity without code", "bindings", observation(valueQuantity={"value": 1})),
)
_HELD = [{"resourceType": "Organization", "id": "o", "name": "x"}]
_UNNAMED = [{"resourceType": "Organization", "id": "o", "identifier": [A]}]
_EXPRESSIONS = (
    case("all met", "expressions", patient(name=[{"given": ["Ada"]}], birthDate="1990-01-01")),
    case("name", "expressions", patient(name=[{"given": ["ada"]}]), "x-1"),
    case("no given name", "expressions", patient(name=[{"family": "King"}])),
    case("identifier", "expressions", ids({**A, "value": "123"})),
    case("short identifier", "expressions", ids({**A, "value": "123", "period": {"start": "2020"}}), "x-2"),
    case("not born yet", "expressions", patient(birthDate="9990-01-01"), "x-3"),
    case("organization", "expressions", patient(contained=_HELD, managingOrganization={"reference": "#o"})),
    case("unnamed", "expressions", patient(contained=_UNNAMED, managingOrganization={"reference": "#o"}), "x-4"),
    case("outside", "expressions", patient(managingOrganization={"reference": "Organization/1"})),
)

FOREIGN_CASES: tuple[ForeignCase, ...] = (
    *_RESLICED,
    *_BY_PROFILE,
    *_RESOLVED,
    *_TARGETS,
    *_CHOICES,
    *_PRIMITIVES,
    *_ORDER,
    *_ITEMS,
    *_NESTED,
    *_EXTENSIONS,
    *_VALUES,
    *_RANGES,
    *_TYPES,
    *_SEVERAL,
    *_CONTAINED,
    *_BINDINGS,
    *_EXPRESSIONS,
)
