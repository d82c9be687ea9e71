"""One fault each: a valid record of profile_probes with one thing changed, the rule it breaks and where.

Written from what the profiles are meant to say before any validator was asked.
"""

from __future__ import annotations

from typing import Any

from tests.unit.profile_probes import (
    ATC,
    BASE,
    HL7,
    LOINC,
    SNOMED,
    STRUCTURE,
    category,
    changed,
    component,
    concept,
    own,
    renamed,
)

OBS = "Observation"
VALUE = f"{OBS}.value.ofType"
CODED = f"{VALUE}(CodeableConcept)"
ADMINISTRATION = "MedicationAdministration"
RESPONSE = "QuestionnaireResponse"
RECALL = "Questionnaire.item[0].item[0].extension[0]"
ALERT = "Questionnaire.item[0].item[0].extension[1]"
OPTION = "item.0.item.0.answerOption.0"

# name, record, rule, FHIRPath of the finding
INVALID: list[tuple[str, dict[str, Any], str, str]] = [
    # all observations
    ("no time point", changed("mood", "extension"), "slice-min", OBS),
    (
        "unknown time point",
        changed("mood", "extension.0.valueCoding.code", "later"),
        "binding-required",
        f"{OBS}.extension[0].value.ofType(Coding)",
    ),
    (
        "time point as text",
        changed("mood", "extension.0", {"url": f"{STRUCTURE}keta-time-point", "valueString": "baseline"}),
        "choice-type",
        f"{OBS}.extension[0].value.ofType(string)",
    ),
    ("no subject", changed("mood", "subject"), "cardinality-min", OBS),
    ("a group", changed("mood", "subject.reference", "Group/one"), "reference-target", f"{OBS}.subject"),
    ("no time", changed("mood", "effectiveDateTime"), "cardinality-min", OBS),
    (
        "an instant",
        renamed("mood", "effectiveDateTime", "effectiveInstant", "2026-03-02T11:05:00+01:00"),
        "choice-type",
        f"{OBS}.effective.ofType(instant)",
    ),
    ("no value, no reason", changed("mood", "valueInteger"), "keta-obs-1", OBS),
    (
        "component without value",
        changed("floating", "component.0.valueCodeableConcept"),
        "keta-obs-2",
        f"{OBS}.component[0]",
    ),
    ("session without infusion", changed("nausea", "partOf"), "keta-obs-3", OBS),
    ("session with a date only", changed("nausea", "effectiveDateTime", "2026-03-02"), "keta-obs-4", OBS),
    ("period with a date only", changed("floating", "effectivePeriod.start", "2026-03-02"), "keta-obs-4", OBS),
    (
        "two infusions",
        changed("nausea", "partOf.1", {"reference": "Procedure/infusion-2"}),
        "cardinality-max",
        f"{OBS}.partOf",
    ),
    (
        "part of an image",
        changed("nausea", "partOf.0.reference", "ImagingStudy/one"),
        "reference-target",
        f"{OBS}.partOf[0]",
    ),
    ("not a survey", changed("mood", "category", category("exam")), "slice-min", OBS),
    ("no category", changed("mood", "category"), "cardinality-min", OBS),
    # experiences
    ("experience without infusion", changed("floating", "partOf"), "cardinality-min", OBS),
    ("a rating's code", changed("floating", "code", own("concepts", "mood")), "binding-required", f"{OBS}.code"),
    (
        "another scale",
        changed("floating", "valueCodeableConcept", own("change", "no-change")),
        "binding-required",
        CODED,
    ),
    (
        "intensity as number",
        renamed("floating", "valueCodeableConcept", "valueInteger", 3),
        "choice-type",
        f"{VALUE}(integer)",
    ),
    (
        "pleasantness instead of intensity",
        changed("floating", "valueCodeableConcept", own("how-it-felt", "neutral")),
        "keta-experience-1",
        OBS,
    ),
    (
        "intensity of the overall feeling",
        changed("overall", "valueCodeableConcept", own("intensity", "strongly")),
        "keta-experience-1",
        OBS,
    ),
    (
        "foreign component",
        changed("floating", "component.3", component("ongoing", valueBoolean=True)),
        "slice-unmatched",
        f"{OBS}.component[3]",
    ),
    (
        "felt twice",
        changed(
            "floating", "component.3", component("how-it-felt", valueCodeableConcept=own("how-it-felt", "neutral"))
        ),
        "slice-max",
        f"{OBS}.component",
    ),
    (
        "component on another scale",
        changed("floating", "component.0.valueCodeableConcept", own("intensity", "strongly")),
        "binding-required",
        f"{OBS}.component[0].value.ofType(CodeableConcept)",
    ),
    (
        "component as text",
        changed("floating", "component.0", component("how-it-felt", valueString="good")),
        "choice-type",
        f"{OBS}.component[0].value.ofType(string)",
    ),
    # side effects
    ("vomiting rated", changed("nausea", "code", own("concepts", "vomiting")), "keta-side-effect-1", OBS),
    ("nausea counted", changed("vomiting", "code", own("concepts", "nausea")), "keta-side-effect-1", OBS),
    ("less than none", changed("vomiting", "valueInteger", -1), "value-range", f"{VALUE}(integer)"),
    (
        "side effect on another scale",
        changed("nausea", "valueCodeableConcept", own("how-it-felt", "neutral")),
        "binding-required",
        CODED,
    ),
    (
        "side effect as text",
        renamed("nausea", "valueCodeableConcept", "valueString", "a little"),
        "choice-type",
        f"{VALUE}(string)",
    ),
    (
        "ongoing as text",
        changed("nausea", "component.0", component("ongoing", valueString="yes")),
        "choice-type",
        f"{OBS}.component[0].value.ofType(string)",
    ),
    # ratings, changes, statements
    ("rating of 11", changed("mood", "valueInteger", 11), "value-range", f"{VALUE}(integer)"),
    ("rating of -1", changed("mood", "valueInteger", -1), "value-range", f"{VALUE}(integer)"),
    (
        "rating as quantity",
        renamed("mood", "valueInteger", "valueQuantity", {"value": 5}),
        "choice-type",
        f"{VALUE}(Quantity)",
    ),
    ("rating of nausea", changed("mood", "code", own("concepts", "nausea")), "binding-required", f"{OBS}.code"),
    (
        "rating with component",
        changed("mood", "component", [component("ongoing", valueBoolean=True)]),
        "element-prohibited",
        f"{OBS}.component",
    ),
    (
        "change on another scale",
        changed("change", "valueCodeableConcept", own("intensity", "strongly")),
        "binding-required",
        CODED,
    ),
    ("change of a rating", changed("change", "code", own("concepts", "mood")), "binding-required", f"{OBS}.code"),
    (
        "statement as choice",
        renamed("statement", "valueBoolean", "valueCodeableConcept", own("infusion-request", "pause")),
        "keta-statement-1",
        OBS,
    ),
    ("request as yes", renamed("request", "valueCodeableConcept", "valueBoolean", True), "keta-statement-1", OBS),
    (
        "request on another scale",
        changed("request", "valueCodeableConcept", own("yes-no", "yes")),
        "binding-required",
        CODED,
    ),
    (
        "statement with foreign component",
        changed("statement", "component.0.code", own("concepts", "ongoing")),
        "slice-unmatched",
        f"{OBS}.component[0]",
    ),
    # mood benefit, concern
    ("weeks", changed("benefit", "valueQuantity.code", "wk"), "value-pattern", f"{VALUE}(Quantity)"),
    ("negative days", changed("benefit", "valueQuantity.value", -1), "value-range", f"{VALUE}(Quantity).value"),
    ("days without number", changed("benefit", "valueQuantity.value"), "cardinality-min", f"{VALUE}(Quantity)"),
    (
        "a day instead of a span",
        renamed("benefit", "effectivePeriod", "effectiveDateTime", "2026-03-03"),
        "choice-type",
        f"{OBS}.effective.ofType(dateTime)",
    ),
    ("no first day", changed("benefit", "effectivePeriod.start"), "cardinality-min", f"{OBS}.effective.ofType(Period)"),
    ("benefit by another code", changed("benefit", "code", own("concepts", "mood")), "value-pattern", f"{OBS}.code"),
    ("concern as yes", renamed("concern", "valueString", "valueBoolean", True), "choice-type", f"{VALUE}(boolean)"),
    # discharge
    ("criterion missing", changed("ready", "component.5"), "slice-min", OBS),
    (
        "criterion twice",
        changed("ready", "component.6", component("escort", valueBoolean=True)),
        "slice-max",
        f"{OBS}.component",
    ),
    ("ready though unsteady", changed("ready", "component.1.valueBoolean", False), "keta-discharge-readiness-1", OBS),
    ("nobody judged", changed("ready", "performer"), "cardinality-min", OBS),
    (
        "the patient judged",
        changed("ready", "performer.0.reference", "Patient/one"),
        "reference-target",
        f"{OBS}.performer[0]",
    ),
    ("discharge as survey", changed("ready", "category", category("survey")), "slice-min", OBS),
    ("no judgement", changed("ready", "valueBoolean"), "cardinality-min", OBS),
    # instruments
    ("item 9 unmarked", changed("item 9", "interpretation"), "keta-instrument-item-1", OBS),
    (
        "item 9 called normal",
        changed("item 9 zero", "status", "final")
        | {"interpretation": [concept(f"{HL7}v3-ObservationInterpretation", "N")]},
        "keta-instrument-item-2",
        OBS,
    ),
    (
        "difficulty as frequency",
        changed("difficulty", "valueCodeableConcept", concept(LOINC, "LA6569-3")),
        "keta-instrument-item-3",
        OBS,
    ),
    (
        "frequency as difficulty",
        changed("item", "valueCodeableConcept", concept(LOINC, "LA6573-5")),
        "keta-instrument-item-4",
        OBS,
    ),
    (
        "item on our scale",
        changed("item", "valueCodeableConcept", own("intensity", "strongly")),
        "keta-instrument-item-4",
        OBS,
    ),
    ("total as item", changed("item", "code", concept(LOINC, "44261-6")), "keta-instrument-item-5", OBS),
    ("item without answer", changed("item", "valueCodeableConcept"), "cardinality-min", OBS),
    ("PHQ-9 of 28", changed("score", "valueInteger", 28), "keta-score-1", OBS),
    ("PHQ-9 of 28 as quantity", changed("score as quantity", "valueQuantity.value", 28), "keta-score-1", OBS),
    ("GAD-7 of 22", changed("anxiety score", "valueInteger", 22), "keta-score-2", OBS),
    (
        "score in another unit",
        changed("score as quantity", "valueQuantity.code", "1"),
        "value-pattern",
        f"{VALUE}(Quantity)",
    ),
    ("score as text", renamed("score", "valueInteger", "valueString", "12"), "choice-type", f"{VALUE}(string)"),
    ("score from nowhere", changed("score", "derivedFrom"), "keta-score-3", OBS),
    ("score without bands", changed("score", "referenceRange"), "cardinality-min", OBS),
    ("band without name", changed("score", "referenceRange.0.text"), "cardinality-min", f"{OBS}.referenceRange[0]"),
    ("item as total", changed("score", "code", concept(LOINC, "44250-9")), "keta-score-4", OBS),
    # the infusion, the drug, the event
    ("not an infusion", changed("infusion", "code", concept(SNOMED, "18629005")), "keta-infusion-3", "Procedure"),
    ("no start", changed("infusion", "performedPeriod.start"), "keta-infusion-1", "Procedure"),
    ("start without time", changed("infusion", "performedPeriod.start", "2026-03-02"), "keta-infusion-1", "Procedure"),
    ("no end", changed("infusion", "performedPeriod.end"), "keta-infusion-2", "Procedure"),
    (
        "a moment",
        renamed("infusion", "performedPeriod", "performedDateTime", "2026-03-02T10:00:00+01:00"),
        "choice-type",
        "Procedure.performed.ofType(dateTime)",
    ),
    ("nobody there", changed("infusion", "performer"), "cardinality-min", "Procedure"),
    (
        "esketamine",
        changed("administration", "medicationCodeableConcept", concept(ATC, "N06AX27")),
        "keta-administration-3",
        ADMINISTRATION,
    ),
    ("no infusion", changed("administration", "partOf"), "cardinality-min", ADMINISTRATION),
    (
        "dose in grams",
        changed("administration", "dosage.dose.code", "g"),
        "value-pattern",
        f"{ADMINISTRATION}.dosage.dose",
    ),
    (
        "rate without weight",
        changed("administration", "dosage.rateQuantity.code", "mg/h"),
        "value-pattern",
        f"{ADMINISTRATION}.dosage.rate.ofType(Quantity)",
    ),
    (
        "dose per nothing",
        changed("administration", "dosage.extension.0.valueQuantity.code", "mg"),
        "value-pattern",
        f"{ADMINISTRATION}.dosage.extension[0].value.ofType(Quantity)",
    ),
    (
        "another route",
        changed("administration", "dosage.route", concept(SNOMED, "255604002")),
        "value-pattern",
        f"{ADMINISTRATION}.dosage.route",
    ),
    (
        "start of day only",
        changed("administration", "effectivePeriod.start", "2026-03-02"),
        "keta-administration-1",
        ADMINISTRATION,
    ),
    ("no dose", changed("administration", "dosage.dose"), "keta-administration-2", ADMINISTRATION),
    ("no event", changed("event", "event"), "cardinality-min", "AdverseEvent"),
    ("might have been", changed("event", "actuality", "potential"), "value-pattern", "AdverseEvent.actuality"),
    (
        "unknown action",
        changed("event", "extension.0.valueCodeableConcept", own("action", "waited")),
        "binding-required",
        "AdverseEvent.extension[0].value.ofType(CodeableConcept)",
    ),
    (
        "seriousness in lower case",
        changed("event", "seriousness", concept(f"{HL7}adverse-event-seriousness", "serious")),
        "binding-required",
        "AdverseEvent.seriousness",
    ),
    ("nothing suspected", changed("event", "suspectEntity"), "cardinality-min", "AdverseEvent"),
    (
        "a device suspected",
        changed("event", "suspectEntity.0.instance.reference", "Device/one"),
        "reference-target",
        "AdverseEvent.suspectEntity[0].instance",
    ),
    # responses and forms
    ("no version", changed("response", "questionnaire", f"{BASE}Questionnaire/phq-9"), "keta-response-1", RESPONSE),
    ("response without infusion", changed("session response", "partOf"), "keta-response-2", RESPONSE),
    ("response without time", changed("session response", "authored", "2026-03-02"), "keta-response-3", RESPONSE),
    ("half-way", changed("response", "status", "in-progress"), "binding-required", f"{RESPONSE}.status"),
    ("no author", changed("response", "author"), "cardinality-min", RESPONSE),
    ("no source", changed("response", "source"), "cardinality-min", RESPONSE),
    ("response without time point", changed("response", "extension"), "slice-min", RESPONSE),
    ("question without code", changed("form", "item.0.item.0.code"), "keta-questionnaire-1", "Questionnaire"),
    ("question without mark", changed("form", "item.0.item.1.extension"), "keta-questionnaire-2", "Questionnaire"),
    ("option unscored", changed("form", f"{OPTION}.extension"), "keta-questionnaire-3", "Questionnaire"),
    ("coding unscored", changed("form", f"{OPTION}.valueCoding.extension"), "keta-questionnaire-3", "Questionnaire"),
    ("form without version", changed("form", "version"), "cardinality-min", "Questionnaire"),
    ("form about a group", changed("form", "subjectType.0", "Group"), "value-pattern", "Questionnaire.subjectType[0]"),
    (
        "unknown recall",
        changed("form", "item.0.item.0.extension.0.valueCode", "P7D"),
        "binding-required",
        f"{RECALL}.value.ofType(code)",
    ),
    ("alert without reason", changed("form", "item.0.item.0.extension.1.extension.2"), "slice-min", ALERT),
    (
        "alert in red",
        changed("form", "item.0.item.0.extension.1.extension.1.valueCode", "red"),
        "binding-required",
        f"{ALERT}.extension[1].value.ofType(code)",
    ),
    (
        "alert in another language",
        changed("form", "item.0.item.0.extension.1.extension.0.valueExpression.language", "text/cql"),
        "value-pattern",
        f"{ALERT}.extension[0].value.ofType(Expression).language",
    ),
]
