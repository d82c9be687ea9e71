"""Rules about what leads elsewhere: references, Bundles, extensions, profiles, questionnaires."""

from __future__ import annotations

from fhir_keta.validation.rule_texts.text import CORE, KETA, SUBJECT, RuleText, observation, patient

_REFERENCES = "Source: FHIR R4, References between Resources."
_EXTENSIONS = "Source: FHIR R4, Extensibility"
_PROFILES = "Source: FHIR R4, Profiling; Resource.meta.profile."
_DOCUMENTS = "Source: FHIR R4, Documents, Document content."
_PATIENT_URN = "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a12"
_PATIENT_URL = "https://example.org/fhir/Patient/p1"
_TIME_POINT = {
    "url": KETA + "StructureDefinition/keta-time-point",
    "valueCoding": {"system": KETA + "CodeSystem/keta-time-point", "code": "recovery"},
}


def _bundle(full_url: str) -> dict[str, object]:
    entry = {"fullUrl": full_url, "resource": patient(id="p1")}
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry]}


def _versions(reference: str) -> dict[str, object]:
    people = [patient(id="p1", meta={"versionId": version}) for version in ("1", "2")]
    about = observation(id="o1", subject={"reference": reference})
    entries: list[dict[str, object]] = [{"fullUrl": _PATIENT_URL, "resource": person} for person in people]
    entries.append({"fullUrl": "https://example.org/fhir/Observation/o1", "resource": about})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _found(**resource: object) -> dict[str, object]:
    entry = {"fullUrl": _PATIENT_URL, "resource": patient(**resource), "search": {"mode": "match"}}
    return {"resourceType": "Bundle", "type": "searchset", "entry": [entry]}


def _bundle_with_subject(reference: str) -> dict[str, object]:
    entry = {"fullUrl": "https://example.org/fhir/Observation/o1"}
    resource = observation(id="o1", subject={"reference": reference})
    return {"resourceType": "Bundle", "type": "collection", "entry": [{**entry, "resource": resource}]}


def _document(content: dict[str, object], *people: str) -> dict[str, object]:
    composition = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "Discharge summary"},
        "date": "2026-03-02",
        "author": [{"display": "Infusion unit"}],
        "title": "Discharge summary",
        **content,
    }
    entries = [
        {"fullUrl": "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11", "resource": composition},
        *({"fullUrl": name, "resource": patient(active=True)} for name in people),
    ]
    return {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "https://example.org/documents", "value": "1"},
        "timestamp": "2026-03-02T12:00:00Z",
        "entry": entries,
    }


def _with_contained(*ids: str) -> dict[str, object]:
    people = [{"resourceType": "Practitioner", "id": one} for one in ids]
    return observation(contained=people, performer=[{"reference": f"#{one}"} for one in ids])


def _answers(canonical: str) -> dict[str, object]:
    form = {"resourceType": "Questionnaire", "id": "form", "status": "active"}
    contained = {"contained": [form]} if canonical == "#form" else {}
    return {"resourceType": "QuestionnaireResponse", **contained, "questionnaire": canonical, "status": "in-progress"}


