"""StructureDefinitions, each with the findings that R4 asks for: definitions and their elements in themselves.

Used twice: by the validator's unit tests, and by the oracle tests, where error or no error must be HL7's verdict too.
"""

from __future__ import annotations

from tests.base_records import BaseCase, case
from tests.structure_records import (
    CORE,
    PLACE,
    URL,
    at,
    constraint,
    extension,
    of,
    profile,
    snapshot,
)

_BASES = (
    case("a profile", profile()),
    case(
        "no differential to speak of", profile(differential={"element": [{"id": "Observation", "path": "Observation"}]})
    ),
    case("a base that is not known", profile(of("Observation.zzz"), baseDefinition="https://ehr.test/unknown")),
    case("a base that is not of this kind", profile(kind="complex-type"), ("structure-base", "StructureDefinition")),
    case(
        "a base of another type",
        profile(baseDefinition=f"{CORE}Patient"),
        ("structure-base", "StructureDefinition"),
    ),
    case(
        "a base that is itself",
        profile(url=f"{CORE}bp", baseDefinition=f"{CORE}bp"),
        ("structure-base", "StructureDefinition"),
    ),
    case(
        "a base without a word on derivation",
        {name: value for name, value in profile().items() if name != "derivation"},
        ("structure-type", "StructureDefinition.type"),
        ("structure-base", "StructureDefinition"),
    ),
    case(
        "a specialization of its own type",
        profile(derivation="specialization"),
        ("structure-type", "StructureDefinition.type"),
        ("structure-base", "StructureDefinition"),
    ),
    case(
        "a resource with a type of its own",
        profile(
            type="https://ehr.test/Visit",
            baseDefinition="https://ehr.test/unknown",
            differential={"element": [{"id": "Visit", "path": "Visit"}]},
        ),
        ("sdf-8a", "StructureDefinition.differential"),
        ("structure-type", "StructureDefinition.type"),
    ),
)

_EXTENSIONS = (
    case("an extension", extension()),
    case("an extension by its type", extension(context="HumanName")),
    case("an extension of an element", extension(context="Patient.contact.name")),
    case("an extension of a part of a data type", extension(context="Patient.name.family")),
    case("an extension of a choice", extension(context="Observation.value[x]")),
    case("an extension of a choice by its stem", extension(context="Observation.value")),
    case(
        "an extension of a part of what another element refers to",
        extension(context="Observation.component.referenceRange.low"),
    ),
    case("an extension of all that have a URL", extension(context="CanonicalResource.url")),
    case("an extension of an element of a profile", extension(context=f"{CORE}bp#Observation.component")),
    case(
        "an extension of one type of a choice",
        extension(context="Observation.valueQuantity"),
        ("structure-context", "StructureDefinition.context[0]"),
    ),
    case(
        "an extension of no element",
        extension(context="Patient.zzz"),
        ("structure-context", "StructureDefinition.context[0]"),
    ),
    case("an extension of no type", extension(context="Zzz"), ("structure-context", "StructureDefinition.context[0]")),
    case(
        "a context of a profile",
        profile(context=[{"type": "element", "expression": "Patient"}]),
        ("structure-context", "StructureDefinition.context[0]"),
        oracle=True,
    ),
    case(
        "an extension with another url",
        extension(url="https://ehr.test/other"),
        ("structure-extension-url", "StructureDefinition"),
    ),
    case(
        "an extension without url",
        extension(differential={"element": [{"id": "Extension", "path": "Extension"}]}),
        ("structure-extension-url", "StructureDefinition"),
    ),
    case("a condition of a context", extension(contextInvariant=["name.exists()"])),
    case(
        "a condition on what is not there",
        extension(contextInvariant=["zzz.exists()"]),
        ("element-constraint", "StructureDefinition.contextInvariant[0]"),
    ),
    case(
        "a condition that cannot be read",
        extension(contextInvariant=["name.("]),
        ("element-constraint", "StructureDefinition.contextInvariant[0]"),
    ),
)

