"""Profiles as other people write them, each as short as the construct under test allows: one set of definitions."""

from __future__ import annotations

from typing import Any

from tests.unit.made_profiles import MADE, element, profile, slicing

JsonObject = dict[str, Any]

HL7 = "http://hl7.org/fhir/StructureDefinition/"
COLOURS = MADE + "colours"
UCUM = "http://unitsofmeasure.org"
MILLIGRAMS = {"system": UCUM, "code": "mg"}
SEX = "http://hl7.org/fhir/administrative-gender"


def typed(code: str, *profiles: str, target: tuple[str, ...] = ()) -> JsonObject:
    """One entry of ElementDefinition.type."""
    found: JsonObject = {"code": code}
    if profiles:
        found["profile"] = list(profiles)
    if target:
        found["targetProfile"] = list(target)
    return found


def rule(key: str, expression: str, severity: str = "error") -> JsonObject:
    return {"key": key, "severity": severity, "human": "as the expression says", "expression": expression}


def value_set(name: str, *codes: str) -> JsonObject:
    return {
        "resourceType": "ValueSet",
        "id": name,
        "url": MADE + name,
        "version": "1",
        "name": name,
        "status": "active",
        "compose": {"include": [{"system": COLOURS, "concept": [{"code": code} for code in codes]}]},
    }


# what nobody can enumerate without SNOMED CT
OF_SNOMED: JsonObject = {
    "system": "http://snomed.info/sct",
    "filter": [{"property": "concept", "op": "is-a", "value": "404684003"}],
}


def bound(strength: str, name: str) -> JsonObject:
    return {"strength": strength, "valueSet": MADE + name}


CODE_SYSTEM: JsonObject = {
    "resourceType": "CodeSystem",
    "id": "colours",
    "url": COLOURS,
    "version": "1",
    "name": "Colours",
    "status": "active",
    "content": "complete",
    "caseSensitive": True,
    "concept": [{"code": "red", "display": "Red"}, {"code": "blue"}, {"code": "green"}, {"code": "mg"}],
}

