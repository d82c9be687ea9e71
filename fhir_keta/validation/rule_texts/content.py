"""Rules about values: their format, their codes, and how they agree with one another."""

from __future__ import annotations

from fhir_keta.validation.rule_texts.text import (
    KETA,
    SUBJECT,
    RuleText,
    coded,
    heart_rate,
    observation,
    patient,
    rating,
)

_CONCEPTS = KETA + "CodeSystem/keta-concepts"
_UCUM = "http://unitsofmeasure.org"
_ELEMENT = "Source: FHIR R4, ElementDefinition"
_CODES = "Source: FHIR R4, Using Codes in resources."


def _given_per_kg(code: str) -> dict[str, object]:
    dose = {"value": 0.5, "system": _UCUM, "code": code}
    return {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "Ketamine"},
        "subject": SUBJECT,
        "effectiveDateTime": "2026-09-07T10:00:00+02:00",
        "dosage": {
            "extension": [{"url": KETA + "StructureDefinition/keta-dose-per-kg", "valueQuantity": dose}],
            "dose": {"value": 35, "system": _UCUM, "code": "mg"},
        },
    }


def _form(asked: str) -> dict[str, object]:
    condition = {"question": asked, "operator": "exists", "answerBoolean": True}
    nausea = {"linkId": "nausea", "type": "boolean", "text": "Nausea?"}
    more = {"linkId": "nausea.more", "type": "string", "text": "Tell more", "enableWhen": [condition]}
    return {"resourceType": "Questionnaire", "status": "active", "item": [nausea, more]}


def _limited(type_: str) -> dict[str, object]:
    root, name = {"id": "Visit", "path": "Visit"}, "Visit.reason"
    reason = {"id": name, "path": name, "type": [{"code": type_}], "maxLength": 80}
    for element in (root, reason):
        element |= {"definition": "Of a visit.", "min": 0, "max": "1"}
    return {
        "resourceType": "StructureDefinition",
        "url": "https://example.org/StructureDefinition/Visit",
        "name": "Visit",
        "status": "active",
        "kind": "logical",
        "abstract": False,
        "type": "https://example.org/StructureDefinition/Visit",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Element",
        "derivation": "specialization",
        "differential": {"element": [root, reason]},
    }


def _system(count: int) -> dict[str, object]:
    return {
        "resourceType": "CodeSystem",
        "url": "https://example.org/moods",
        "status": "active",
        "content": "complete",
        "count": count,
        "concept": [{"code": "calm"}, {"code": "tense"}],
    }


_PROPERTIES = "http://hl7.org/fhir/concept-properties#"


def _ranked(rank: object) -> dict[str, object]:
    kind = "valueInteger" if isinstance(rank, int) else "valueString"
    concepts = [{"code": code, "property": [{"code": "rank", kind: rank}]} for code in ("a", "b")]
    return {"count": 2, "property": [{"code": "rank", "type": "integer"}], "concept": concepts}


def _composite(components: int) -> dict[str, object]:
    part = {"definition": "http://hl7.org/fhir/SearchParameter/clinical-code", "expression": "code"}
    return {
        "resourceType": "SearchParameter",
        "url": "https://example.org/SearchParameter/code-and-value",
        "name": "CodeAndValue",
        "status": "draft",
        "description": "A code and the value with it.",
        "code": "code-value",
        "base": ["Observation"],
        "type": "composite",
        "component": [part] * components,
    }


