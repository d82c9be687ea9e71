"""Addresses in HL7's own space, http://hl7.org/fhir: whether they lead to something known here.

HL7 gives them, so an unknown one is a slip of the pen, or of a guide whose definitions were not given.
"""

from __future__ import annotations

import re

from fhir_keta.definitions.library import Library

_SPACE = "http://hl7.org/fhir"
_TYPES_OF_FHIRPATH = frozenset(
    f"{_SPACE}path/System.{name}"
    for name in ("Boolean", "String", "Integer", "Decimal", "Date", "Time", "DateTime", "Quantity")
)

# what no definition here is at, though it is known; compiled by ``re`` when first asked for
_ELSEWHERE = (
    _SPACE
    + "/(?:"
    + "|".join(
        (
            # R4, "Using Codes in resources" and "Identifier Systems", and what HL7 has registered since
            r"sid/(?:ca-hc-(?:din|npn)|cvx|dsm5|eui-48/(?:bluetooth|ethernet)|ex-icd-10-procedures|icf-nl|ndc|srt)",
            r"sid/(?:icd-(?:9|10)(?:-cm)?|icd-10-(?:am|vn)|icpc-1|icpc-1-nl|icpc-2|us-(?:npi|ssn)|passport-[A-Za-z]{3})",
            # the names of mappings and policies (R4, "Mappings", Consent.policyRule)
            r"auditevent|composition|consent|documentreference|fivews|interface|logical|object-implementation",
            r"provenance|rr|w5|workflow|ConsentPolicy/opt-(?:in|out)",
            # definitions of R4 that this package does not carry, and those of a version of FHIR
            r"(?:OperationDefinition|CompartmentDefinition|CapabilityStatement)/[\w.-]+",
            r"\d+\.\d+(?:\.\d+)?/.+",
        )
    )
    + ")"
)


def is_unknown_to_hl7(url: str, library: Library) -> bool:
    """Whether a URL is in HL7's space, and leads to nothing there that is known here."""
    if not url.startswith(_SPACE) or url in _TYPES_OF_FHIRPATH:
        return False
    bare = url.partition("|")[0].partition("#")[0]
    if library.find(bare) is not None or re.fullmatch(_ELSEWHERE, bare):
        return False
    from fhir_keta.definitions.registered import search_parameter  # rare among records

    return search_parameter(bare, library) is None