_TYPES = (
    case(
        "the profile of an extension",
        profile(of("Observation.extension:a", type=[{"code": "Extension", "profile": [f"{CORE}data-absent-reason"]}])),
    ),
    case(
        "a profile of another type",
        profile(of("Observation.extension:a", type=[{"code": "Extension", "profile": [f"{CORE}bp"]}])),
        at(1, "element-type-profile"),
    ),
    case(
        "a modifier among extensions",
        profile(
            of(
                "ServiceRequest.extension:a",
                type=[{"code": "Extension", "profile": [f"{CORE}request-doNotPerform"]}],
            ),
            base="ServiceRequest",
        ),
        at(1, "element-type-profile"),
    ),
    case(
        "an extension among modifiers",
        profile(
            of(
                "Observation.modifierExtension:a",
                type=[{"code": "Extension", "profile": [f"{CORE}data-absent-reason"]}],
            )
        ),
        at(1, "element-type-profile"),
    ),
    case(
        "a profile that is not known",
        profile(of("Observation.code", type=[{"code": "CodeableConcept", "profile": ["https://ehr.test/unknown"]}])),
    ),
    case(
        "targets of what is no reference",
        profile(of("Observation.code", type=[{"code": "CodeableConcept", "targetProfile": [f"{CORE}Patient"]}])),
        ("eld-17", f"{PLACE}[1].type[0]"),
    ),
    case(
        "a reference to a data type",
        extension(of("Extension.value[x]", type=[{"code": "Reference", "targetProfile": [f"{CORE}HumanName"]}])),
        at(2, "element-type-profile"),
    ),
    case(
        "a canonical of what has one",
        extension(of("Extension.value[x]", type=[{"code": "canonical", "targetProfile": [f"{CORE}ValueSet"]}])),
    ),
    case(
        "a canonical of what has none",
        extension(of("Extension.value[x]", type=[{"code": "canonical", "targetProfile": [f"{CORE}Patient"]}])),
        at(2, "element-type-profile"),
    ),
    case(
        "a binding to a code system",
        profile(
            of(
                "Observation.code",
                binding={
                    "strength": "preferred",
                    "valueSet": "http://terminology.hl7.org/CodeSystem/observation-category",
                },
            )
        ),
        at(1, "element-binding"),
    ),
    case(
        "a binding at the root",
        profile(
            differential={"element": [{"id": "Observation", "path": "Observation", "binding": {"strength": "example"}}]}
        ),
        ("element-binding", f"{PLACE}[0]"),
    ),
    case(
        "a length at the root",
        profile(differential={"element": [{"id": "Observation", "path": "Observation", "maxLength": 3}]}),
        ("element-limit", f"{PLACE}[0]"),
    ),
    case(
        "a meaning of what is missing",
        profile(of("Observation.status", meaningWhenMissing="x")),
        at(1, "element-place"),
    ),
    case("a meaning of an extension that is missing", profile(of("Observation.extension:a", meaningWhenMissing="x"))),
)

_SNAPSHOT = "StructureDefinition.snapshot.element"
_ISSUED = of("Observation.issued", type=[{"code": "instant"}])
_SNAPSHOTS = (
    case("a snapshot", snapshot(_ISSUED)),
    case("a snapshot without a type", snapshot(of("Observation.issued")), ("element-type-code", f"{_SNAPSHOT}[1]")),
    case(
        "a snapshot with another type",
        snapshot(of("Observation.issued", type=[{"code": "date"}])),
        ("element-type-profile", f"{_SNAPSHOT}[1]"),
    ),
    case(
        "a snapshot with a value of another type",
        snapshot({**_ISSUED, "patternDate": "2020-01-01"}),
        ("element-value", f"{_SNAPSHOT}[1]"),
    ),
    case(
        "a snapshot with an example of the whole",
        snapshot(_ISSUED, example=[{"label": "x", "valueString": "x"}]),
        ("element-place", f"{_SNAPSHOT}[0]"),
    ),
    case("a snapshot with a constraint", snapshot({**_ISSUED, "constraint": [constraint(expression="hasValue()")]})),
    case(
        "a snapshot with a constraint that cannot be read",
        snapshot({**_ISSUED, "constraint": [constraint(expression="1 +")]}),
        ("element-constraint", f"{_SNAPSHOT}[1].constraint[0]"),
    ),
    case(
        "a snapshot with a constraint of no function",
        snapshot({**_ISSUED, "constraint": [constraint(expression="zzz()")]}),
        ("element-constraint", f"{_SNAPSHOT}[1].constraint[0]"),
    ),
    case(
        "a snapshot with a constraint on what is not there",
        snapshot({**_ISSUED, "constraint": [constraint(expression="coding.exists()")]}),
        ("element-constraint", f"{_SNAPSHOT}[1].constraint[0]"),
    ),
    case(
        "a snapshot with another's constraint on what is not there",
        snapshot(
            {**_ISSUED, "constraint": [constraint(expression="coding.exists()", source="https://ehr.test/other")]}
        ),
    ),
    case(
        "a snapshot with two constraints of a key",
        snapshot(
            {**_ISSUED, "constraint": [constraint(expression="hasValue()")]},
            constraint=[constraint(expression="value.exists()")],
        ),
        ("element-constraint", f"{_SNAPSHOT}[1].constraint[0]"),
    ),
)

_CONSTRAINTS = (
    case("a constraint", profile(of("Observation.code", constraint=[constraint()]))),
    case(
        "a constraint twice",
        profile(of("Observation.code", constraint=[constraint()]), of("Observation.method", constraint=[constraint()])),
    ),
    case(
        "a key twice",
        profile(
            of("Observation.code", constraint=[constraint()]),
            of("Observation.method", constraint=[constraint(expression="text.exists()")]),
        ),
        ("element-constraint", f"{PLACE}[2].constraint[0]"),
    ),
    case(
        "a key of the base",
        profile(of("Observation.code", constraint=[constraint("obs-7")])),
        ("element-constraint", f"{PLACE}[1].constraint[0]"),
    ),
    case(
        "a key of another type",
        profile(of("Observation.code", constraint=[constraint("pat-1")])),
        ("element-constraint", f"{PLACE}[1].constraint[0]"),
    ),
    case("a constraint of its own", profile(of("Observation.code", constraint=[constraint(source=URL)]))),
    case(
        "a constraint of another",
        profile(of("Observation.code", constraint=[constraint(source="https://ehr.test/other")])),
        ("element-constraint", f"{PLACE}[1].constraint[0]"),
    ),
)

STRUCTURE_CASES: tuple[BaseCase, ...] = (*_BASES, *_EXTENSIONS, *_TYPES, *_SNAPSHOTS, *_CONSTRAINTS)