TEXTS = {
    "primitive-format": RuleText(
        "A plain value is written as its type says.",
        "Only then do all readers understand the same: 03/04/1980 is March or April. Source: FHIR R4, Data Types, "
        "Primitive Types.",
        "Write it as the message says. Dates are YYYY, YYYY-MM or YYYY-MM-DD; a time of day needs a time zone.",
        patient(birthDate="03/04/1980"),
        patient(birthDate="1980-04-03"),
    ),
    "value-fixed": RuleText(
        "The value is the very one that the profile fixes.",
        f"Readers by the profile do not convert units or codes. {_ELEMENT}.fixed[x].",
        "Give the fixed value; of a quantity in another unit, convert the number too.",
        heart_rate(valueQuantity={"value": 1.2, "unit": "/s", "system": _UCUM, "code": "/s"}),
        heart_rate(),
    ),
    "value-pattern": RuleText(
        "The value contains all that the profile's pattern has; it may have more.",
        f"The pattern is what readers by the profile look for. {_ELEMENT}.pattern[x].",
        "Add what the message names.",
        _given_per_kg("ug/kg"),
        _given_per_kg("mg/kg"),
    ),
    "max-length": RuleText(
        "A text is no longer than the definition allows.",
        f"Readers may cut off the rest. {_ELEMENT}.maxLength.",
        "Shorten it, or put the rest where there is room.",
    ),
    "string-length": RuleText(
        "A text has 1,048,576 characters at most.",
        "R4 sets this limit, so that readers know what to expect. Source: FHIR R4, Data Types, string.",
        "Put what is longer into an Attachment, or a Binary of its own.",
    ),
    "value-range": RuleText(
        "A number or date is within the range that the profile gives.",
        f"Outside, it is a slip of the pen, or on another scale. {_ELEMENT}.minValue[x] and maxValue[x].",
        "Correct the value, or use the scale of the profile.",
        rating(valueInteger=70),
        rating(valueInteger=7),
    ),
    "identifier-uri": RuleText(
        "An identifier whose system is urn:ietf:rfc:3986 is a URI, its scheme with it.",
        "The system says that the value stands for itself, anywhere. Source: FHIR R4, Identifier.system and value.",
        "Write urn:uuid: or urn:oid: before the number, or name the system that gave the number.",
        patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": "6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11"}]),
        patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11"}]),
    ),
    "language-tag": RuleText(
        "The language of a resource is a tag of BCP 47.",
        "Software looks for texts in it. Source: FHIR R4, Resource.language, the value set of all languages.",
        "Write two or three letters for the language, and after a hyphen the country, if it matters.",
        patient(language="English (UK)"),
        patient(language="en-GB"),
    ),
    "value-regex": RuleText(
        "Where a profile gives a regular expression for a value, all of the value is as it says.",
        "It is how those who wrote the profile recognise the value. Source: FHIR R4, the extension regex.",
        "Write the value as the profile's definition of the element describes it.",
    ),
    "value-decimal-places": RuleText(
        "A number has no more decimal places than the profile allows.",
        "More of them claim a precision that the measurement does not have. Source: the extension maxDecimalPlaces.",
        "Round the number to what was measured.",
    ),
    "value-bytes": RuleText(
        "Data are no longer than the profile allows, before they are written as base64.",
        "Readers set aside so much room. Source: FHIR R4, the extension maxSize.",
        "Send a smaller version, or a link to the data.",
    ),
    "binding-required": RuleText(
        "Where the binding is required, the code is one of the value set.",
        f"Software branches on these codes; it knows no others. {_CODES}",
        "Take a code of the value set, with its system; upper and lower case count.",
        patient(gender="Female"),
        patient(gender="female"),
    ),
    "binding-extensible": RuleText(
        "Where the binding is extensible, a code is one of the value set, unless none of them fits.",
        f"Software knows these codes best; whether one fits only a person can say, so this warns. {_CODES}",
        "Take a code of the value set, or keep yours if it says what none of them does.",
        patient(maritalStatus={"coding": [{"system": "https://example.org/own", "code": "x"}]}),
        patient(maritalStatus={"text": "x"}),
    ),
    "code-unknown": RuleText(
        "A coding's code is one of its system, where the whole system is known here.",
        f"A code that its system does not have means nothing. {_CODES}",
        "Correct the code, or name the system it comes from.",
        observation(code=coded(_CONCEPTS, "moood")),
        observation(code=coded(_CONCEPTS, "mood")),
    ),
    "system-value-set": RuleText(
        "The system of a code is a code system, not a value set that has some of its codes.",
        f"Of the code alone nobody can tell which system of the value set is meant. {_CODES}",
        "Name the code system that the code is from.",
        patient(meta={"tag": [{"system": "http://hl7.org/fhir/ValueSet/observation-status", "code": "final"}]}),
        patient(meta={"tag": [{"system": "http://hl7.org/fhir/observation-status", "code": "final"}]}),
    ),
    "display-wrong": RuleText(
        "A coding's display is one that its system gives to the code.",
        "People read the display, software the code: if they differ, one of both is misled. Source: FHIR R4, Coding.",
        "Take the system's display, or leave it out; words of your own go into text.",
        observation(code=coded(_CONCEPTS, "mood", display="Fear")),
        observation(code=coded(_CONCEPTS, "mood", display="Mood")),
    ),
    "uri-absolute": RuleText(
        "A uri that names something for everybody has a scheme.",
        "Without one it means something else in every place. Source: FHIR R4, Coding.system, Identifier.system.",
        "Write it as https:..., or urn:oid:..., or urn:uuid:...",
        patient(identifier=[{"system": "mrn", "value": "12345"}]),
        patient(identifier=[{"system": "https://example.org/mrn", "value": "12345"}]),
    ),
    "system-spelling": RuleText(
        "The system of a code is written as it was published.",
        "Software compares systems letter by letter: https://loinc.org is not LOINC, http://unitsofmeasure.org/ is not "
        "UCUM. Source: FHIR R4, Using Codes in resources, Code System URIs.",
        "Write http: for https:, and take away what stands behind the system.",
        observation(valueQuantity={"value": 1, "system": "https://unitsofmeasure.org", "code": "mg"}),
        observation(valueQuantity={"value": 1, "system": "http://unitsofmeasure.org", "code": "mg"}),
    ),
    "element-id": RuleText(
        "The id of an element is the only such one in the resource.",
        "It is there to be referred to. Source: FHIR R4, Element.id.",
        "Change one of them, or leave both out.",
        patient(name=[{"id": "n", "text": "One"}, {"id": "n", "text": "Two"}]),
        patient(name=[{"id": "n", "text": "One"}, {"id": "m", "text": "Two"}]),
    ),
    "attachment-size": RuleText(
        "An attachment's size is the number of bytes of its data, before base64.",
        "Readers use it to see whether they have the whole. Source: FHIR R4, Attachment.size.",
        "Give the size of the file itself, or leave it out.",
        patient(photo=[{"contentType": "text/plain", "data": "aGVsbG8=", "size": 8}]),
        patient(photo=[{"contentType": "text/plain", "data": "aGVsbG8=", "size": 5}]),
    ),
    "attachment-hash": RuleText(
        "An attachment's hash is the SHA-1 of its data, in base64.",
        "Readers use it to see whether the data was changed. Source: FHIR R4, Attachment.hash.",
        "Compute it over the bytes before base64, or leave it out.",
        patient(photo=[{"contentType": "text/plain", "data": "aGVsbG8=", "hash": "aGVsbG8="}]),
        patient(photo=[{"contentType": "text/plain", "data": "aGVsbG8=", "hash": "qvTGHdzF6KLavt4PO0gs2a6pQ00="}]),
    ),
    "questionnaire-condition": RuleText(
        "An enableWhen asks for another item of the same questionnaire.",
        "A condition on a question that is not there can never be met. Source: FHIR R4, Questionnaire.item.enableWhen.",
        "Write the linkId of the question as that item has it.",
        _form("nausea-now"),
        _form("nausea"),
    ),
    "element-limit": RuleText(
        "A definition limits the length only of what is written as text, and the value only of what has an order.",
        f"For other types the limit means nothing, and what it was to say goes unchecked. {_ELEMENT}.maxLength, "
        "minValue, maxValue.",
        "Leave the limit out, or choose a type that has a length (string) or an order (decimal, date, Quantity).",
        _limited("CodeableConcept"),
        _limited("string"),
    ),
    "code-system-content": RuleText(
        "A code system that is not present has no concepts; a supplement names what it adds to.",
        "Readers go elsewhere for what is not here. Source: FHIR R4, CodeSystem.content, CodeSystem.supplements.",
        "Correct content; name the code system in supplements, and leave caseSensitive to that one.",
        {**_system(2), "content": "not-present", "count": 2},
        {**_system(2), "content": "complete"},
    ),
    "code-system-property": RuleText(
        "Each property of a code system has a code and a uri of its own; one of HL7's has that one's code and type.",
        "Programs know a property by its uri, people by its code. Source: FHIR R4, CodeSystem.property.",
        "Rename one of them, correct its type, or give it a uri of your own.",
        {**_system(2), "property": [{"code": "parent", "uri": f"{_PROPERTIES}parent", "type": "string"}]},
        {**_system(2), "property": [{"code": "parent", "uri": f"{_PROPERTIES}parent", "type": "code"}]},
    ),
    "code-system-property-value": RuleText(
        "The property of a concept is of the type declared; parent, child and the like are codes of this system.",
        "Otherwise a program that follows it arrives nowhere. Source: FHIR R4, CodeSystem.concept.property.",
        "Correct the value, or the declaration of the property.",
        {**_system(1), **_ranked("high")},
        {**_system(1), **_ranked(1)},
    ),
    "search-components": RuleText(
        "A composite search parameter has two components or more.",
        "It searches for values that belong together. Source: FHIR R4, SearchParameter.component.",
        "Add the other component, or search for the one alone with its own type.",
        _composite(1),
        _composite(2),
    ),
    "code-system-count": RuleText(
        "The count of a complete code system is the number of its concepts.",
        "Readers use it to see whether they have all of them. Source: FHIR R4, CodeSystem.count.",
        "Count again, children too, or leave it out.",
        _system(3),
        _system(2),
    ),
}
