"""Differentials against their base, each with the findings that R4 asks for (Profiling FHIR, Slicing).

Used twice: by the validator's unit tests, and by the oracle tests, where error or no error must be HL7's verdict too.
"""

from __future__ import annotations

from typing import Any

from tests.base_records import BaseCase, JsonObject, case
from tests.structure_records import (
    BY_CODE,
    BY_TYPE,
    CORE,
    SETS,
    at,
    extension,
    of,
    over,
    profile,
    slices,
)

_READINESS = {
    "coding": [{"system": "https://w3id.org/fhir-keta/CodeSystem/keta-concepts", "code": "discharge-readiness"}]
}


def _readiness(**said: Any) -> JsonObject:
    """A profile of ours that has a pattern for this element."""
    base = "https://w3id.org/fhir-keta/StructureDefinition/keta-discharge-readiness"
    return profile(of("Observation.code", **said), baseDefinition=base)


_COMPONENT = of("Observation.component", slicing=BY_CODE)

_ORDER = (
    case("elements in order", profile(of("Observation.code", min=1), of("Observation.subject", min=1))),
    case(
        "elements out of order",
        profile(of("Observation.subject"), of("Observation.code")),
        at(1, "differential-element"),
    ),
    case("an element of no name", profile(of("Observation.zzz")), at(1, "differential-element")),
    case("parts of a data type", profile(of("Observation.code"), of("Observation.code.text", min=1))),
    case("parts of what is not spoken of", profile(of("Observation.code.coding.system", min=1))),
    case(
        "parts before their element",
        profile(of("Observation.code.text"), of("Observation.code")),
        at(1, "differential-element"),
    ),
    case(
        "parts apart from their element",
        profile(of("Observation.code"), of("Observation.subject"), of("Observation.code.text")),
        at(3, "differential-element"),
    ),
    case("a part of several types", profile(of("Observation.value[x]"), of("Observation.value[x].id"))),
    case(
        "a part that not all types have",
        profile(of("Observation.value[x]"), of("Observation.value[x].unit")),
        at(2, "differential-element"),
    ),
    case(
        "a part of the one type left",
        profile(of("Observation.value[x]", type=[{"code": "Quantity"}]), of("Observation.value[x].unit")),
    ),
    case("a part of what an element refers to", profile(of("Observation.component.referenceRange.low", min=1))),
    case(
        "a part of a resource within",
        profile(of("Observation.contained"), of("Observation.contained.id")),
        at(2, "differential-element"),
    ),
    case(
        "a part of slices of the base",
        over("bp", of("Observation.component.code", min=1)),
        at(1, "differential-element"),
    ),
    case(
        "a part of a slice of the base",
        over("bp", of("Observation.component:SystolicBP"), of("Observation.component:SystolicBP.code", min=1)),
    ),
)

_SLICING = (
    case("slices", profile(_COMPONENT, *slices("Observation.component", "a", "b"))),
    case(
        "slices with parts",
        profile(_COMPONENT, *slices("Observation.component", "a"), of("Observation.component:a.code", min=1)),
    ),
    case(
        "slices with parts out of order",
        profile(
            _COMPONENT,
            of("Observation.component:a"),
            of("Observation.component:a.dataAbsentReason"),
            of("Observation.component:a.code"),
        ),
        at(3, "differential-element"),
    ),
    case("slices without slicing", profile(*slices("Observation.component", "a", "b")), at(1, "differential-slicing")),
    case("a slice without slicing", profile(*slices("Observation.component", "a")), at(1, "differential-slicing")),
    case(
        "slices of one name",
        profile(_COMPONENT, of("Observation.component:a"), of("Observation.component:a") | {"id": "other"}),
        at(3, "differential-slicing"),
    ),
    case(
        "a slice without a name",
        profile(_COMPONENT, of("Observation.component:a"), of("Observation.component") | {"id": "other"}),
        at(3, "differential-slicing"),
    ),
    case(
        "slices of what does not repeat",
        profile(of("Observation.code", slicing=BY_CODE), *slices("Observation.code", "a")),
        at(1, "differential-slicing"),
        at(1, "element-slicing"),
    ),
    case("slices of an extension", profile(*slices("Observation.extension", "a", "b"))),
    case("slices of the base", over("bp", *slices("Observation.component", "SystolicBP", "DiastolicBP"))),
    case("slices after those of the base", over("bp", *slices("Observation.component", "DiastolicBP", "other"))),
    case(
        "slices in another order than the base's",
        over("bp", *slices("Observation.component", "DiastolicBP", "SystolicBP")),
        at(2, "differential-slicing"),
    ),
    case(
        "another discriminator than the base's",
        over(
            "bp",
            of("Observation.component", slicing={**BY_CODE, "discriminator": [{"type": "value", "path": "value"}]}),
        ),
        at(1, "differential-slicing"),
    ),
    case(
        "another order of slices than the base's",
        over(
            "bp",
            of(
                "Observation.component",
                slicing={
                    "ordered": True,
                    "discriminator": [
                        {"type": "value", "path": "code.coding.code"},
                        {"type": "value", "path": "code.coding.system"},
                    ],
                    "rules": "open",
                },
            ),
        ),
        at(1, "differential-slicing"),
    ),
    case(
        "slicing at the root",
        profile(differential={"element": [{"id": "Observation", "path": "Observation", "slicing": BY_CODE}]}),
        ("sdf-20", "StructureDefinition.differential"),
    ),
    case(
        "a discriminator that leads somewhere",
        profile(of("Observation.component", slicing=BY_CODE, type=[{"code": "BackboneElement"}])),
    ),
    case(
        "a discriminator of another part",
        profile(
            of(
                "Observation.component",
                slicing={"discriminator": [{"type": "value", "path": "kode"}], "rules": "open"},
                type=[{"code": "BackboneElement"}],
            )
        ),
        at(1, "element-slicing"),
    ),
    case(
        "a discriminator that cannot be read",
        profile(
            of(
                "Observation.category",
                slicing={"discriminator": [{"type": "value", "path": "coding.where("}], "rules": "open"},
                type=[{"code": "CodeableConcept"}],
            )
        ),
        at(1, "element-slicing"),
    ),
)

