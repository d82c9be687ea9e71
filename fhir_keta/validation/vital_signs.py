"""R4's vital signs profiles apply to every Observation with one of their codes (R4, Vital Signs: "SHALL conform")."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

LOINC = "http://loinc.org"

_CORE = "http://hl7.org/fhir/StructureDefinition/"
# The first code of each is R4's (Vital Signs, table of profiles). The others are narrower ones, which R4 wants given
# beside it, not instead of it: HL7's validator, and so HAPI's $validate, holds them to the same profile.
_CODES = {
    "vitalspanel": "85353-1",
    "resprate": "9279-1 11291-2 19840-8 33438-3 76170-0 76171-8 76172-6 76270-8",
    "heartrate": "8867-4 11328-2 40443-4 55425-3 60978-4 68999-2 69000-8 73795-7 73799-9 76476-1 76477-9 8886-4 8889-8"
    " 8890-6 8891-4 8892-2 8893-0",
    "oxygensat": "2708-6 19224-5 20564-1 2709-4 2710-2 2713-6 51733-4 59408-5 59417-6 89276-0 97549-0",
    "bodytemp": "8310-5 60834-9 60835-6 60836-4 60838-0 60955-2 61009-7 75539-7 75987-8 76010-8 76011-6 76278-1 8309-7"
    " 8328-7 8329-5 8330-3 8331-1 8332-9 8333-7 8334-5 91371-5 98657-0 98663-8",
    "bodyheight": "8302-2 3137-7 3138-5 8306-3 8308-9",
    "headcircum": "9843-4 8287-5",
    "bodyweight": "29463-7 3141-9 3142-7 75292-3 79348-9 8350-1 8351-9",
    "bmi": "39156-5 89270-3",
    "bp": "85354-9 35094-2 55284-4 76534-7 8459-0 8480-6",
}
_PROFILES = {code: name for name, codes in _CODES.items() for code in codes.split()}


def vital_signs_profile(resource: JsonObject) -> str | None:
    """The canonical of the vital signs profile that an Observation must meet for its code; None for others."""
    if resource.get("resourceType") != "Observation":
        return None
    code = resource.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict) and coding.get("system") == LOINC:
            found = _PROFILES.get(str(coding.get("code")))
            if found:
                return _CORE + found
    return None
