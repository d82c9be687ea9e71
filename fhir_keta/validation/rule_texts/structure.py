"""Rules about elements: which ones there may be, how often, of what type."""

from __future__ import annotations

from fhir_keta.validation.rule_texts.text import KETA, RuleText, coded, heart_rate, observation, patient, rating

_JSON = "Source: FHIR R4, JSON Representation of Resources."
_PROFILES = "Source: FHIR R4, Profiling, Slicing."
_CONCEPTS = KETA + "CodeSystem/keta-concepts"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"

_NARRATIVE = "Source: FHIR R4, Narrative; XHTML 1.0."
_RESTRICTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


def _told(content: str) -> dict[str, str]:
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'}


_TELLS_HOW_IT_FELT = {
    "code": coded(_CONCEPTS, "how-it-felt"),
    "valueCodeableConcept": coded(KETA + "CodeSystem/keta-how-it-felt", "neutral"),
}
_FELT_AND_LONG = {
    **_TELLS_HOW_IT_FELT,
    "code": {"coding": [{"system": _CONCEPTS, "code": code} for code in ("how-it-felt", "how-long")]},
}
_SAYS_ONGOING = {"code": coded(_CONCEPTS, "ongoing"), "valueBoolean": True}
_EXPERIENCE = rating(
    meta={"profile": [KETA + "StructureDefinition/keta-experience"]},
    code=coded(_CONCEPTS, "floating"),
    valueInteger=None,
    valueCodeableConcept=coded(KETA + "CodeSystem/keta-intensity", "slightly"),
)