_CHOICES = (
    case("one type of a choice", profile(of("Observation.valueQuantity", min=1))),
    case(
        "a part of one type of a choice",
        profile(of("Observation.valueQuantity"), of("Observation.valueQuantity.unit", min=1)),
    ),
    case("two types of a choice", profile(of("Observation.valueQuantity"), of("Observation.valueString"))),
    case(
        "slices by type",
        profile(
            of("Observation.value[x]", slicing=BY_TYPE),
            of("Observation.value[x]:valueString", type=[{"code": "string"}]),
        ),
    ),
    case("a choice of no type", profile(of("Observation.valueZzz")), at(1, "differential-slicing")),
    case("a type that the choice has not", profile(of("Observation.valueAttachment")), at(1, "differential-wider")),
    case(
        "slices by type and another discriminator",
        profile(
            of("Observation.value[x]", slicing=BY_CODE),
            of("Observation.value[x]:valueString", type=[{"code": "string"}]),
        ),
        at(1, "differential-slicing"),
    ),
    case(
        "ordered slices by type",
        profile(
            of("Observation.value[x]", slicing={**BY_TYPE, "ordered": True}),
            of("Observation.value[x]:valueString", type=[{"code": "string"}]),
        ),
        at(1, "differential-slicing"),
    ),
    case(
        "a slice by type with the name of another",
        profile(
            of("Observation.value[x]", slicing=BY_TYPE),
            of("Observation.value[x]:valueQuantity", type=[{"code": "string"}]),
        ),
        at(2, "differential-slicing"),
    ),
    case(
        "a required type before another",
        profile(of("Observation.valueQuantity", min=1), of("Observation.valueString")),
        at(1, "differential-slicing"),
    ),
)