RESLICED = profile(
    "resliced",
    element("Patient.identifier", slicing=slicing("value", "system")),
    element("Patient.identifier:a", min=0, max="3", slicing=slicing("value", "use")),
    element("Patient.identifier:a.system", min=1, fixedUri="https://ehr.test/a"),
    element("Patient.identifier:a/official", min=1, max="1"),
    element("Patient.identifier:a/official.use", min=1, fixedCode="official"),
    element("Patient.identifier:a/official.value", min=1),
    element("Patient.identifier:a/old", min=0, max="1"),
    element("Patient.identifier:a/old.use", min=1, fixedCode="old"),
    element("Patient.identifier:a/old.period", min=1),
    on="Patient",
)
OVERLAPPING = profile(
    "overlapping",
    element("Observation.component", slicing=slicing("pattern", "code")),
    element("Observation.component:red", min=0, max="1"),
    element("Observation.component:red.code", patternCodeableConcept={"coding": [{"system": COLOURS, "code": "red"}]}),
    element("Observation.component:blue", min=0, max="1"),
    element(
        "Observation.component:blue.code", patternCodeableConcept={"coding": [{"system": COLOURS, "code": "blue"}]}
    ),
)
# slices of a slice that are told apart as it is
RESLICED_ALIKE = profile(
    "resliced-alike",
    element("Patient.identifier", slicing={**slicing("value", "system"), "ordered": False}),
    element("Patient.identifier:a", min=0, max="3"),
    element("Patient.identifier:a.system", min=1, patternUri="https://ehr.test/a"),
    element("Patient.identifier:a/one", min=0, max="1"),
    element("Patient.identifier:a/one.system", min=1, fixedUri="https://ehr.test/a"),
    element("Patient.identifier:a/two", min=0, max="1"),
    element("Patient.identifier:a/two.system", min=1, fixedUri="https://ehr.test/a"),
    on="Patient",
)
ADULT = profile("adult", element("Patient.birthDate", min=1), on="Patient")
NAMED = profile("named", element("Patient.name", min=1), on="Patient")
ENTRIES = profile(
    "entries",
    element("Bundle.entry", slicing=slicing("profile", "resource")),
    element("Bundle.entry:adult", min=1, max="1"),
    element("Bundle.entry:adult.resource", min=1, type=[typed("Patient", MADE + "adult")]),
    on="Bundle",
)
ENTRIES_OF_TWO = profile(
    "entries-of-two",
    element("Bundle.entry", slicing=slicing("profile", "resource")),
    element("Bundle.entry:adult", min=0, max="1"),
    element("Bundle.entry:adult.resource", min=1, type=[typed("Patient", MADE + "adult")]),
    element("Bundle.entry:named", min=0, max="1"),
    element("Bundle.entry:named.resource", min=1, type=[typed("Patient", MADE + "named")]),
    on="Bundle",
)
ENTRY_TYPES = profile(
    "entry-types",
    element("Bundle.entry", slicing=slicing("type", "resource", "closed")),
    element("Bundle.entry:patient", min=1, max="1"),
    element("Bundle.entry:patient.resource", min=1, type=[typed("Patient")]),
    element("Bundle.entry:observation", min=0, max="*"),
    element("Bundle.entry:observation.resource", min=1, type=[typed("Observation")]),
    on="Bundle",
)
PERFORMERS = profile(
    "performers",
    element("Observation.performer", slicing=slicing("type", "resolve()")),
    element("Observation.performer:person", min=1, max="1", type=[typed("Reference", target=(HL7 + "Patient",))]),
    element("Observation.performer:team", min=0, max="1", type=[typed("Reference", target=(HL7 + "CareTeam",))]),
)
PERFORMERS_BY_PROFILE = profile(
    "performers-by-profile",
    element("Observation.performer", slicing=slicing("profile", "resolve()")),
    element("Observation.performer:adult", min=1, max="1", type=[typed("Reference", target=(MADE + "adult",))]),
)
SUBJECT = profile(
    "subject-adult", element("Observation.subject", min=1, type=[typed("Reference", target=(MADE + "adult",))])
)
CHOICE = profile(
    "choice",
    element("Observation.value[x]", slicing={**slicing("type", "$this"), "ordered": False}),
    element("Observation.value[x]:valueQuantity", min=0, max="1", type=[typed("Quantity")]),
    element("Observation.value[x]:valueQuantity.unit", min=1),
    element("Observation.value[x]:valueQuantity.code", min=1, fixedCode="mg"),
    element("Observation.value[x]:valueString", min=0, max="1", type=[typed("string")], maxLength=5),
)
CHOICE_NEEDED = profile(
    "choice-needed",
    element("Observation.effective[x]", min=1, type=[typed("dateTime")]),
    element("Observation.value[x]", min=1, type=[typed("Quantity"), typed("CodeableConcept")]),
)
SHORTCUT = profile(
    "shortcut", element("Observation.valueQuantity", min=1), element("Observation.valueQuantity.code", min=1)
)
GIVEN_NAMES = profile(
    "given-names",
    element("Patient.name.given", slicing=slicing("value", "$this")),
    element("Patient.name.given:ada", min=1, max="1", fixedString="Ada"),
    on="Patient",
)


def ordered(name: str, rules: str) -> JsonObject:
    """Identifiers in the order a, b."""
    return profile(
        name,
        element("Patient.identifier", slicing={**slicing("value", "system", rules), "ordered": True}),
        element("Patient.identifier:a", min=0, max="2"),
        element("Patient.identifier:a.system", min=1, fixedUri="https://ehr.test/a"),
        element("Patient.identifier:b", min=0, max="2"),
        element("Patient.identifier:b.system", min=1, fixedUri="https://ehr.test/b"),
        on="Patient",
    )


