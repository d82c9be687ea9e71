"""Rules about the bytes: before there is a record to speak of."""

from __future__ import annotations

from fhir_keta.validation.rule_texts.text import RuleText, patient

_JSON = "Source: FHIR R4, JSON Representation of Resources; RFC 8259."
_OURS = "Source: this program's own limit."

TEXTS = {
    "json-syntax": RuleText(
        "The record is one well-formed JSON text.",
        f"What is not JSON cannot be read at all. {_JSON}",
        "Look at the line and column named. A text that ends in the middle was not written completely.",
        b'{"resourceType": "Patient", "id": "p1",}',
        b'{"resourceType": "Patient", "id": "p1"}',
    ),
    "json-encoding": RuleText(
        "The text is UTF-8.",
        "FHIR JSON has no other encoding, so nobody has to guess one. Source: FHIR R4, Resource Formats.",
        "Convert the file: iconv -f LATIN1 -t UTF-8, for instance.",
        b'{"resourceType": "Patient", "name": [{"family": "M\xfcller"}]}',
        '{"resourceType": "Patient", "name": [{"family": "Müller"}]}'.encode(),
    ),
    "json-empty": RuleText(
        "There is a record to check.",
        f"An empty file is most often a lost one, so it must not pass unseen. {_JSON}",
        "Write the record again, or remove the file.",
        b"",
        b'{"resourceType": "Patient"}',
    ),
    "json-not-object": RuleText(
        "A resource is a JSON object.",
        f"An array or a plain value has no resourceType. {_JSON}",
        "Write one resource a line (NDJSON), or put many into a Bundle.",
        b'[{"resourceType": "Patient"}]',
        b'{"resourceType": "Patient"}',
    ),
    "json-depth": RuleText(
        "Objects and arrays stand at most 64 deep inside one another.",
        f"Deeper records cannot be exchanged in practice, and can exhaust whoever reads them. {_OURS}",
        "Flatten the record: no FHIR resource needs so many levels.",
    ),
    "json-number": RuleText(
        "Every number is one that JSON has and a double can hold.",
        "NaN and Infinity are no JSON, 1e400 becomes infinity when read. Source: RFC 8259, Numbers; FHIR R4, decimal.",
        "Leave the value out and say why in dataAbsentReason, or correct it.",
        b'{"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueInteger": NaN}',
        b'{"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueInteger": 7}',
    ),
    "json-duplicate-key": RuleText(
        "A name stands once in an object.",
        f"Of two values readers take one or the other, without a word. {_JSON}",
        "Keep the right one. Several values of one element are an array.",
        b'{"resourceType": "Patient", "id": "p1", "id": "p2"}',
        b'{"resourceType": "Patient", "id": "p1"}',
    ),
    "input-xml": RuleText(
        "The record is JSON, not XML.",
        f"FHIR's XML holds the same content, but this program reads only JSON. {_OURS}",
        "Ask the server for application/fhir+json, or convert the file.",
        b'<Patient xmlns="http://hl7.org/fhir"/>',
        b'{"resourceType": "Patient"}',
    ),
    "input-gzip": RuleText(
        "A gzip file is whole.",
        "A file that was cut off has lost records, and which ones nobody can say. Source: RFC 1952.",
        "Copy or compress the file again.",
    ),
    "input-unreadable": RuleText(
        "The file can be read.",
        "A file that was named and not read must not pass for checked.",
        "Check that it is a file, and that you may read it.",
    ),
    "input-size": RuleText(
        "One record has at most 96 MB.",
        f"A line without an end, or a hostile gzip, would fill the memory. {_OURS}",
        "Split the record; many resources are NDJSON, one a line.",
    ),
    "resource-type-missing": RuleText(
        "A resource says which type it is.",
        f"Without resourceType nobody knows what the rest means. {_JSON}",
        "Add resourceType. JSON that is no FHIR resource does not belong here.",
        {"id": "p1"},
        patient(id="p1"),
    ),
    "resource-type-unknown": RuleText(
        "The resourceType is one of FHIR R4.",
        "Another release, or a slip of the pen: R4 says nothing of it. Source: FHIR R4, Resource Index.",
        "Write the type as R4 does, upper and lower case as there.",
        {"resourceType": "Patience"},
        patient(),
    ),
}