TEXTS = {
    "element-unknown": RuleText(
        "Every name in an object is an element that R4 defines there.",
        f"What nobody defined nobody reads: the content would be lost without a word. {_JSON}",
        "Correct the name. What R4 has no element for goes into an extension.",
        patient(gendre="female"),
        patient(gender="female"),
    ),
    "element-type": RuleText(
        "An element that may repeat is an array, one with children an object, a plain one a plain value.",
        f"Readers rely on it; one name is still an array of names. {_JSON}",
        "Write [...] around it, or take it out of them.",
        patient(name={"family": "Example"}),
        patient(name=[{"family": "Example"}]),
    ),
    "element-empty": RuleText(
        'An element has a value or children: no "", no {}, no [], no null.',
        f"An empty element says neither that there is nothing nor why. {_JSON} Invariant ele-1.",
        "Leave the element out, or give it content.",
        patient(name=[]),
        patient(name=[{"family": "Example"}]),
    ),
    "primitive-alignment": RuleText(
        "An array and its companion with an underscore have the same length, and no place is null in both.",
        f"Extensions of plain values stand in the companion, at the place of their value. {_JSON}",
        "Fill the shorter one with null.",
        patient(name=[{"given": ["Ann", "Bea"], "_given": [{"id": "first"}]}]),
        patient(name=[{"given": ["Ann", "Bea"], "_given": [{"id": "first"}, None]}]),
    ),
    "cardinality-min": RuleText(
        "What must stand at least once stands there.",
        "The definition says 1.. because a record without it cannot be understood. "
        "Source: FHIR R4, ElementDefinition.min.",
        "Add the element. Where the value is not known, many elements take a code that says so.",
        {"resourceType": "Observation", "code": {"text": "Body weight"}},
        observation(),
    ),
    "cardinality-max": RuleText(
        "No more of an element than the profile allows.",
        "The profile's readers use one, and would not see the others. Source: FHIR R4, ElementDefinition.max.",
        "Keep the one that is meant, or split the record.",
        rating(partOf=[{"reference": "Procedure/infusion-1"}, {"reference": "Procedure/infusion-2"}]),
        rating(partOf=[{"reference": "Procedure/infusion-1"}]),
    ),
    "element-prohibited": RuleText(
        "An element that the profile takes away (max 0) is not there.",
        "Who reads by the profile does not look at it. Source: FHIR R4, Profiling; ElementDefinition.max.",
        "Put the content where the profile has a place for it, or do not claim the profile.",
        rating(component=[_SAYS_ONGOING]),
        rating(),
    ),
    "choice-multiple": RuleText(
        "Of a choice such as value[x] one type is given.",
        "Two values of one element contradict each other. Source: FHIR R4, Formats, Choice of Data Types.",
        "Keep one. In an Observation, several values are components.",
        observation(valueInteger=7, valueString="seven"),
        observation(valueInteger=7),
    ),
    "choice-type": RuleText(
        "The type of a choice is one that the profile allows.",
        "Readers by the profile expect that type. Source: FHIR R4, ElementDefinition.type.",
        "Write the value as one of the types named.",
        rating(valueInteger=None, valueQuantity={"value": 7}),
        rating(),
    ),
    "slice-min": RuleText(
        "A slice that the profile requires is there.",
        f"Readers find the content by what marks the slice (a code, a url, a type). {_PROFILES}",
        "Add the element with the value that marks the slice; see the profile's discriminator.",
        heart_rate(category=[coded(_CATEGORY, "exam")]),
        heart_rate(),
    ),
    "slice-max": RuleText(
        "No more of a slice than the profile allows.",
        f"Of two, readers would take one or the other. {_PROFILES}",
        "Keep one.",
        {**_EXPERIENCE, "component": [_TELLS_HOW_IT_FELT, _TELLS_HOW_IT_FELT]},
        {**_EXPERIENCE, "component": [_TELLS_HOW_IT_FELT]},
    ),
    "narrative-structure": RuleText(
        "Each element of a narrative is where XHTML allows: items in lists, cells in rows, no lists in paragraphs.",
        f"Browsers would each show something else. {_NARRATIVE}",
        "Close the paragraph before the list or table, and put each item and cell where it belongs.",
        patient(text=_told("<p>Given: <ul><li>rest</li></ul></p>")),
        patient(text=_told("<p>Given:</p><ul><li>rest</li></ul>")),
    ),
    "narrative-link": RuleText(
        "A link or image in a narrative is a URL that can be followed, and one with # leads to an id in the resource.",
        f"A reader who follows it arrives nowhere, or runs what somebody else wrote. {_NARRATIVE}",
        "Correct the URL, give what it leads to an id, or leave the words without a link.",
        patient(text=_told('See <a href="#notes">the notes</a>.')),
        patient(text=_told('See <a href="#notes">the notes</a>. <p id="notes">None.</p>')),
    ),
    "security-repeated": RuleText(
        "Each security label of a resource, a system and a code, stands once.",
        "They are a set: twice says no more than once. Source: FHIR R4, Meta.security.",
        "Leave the second one out.",
        patient(meta={"security": [_RESTRICTED, _RESTRICTED]}),
        patient(meta={"security": [_RESTRICTED]}),
    ),
    "type-profile": RuleText(
        "Where a profile names several profiles for a value, the value meets one of them.",
        "Each is a way to say it that readers know. Source: FHIR R4, ElementDefinition.type.profile.",
        "Choose one of the profiles and check the value against it, with --profile say, to see what it lacks.",
    ),
    "slice-several": RuleText(
        "An element of a sliced array is of one slice at most; only a slice of a slice may have it too.",
        f"Which of the slices' rules hold for it would be anybody's guess. {_PROFILES}",
        "Make two elements of it, or take out what marks it as one of the other slice (often a second coding).",
        {**_EXPERIENCE, "component": [_FELT_AND_LONG]},
        {**_EXPERIENCE, "component": [_TELLS_HOW_IT_FELT]},
    ),
    "slice-order": RuleText(
        "Where slicing is ordered, the slices stand in the order of the profile; openAtEnd: others stand behind them.",
        f"Readers take the order for what the profile says it means. {_PROFILES}",
        "Move the element to its place.",
    ),
    "slice-unmatched": RuleText(
        "Where slicing is closed, every element belongs to a slice.",
        f"The profile leaves no room for others. {_PROFILES}",
        "Correct what marks the slice (often a code), or leave the element out.",
        {**_EXPERIENCE, "component": [_SAYS_ONGOING]},
        {**_EXPERIENCE, "component": [_TELLS_HOW_IT_FELT]},
    ),
}