ORDERED, AT_END, ORDERED_CLOSED = (
    ordered("ordered", "open"),
    ordered("at-end", "openAtEnd"),
    ordered("ordered-closed", "closed"),
)
ITEMS = profile(
    "items",
    element("Questionnaire.item", constraint=[rule("it-1", "prefix.exists()")]),
    element("Questionnaire.item.code", min=1),
    element("Questionnaire.item.item", max="1"),
    element("Questionnaire.item.item.text", min=1),
    on="Questionnaire",
)
NESTED = profile(
    "nested",
    element("Observation.component", slicing=slicing("pattern", "code")),
    element("Observation.component:red", min=1, max="1", constraint=[rule("red-9", "value.exists()")]),
    element("Observation.component:red.code", patternCodeableConcept={"coding": [{"system": COLOURS, "code": "red"}]}),
    element("Observation.component:red.code.coding", slicing=slicing("value", "system")),
    element("Observation.component:red.code.coding:own", min=1, max="1"),
    element("Observation.component:red.code.coding:own.system", min=1, fixedUri=COLOURS),
    element("Observation.component:red.code.coding:own.display", min=1),
)
SLICE_RULE = profile(
    "slice-rule",
    element("Observation.component", slicing=slicing("pattern", "code")),
    element(
        "Observation.component:red",
        min=0,
        max="1",
        constraint=[rule("red-1", "valueQuantity.exists()"), rule("red-2", "valueQuantity.value > 3")],
    ),
    element("Observation.component:red.code", patternCodeableConcept={"coding": [{"system": COLOURS, "code": "red"}]}),
)


def extension(name: str, *elements: JsonObject, context: str = "Patient") -> JsonObject:
    """An extension; the url stands where FHIR has it, before the value."""
    parts = [each for each in elements if "value[x]" not in each["path"] or each["path"].count(".") > 1]
    values = [each for each in elements if each not in parts]
    made = profile(name, *parts, element("Extension.url", fixedUri=MADE + name), *values, on="Extension")
    return {**made, "context": [{"type": "element", "expression": context}]}


