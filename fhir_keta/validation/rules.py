"""The rules: id, severity, FHIR issue type, what to say. One home for every message text.

A FHIR invariant (``obs-7``, ``dom-2``) is a rule under its own key; those are not listed here: their text is the
``human`` of the constraint in the StructureDefinition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_keta.validation.issue import Issue, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """``code`` is of http://hl7.org/fhir/issue-type; ``message`` is a ``str.format`` template over names from
    definitions only, never over values of a record."""

    id: str
    severity: Severity
    code: str
    message: str


_RULES = (
    # the bytes
    Rule("json-syntax", "fatal", "structure", "Not JSON: {problem}. Check that the file was written completely."),
    Rule("json-encoding", "fatal", "structure", "Not UTF-8. FHIR JSON is UTF-8: convert the file."),
    Rule("json-empty", "fatal", "structure", "Empty: a FHIR resource as one JSON object is expected."),
    Rule("json-not-object", "fatal", "structure", "A JSON object is expected, found {found}."),
    Rule("json-depth", "fatal", "structure", "More than {limit} levels deep: no FHIR resource needs that."),
    Rule("json-number", "fatal", "value", "{problem}: JSON cannot carry this. Leave it out, or say why it is absent."),
    Rule("json-duplicate-key", "error", "structure", "{name} stands twice in one object."),
    Rule("input-xml", "fatal", "not-supported", "This is XML; only FHIR JSON is read. Convert it first."),
    Rule("input-gzip", "fatal", "structure", "Not a whole gzip file: the rest could not be read. Compress it again."),
    Rule("input-unreadable", "fatal", "processing", "Cannot be read: {problem}. Check the file and its permissions."),
    Rule("input-size", "fatal", "too-long", "One record of more than {limit} MB: split it."),
    Rule("resource-type-missing", "fatal", "structure", "No resourceType: not a FHIR resource."),
    Rule("resource-type-unknown", "fatal", "structure", "{name} is not a FHIR R4 resource type.{suggestion}"),
    # structure
    Rule("element-unknown", "error", "structure", "{name} is not an element here.{suggestion}"),
    Rule("element-type", "error", "structure", "A JSON {expected} is expected here."),
    Rule("element-empty", "error", "structure", "Empty: leave the element out, or give it a value or children."),
    Rule("primitive-format", "error", "value", "Not a valid {type}: {remedy}"),
    Rule("primitive-alignment", "error", "structure", "'{name}' and '_{name}' do not line up: {problem}."),
    Rule("cardinality-min", "error", "required", "'{name}' is required here (at least {min})."),
    Rule("cardinality-max", "error", "structure", "At most {max} of '{name}' may stand here."),
    Rule("element-prohibited", "error", "structure", "'{name}' is not allowed by this profile."),
    Rule("choice-multiple", "error", "structure", "Only one '{name}[x]' may be given."),
    Rule(
        "choice-type",
        "error",
        "structure",
        "This profile does not allow this type for '{name}[x]' (allowed: {allowed}).",
    ),
    Rule("value-fixed", "error", "value", "The value must be exactly the one this profile fixes."),
    Rule("value-pattern", "error", "value", "The value does not contain what this profile requires: {pattern}."),
    Rule("max-length", "error", "value", "Longer than the {limit} characters allowed."),
    Rule("string-length", "error", "too-long", "Longer than the {limit:,} characters that a text may have."),
    Rule("value-range", "error", "value", "Outside the range the profile allows ({bound})."),
    Rule("value-regex", "error", "value", "Not written as this profile asks (its regular expression)."),
    Rule("value-decimal-places", "error", "value", "More than the {limit} decimal places this profile allows."),
    Rule("value-bytes", "error", "too-long", "More than the {limit} bytes this profile allows."),
    Rule("binding-required", "error", "code-invalid", "Not a code of the required value set {value_set}.{suggestion}"),
    Rule(
        "binding-extensible",
        "warning",
        "code-invalid",
        "No code of the value set {value_set}: use one of it, unless none of them fits.",
    ),
    Rule("code-unknown", "error", "code-invalid", "Not a code of {system}.{suggestion}"),
    Rule("display-wrong", "error", "code-invalid", "The display is not one of this code in {system}."),
    Rule("system-value-set", "error", "code-invalid", "This names a value set: a code is one of a code system."),
    Rule(
        "address-unknown",
        "error",
        "not-found",
        "No definition at this address of HL7's is known here: correct it, or add its definition with --definitions.",
    ),
    Rule("slice-min", "error", "required", "The slice '{name}' is required here (at least {min})."),
    Rule("slice-max", "error", "structure", "At most {max} of the slice '{name}' may stand here."),
    Rule("slice-unmatched", "error", "structure", "Matches none of the slices, and this profile allows no others."),
    Rule("slice-several", "error", "structure", "Of more than one slice of '{name}': each element is of one at most."),
    Rule("slice-order", "error", "structure", "Out of the order that the profile gives the slices of '{name}'."),
    Rule("type-profile", "error", "structure", "The value meets none of the profiles that are asked of it: {allowed}."),
    Rule("reference-profile", "error", "structure", "What this leads to does not meet the profile {allowed}."),
    Rule("reference-target", "error", "structure", "A reference to {allowed} is expected here."),
    Rule(
        "reference-aggregation",
        "error",
        "structure",
        "What this leads to must be where the profile wants it: {allowed}.",
    ),
    Rule(
        "reference-relative",
        "error",
        "value",
        "A relative reference in a Bundle is written as type/id, in a transaction also as type?name=value.",
    ),
    Rule("reference-search", "error", "structure", "A search instead of an id may stand only in a transaction."),
    Rule("reference-container", "error", "structure", "'#' alone may stand only in a contained resource."),
    Rule(
        "reference-type",
        "error",
        "structure",
        "The reference leads to another type than 'type' says, which is its name (Patient), not its URL.",
    ),
    Rule("reference-unresolved", "error", "structure", "The reference does not lead to anything in this record."),
    Rule("reference-ambiguous", "error", "structure", "Several versions are in this Bundle: name one with /_history/."),
    Rule("bundle-link", "error", "structure", "{problem}."),
    Rule("bundle-orphan", "error", "structure", "Nothing in this document leads to this entry: leave it out."),
    Rule("bundle-full-url", "error", "structure", "{problem}."),
    Rule("uri-absolute", "error", "value", "An absolute URI is expected here: one with a scheme (https:, urn:)."),
    Rule(
        "system-spelling",
        "error",
        "value",
        "Nearly the system of SNOMED CT, LOINC, UCUM, RxNorm or HL7: write it with http: and nothing behind it.",
    ),
    Rule(
        "identifier-uri",
        "error",
        "value",
        "An identifier of this system is a URI, with a scheme (urn:uuid:).",
    ),
    Rule("language-tag", "error", "code-invalid", "Not a language tag: write en, or de-AT (BCP 47)."),
    Rule("reference-format", "error", "value", "A reference is a URL: it has no spaces."),
    Rule(
        "extension-unknown", "error", "extension", "The extension is not known here, so its content cannot be trusted."
    ),
    Rule("narrative-structure", "error", "structure", "An element of the narrative may not stand there in XHTML."),
    Rule("narrative-link", "error", "structure", "A link or image of the narrative is no URL, or leads nowhere."),
    Rule("security-repeated", "error", "structure", "A security label stands twice."),
    Rule("element-id", "error", "structure", "Another element of this resource has the same id."),
    Rule("contained-id", "error", "structure", "A contained resource has no id, or that of another."),
    Rule("attachment-size", "error", "value", "The size is not that of the data: give the bytes before base64."),
    Rule("attachment-hash", "error", "value", "The hash is not that of the data: give SHA-1 of the bytes, in base64."),
    Rule(
        "questionnaire-condition",
        "error",
        "structure",
        "An enableWhen asks for a question that is not another item of this questionnaire.",
    ),
    Rule("element-limit", "error", "structure", "No type of this element has the length or the order that is limited."),
    Rule(
        "bundle-search",
        "error",
        "structure",
        "A result of a search has an id, a match is of the type searched for, an outcome is an OperationOutcome.",
    ),
    Rule("code-system-count", "error", "value", "The count is not the number of concepts of this complete system."),
    Rule("code-system-content", "error", "structure", "What the code system has is not what its content says."),
    Rule("code-system-property", "error", "structure", "A property is declared twice, or not as HL7 defines it."),
    Rule("code-system-property-value", "error", "value", "A concept's property is not as the code system declares it."),
    Rule("code-system-value-set", "error", "business-rule", "The value set is not that of all codes of this system."),
    Rule("code-system-hierarchy", "error", "business-rule", "The hierarchy is not of the kind that the system has."),
    Rule("value-set-system", "error", "business-rule", "Not the URL of a code system: {problem}."),
    Rule("value-set-filter", "error", "value", "The filter does not fit the code system: {problem}."),
    Rule("value-set-expansion", "error", "structure", "Of which version of its system a code is cannot be told."),
    Rule("concept-map-value-set", "error", "structure", "A value set is expected here, this is of type {found}."),
    Rule("concept-map-code", "error", "code-invalid", "Not in the value set that the map names for its {side}."),
    Rule("search-expression", "error", "invalid", "Not an expression for the types that are searched: {problem}."),
    Rule("search-derived", "error", "business-rule", "Not as the search parameter that it is made from: {problem}."),
    Rule("search-type", "error", "invalid", "The type of this search parameter is {expected}."),
    Rule("operation-base", "error", "business-rule", "The operation is made from itself."),
    Rule("operation-profile", "error", "not-found", "A profile of Parameters is expected here: {problem}."),
    Rule("guide-dependency", "error", "business-rule", "The guide depended on is not named as it should: {problem}."),
    Rule("measure-criteria", "error", "invalid", "The criterion leads to nothing: {problem}."),
    Rule(
        "questionnaire-derived", "error", "business-rule", "The item is wider than the one it is made from: {problem}."
    ),
    Rule("structure-map-name", "error", "invalid", "A name in a map has letters and digits only, a letter first."),
    Rule("structure-map-variable", "error", "invalid", "Not a variable of this place: {problem}."),
    Rule("structure-map-path", "error", "not-found", "What the variable stands for has no such element."),
    Rule("structure-map-type", "error", "invalid", "Not the right type: {problem}."),
    Rule("structure-map-group", "error", "not-found", "The rule cannot go on there: {problem}."),
    Rule("structure-map-transform", "error", "invalid", "The transformation cannot be done: {problem}."),
    Rule("search-components", "error", "structure", "A composite search has two components or more."),
    # definitions against their base (R4, StructureDefinition, ElementDefinition, Profiling FHIR)
    Rule("structure-base", "error", "business-rule", "The definition does not fit its base: {problem}."),
    Rule("structure-type", "error", "business-rule", "The type is not right: {problem}."),
    Rule("structure-context", "error", "business-rule", "Not a context of an extension: {problem}."),
    Rule("structure-extension-url", "error", "value", "An extension's url is that of its definition: {problem}."),
    Rule("differential-element", "error", "structure", "The element does not fit here: {problem}."),
    Rule("differential-slicing", "error", "structure", "The slicing does not fit the base: {problem}."),
    Rule("differential-wider", "error", "business-rule", "A profile only narrows its base: {problem}."),
    Rule("differential-value", "error", "value", "The value goes against the base: {problem}."),
    Rule("element-path", "error", "structure", "Not a path of this definition: {problem}."),
    Rule("element-place", "error", "structure", "Not for an element there: {problem}."),
    Rule("element-type-code", "error", "required", "The type is not said: {problem}."),
    Rule("element-type-profile", "error", "business-rule", "The types do not go together: {problem}."),
    Rule("element-binding", "error", "business-rule", "The binding does not fit: {problem}."),
    Rule("element-value", "error", "value", "The value does not fit: {problem}."),
    Rule("element-slicing", "error", "structure", "The slicing is not right: {problem}."),
    Rule("element-constraint", "error", "business-rule", "The constraint is not right: {problem}."),
    Rule("extension-modifier", "error", "extension", "The extension {name} may stand only in {place}."),
    Rule("extension-context", "error", "extension", "The extension {name} may not stand here (allowed: {allowed})."),
    Rule(
        "profile-unknown",
        "warning",
        "not-found",
        "The profile is not known here and was not checked. Add it with --definitions.",
    ),
    Rule("profile-mismatch", "error", "structure", "The profile {name} is for {expected}, not for this resource type."),
    Rule(
        "invariant-unevaluated",
        "information",
        "not-supported",
        "The constraint {name} could not be evaluated here, so nothing is known about it.",
    ),
    Rule(
        "findings-limit",
        "information",
        "too-costly",
        "There are more than these {limit} findings: mend them first, then check again.",
    ),
    Rule("profile-abstract", "warning", "business-rule", "The profile {name} is abstract: claim one of its children."),
    # a response against its Questionnaire (R4, QuestionnaireResponse, notes; SDC for total and read-only)
    Rule(
        "questionnaire-unknown",
        "warning",
        "not-found",
        "The questionnaire is not known here: its answers were not checked.",
    ),
    Rule(
        "response-link-id-unknown", "error", "structure", "No item with this linkId in the questionnaire.{suggestion}"
    ),
    Rule(
        "response-nesting",
        "error",
        "structure",
        "The item '{link_id}' does not stand here: the questionnaire has it {place}.",
    ),
    Rule("response-order", "error", "structure", "The item '{link_id}' is out of the questionnaire's order."),
    Rule("response-repeats", "error", "structure", "The item '{link_id}' may stand only once."),
    Rule("response-answer-max", "error", "structure", "The item '{link_id}' takes only one answer."),
    Rule("response-answer-type", "error", "structure", "An answer of type {expected} is expected here."),
    Rule("response-answer-prohibited", "error", "structure", "A {type} item has no answers."),
    Rule("response-required", "error", "required", "The required item '{link_id}' has no answer."),
    Rule("response-disabled", "error", "business-rule", "The item '{link_id}' is answered although it is not enabled."),
    Rule("response-option", "error", "code-invalid", "Not one of the options the questionnaire offers.{suggestion}"),
    Rule("response-min-value", "error", "value", "Below the minimum of {limit}."),
    Rule("response-max-value", "error", "value", "Above the maximum of {limit}."),
    Rule("response-max-length", "error", "value", "Longer than the {limit} characters allowed."),
    Rule("response-min-length", "error", "value", "Shorter than the {limit} characters required."),
    Rule("response-pattern", "error", "value", "Not written as the questionnaire asks (its regular expression)."),
    Rule("response-decimal-places", "error", "value", "More than the {limit} decimal places allowed."),
    Rule("response-unit", "error", "value", "Not a unit the questionnaire allows here ({allowed})."),
    Rule("response-min-occurs", "error", "structure", "At least {limit} of '{link_id}' are required."),
    Rule("response-max-occurs", "error", "structure", "At most {limit} of '{link_id}' are allowed."),
    Rule("response-option-exclusive", "error", "business-rule", "This option excludes all others: give it alone."),
    Rule(
        "response-attachment-type", "error", "value", "Not a type of attachment the questionnaire allows ({allowed})."
    ),
    Rule("response-attachment-size", "error", "too-long", "Larger than the {limit} bytes allowed."),
    Rule("response-text", "error", "value", "The item's text is not that of the questionnaire."),
    Rule("response-total", "error", "business-rule", "The total does not follow from the answers."),
    Rule(
        "response-total-incomplete",
        "error",
        "business-rule",
        "A total is given although not every scored item is answered.",
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _RULES}

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_name(found: object) -> bool:
    """Whether what a record has for a name may be quoted: a sentence about a patient may not."""
    return isinstance(found, str) and _NAME.fullmatch(found) is not None


def quoted(found: object) -> str:
    """A name found in a record, for a message; one that may not be quoted is only spoken of."""
    return f"'{found}'" if is_name(found) else "Something with an odd name"


def issue(rule_id: str, expression: str, **names: object) -> Issue:
    """The finding for a listed rule at a FHIRPath; ``names`` fill the message template.

    Raises KeyError for an unlisted rule or a missing name: both are faults in this package.
    """
    rule = RULES[rule_id]
    return Issue(rule.severity, rule.code, rule.id, expression, rule.message.format(**names))


def invariant(key: str, severity: Severity, human: str, expression: str) -> Issue:
    """The finding for a FHIR constraint: its key is the rule id, its ``human`` text the message.

    What R4 says in words only has its text here, in the table.
    """
    if key in RULES:
        return issue(key, expression)
    return Issue(severity, "invariant", key, expression, human)