_NARROWER = (
    case("a narrower cardinality", profile(of("Observation.category", min=1, max="2"))),
    case("a lower min", profile(of("Observation.code", min=0)), at(1, "differential-wider")),
    case("a higher max", profile(of("Observation.code", max="2")), at(1, "differential-wider")),
    case("a lower min of a slice", over("bp", of("Observation.component:SystolicBP", min=0))),
    case("a type of those allowed", profile(of("Observation.value[x]", type=[{"code": "Quantity"}]))),
    case(
        "a type of those not allowed",
        profile(of("Observation.value[x]", type=[{"code": "Attachment"}])),
        at(1, "differential-wider"),
    ),
    case(
        "a type that nobody knows",
        profile(of("Observation.value[x]", type=[{"code": "Zzz"}])),
        at(1, "differential-wider"),
    ),
    case(
        "a resource where any may be", profile(of("Bundle.entry.resource", type=[{"code": "Patient"}]), base="Bundle")
    ),
    case(
        "a target of those allowed",
        profile(of("Observation.subject", type=[{"code": "Reference", "targetProfile": [f"{CORE}Patient"]}])),
    ),
    case(
        "a profile of a target",
        profile(of("Observation.hasMember", type=[{"code": "Reference", "targetProfile": [f"{CORE}bp"]}])),
    ),
    case(
        "a target that is not known",
        profile(of("Observation.subject", type=[{"code": "Reference", "targetProfile": ["https://ehr.test/unknown"]}])),
    ),
    case(
        "a target of those not allowed",
        profile(of("Observation.subject", type=[{"code": "Reference", "targetProfile": [f"{CORE}Medication"]}])),
        at(1, "differential-wider"),
    ),
    case(
        "a stronger binding",
        profile(
            of(
                "Observation.interpretation",
                binding={"strength": "required", "valueSet": f"{SETS}observation-interpretation"},
            )
        ),
    ),
    case(
        "a weaker binding",
        profile(of("Observation.status", binding={"strength": "extensible", "valueSet": f"{SETS}observation-status"})),
        at(1, "differential-wider"),
    ),
    case(
        "a binding to other codes",
        profile(of("Observation.status", binding={"strength": "required", "valueSet": f"{SETS}administrative-gender"})),
        at(1, "differential-wider"),
    ),
    case(
        "no longer supported",
        over("bodyweight", of("Observation.status", mustSupport=False)),
        at(1, "differential-wider"),
    ),
)

_VALUES = (
    case("a pattern of its type", profile(of("Observation.code", patternCodeableConcept={"text": "a"}))),
    case("a pattern of another type", profile(of("Observation.code", patternString="a")), at(1, "element-value")),
    case(
        "a fixed value of another type", profile(of("Observation.status", fixedString="final")), at(1, "element-value")
    ),
    case("a fixed value of one type of a choice", profile(of("Observation.value[x]", fixedString="a"))),
    case(
        "the value that the base fixes",
        extension(baseDefinition=f"{CORE}patient-birthTime", url_fixed={"fixedUri": f"{CORE}patient-birthTime"}),
    ),
    case(
        "another value than the base fixes",
        extension(baseDefinition=f"{CORE}patient-birthTime"),
        at(1, "differential-value"),
    ),
    case(
        "the base's value as another type",
        extension(baseDefinition=f"{CORE}patient-birthTime", url_fixed={"fixedString": "a"}),
        at(1, "element-value"),
        at(1, "differential-value"),
    ),
)

# what random profiles have shown
_FOUND = (
    case("parts of an extension of a resource", profile(of("Observation.extension.url", short="x"))),
    case(
        "parts of an extension of a data type",
        profile(of("Observation.code.extension.url", short="x")),
        at(1, "differential-element"),
    ),
    case(
        "parts of an extension of a data type below it",
        profile(of("Observation.code.extension"), of("Observation.code.extension.url", short="x")),
    ),
    case(
        "one type of a choice in a slice of the base",
        over("bp", of("Observation.component:SystolicBP"), of("Observation.component:SystolicBP.valueQuantity", min=1)),
    ),
    case(
        "an extension more often than its definition says",
        profile(
            of(
                "Observation.component.extension:a",
                max="2",
                type=[{"code": "Extension", "profile": [f"{CORE}patient-birthTime"]}],
            )
        ),
        at(1, "differential-wider"),
    ),
    case(
        "an extension where the base slices, as often as that says",
        profile(
            of("Quantity.extension:a", max="2", type=[{"code": "Extension", "profile": [f"{CORE}patient-birthTime"]}]),
            base="Quantity",
            kind="complex-type",
        ),
    ),
    case(
        "a type of a choice besides the required one",
        profile(
            of("Observation.value[x]", slicing=BY_TYPE, type=[{"code": "Period"}]),
            of("Observation.value[x]:valueString", type=[{"code": "string"}], min=1),
        ),
        at(1, "element-type-profile"),
    ),
    case(
        "a binding to codes that are not all known here",
        profile(
            of("Quantity.comparator", binding={"strength": "required", "valueSet": f"{SETS}languages"}),
            base="Quantity",
            kind="complex-type",
        ),
    ),
    case(
        "a pattern that goes on from the base's",
        _readiness(patternCodeableConcept={**_READINESS, "text": "ready"}),
        oracle=False,  # see differences.py
    ),
    case(
        "a pattern without the base's",
        _readiness(patternCodeableConcept={"text": "ready"}),
        at(1, "differential-value"),
    ),
)

DIFFERENTIAL_CASES: tuple[BaseCase, ...] = (*_ORDER, *_SLICING, *_CHOICES, *_NARROWER, *_VALUES, *_FOUND)
