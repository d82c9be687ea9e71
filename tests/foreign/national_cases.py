"""Cases for and against each of the profiles that are as national guides write them."""

from __future__ import annotations

from typing import Any

from tests.base_records import DATA_ABSENT, XHTML, observation, patient, without
from tests.foreign.case import BLUE, CODE, HOLDS_ADULT, HOLDS_CHILD, MG, RED, URNS, A, ForeignCase, bundle, claiming
from tests.foreign.national_profiles import CATEGORIES, DOSES, IDENTIFIER_TYPES, concept
from tests.foreign.profiles import HL7, MADE, JsonObject


def person(claimed: str, /, **elements: Any) -> JsonObject:
    return claiming(claimed, patient(**{"active": True, **elements}))


def measured(claimed: str, /, **elements: Any) -> JsonObject:
    return claiming(claimed, {**observation(), **elements})


def document(*resources: JsonObject, type_: str = "document") -> JsonObject:
    made = {**bundle(*resources), "type": type_, "meta": {"profile": [MADE + "doc"]}}
    return {**made, "identifier": {"system": "urn:x:y", "value": "1"}, "timestamp": "2020-01-01T10:00:00Z"}


def composition(*sections: JsonObject, contained: list[JsonObject] | None = None) -> JsonObject:
    made = {**COMPOSITION, "meta": {"profile": [MADE + "sections"]}, "section": list(sections)}
    return {**made, "contained": contained} if contained else made


def section(**elements: Any) -> JsonObject:
    return {"title": "x", "code": RED, **elements}


def request(**rate: Any) -> JsonObject:
    return {
        "resourceType": "MedicationRequest",
        "meta": {"profile": [MADE + "ordered-dose"]},
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"display": "x"},
        "dosageInstruction": [{"doseAndRate": [rate]}],
    }


def twice(order: JsonObject) -> JsonObject:
    (dosage,) = order["dosageInstruction"]
    return {**order, "dosageInstruction": [{"doseAndRate": dosage["doseAndRate"] * 2}]}


def red(**elements: Any) -> JsonObject:
    return {"code": RED, **elements}


def parameters(*each: JsonObject) -> JsonObject:
    return {"resourceType": "Parameters", "meta": {"profile": [MADE + "param"]}, "parameter": list(each)}


RECORD_NUMBER = {
    "type": concept(IDENTIFIER_TYPES, "MR"),
    "system": "http://ehr.test/a",
    "value": "1",
    "assigner": {"identifier": {"value": "x"}},
}
HOME_PHONE = {"system": "phone", "use": "home", "value": "1"}
WORK_MAIL = {"system": "email", "use": "work", "value": "a@b"}
OFFICIAL_NAME = {"use": "official", "family": "x", "given": ["y"]}
COMPOSITION = {
    "resourceType": "Composition",
    "status": "final",
    "type": {"text": "x"},
    "date": "2020",
    "author": [{"display": "x"}],
    "title": "x",
}
ABOUT_THE_PATIENT = {**COMPOSITION, "subject": {"reference": URNS[1]}}
NAMED_PATIENT = patient(name=[{"text": "x"}])
TEXT = {"status": "generated", "div": f"<div {XHTML}>x</div>"}
ORDERED_DOSE = concept(DOSES, "ordered")
IN_UNITS = {"value": 1, "unit": "x"}


def judged(name: str, resource: JsonObject, *errors: str, differs: str = "") -> ForeignCase:
    return ForeignCase(name, resource, frozenset(errors), differs)


