"""Values, types, targets, bindings and constraints of foreign profiles."""

from __future__ import annotations

from typing import Any

from tests.base_records import observation, patient, without
from tests.foreign.case import (
    BLUE,
    BORN,
    HOLDS_ADULT,
    HOLDS_CHILD,
    HOLDS_TEAM,
    MG,
    RED,
    A,
    B,
    ForeignCase,
    JsonObject,
    about,
    case,
    ids,
    of_contained,
    on_a_server,
)
from tests.foreign.profiles import COLOURS, UCUM

_MAXIMUM = "it does not look at maxValue of dates"


def _part(value: float) -> JsonObject:
    return {"code": {"text": "a"}, "valueQuantity": {"value": value}}


_TARGETS = (
    ForeignCase("subject-adult: in a Bundle", about(patient(**BORN)), frozenset()),
    ForeignCase("subject-adult: a child in a Bundle", about(patient(active=True)), frozenset({"reference-profile"})),
    ForeignCase("subject-adult: on a server", on_a_server("Patient/p", patient(id="p", **BORN)), frozenset()),
    ForeignCase(
        "subject-adult: a child on a server",
        on_a_server("Patient/p", patient(id="p", active=True)),
        frozenset({"reference-profile"}),
    ),
    ForeignCase(
        "subject-adult: a child on another server",
        on_a_server("https://other.test/Patient/p", patient(id="p", active=True)),
        frozenset(),
    ),
    ForeignCase(
        "subject-adult: a child elsewhere by the same id",
        about(patient(id="p", active=True), subject={"reference": "Patient/p"}),
        frozenset(),
    ),
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
    case("high", "pattern-quantity", observation(referenceRange=[{"high": {"value": 2, "unit": "mg"}}])),
    case("high otherwise", "pattern-quantity", observation(referenceRange=[{"high": {"value": 2.0}}]), "value-fixed"),
    case("another high", "pattern-quantity", observation(referenceRange=[{"high": {"value": 3}}]), "value-fixed"),
    case("one", "pattern-quantity", observation(component=[_part(1)])),
    case("one otherwise", "pattern-quantity", observation(component=[_part(1), _part(1.0)]), "value-pattern"),
    case("no one", "pattern-quantity", observation(component=[_part(2)]), "value-pattern"),
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
_SEVERAL_PROFILES = (
    case("the first", "several-profiles", observation(identifier=[A])),
    case("the second", "several-profiles", observation(identifier=[{"value": "12"}])),
    case("one of neither", "several-profiles", observation(identifier=[A, {"value": "123"}]), "type-profile"),
    case("the first", "several-profiles", observation(valueQuantity={"value": 1, "unit": "x"})),
    case("the second", "several-profiles", observation(valueQuantity=without(MG, "unit"))),
    case("neither", "several-profiles", observation(valueQuantity={"value": 1}), "type-profile"),
    case(
        "the second, beside another type",
        "several-profiles",
        observation(component=[{"code": RED, "valueQuantity": without(MG, "unit")}]),
        differs="where there are several types it looks at the first profile of each",
    ),
    case(
        "neither, beside another type",
        "several-profiles",
        observation(component=[{"code": RED, "valueQuantity": {"value": 1}}]),
        "type-profile",
    ),
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
    case("a warning further down", "warned", patient(name=[{"given": ["ada"]}], identifier=[{"value": "1"}])),
    case("no warning", "warned", patient(name=[{"text": "x"}])),
)
_CONTAINED = (
    case("an adult", "contained", of_contained(HOLDS_ADULT, subject={"reference": "#p"})),
    case("a child", "contained", of_contained(HOLDS_CHILD, subject={"reference": "#p"}), "cardinality-min"),
    case("nobody", "contained", observation(), "slice-min"),
    case("an adult", "all-contained", of_contained(HOLDS_ADULT, subject={"reference": "#p"})),
    case("a child", "all-contained", of_contained(HOLDS_CHILD, subject={"reference": "#p"}), "cardinality-min"),
    case("a team", "all-contained", of_contained([HOLDS_TEAM], performer=[{"reference": "#t"}]), "element-type"),
)
FINDING = {"coding": [{"system": "http://snomed.info/sct", "code": "404684003"}]}
_AND_A_FINDING = {"coding": [*BLUE["coding"], *FINDING["coding"]]}


def _said(code: JsonObject, **value: Any) -> JsonObject:
    return {"code": code, **(value or {"valueString": "x"})}


_BINDINGS = (
    case("extensible, in", "bindings", observation(method=RED)),
    case("extensible, out", "bindings", observation(method=BLUE)),
    case("extensible, only text", "bindings", observation(method={"text": "x"})),
    case("preferred, out", "bindings", observation(bodySite=BLUE)),
    case("required, in", "bindings", observation(category=[RED])),
    case("required, out", "bindings", observation(category=[BLUE]), "binding-required"),
    case("required, one of two", "bindings", observation(category=[{"coding": [*RED["coding"], *BLUE["coding"]]}])),
    case("required of SNOMED CT", "bindings", observation(component=[_said(FINDING)])),
    case("required of SNOMED CT, another system", "bindings", observation(component=[_said(BLUE)]), "binding-required"),
    case("required of SNOMED CT, one of two", "bindings", observation(component=[_said(_AND_A_FINDING)])),
    case("required of SNOMED CT or red, red", "bindings", observation(interpretation=[RED])),
    case("required of SNOMED CT or red, a finding", "bindings", observation(interpretation=[FINDING])),
    case("required of SNOMED CT or red, blue", "bindings", observation(interpretation=[BLUE]), "binding-required"),
    case("required of each coding", "bindings", {**observation(), "code": FINDING}),
    case("required of each coding, one out", "bindings", {**observation(), "code": _AND_A_FINDING}, "binding-required"),
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

_CANNOT_TELL = "it takes what it cannot tell for not so"
_MEMBERS = (
    case("an adult", "members", of_contained(HOLDS_ADULT, subject={"reference": "#p"})),
    case("a child", "members", of_contained(HOLDS_CHILD, subject={"reference": "#p"}), "m-1"),
    case("nobody", "members", observation()),
    case("own identifier", "members", observation(identifier=[A])),
    case("another identifier", "members", observation(identifier=[A, {"value": "1"}]), "m-2"),
    case("a concept of the value set", "members", observation(category=[RED])),
    case("one of two codings", "members", observation(category=[{"coding": [*BLUE["coding"], *RED["coding"]]}])),
    case("a concept of another", "members", observation(category=[BLUE]), "m-3"),
    case("only text", "members", observation(category=[{"text": "red"}]), "m-3"),
    case("a code without a system", "members", observation(category=[{"coding": [{"code": "red"}]}])),
    case("not of SNOMED CT", "members", {**observation(), "code": RED}),
    case("of SNOMED CT", "members", {**observation(), "code": FINDING}),
    case("one coding", "members", observation(bodySite=RED)),
    case("two codings", "members", observation(bodySite={"coding": [*RED["coding"], *RED["coding"]]}), "m-5"),
    case("no coding", "members", observation(bodySite={"text": "x"}), "m-5"),
    case("a code", "members", observation(method=RED)),
    case("another code", "members", observation(method=BLUE), "m-6"),
    case("of a value set not known", "members", observation(interpretation=[RED]), differs=_CANNOT_TELL),
)

VALUE_CASES = (
    *_TARGETS,
    *_CHOICES,
    *_VALUES,
    *_RANGES,
    *_TYPES,
    *_SEVERAL_PROFILES,
    *_SEVERAL,
    *_CONTAINED,
    *_BINDINGS,
    *_EXPRESSIONS,
    *_MEMBERS,
)
