"""What a slice asks of its elements beyond what the whole array asks: where references lead."""

from __future__ import annotations

from tests.base_records import observation
from tests.foreign.case import ForeignCase, case
from tests.unit.made_profiles import element, profile, slicing

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_PRACTITIONER = {"code": "Reference", "targetProfile": [f"{_CORE}Practitioner"]}

SLICE_VALUE_PROFILES = (
    profile(
        "performers-by-type",
        element("Observation.performer", slicing=slicing("value", "type")),
        element("Observation.performer:who", type=[{**_PRACTITIONER, "aggregation": ["contained"]}]),
        element("Observation.performer:who.type", fixedUri="Practitioner", min=1),
        element("Observation.performer:where"),
        element("Observation.performer:where.type", fixedUri="Organization", min=1),
    ),
)

_WHO = {"resourceType": "Practitioner", "id": "w", "active": True}


def _by(*given: tuple[str, str], contained: bool = True) -> dict[str, object]:
    performers = [{"type": kind, "reference": reference} for kind, reference in given]
    return observation(performer=performers, **({"contained": [_WHO]} if contained else {}))


_INSIDE, _OUTSIDE = ("Practitioner", "#w"), ("Practitioner", "Practitioner/v")
_WRONG = "reference-aggregation"

SLICE_VALUE_CASES: tuple[ForeignCase, ...] = (
    case("contained", "performers-by-type", _by(_INSIDE)),
    case("the other elsewhere", "performers-by-type", _by(_INSIDE, ("Organization", "Organization/o"))),
    case("elsewhere", "performers-by-type", _by(_OUTSIDE, contained=False), _WRONG),
    case("one elsewhere", "performers-by-type", _by(_INSIDE, _OUTSIDE), _WRONG),
)