NATIONAL_CASES = (
    judged("identifier by type: ok", person("id-type", identifier=[RECORD_NUMBER])),
    judged("identifier by type: none", person("id-type", identifier=[A]), "slice-min"),
    judged(
        "identifier by type: no system",
        person("id-type", identifier=[without(RECORD_NUMBER, "system")]),
        "cardinality-min",
    ),
    judged("identifier by type: no assigner", person("id-type", identifier=[without(RECORD_NUMBER, "assigner")])),
    judged(
        "identifier by type: assigner no value",
        person("id-type", identifier=[{**RECORD_NUMBER, "assigner": {"identifier": {"system": "http://ehr.test/a"}}}]),
        "cardinality-min",
    ),
    judged("identifier by type: two", person("id-type", identifier=[RECORD_NUMBER, RECORD_NUMBER]), "slice-max"),
    judged("coding by system: ok", measured("coding-sys", code=RED)),
    judged(
        "coding by system: other",
        measured("coding-sys", code={"coding": [{"system": "urn:x:y", "code": "a"}, RED["coding"][0]]}),
    ),
    judged("coding by system: blue", measured("coding-sys", code=BLUE), "binding-required"),
    judged(
        "coding by system: none",
        measured("coding-sys", code={"coding": [{"system": "urn:x:y", "code": "a"}]}),
        "slice-min",
    ),
    judged("coding by system: two", measured("coding-sys", code={"coding": RED["coding"] * 2}), "slice-max"),
    judged("nothing extra: ok", person("no-ext")),
    judged("nothing extra: bad", person("no-ext", extension=[CODE]), "slice-max"),
    judged("nothing extra: other", person("no-ext", extension=[{"url": DATA_ABSENT, "valueCode": "unknown"}])),
    judged(
        "nothing extra: contained",
        person(
            "no-ext",
            contained=[{"resourceType": "Organization", "id": "o", "name": "x"}],
            managingOrganization={"reference": "#o"},
        ),
        "element-prohibited",
    ),
    judged("nothing extra: implicit", person("no-ext", implicitRules="http://ehr.test/x"), "element-prohibited"),
    judged("category: ok", measured("cat-fixed", category=[concept(CATEGORIES, "laboratory")])),
    judged("category: other", measured("cat-fixed", category=[concept(CATEGORIES, "survey")]), "slice-min"),
    judged(
        "category: two codings",
        measured(
            "cat-fixed",
            category=[{"coding": [*concept(CATEGORIES, "laboratory")["coding"], {"system": "urn:x:y", "code": "a"}]}],
        ),
        "value-fixed",
    ),
    judged(
        "category: crossed",
        measured(
            "cat-fixed",
            category=[
                {"coding": [{"system": CATEGORIES, "code": "survey"}, {"system": "urn:x:y", "code": "laboratory"}]}
            ],
        ),
        "value-fixed",
    ),
    judged("telecom: ok", person("tel", telecom=[HOME_PHONE, WORK_MAIL])),
    judged("telecom: none", person("tel", telecom=[WORK_MAIL]), "slice-min"),
    judged(
        "telecom: wm no value",
        person("tel", telecom=[HOME_PHONE, {"system": "email", "use": "work"}]),
        "cardinality-min",
    ),
    judged("telecom: other", person("tel", telecom=[HOME_PHONE, {"system": "phone", "use": "work", "value": "1"}])),
    judged("name: ok", person("name-use", name=[OFFICIAL_NAME, {"use": "maiden", "family": "z"}])),
    judged(
        "name: maiden given",
        person("name-use", name=[OFFICIAL_NAME, {"use": "maiden", "family": "z", "given": ["a"]}]),
        "element-prohibited",
    ),
    judged("name: none", person("name-use", name=[{"use": "maiden", "family": "z"}]), "slice-min"),
    judged("name: no given", person("name-use", name=[{"use": "official", "family": "x"}]), "cardinality-min"),
    judged(
        "name: ext",
        person(
            "name-use",
            name=[
                {**OFFICIAL_NAME, "_family": {"extension": [{"url": HL7 + "humanname-own-name", "valueString": "x"}]}}
            ],
        ),
    ),
    judged(
        "name: ext two",
        person(
            "name-use",
            name=[
                {
                    **OFFICIAL_NAME,
                    "_family": {"extension": [{"url": HL7 + "humanname-own-name", "valueString": "x"}] * 2},
                }
            ],
        ),
        "slice-max",
    ),
    judged("name: usual", person("name-use", name=[OFFICIAL_NAME, {"use": "usual", "text": "z"}])),
    judged(
        "name: given ext only",
        person(
            "name-use",
            name=[
                {
                    "use": "official",
                    "family": "x",
                    "_given": [{"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}],
                }
            ],
        ),
    ),
    judged("document: ok", document(ABOUT_THE_PATIENT, NAMED_PATIENT)),
    judged("document: no name", document(ABOUT_THE_PATIENT, patient(active=True)), "cardinality-min"),
    judged(
        "document: extra",
        document(ABOUT_THE_PATIENT, NAMED_PATIENT, {**observation(), "subject": {"reference": URNS[1]}}),
        "slice-unmatched",
    ),
    judged("document: type", document(ABOUT_THE_PATIENT, NAMED_PATIENT, type_="collection"), "value-fixed"),
    judged("document: two p", document(ABOUT_THE_PATIENT, NAMED_PATIENT, NAMED_PATIENT), "bundle-orphan", "slice-max"),
    judged("meta: ok", {**patient(active=True), "meta": {"profile": [MADE + "meta"], "security": RED["coding"]}}),
    judged("meta: no sec", {**patient(active=True), "meta": {"profile": [MADE + "meta"]}}, "cardinality-min"),
    judged(
        "meta: bad sec",
        {**patient(active=True), "meta": {"profile": [MADE + "meta"], "security": BLUE["coding"]}},
        "binding-required",
    ),
    judged(
        "meta: version",
        {**patient(active=True), "meta": {"profile": [MADE + "meta|1"], "security": RED["coding"]}},
        "slice-min",
    ),
    judged(
        "meta: two",
        {
            **patient(active=True, name=[{"text": "x"}]),
            "meta": {"profile": [MADE + "meta", MADE + "named"], "security": RED["coding"]},
        },
    ),
    judged("section: ok", composition(section(entry=[{"reference": "#p"}]), contained=HOLDS_ADULT)),
    judged("section: none", composition({"title": "x", "code": BLUE, "text": TEXT}), "slice-min"),
    judged("section: child", composition(section(entry=[{"reference": "#p"}]), contained=HOLDS_CHILD), "slice-min"),
    judged(
        "section: outside",
        composition(section(entry=[{"reference": "Patient/1"}])),
        differs="told to leave references alone, it resolves none that lead outside",
    ),
    judged(
        "section: sub",
        composition(
            section(entry=[{"reference": "#p"}], section=[{"title": "y", "text": TEXT}]), contained=HOLDS_ADULT
        ),
        "element-prohibited",
    ),
    judged(
        "section: no title",
        composition({"code": RED, "entry": [{"reference": "#p"}]}, contained=HOLDS_ADULT),
        "cardinality-min",
    ),
    judged(
        "section: other",
        composition(
            section(entry=[{"reference": "#p"}]),
            {"title": "y", "code": BLUE, "section": [{"title": "z", "text": TEXT}]},
            contained=HOLDS_ADULT,
        ),
    ),
    judged("telecom, derived: ok", person("tel-more", telecom=[HOME_PHONE, WORK_MAIL])),
    judged("telecom, derived: no wm", person("tel-more", telecom=[HOME_PHONE]), "slice-min"),
    judged(
        "telecom, derived: hp no value",
        person("tel-more", telecom=[{"system": "phone", "use": "home"}, WORK_MAIL]),
        "cardinality-min",
    ),
    judged(
        "telecom, derived: new two",
        person(
            "tel-more",
            telecom=[
                HOME_PHONE,
                WORK_MAIL,
                {"system": "url", "use": "work", "value": "1"},
                {"system": "url", "use": "work", "value": "2"},
            ],
        ),
        "slice-max",
    ),
    judged("telecom, derived: base", person("tel-more", telecom=[WORK_MAIL]), "slice-min"),
    judged("one value: ok", measured("value-one", valueQuantity=MG)),
    judged("one value: g", measured("value-one", valueQuantity={**MG, "code": "g"}), "value-pattern"),
    judged("one value: no sys", measured("value-one", valueQuantity={"value": 1}), "cardinality-min"),
    judged("one value: str", measured("value-one", valueString="x"), "choice-type"),
    judged("one value: none", measured("value-one")),
    judged(
        "value by type: ok",
        measured("value-cc", valueCodeableConcept={"coding": [{**RED["coding"][0], "display": "Red"}]}),
    ),
    judged("value by type: no display", measured("value-cc", valueCodeableConcept=RED), "cardinality-min"),
    judged(
        "value by type: blue",
        measured("value-cc", valueCodeableConcept={"coding": [{**BLUE["coding"][0]}]}),
        "binding-required",
        "cardinality-min",
    ),
    judged(
        "value by type: text",
        measured("value-cc", valueCodeableConcept={"text": "x"}),
        "binding-required",
        "cardinality-min",
    ),
    judged("value by type: str", measured("value-cc", valueString="x")),
    judged(
        "value by type: two",
        measured("value-cc", valueCodeableConcept={"coding": [{**RED["coding"][0], "display": "Red"}] * 2}),
        "cardinality-max",
    ),
    judged("dose: ok", request(type=ORDERED_DOSE, doseQuantity={"value": 1})),
    judged("dose: range", request(type=ORDERED_DOSE, doseRange={"low": {"value": 1}}), "choice-type"),
    judged("dose: none", request(type=ORDERED_DOSE), "cardinality-min"),
    judged(
        "dose: rate",
        request(type=ORDERED_DOSE, doseQuantity={"value": 1}, rateQuantity={"value": 1}),
        "element-prohibited",
    ),
    judged("dose: other", request(doseRange={"low": {"value": 1}})),
    judged("dose: two", twice(request(type=ORDERED_DOSE, doseQuantity={"value": 1})), "slice-max"),
    judged(
        "components: ok", measured("tot", component=[red(valueQuantity=IN_UNITS), {"code": BLUE, "valueString": "x"}])
    ),
    judged("components: one", measured("tot", component=[red(valueQuantity=IN_UNITS)]), "cardinality-min"),
    judged(
        "components: four",
        measured("tot", component=[red(valueQuantity=IN_UNITS), *[{"code": BLUE, "valueString": "x"}] * 3]),
        "cardinality-max",
    ),
    judged(
        "components: no unit",
        measured("tot", component=[red(valueQuantity={"value": 1}), {"code": BLUE, "valueString": "x"}]),
        "cardinality-min",
    ),
    judged(
        "components: absent",
        measured("tot", component=[red(dataAbsentReason={"text": "x"}), {"code": BLUE, "valueString": "x"}]),
        "cardinality-min",
        "element-prohibited",
    ),
    judged(
        "members by profile: ok",
        bundle(
            measured("tot", component=[red(valueQuantity=IN_UNITS), {"code": BLUE, "valueString": "x"}]),
            measured("refs", hasMember=[{"reference": URNS[0]}]),
        ),
    ),
    judged(
        "members by profile: two",
        bundle(
            measured("tot", component=[red(valueQuantity=IN_UNITS), {"code": BLUE, "valueString": "x"}]),
            measured("refs", hasMember=[{"reference": URNS[0]}] * 2),
        ),
        "slice-max",
    ),
    judged("members by profile: not", bundle(observation(), measured("refs", hasMember=[{"reference": URNS[0]}] * 2))),
    judged("parameters: ok", parameters({"name": "a", "valueString": "x"})),
    judged(
        "parameters: none",
        parameters({"name": "b", "resource": NAMED_PATIENT, "part": [{"name": "c", "valueString": "x"}]}),
        "inv-1",
        "slice-min",
    ),
    judged("parameters: type", parameters({"name": "a", "valueInteger": 1}), "choice-type"),
    judged(
        "parameters: b",
        parameters(
            {"name": "a", "valueString": "x"},
            {"name": "b", "resource": NAMED_PATIENT, "part": [{"name": "c", "valueString": "x"}]},
        ),
        "inv-1",
    ),
    judged(
        "parameters: b both",
        parameters({"name": "a", "valueString": "x"}, {"name": "b", "resource": NAMED_PATIENT}),
        "slice-min",
    ),
    judged(
        "parameters: b no c",
        parameters({"name": "a", "valueString": "x"}, {"name": "b", "part": [{"name": "d", "valueString": "x"}]}),
        "cardinality-min",
        "slice-min",
    ),
    judged("parameters: other", parameters({"name": "a", "valueString": "x"}, {"name": "z", "valueString": "x"})),
)
