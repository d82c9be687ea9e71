"""The files of examples/invalid on which HL7's validator and ours differ, each with what the specification says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.oracle import conditions


@dataclass(frozen=True)
class Difference:
    """``ours`` and ``theirs``: whether each gives an error. ``why`` says who is right, ``source`` where that stands."""

    ours: bool
    theirs: bool
    why: str
    source: str


VERDICTS = {
    "reference-subject": Difference(
        ours=True,
        theirs=False,
        why="The type of a target must be among those named; the validator judges only targets that it can fetch.",
        source="http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.targetProfile",
    ),
    "response-too-long": Difference(
        ours=True,
        theirs=False,
        why="An answer may not be longer than maxLength; the validator does not look at it for items of type text.",
        source="http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.maxLength",
    ),
    "response-wrong-total": Difference(
        ours=True,
        theirs=False,
        why="An item with a calculatedExpression holds what the expression gives; the validator computes nothing.",
        source="http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
    ),
    "response-total-of-incomplete-form": Difference(
        ours=True,
        theirs=False,
        why="As above: the expression gives nothing while an answer is missing, so there is no total to write down.",
        source="http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
    ),
}

# Same verdict, but the validator reports it at another element.
PLACES = {
    "bundle-full-url-of-another": "It compares each fullUrl with its resource, but always reports at the first entry.",
}


def always(_value: Any, _record: Any, _expression: str) -> bool:
    return True


@dataclass(frozen=True)
class Kind:
    """A kind of finding that only one of the two gives: its rule or messageId, and when.

    ``change`` is looked for in what was changed, ``holds`` is asked of what stands at the finding's element, of the
    record and of the element's FHIRPath: both have to fit.
    """

    rule: str
    change: str
    why: str
    source: str
    holds: Callable[[Any, Any, str], bool] = always


JSON = "http://hl7.org/fhir/R4/json.html"
DATATYPES = "http://hl7.org/fhir/R4/datatypes.html"
NARRATIVE = "http://hl7.org/fhir/StructureDefinition/Narrative"
TERMINOLOGIES = "http://hl7.org/fhir/R4/terminologies.html"

ONLY_OURS = (
    Kind(
        "reference-target",
        "",
        "The type of a target must be among those named; it judges only targets that it can fetch.",
        "http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.targetProfile",
        conditions.leads_out_of_the_record,
    ),
    Kind(
        "element-empty",
        "",
        "No primitive is empty, whatever extension is beside it.",
        f"{JSON}#primitive",
        conditions.is_empty_text,
    ),
    Kind("element-empty", "", "An array is never empty.", f"{JSON}#primitive", conditions.is_empty_list),
    *(
        Kind(rule, "", "A code, uri, number or date has no blanks.", f"{DATATYPES}#primitive", conditions.is_blank)
        for rule in ("primitive-format", "uri-absolute")
    ),
    Kind(
        "primitive-format",
        "",
        "base64Binary is base64; outside an Attachment it counts the characters.",
        f"{DATATYPES}#base64Binary",
        conditions.is_counted_but_not_base64,
    ),
    *(
        Kind(
            f"value-{prefix}",
            "",
            "A blank is not the value that is asked for; it takes a blank for no value at all.",
            f"http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.{prefix}[x]",
            conditions.is_blank,
        )
        for prefix in ("fixed", "pattern")
    ),
    Kind(
        "binding-required",
        "",
        "Without system or code there is no code from the value set.",
        f"{TERMINOLOGIES}#required",
        conditions.has_half_a_code,
    ),
    Kind(
        "binding-required",
        "",
        "Of a system whose codes it does not know it does not say that none of them is in the value set.",
        f"{TERMINOLOGIES}#required",
        conditions.has_a_code_of_elsewhere,
    ),
    *(
        Kind(
            rule,
            "",
            "A system is one, and written as it was published, with or without a code; it looks at those with a code.",
            "http://hl7.org/fhir/R4/terminologies-systems.html",
            conditions.is_a_system_it_does_not_look_at,
        )
        for rule in ("uri-absolute", "system-spelling")
    ),
    Kind(
        "reference-relative",
        "",
        "A relative reference in a Bundle is a type and an id.",
        "http://hl7.org/fhir/R4/bundle.html#references",
        conditions.is_no_type_and_id,
    ),
    Kind(
        "element-empty",
        "",
        "An id is no content: an element has a value or children.",
        "http://hl7.org/fhir/R4/element.html#Element",
        conditions.has_an_id_only,
    ),
    *(
        Kind(
            rule,
            "",
            "Codes and displays are those of their system; if it cannot look up one of a concept, it looks up none.",
            f"{DATATYPES}#CodeableConcept",
            conditions.is_beside_a_code_of_elsewhere,
        )
        for rule in ("code-unknown", "display-wrong")
    ),
    Kind(
        "code-unknown",
        "",
        "All codes of a supplement are of the system that it adds to; it looks at those of the first level.",
        "http://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.supplements",
        conditions.is_below_another_concept,
    ),
    Kind(
        "txt-1",
        "",
        "A narrative is XHTML, which is well-formed XML; what it reads it mends where it can.",
        "http://hl7.org/fhir/R4/narrative.html#Narrative",
        conditions.is_no_xml,
    ),
    Kind(
        "txt-1",
        "",
        "A narrative is one div of XHTML as it is: nothing stands before it, and its name has no prefix.",
        "http://hl7.org/fhir/R4/json.html#xhtml",
        conditions.is_no_plain_div,
    ),
    *(
        Kind(
            rule,
            "",
            "Names of elements and slices have no white space; its regular expressions let a line end pass at the end.",
            f"http://hl7.org/fhir/R4/elementdefinition.html#{rule}",
            conditions.is_named_with_a_line_end,
        )
        for rule in ("eld-16", "eld-19")
    ),
    Kind(
        "element-unknown",
        "",
        "The id of an element has no extensions: R4 has it as a text of FHIRPath, not as a string of FHIR.",
        "http://hl7.org/fhir/R4/element.html#Element",
        conditions.is_beside_an_id,
    ),
    Kind(
        "rng-2",
        "",
        "Values that measure different things cannot be compared; it compares their numbers in base units.",
        "http://hl7.org/fhirpath/N1/#comparison",
        conditions.is_a_range_of_two_kinds,
    ),
    Kind(
        "string-length",
        "",
        "Markdown is a string, so the limit of one is its limit, too; it measures other strings only.",
        f"{DATATYPES}#markdown",
        conditions.is_long,
    ),
    Kind(
        "extension-context",
        "",
        "An extension of items stands on items; it takes the context Questionnaire.item.item for Questionnaire, too.",
        "http://hl7.org/fhir/R4/defining-extensions.html#context",
        conditions.is_an_extension_of_items,
    ),
    Kind(
        "response-total-incomplete",
        "",
        "The expression gives nothing while an answer is missing.",
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
    ),
    Kind(
        "response-total",
        "",
        "An item with a calculatedExpression holds what the expression gives.",
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
    ),
)
ONLY_THEIRS = (
    Kind(
        "Terminology_TX_NoValid_16",
        "",
        "MIME types are those of BCP 13, currencies those of ISO 4217: without a terminology server it has no list.",
        "http://hl7.org/fhir/R4/terminologies-systems.html#external",
        conditions.is_of_a_list_it_lacks,
    ),
    *(
        Kind(
            rule,
            "",
            "A blank may stand at the end of a tag, and what stands in CDATA is text.",
            f"https://www.w3.org/TR/xml/#{place}",
            condition,
        )
        for rules, place, condition in (
            (("", f"{NARRATIVE}#txt-1", f"{NARRATIVE}#txt-2"), "sec-starttags", conditions.has_a_blank_in_an_end_tag),
            ((f"{NARRATIVE}#txt-2",), "sec-cdata-sect", conditions.has_text_in_cdata),
        )
        for rule in rules
    ),
    Kind(
        "Type_Specific_Checks_DT_String_Length",
        "",
        "The limit is 1024 * 1024 characters; it counts those outside the first plane of Unicode twice.",
        f"{DATATYPES}#string",
        conditions.is_short_but_for_surrogates,
    ),
    *(
        Kind(
            rule,
            "",
            "With any scheme, also in capitals, a URL is absolute; it knows http, https and urn, in places a few more.",
            "https://www.rfc-editor.org/rfc/rfc3986#section-3.1",
            conditions.has_a_scheme_it_does_not_know,
        )
        for rule in (
            "VALUESET_INCLUDE_SYSTEM_ABSOLUTE",
            "Terminology_TX_System_Relative",
            "TYPE_SPECIFIC_CHECKS_CANONICAL_ABSOLUTE",
            "Type_Specific_Checks_DT_Identifier_System",
            "Reference_REF_Format1",
            "Reference_REF_Format2",
        )
    ),
    Kind(
        "TYPE_SPECIFIC_CHECKS_DT_URL_EXAMPLE",
        "",
        "Addresses with example.org or acme.com in them are for examples, and it refuses them unless told not to.",
        "https://www.rfc-editor.org/rfc/rfc2606#section-3",
        conditions.is_an_example,
    ),
    Kind(
        "Validation_VAL_Profile_MatchMultiple",
        "",
        "studyEffectiveDescription is an element of its own; it takes it for a type of studyEffective[x], too.",
        "http://hl7.org/fhir/R4/researchelementdefinition.html",
        conditions.is_an_effective_description,
    ),
    Kind(
        "Type_Specific_Checks_DT_OID_Valid",
        "",
        "The regular expression of R4 asks for no more than two numbers.",
        f"{DATATYPES}#oid",
        conditions.is_a_short_oid,
    ),
    Kind(
        "TYPE_SPECIFIC_CHECKS_DT_ATT_B64_DECODE_FAIL",
        "",
        "base64Binary may have white space between and around its groups, the regular expression of R4 says.",
        f"{DATATYPES}#base64Binary",
        conditions.is_base64_with_white_space,
    ),
    Kind(
        "http://hl7.org/fhir/StructureDefinition/Range#rng-2",
        "",
        "It stumbles over a unit with a zero of its own (Cel), or that only one has in words; of units that are not "
        "known here nothing is said.",
        f"{DATATYPES}#Range",
        conditions.is_a_range_it_cannot_convert,
    ),
    Kind(
        "INVALID_DISPLAY_NAME",
        r"language = ",
        "Tags may be in any letter case and for private use; it knows them as its own list writes them.",
        "https://www.rfc-editor.org/rfc/rfc5646#section-2.1.1",
    ),
    Kind(
        "Type_Specific_Checks_DT_Time_Valid",
        "",
        "A time may have fractions of a second, the regular expression of R4 says.",
        f"{DATATYPES}#time",
        conditions.is_a_time_with_fractions,
    ),
    *(
        Kind(
            rule,
            "",
            "Of SNOMED CT and LOINC it has no codes without a terminology server, and takes every one for wrong.",
            "http://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose.include.filter",
            conditions.filters_a_system_elsewhere,
        )
        for rule in ("VALUESET_BAD_FILTER_VALUE_VALID_CODE", "VALUESET_BAD_FILTER_VALUE_VALID_CODE_CHANGE")
    ),
    *(
        Kind(
            rule,
            "",
            "HL7's own publications have an extension for the working group, and its name for the publisher; it holds "
            "all to that whose url is HL7's.",
            "http://hl7.org/fhir/R4/extension-structuredefinition-wg.html",
            conditions.is_of_hl7,
        )
        for rule in (
            "IG_HL7_STANDARDS_STATUS_REQUIRED",
            "IG_HL7_WG_REQUIRED",
            "VALIDATION_HL7_PUBLISHER_MISMATCH",
            "VALIDATION_HL7_PUBLISHER_MISMATCH2",
            "VALIDATION_HL7_WG_UNKNOWN",
        )
    ),
    Kind(
        "CODESYSTEM_CS_COUNT_SUPPLEMENT_WRONG",
        "",
        "It compares with the count of the system added to, also where that states none.",
        "http://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.count",
        conditions.is_of_a_supplement,
    ),
    *(
        Kind(
            rule,
            "",
            "A system that is not case sensitive has its codes in any case.",
            "http://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.caseSensitive",
            conditions.is_mapped_in_any_case,
        )
        for rule in ("CONCEPTMAP_GROUP_SOURCE_CODE_INVALID", "CONCEPTMAP_GROUP_TARGET_CODE_INVALID")
    ),
    Kind(
        "SD_ELEMENT_PATTERN_NO_FIXED",
        r"pattern",
        "A pattern over one of the base may say more than that; it takes the base's for a fixed value that is missing.",
        "http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern[x]",
    ),
    Kind(
        "ERROR_GENERATING_SNAPSHOT",
        r"\.id\b.*type",
        "R4's snapshots say string of a resource's id; it corrects that to id, and refuses a profile that repeats it.",
        "http://hl7.org/fhir/R4/resource.profile.json",
    ),
    Kind(
        "ED_CONTEXT_INVARIANT_EXPRESSION_ERROR",
        r"%extension",
        "R4's own extensions speak of %extension in such conditions (questionnaire-minOccurs); it does not know it.",
        "http://hl7.org/fhir/R4/extension-questionnaire-minoccurs.html",
    ),
)