NOTED = extension("noted", element("Extension.value[x]", min=1, type=[typed("string"), typed("code")]))
TWO_PARTS = extension(
    "two-parts",
    element("Extension.extension", slicing=slicing("value", "url"), min=1),
    element("Extension.extension:one", min=1, max="1"),
    element("Extension.extension:one.url", fixedUri="one"),
    element("Extension.extension:one.value[x]", min=1, type=[typed("integer")]),
    element("Extension.extension:two", min=0, max="1"),
    element("Extension.extension:two.url", fixedUri="two"),
    element("Extension.extension:two.value[x]", min=1, type=[typed("boolean")]),
    element("Extension.value[x]", max="0"),
)
EXTENDED = profile(
    "extended",
    element("Patient.extension", slicing=slicing("value", "url")),
    element("Patient.extension:noted", min=1, max="1", type=[typed("Extension", MADE + "noted")]),
    element("Patient.extension:noted.value[x]", type=[typed("code")]),
    element("Patient.extension:parts", min=0, max="1", type=[typed("Extension", MADE + "two-parts")]),
    on="Patient",
)
FIXED = profile(
    "fixed",
    element("Patient.identifier", patternIdentifier={"system": "https://ehr.test/a"}),
    element("Patient.active", fixedBoolean=True),
    element("Patient.name", patternHumanName={"family": "Lovelace", "given": ["Ada"]}),
    element("Patient.birthDate", fixedDate="1990-01-01"),
    element("Patient.maritalStatus", fixedCodeableConcept={"coding": [{"system": COLOURS, "code": "red"}]}),
    element("Patient.multipleBirth[x]", type=[typed("integer")], fixedInteger=2),
    element("Patient.contact.period", fixedPeriod={"start": "2020-01-01"}),
    element("Patient.managingOrganization", patternReference={"reference": "Organization/1"}),
    on="Patient",
)
PATTERN_QUANTITY = profile(
    "pattern-quantity",
    element("Observation.value[x]", type=[typed("Quantity")], patternQuantity={"system": UCUM, "code": "mg"}),
    element("Observation.referenceRange.low.value", fixedDecimal=1.5),
    element("Observation.referenceRange.high.value", fixedDecimal=2),
    element("Observation.component.value[x]", type=[typed("Quantity")], patternQuantity={"value": 1}),
)
RANGES = profile(
    "ranges",
    element(
        "Observation.effective[x]", type=[typed("dateTime")], minValueDateTime="2020-01-01", maxValueDateTime="2021"
    ),
    element("Observation.issued", minValueInstant="2020-01-01T00:00:00Z"),
    element(
        "Observation.value[x]",
        type=[typed("Quantity")],
        minValueQuantity={"value": 1, "system": UCUM, "code": "mg"},
        maxValueQuantity={"value": 9, "system": UCUM, "code": "mg"},
    ),
    element("Observation.note.text", maxLength=3),
)
RANGES_PLAIN = profile(
    "ranges-plain",
    element("Observation.value[x]", type=[typed("integer")], minValueInteger=1, maxValueInteger=9),
    element("Observation.component.value[x]", type=[typed("time")], minValueTime="08:00:00"),
)
BIRTH = profile(
    "birth", element("Patient.birthDate", minValueDate="1900-01-01", maxValueDate="2020-06-30"), on="Patient"
)
OWN_IDENTIFIER = profile(
    "own-identifier",
    element("Identifier.system", min=1),
    element("Identifier.value", min=1, maxLength=4),
    on="Identifier",
)
OWN_QUANTITY = profile("own-quantity", element("Quantity.unit", min=1), on="Quantity")
TYPES = profile(
    "types",
    element("Observation.identifier", min=1, type=[typed("Identifier", MADE + "own-identifier")]),
    element("Observation.value[x]", type=[typed("Quantity", MADE + "own-quantity"), typed("string")]),
)
SHORT_IDENTIFIER = profile("short-identifier", element("Identifier.value", min=1, maxLength=2), on="Identifier")
CODED_QUANTITY = profile("coded-quantity", element("Quantity.code", min=1), on="Quantity")
SEVERAL_PROFILES = profile(
    "several-profiles",
    element("Observation.identifier", type=[typed("Identifier", MADE + "own-identifier", MADE + "short-identifier")]),
    element("Observation.value[x]", type=[typed("Quantity", MADE + "own-quantity", MADE + "coded-quantity")]),
    element(
        "Observation.component.value[x]",
        type=[typed("Quantity", MADE + "own-quantity", MADE + "coded-quantity"), typed("string")],
    ),
)
ABSTRACT = {**profile("abstract", element("Patient.name", min=1), on="Patient"), "abstract": True}
CHILD = {**profile("child", element("Patient.gender", min=1), on="Patient"), "baseDefinition": MADE + "abstract"}
CONTAINED = profile(
    "contained",
    element("Observation.contained", slicing=slicing("type", "$this")),
    element("Observation.contained:adult", min=1, max="1", type=[typed("Patient", MADE + "adult")]),
)
ALL_CONTAINED = profile("all-contained", element("Observation.contained", type=[typed("Patient", MADE + "adult")]))
BINDINGS = profile(
    "bindings",
    element("Observation.category", binding=bound("required", "warm")),
    element("Observation.code.coding", binding=bound("required", "of-snomed")),
    element("Observation.value[x]", type=[typed("Quantity")], binding=bound("required", "warm")),
    element("Observation.interpretation", binding=bound("required", "of-snomed-or-warm")),
    element("Observation.bodySite", binding=bound("preferred", "warm")),
    element("Observation.method", binding=bound("extensible", "warm")),
    element("Observation.component.code", binding=bound("required", "of-snomed")),
)
PRESENT = profile(
    "present",
    element("Observation.component", slicing=slicing("exists", "value"), min=0),
    element("Observation.component:full", min=1),
    element("Observation.component:full.value[x]", min=1),
    element("Observation.component:full.interpretation", min=1),
    element("Observation.component:bare", max="1"),
    element("Observation.component:bare.value[x]", max="0"),
)
MUST_SUPPORT = profile("must-support", element("Patient.name", mustSupport=True), on="Patient")
WARNED = profile(
    "warned",
    element(
        "Patient",
        constraint=[
            rule("w-1", "name.exists()", "warning"),
            rule("w-2", "name.given.first().matches('^[A-Z]') or name.given.empty()", "warning"),
        ],
    ),
    element("Patient.identifier", constraint=[rule("w-3", "system.exists()", "warning")]),
    on="Patient",
)
EXPRESSIONS = profile(
    "expressions",
    element("Patient", constraint=[rule("x-1", "name.given.first().matches('^[A-Z]') or name.given.empty()")]),
    element("Patient.identifier", constraint=[rule("x-2", "value.length() > period.count() + 2")]),
    element("Patient.birthDate", constraint=[rule("x-3", "$this <= today()")]),
    element("Patient.managingOrganization", constraint=[rule("x-4", "resolve().empty() or resolve().name.exists()")]),
    on="Patient",
)
VALUE = "Extension.value[x]"
EXTENSION_RULES = extension(
    "extension-rules", element("Extension", constraint=[rule("x-1", "value.matches('^a')")]), element(VALUE)
)
VALUE_RULES = extension(
    "value-rules", element(VALUE, type=[typed("string")], constraint=[rule("x-2", "$this.matches('^a')")])
)
RECORD_RULES = extension(
    "record-rules",
    element("Extension", constraint=[rule("x-3", "%resource.active = true")]),
    element(VALUE),
    context="Element",
)
SINCE = extension("since", element(VALUE, type=[typed("date")], minValueDate="2020-01-01"))
DOSE = extension("dose", element(VALUE, type=[typed("Quantity")], minValueQuantity={"value": 5, **MILLIGRAMS}))
EMPLOYER = extension("employer", element(VALUE, type=[typed("Reference", target=(f"{HL7}Organization",))]))
GUARDIAN = extension("guardian", element(VALUE, type=[typed("Reference", target=(MADE + "adult",))]))
MEMBERS = profile(
    "members",
    element("Observation", constraint=[rule("m-1", f"contained.all(conformsTo('{MADE}adult'))")]),
    element(
        "Observation.identifier",
        constraint=[rule("m-2", f"conformsTo('{MADE}own-identifier')")],
    ),
    element("Observation.category", constraint=[rule("m-3", f"memberOf('{MADE}warm')")]),
    element("Observation.code", constraint=[rule("m-4", f"coding.all(memberOf('{MADE}of-snomed').not())")]),
    element("Observation.interpretation", constraint=[rule("m-7", f"memberOf('{MADE}nowhere')")]),
    element("Observation.bodySite", constraint=[rule("m-5", f"coding.memberOf('{MADE}warm')")]),
    element("Observation.method", constraint=[rule("m-6", f"coding.code.memberOf('{MADE}warm')")]),
)

DEFINITIONS: tuple[JsonObject, ...] = (
    CODE_SYSTEM,
    value_set("warm", "red"),
    {**value_set("of-snomed"), "compose": {"include": [OF_SNOMED]}},
    {**value_set("of-snomed-or-warm"), "compose": {"include": [OF_SNOMED, {"valueSet": [MADE + "warm"]}]}},
    *(
        item
        for name, item in globals().copy().items()
        if name.isupper() and isinstance(item, dict) and "differential" in item
    ),
)
