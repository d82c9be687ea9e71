"""Random profiles: elements of a base narrowed, sliced, entered, now and then in the wrong order or wider than it.

``made(seed, number)`` is always the same. About two in three are valid.
"""

from __future__ import annotations

from random import Random
from typing import Any

from fhir_keta.definitions.library import CORE, bundled
from tests.structure_records import BY_TYPE, SETS, URL, constraint, of

Json = dict[str, Any]

_OURS = "https://w3id.org/fhir-keta/StructureDefinition/keta-"
_OF_HL7 = """
    Observation Patient vitalsigns bp bodyweight lipidprofile Bundle Questionnaire Extension HumanName Quantity
    Composition Condition MedicationRequest observation-genetics Timing patient-birthTime cqllibrary ValueSet Goal
    Encounter DiagnosticReport SimpleQuantity clinicaldocument elementdefinition-de patient-nationality Dosage
"""
BASES = (
    *(CORE + name for name in _OF_HL7.split()),
    *(_OURS + name for name in ("rating", "observation", "experience", "alert", "administration", "score")),
)
_VALUES: Json = {
    "string": "a",
    "code": "final",
    "uri": "http://ehr.test/a",
    "boolean": True,
    "integer": 1,
    "CodeableConcept": {"text": "a"},
    "Coding": {"code": "a"},
    "Quantity": {"value": 1},
    "Reference": {"reference": "Patient/1"},
    "Identifier": {"system": "http://ehr.test/a"},
    "dateTime": "2020",
    "HumanName": {"family": "a"},
    "decimal": 1.5,
    "Period": {"start": "2020"},
}
_PATHS = ("$this", "code", "url", "system", "type")
_RULES = ("open", "open", "closed", "openAtEnd")


def made(seed: int, number: int) -> Json:
    """One profile."""
    return _Making(Random(f"structure {seed} {number}")).profile()


class _Making:
    def __init__(self, random: Random) -> None:
        self.random = random

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def profile(self) -> Json:
        random = self.random
        base = bundled().structure(random.choice(BASES))
        assert base is not None
        known: list[Json] = base["snapshot"]["element"]
        picked = sorted(random.sample(range(1, len(known)), min(len(known) - 1, random.randrange(1, 7))))
        if self.often(0.05):
            random.shuffle(picked)
        elements = [{"id": known[0]["path"], "path": known[0]["path"]}] if self.often(0.85) else []
        for position in picked:
            elements += self.said_of(known[position], known)
        contexts = [{"type": "element", "expression": "Patient"}]
        return {
            "resourceType": "StructureDefinition",
            "url": URL,
            "name": "Made",
            "status": "draft",
            "kind": base["kind"],
            "abstract": False,
            "type": base["type"],
            "baseDefinition": base["url"],
            "derivation": "constraint",
            **({"context": contexts} if base["type"] == "Extension" else {}),
            "differential": {"element": elements},
        }

    def said_of(self, known: Json, all_known: list[Json]) -> list[Json]:
        element = self.narrowed(of(known["id"]), known)
        if known["path"].endswith("[x]") and self.often(0.3):
            return self.by_type(element, known)
        if known["max"] != "1" and "sliceName" not in known and self.often(0.45):
            return self.sliced(element, known, all_known)
        return [element, *self.parts(element["id"], _parts_of_type(known), 0.1)]

    def by_type(self, element: Json, known: Json) -> list[Json]:
        """One type of a choice by its name, or some as slices."""
        types = [type_["code"] for type_ in known["type"]]
        code = self.random.choice(types)
        stem = known["path"].rpartition(".")[2].removesuffix("[x]")
        if self.often(0.6):
            name = known["id"].removesuffix("[x]") + code[:1].upper() + code[1:]
            return [self.narrowed(of(name), {**known, "type": [{"code": code}]})]
        made = [{**element, "slicing": BY_TYPE}]
        for code in self.random.sample(types, min(len(types), self.random.choice((1, 2)))):
            made.append(of(f"{known['id']}:{stem}{code[:1].upper()}{code[1:]}", type=[{"code": code}]))
        return made

    def sliced(self, element: Json, known: Json, all_known: list[Json]) -> list[Json]:
        discriminator = {"type": self.random.choice(("value", "pattern")), "path": self.random.choice(_PATHS)}
        if not known["path"].endswith("xtension") and self.often(0.95):
            element = {**element, "slicing": {"discriminator": [discriminator], "rules": self.random.choice(_RULES)}}
        names = _parts_of_type(known) or [
            path.rpartition(".")[2]
            for path in (each["path"] for each in all_known)
            if path.rpartition(".")[0] == known["path"]
        ]
        made = [element]
        for number in range(self.random.choice((1, 1, 2, 2, 3))):
            name = f"{known['id']}:s{number if self.often(0.95) else 0}"
            made += [self.narrowed(of(name), known), *self.parts(name, names, 0.15)]
        return made

    def parts(self, name: str, names: list[str], share: float) -> list[Json]:
        said: tuple[Json, ...] = ({"min": 1}, {"max": "0"}, {"short": "x"}, {"mustSupport": True})
        return [of(f"{name}.{part}", **self.random.choice(said)) for part in names if self.often(share)]

    def narrowed(self, element: Json, known: Json) -> Json:
        """The element with something said of it that mostly narrows it."""
        random = self.random
        types = [type_ for type_ in known.get("type", ()) if ":" not in type_["code"]]
        match random.randrange(11):
            case 0:
                element["min"] = random.choice((known["min"], max(known["min"], 1), 1, 0))
            case 1:
                element["max"] = random.choice((known["max"], "1", "0", "*" if self.often(0.2) else "1"))
            case 2 if types:
                element["type"] = [random.choice(types)]
            case 3 if types and (code := random.choice(types)["code"]) in _VALUES:
                element[random.choice(("fixed", "pattern")) + code[:1].upper() + code[1:]] = _VALUES[code]
            case 4:
                element["mustSupport"] = True
            case 5 if "binding" in known:
                sets = (f"{SETS}administrative-gender", f"{SETS}observation-status")
                strength = random.choice(("required", "extensible", known["binding"]["strength"]))
                bound = random.choice((known["binding"].get("valueSet", sets[0]), *sets))
                element["binding"] = {"strength": strength, "valueSet": bound}
            case 6:
                element["constraint"] = [constraint(f"made-{random.randrange(9)}", random.choice(("true", "exists()")))]
            case 7 if any("targetProfile" in type_ for type_ in types):
                kept = next(type_ for type_ in types if "targetProfile" in type_)
                target = random.choice((*kept["targetProfile"], f"{CORE}Patient", f"{CORE}bp"))
                element["type"] = [{**kept, "targetProfile": [target]}]
            case 8 if [type_["code"] for type_ in types] == ["Extension"]:
                profile = random.choice((f"{CORE}patient-birthTime", f"{CORE}data-absent-reason", f"{_OURS}time-point"))
                element["type"] = [{"code": "Extension", "profile": [profile]}]
            case _:
                element["short"] = "x"
        return element


def _parts_of_type(known: Json) -> list[str]:
    types = [type_["code"] for type_ in known.get("type", ())]
    structure = bundled().structure(types[0]) if len(types) == 1 and ":" not in types[0] else None
    paths = [element["path"] for element in structure["snapshot"]["element"]] if structure else []
    return [path.rpartition(".")[2] for path in paths if path.count(".") == 1]
