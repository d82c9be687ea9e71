"""Profiles as national guides write them, each of several constructs at once: one set of definitions."""

from __future__ import annotations

from tests.foreign.profiles import COLOURS, HL7, MADE, UCUM, JsonObject, bound, typed
from tests.unit.made_profiles import element, profile

IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
DOSES = "http://terminology.hl7.org/CodeSystem/dose-rate-type"


def concept(system: str, code: str) -> JsonObject:
    return {"coding": [{"system": system, "code": code}]}


def by(kind: str, *paths: str, rules: str = "open") -> JsonObject:
    """A slicing by one kind of discriminator."""
    return {"discriminator": [{"type": kind, "path": path} for path in paths], "rules": rules}


NATIONAL_PROFILES: tuple[JsonObject, ...] = (
    profile(
        "id-type",
        element("Patient.identifier", slicing=by("pattern", "type")),
        element("Patient.identifier:mr", min=1, max="1"),
        element("Patient.identifier:mr.type", min=1, patternCodeableConcept=concept(IDENTIFIER_TYPES, "MR")),
        element("Patient.identifier:mr.system", min=1),
        element("Patient.identifier:mr.assigner.identifier.value", min=1),
        on="Patient",
    ),
    profile(
        "coding-sys",
        element("Observation.code.coding", slicing=by("value", "system")),
        element("Observation.code.coding:col", min=1, max="1", binding=bound("required", "warm")),
        element("Observation.code.coding:col.system", min=1, fixedUri=COLOURS),
    ),
    profile(
        "no-ext",
        element("Patient.implicitRules", max="0"),
        element("Patient.contained", max="0"),
        element("Patient.extension", slicing=by("value", "url")),
        element("Patient.extension:n", max="0", type=[typed("Extension", MADE + "noted")]),
        element("Patient.modifierExtension", max="0"),
        on="Patient",
    ),
    profile(
        "cat-fixed",
        element("Observation.category", slicing=by("value", "coding.system", "coding.code")),
        element("Observation.category:lab", min=1, max="1"),
        element("Observation.category:lab.coding.system", min=1, fixedUri=CATEGORIES),
        element("Observation.category:lab.coding.code", min=1, fixedCode="laboratory"),
    ),
    profile(
        "tel",
        element("Patient.telecom", slicing=by("value", "system", "use")),
        element("Patient.telecom:hp", min=1, max="1"),
        element("Patient.telecom:hp.system", min=1, fixedCode="phone"),
        element("Patient.telecom:hp.use", min=1, fixedCode="home"),
        element("Patient.telecom:wm", min=0, max="1"),
        element("Patient.telecom:wm.system", min=1, fixedCode="email"),
        element("Patient.telecom:wm.use", min=1, fixedCode="work"),
        element("Patient.telecom:wm.value", min=1),
        on="Patient",
    ),
    profile(
        "name-use",
        element("Patient.name", slicing=by("value", "use"), min=1),
        element("Patient.name:off", min=1, max="1"),
        element("Patient.name:off.use", min=1, patternCode="official"),
        element("Patient.name:off.family", min=1),
        element("Patient.name:off.family.extension", slicing=by("value", "url")),
        element(
            "Patient.name:off.family.extension:own",
            min=0,
            max="1",
            type=[typed("Extension", HL7 + "humanname-own-name")],
        ),
        element("Patient.name:off.given", min=1),
        element("Patient.name:maiden", min=0, max="1"),
        element("Patient.name:maiden.use", min=1, patternCode="maiden"),
        element("Patient.name:maiden.given", max="0"),
        on="Patient",
    ),
    profile(
        "doc",
        element("Bundle.type", fixedCode="document"),
        element("Bundle.entry", slicing=by("type", "resource", rules="closed"), min=1),
        element("Bundle.entry:c", min=1, max="1"),
        element("Bundle.entry:c.resource", min=1, type=[typed("Composition")]),
        element("Bundle.entry:p", min=1, max="1"),
        element("Bundle.entry:p.resource", min=1, type=[typed("Patient", MADE + "named")]),
        on="Bundle",
    ),
    profile(
        "meta",
        element("Patient.meta", min=1),
        element("Patient.meta.profile", slicing=by("value", "$this"), min=1),
        element("Patient.meta.profile:own", min=1, max="1", fixedCanonical=MADE + "meta"),
        element("Patient.meta.security", min=1, binding=bound("required", "warm")),
        on="Patient",
    ),
    profile(
        "sections",
        element("Composition.section", slicing=by("pattern", "code")),
        element("Composition.section:a", min=1, max="1"),
        element("Composition.section:a.title", min=1),
        element("Composition.section:a.code", min=1, patternCodeableConcept=concept(COLOURS, "red")),
        element("Composition.section:a.entry", slicing=by("profile", "resolve()")),
        element(
            "Composition.section:a.entry:obs", min=0, max="*", type=[typed("Reference", target=(HL7 + "Observation",))]
        ),
        element(
            "Composition.section:a.entry:adult", min=1, max="1", type=[typed("Reference", target=(MADE + "adult",))]
        ),
        element("Composition.section:a.section", max="0"),
        on="Composition",
    ),
    {
        **profile(
            "tel-more",
            element("Patient.telecom:hp", min=1),
            element("Patient.telecom:hp.value", min=1),
            element("Patient.telecom:wm", min=1),
            element("Patient.telecom:new", min=0, max="1"),
            element("Patient.telecom:new.system", min=1, fixedCode="url"),
            element("Patient.telecom:new.use", min=1, fixedCode="work"),
            on="Patient",
        ),
        "baseDefinition": MADE + "tel",
    },
    profile(
        "value-one",
        element("Observation.value[x]", type=[typed("Quantity")]),
        element("Observation.value[x].system", min=1, fixedUri=UCUM),
        element("Observation.value[x].code", min=1, patternCode="mg"),
    ),
    profile(
        "value-cc",
        element("Observation.value[x]", slicing=by("type", "$this")),
        element(
            "Observation.value[x]:valueCodeableConcept",
            min=0,
            max="1",
            type=[typed("CodeableConcept")],
            binding=bound("required", "warm"),
        ),
        element("Observation.value[x]:valueCodeableConcept.coding", min=1, max="1"),
        element("Observation.value[x]:valueCodeableConcept.coding.display", min=1),
    ),
    profile(
        "ordered-dose",
        element("MedicationRequest.dosageInstruction.doseAndRate", slicing=by("value", "type")),
        element("MedicationRequest.dosageInstruction.doseAndRate:o", min=0, max="1"),
        element(
            "MedicationRequest.dosageInstruction.doseAndRate:o.type",
            min=1,
            patternCodeableConcept=concept(DOSES, "ordered"),
        ),
        element("MedicationRequest.dosageInstruction.doseAndRate:o.dose[x]", min=1, type=[typed("Quantity")]),
        element("MedicationRequest.dosageInstruction.doseAndRate:o.rate[x]", max="0"),
        on="MedicationRequest",
    ),
    profile(
        "tot",
        element("Observation.component", slicing=by("pattern", "code"), min=2, max="3"),
        element("Observation.component:r", min=1, max="1"),
        element("Observation.component:r.code", patternCodeableConcept=concept(COLOURS, "red")),
        element("Observation.component:r.value[x]", min=1, type=[typed("Quantity")]),
        element("Observation.component:r.value[x].unit", min=1),
        element("Observation.component:r.dataAbsentReason", max="0"),
    ),
    profile(
        "refs",
        element("Observation.hasMember", slicing=by("profile", "resolve()")),
        element("Observation.hasMember:red", min=0, max="1", type=[typed("Reference", target=(MADE + "tot",))]),
    ),
    profile(
        "param",
        element("Parameters.parameter", slicing=by("value", "name")),
        element("Parameters.parameter:a", min=1, max="1"),
        element("Parameters.parameter:a.name", fixedString="a"),
        element("Parameters.parameter:a.value[x]", min=1, type=[typed("string")]),
        element("Parameters.parameter:b", min=0, max="*"),
        element("Parameters.parameter:b.name", fixedString="b"),
        element("Parameters.parameter:b.resource", min=1, type=[typed("Patient", MADE + "named")]),
        element("Parameters.parameter:b.part", slicing=by("value", "name")),
        element("Parameters.parameter:b.part:c", min=1),
        element("Parameters.parameter:b.part:c.name", fixedString="c"),
        on="Parameters",
    ),
)
