"""R4's vital signs profiles apply to every Observation with one of their codes (R4, Vital Signs: "SHALL conform")."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

LOINC = "http://loinc.org"

_CORE = "http://hl7.org/fhir/StructureDefinition/"
# R4, Vital Signs, table of profiles and magic values
_PROFILES = {
    "85353-1": "vitalspanel",
    "9279-1": "resprate",
    "8867-4": "heartrate",
    "2708-6": "oxygensat",
    "8310-5": "bodytemp",
    "8302-2": "bodyheight",
    "9843-4": "headcircum",
    "29463-7": "bodyweight",
    "39156-5": "bmi",
    "85354-9": "bp",
}


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
