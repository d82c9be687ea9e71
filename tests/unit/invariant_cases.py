"""Every invariant that is a function: a record that meets it, and one that breaks it and nothing else."""

from __future__ import annotations

from tests.base_records import DATA_ABSENT, XHTML, observation, patient
from tests.unit.invariant_records import (
    BELOW_ROOT,
    BOUND,
    COMPOSITION,
    CONTAINED,
    DOCUMENT,
    HEADER,
    KETA,
    OURS,
    PERSON,
    R4,
    REQUEST,
    RESPONSE,
    ROOT_TYPE,
    SLICE,
    SLICED,
    UCUM,
    JsonObject,
    bundle,
    capabilities,
    code_system,
    coded,
    counted,
    differential,
    dispensed,
    divided,
    entry,
    extension,
    extension_value,
    form,
    guide,
    logical,
    operation,
    question,
    questionnaire,
    rest,
    structure,
    task,
    timed,
)

# key: met, broken, where
CASES: dict[str, tuple[JsonObject, JsonObject, str]] = {
    "keta-questionnaire-1": (
        form(question()),
        form({name: value for name, value in question().items() if name != "code"}),
        "Questionnaire",
    ),
    "keta-questionnaire-2": (
        form(question()),
        form({name: value for name, value in question().items() if name != "extension"}),
        "Questionnaire",
    ),
    "keta-questionnaire-3": (
        form(question()),
        form(
            question(
                answerOption=[{"valueCoding": {"system": f"{KETA}CodeSystem/keta-intensity", "code": "not-at-all"}}]
            )
        ),
        "Questionnaire",
    ),
    "que-2": (
        questionnaire({"linkId": "a", "type": "string"}, {"linkId": "b", "type": "string"}),
        questionnaire(
            {"linkId": "a", "type": "group", "item": [{"linkId": "b", "type": "string"}]},
            {"linkId": "b", "type": "string"},
        ),
        "Questionnaire",
    ),
    "csd-1": (
        code_system({"code": "a"}, {"code": "b"}),
        code_system({"code": "a", "concept": [{"code": "b"}]}, {"code": "b"}),
        "CodeSystem",
    ),
    "eld-2": (
        differential(min=1, max="1"),
        differential(min=2, max="1"),
        "StructureDefinition.differential.element[1]",
    ),
    "eld-3": (logical(max="*"), logical(max="many"), "StructureDefinition.differential.element[1]"),
    "eld-11": (
        logical(binding=BOUND),
        logical(binding=BOUND, type=[{"code": "boolean"}]),
        "StructureDefinition.differential.element[1]",
    ),
    "eld-13": (
        extension_value(type=[{"code": "string"}, {"code": "code"}]),
        extension_value(type=[{"code": "string"}, {"code": "string"}]),
        "StructureDefinition.differential.element[2]",
    ),
    "eld-14": (
        differential(constraint=[{"key": "a-1", "severity": "error", "human": "x", "expression": "true"}]),
        differential(constraint=[{"key": "a-1", "severity": "error", "human": "x", "expression": "true"}] * 2),
        "StructureDefinition.differential.element[1]",
    ),
    "eld-16": (
        extension(SLICED, {**SLICE, "sliceName": "a-1"}),
        extension(SLICED, {**SLICE, "sliceName": "a 1"}),
        "StructureDefinition.differential.element[2]",
    ),
    "eld-19": (
        logical(path="a.b[x]"),
        logical(path="a.b c"),
        "StructureDefinition.differential.element[1]",
    ),
    "sdf-1": (
        structure(
            "snapshot",
            {"path": "Basic", "definition": "x"},
            {**BELOW_ROOT, "definition": "x"},
            {**BELOW_ROOT, "id": "Basic.code:a"},
        ),
        structure(
            "snapshot",
            {"path": "Basic"},
            BELOW_ROOT,
            {**BELOW_ROOT, "id": "Basic.code:a"},
            derivation="specialization",
        ),
        "StructureDefinition",
    ),
    "sdf-8": (
        structure("snapshot", {"path": "Basic"}, BELOW_ROOT),
        structure("snapshot", {"path": "Basic"}, {**BELOW_ROOT, "path": "Patient.code"}),
        "StructureDefinition.snapshot",
    ),
    "sdf-8a": (
        structure("differential", {"path": "Basic.code"}),
        structure("differential", {"path": "Basic.code"}, {"path": "Patient.code"}),
        "StructureDefinition.differential",
    ),
    "sdf-9": (
        structure("differential", {"path": "Basic"}, {"path": "Basic.code", "label": "x"}),
        structure("differential", {"path": "Basic", "label": "x"}),
        "StructureDefinition",
    ),
    "sdf-11": (
        structure("snapshot", {"path": "Basic"}),
        structure("snapshot", {"path": "Basic.code", "type": ROOT_TYPE}, kind="resource"),
        "StructureDefinition",
    ),
    "sdf-15": (
        structure("snapshot", {"path": "Basic"}, BELOW_ROOT),
        structure("snapshot", {"path": "Basic", "type": ROOT_TYPE}, BELOW_ROOT),
        "StructureDefinition",
    ),
    "sdf-15a": (
        structure("differential", BELOW_ROOT),
        structure("differential", {"path": "Basic", "type": ROOT_TYPE}),
        "StructureDefinition",
    ),
    "sdf-16": (
        structure("snapshot", {"path": "Basic"}, BELOW_ROOT),
        structure("snapshot", {"path": "Basic"}, {**BELOW_ROOT, "id": "Basic"}),
        "StructureDefinition",
    ),
    "sdf-17": (
        structure("differential", {"path": "Basic"}, BELOW_ROOT),
        structure("differential", {"path": "Basic"}, {**BELOW_ROOT, "id": "Basic"}),
        "StructureDefinition",
    ),
    "sdf-19": (
        logical(type=[{"code": OURS}]),
        {**logical(type=[{"code": OURS}]), "url": f"{R4}a"},
        "StructureDefinition",
    ),
    "opd-3": (
        operation(type="ValueSet", targetProfile=[f"{R4}ValueSet"]),
        operation(type="uri", targetProfile=[f"{R4}ValueSet"]),
        "OperationDefinition.parameter[0]",
    ),
    "ig-1": (
        guide(resource={"groupingId": "g"}),
        guide(resource={"groupingId": "h"}),
        "ImplementationGuide.definition",
    ),
    "ig-2": (
        guide(resource={"fhirVersion": ["4.0.1"]}),
        guide(resource={"fhirVersion": ["3.0.1"]}),
        "ImplementationGuide",
    ),
    "cpb-7": (
        capabilities(document=[{"mode": mode, "profile": "urn:x:y"} for mode in ("producer", "consumer")]),
        capabilities(document=[{"mode": "producer", "profile": "urn:x:y"}] * 2),
        "CapabilityStatement",
    ),
    "cpb-9": (
        rest({"type": "Patient"}, {"type": "Observation"}),
        rest({"type": "Patient"}, {"type": "Patient"}),
        "CapabilityStatement.rest[0]",
    ),
    "cpb-12": (
        rest({"type": "Patient", "searchParam": [{"name": "a", "type": "token"}, {"name": "b", "type": "token"}]}),
        rest({"type": "Patient", "searchParam": [{"name": "a", "type": "token"}] * 2}),
        "CapabilityStatement.rest[0].resource[0]",
    ),
    "dom-2": (
        observation(contained=[CONTAINED], subject={"reference": "#p"}),
        observation(
            contained=[
                {**CONTAINED, "contained": [{**CONTAINED, "id": "q"}], "generalPractitioner": [{"reference": "#q"}]}
            ],
            subject={"reference": "#p"},
        ),
        "Observation",
    ),
    "dom-3": (
        observation(contained=[CONTAINED], subject={"reference": "#p"}),
        observation(contained=[CONTAINED]),
        "Observation",
    ),
    "ref-1": (
        observation(contained=[CONTAINED], subject={"reference": "#p"}),
        observation(subject={"reference": "#p"}),
        "Observation.subject",
    ),
    "ext-1": (
        patient(extension=[{"url": DATA_ABSENT, "valueCode": "unknown"}]),
        patient(
            extension=[
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/patient-nationality",
                    "extension": [
                        {
                            "url": "code",
                            "valueCodeableConcept": {"text": "x"},
                            "extension": [{"url": "y", "valueCode": "z"}],
                        }
                    ],
                }
            ]
        ),
        "Patient.extension[0].extension[0]",
    ),
    "txt-1": (divided(f"<div {XHTML}>x</div>"), divided(f"<div {XHTML}><video/>x</div>"), "Patient.text"),
    "txt-2": (divided(f"<div {XHTML}>&#160;</div>"), divided(f"<div {XHTML}> <br/></div>"), "Patient.text"),
    "per-1": (
        observation(effectivePeriod={"start": "2020-01-01", "end": "2020-01-01"}),
        observation(effectivePeriod={"start": "2020-01-02", "end": "2020-01-01"}),
        "Observation.effective.ofType(Period)",
    ),
    "rng-2": (
        observation(valueRange={"low": {"value": 1}, "high": {"value": 1}}),
        observation(valueRange={"low": {"value": 1.5}, "high": {"value": 1}}),
        "Observation.value.ofType(Range)",
    ),
    "cnt-3": (
        counted(value=2, system=UCUM, code="1"),
        counted(value=2.5, system=UCUM, code="1"),
        "Parameters.parameter[0].value.ofType(Count)",
    ),
    "tim-9": (
        timed(offset=30, when=["AC"]),
        timed(offset=30, when=["C"]),
        "Observation.effective.ofType(Timing).repeat",
    ),
    "obs-7": (coded("b", "c"), coded("b", "a"), "Observation"),
    "mdd-1": (dispensed("2020-01-01", "2020-01-02"), dispensed("2020-01-02", "2020-01-01"), "MedicationDispense"),
    "Task inv-1": (task("2020-01-01", "2020-01-02"), task("2020-01-02", "2020-01-01"), "Task"),
    "bdl-3": (
        bundle("transaction", entry(1, PERSON, **REQUEST)),
        bundle("collection", entry(1, PERSON, **REQUEST)),
        "Bundle",
    ),
    "bdl-4": (
        bundle("batch-response", entry(1, PERSON, **RESPONSE)),
        bundle("collection", entry(1, PERSON, **RESPONSE)),
        "Bundle",
    ),
    "bdl-7": (
        bundle("collection", entry(1, PERSON), entry(2, PERSON)),
        bundle("collection", entry(1, PERSON), entry(1, PERSON)),
        "Bundle",
    ),
    "bdl-8": (
        bundle("collection", {"fullUrl": "https://ehr.test/Patient/1", "resource": patient(id="1")}),
        bundle("collection", {"fullUrl": "https://ehr.test/Patient/1/_history/2", "resource": patient(id="1")}),
        "Bundle.entry[0]",
    ),
    "bdl-11": (
        bundle("document", entry(1, COMPOSITION), **DOCUMENT),
        bundle("document", entry(1, PERSON), **DOCUMENT),
        "Bundle",
    ),
    "bdl-12": (bundle("message", entry(1, HEADER)), bundle("message", entry(1, PERSON)), "Bundle"),
}