TEXTS = {
    "reference-target": RuleText(
        "A reference leads to a type of resource that is allowed there.",
        f"Readers follow it and expect that type. {_REFERENCES}",
        "Refer to a resource of a type the message names.",
        observation(subject={"reference": "Practitioner/p1"}),
        observation(subject=SUBJECT),
    ),
    "reference-profile": RuleText(
        "What a reference inside the record leads to meets a profile that the reference asks for.",
        f"Readers follow it and expect what the profile promises. {_REFERENCES}",
        "Correct the contained resource or the entry of the Bundle, or refer to another one.",
    ),
    "reference-aggregation": RuleText(
        "What a reference leads to is where the profile wants it: contained, in the same Bundle, or elsewhere.",
        "Readers look for it there. Source: FHIR R4, ElementDefinition.type.aggregation.",
        "Move what is referred to where the profile wants it, and change the reference with it.",
    ),
    "reference-search": RuleText(
        "A reference by search (Patient?identifier=...) stands only in a transaction.",
        "Only a server that processes a transaction replaces it by an id. Source: FHIR R4, RESTful API, transaction, "
        "Conditional References.",
        "Give the id, or a logical reference in identifier.",
        observation(subject={"reference": "Patient?identifier=12345"}),
        observation(subject={"identifier": {"system": "https://example.org/mrn", "value": "12345"}}),
    ),
    "reference-container": RuleText(
        "The reference # alone, to the resource around, stands only in a contained resource.",
        f"Elsewhere there is no resource around. {_REFERENCES}",
        "Refer to the resource by type and id.",
        observation(derivedFrom=[{"reference": "#"}]),
        observation(derivedFrom=[{"reference": "Observation/o1"}]),
    ),
    "reference-type": RuleText(
        "The type beside a reference is that of the resource it leads to, by its name.",
        "Readers trust it without following the reference. Absolute URLs are for logical models only. Source: FHIR R4, "
        "Reference.type.",
        "Correct the type (Patient, not a URL), or leave it out.",
        observation(subject={**SUBJECT, "type": "Group"}),
        observation(subject={**SUBJECT, "type": "Patient"}),
    ),
    "reference-unresolved": RuleText(
        "What the Composition of a document names is in the document.",
        f"A document is read whole, without a server behind it. {_DOCUMENTS}",
        "Add the resource as an entry, named as the reference names it.",
        _document({"subject": {"reference": _PATIENT_URN}}),
        _document({"subject": {"reference": _PATIENT_URN}}, _PATIENT_URN),
    ),
    "bundle-orphan": RuleText(
        "Each entry of a document is linked, however indirectly, with its Composition.",
        f"Readers who follow the Composition would never see it. {_DOCUMENTS}",
        "Refer to it from the Composition, or leave it out.",
        _document({}, _PATIENT_URN),
        _document({"subject": {"reference": _PATIENT_URN}}, _PATIENT_URN),
    ),
    "reference-format": RuleText(
        "A reference is a URL: it has no spaces.",
        f"No server finds what it leads to. {_REFERENCES}",
        "Take the spaces out; a name for people goes into display.",
        observation(subject={"reference": "Patient/p1 (Example)"}),
        observation(subject={"reference": "Patient/p1", "display": "Example"}),
    ),
    "reference-relative": RuleText(
        "A relative reference in a Bundle is a type and an id, or in a transaction a type and what to search it by.",
        f"It is put behind the base of the entry's fullUrl, and so finds the other entry. {_REFERENCES} Bundle, "
        "Resolving references.",
        "Write Patient/p1, or the fullUrl of the entry.",
        _bundle_with_subject("p1"),
        _bundle_with_subject("Patient/p1"),
    ),
    "contained-id": RuleText(
        "Each contained resource has an id of its own.",
        f"It is all that a reference has to find it by. {_REFERENCES}",
        "Change one of the ids and what refers to it, or contain the resource once.",
        _with_contained("nurse", "nurse"),
        _with_contained("nurse", "doctor"),
    ),
    "bundle-link": RuleText(
        "Pages (first, previous, next, last) are of searches and histories, one link each; self stands once.",
        "Readers follow them. A stylesheet named by type and id is in the document. Source: FHIR R4, Bundle.link.",
        "Leave the link out, keep one of each kind, or add the stylesheet as a Binary.",
        {**_bundle(_PATIENT_URL), "link": [{"relation": "next", "url": "https://example.org/fhir?page=2"}]},
        {**_bundle(_PATIENT_URL), "link": [{"relation": "self", "url": "https://example.org/fhir?page=1"}]},
    ),
    "reference-ambiguous": RuleText(
        "Where several versions of a resource are in a Bundle, a reference to it names the version.",
        "Otherwise nobody knows which is meant. Source: FHIR R4, Bundle, Resolving references in Bundles.",
        "Add /_history/ and the versionId to the reference, or leave the other versions out.",
        _versions("Patient/p1"),
        _versions("Patient/p1/_history/2"),
    ),
    "bundle-full-url": RuleText(
        "An entry that refers to others has an absolute fullUrl; one like a server's ends in its type and id.",
        "References in the Bundle are resolved by it. Source: FHIR R4, Bundle.entry.fullUrl; Resource URL.",
        "Give the URL where the resource lives, or urn:uuid: with a new UUID.",
        _bundle("https://example.org/fhir/Patient/p2"),
        _bundle(_PATIENT_URL),
    ),
    "bundle-search": RuleText(
        "A result of a search has an id, a match is of the type searched for, an outcome is an OperationOutcome.",
        "Readers tell by it what they asked for and what came along. Source: FHIR R4, Bundle.entry.search.mode; "
        "Resource.id.",
        "Correct the mode, the id or the self link; or leave out search, where this is no search.",
        {**_found(id="p1"), "link": [{"relation": "self", "url": "https://example.org/fhir/Observation?status=final"}]},
        _found(id="p1"),
    ),
    "extension-unknown": RuleText(
        "The definition of every extension is known.",
        f"Without it nobody can say what the content means, or whether it is right. {_EXTENSIONS}.",
        "Correct the url, or add the extension's definition with --definitions.",
        patient(extension=[{"url": KETA + "StructureDefinition/keta-colour", "valueString": "blue"}]),
        patient(extension=[{"url": CORE + "patient-birthPlace", "valueAddress": {"city": "Example"}}]),
    ),
    "extension-modifier": RuleText(
        "An extension that changes the meaning stands in modifierExtension, any other in extension.",
        f"Readers must stop at a modifier they do not know, and may pass over other extensions. {_EXTENSIONS}, "
        "Modifier Extensions.",
        "Move it to the other one.",
        observation(modifierExtension=[_TIME_POINT]),
        observation(extension=[_TIME_POINT]),
    ),
    "extension-context": RuleText(
        "An extension stands on an element that its definition allows.",
        f"Elsewhere nobody looks for it. {_EXTENSIONS}; StructureDefinition.context.",
        "Move it to an element that the message names.",
        patient(extension=[_TIME_POINT]),
        observation(extension=[_TIME_POINT]),
    ),
    "profile-unknown": RuleText(
        "The definition of every profile in meta.profile is known.",
        f"A record that claims an unknown profile was checked against base R4 only. {_PROFILES}",
        "Correct the canonical, or add the profile with --definitions. With --strict this is an error.",
        patient(meta={"profile": ["https://example.org/StructureDefinition/my-patient"]}),
        patient(meta={"profile": [CORE + "Patient"]}),
    ),
    "profile-mismatch": RuleText(
        "A profile in meta.profile is one for this type of resource.",
        f"No record can meet a profile of another type. {_PROFILES}",
        "Claim a profile of this type, or none.",
        patient(meta={"profile": [KETA + "StructureDefinition/keta-rating"]}),
        patient(meta={"profile": [CORE + "Patient"]}),
    ),
    "invariant-unevaluated": RuleText(
        "A constraint is written so that it can be evaluated.",
        "FHIRPath of a kind that is not known here, or that takes too long, is left open: no finding, no promise. "
        "Source: FHIR R4, ElementDefinition.constraint.expression.",
        "Nothing is wrong with the record. If the profile is yours, simplify the expression.",
    ),
    "profile-abstract": RuleText(
        "A profile that a record claims is not abstract.",
        f"An abstract profile is only there to be the base of others. {_PROFILES} StructureDefinition.abstract.",
        "Claim the child that is meant.",
    ),
    "findings-limit": RuleText(
        "Of one record at most 1,000 findings are listed.",
        "So many mostly have one cause, and nobody reads them; what is listed says truly whether the record is wrong. "
        "Source: this program's own limit.",
        "Mend what is listed, often one fault in the program that writes the records, and check again.",
    ),
    "questionnaire-unknown": RuleText(
        "The questionnaire that a response answers is known.",
        "Without it the answers cannot be checked: only the form of the record was. Source: FHIR R4, "
        "QuestionnaireResponse.questionnaire.",
        "Correct the canonical, or add the questionnaire with --definitions. With --strict this is an error.",
        _answers("https://example.org/Questionnaire/intake"),
        _answers("#form"),
    ),
}
