"""Our definitions held against HL7's validator and its snapshot generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhir_keta.definitions.library import bundled
from tests.java import ROOT
from tests.oracle.oracle import DEFINITIONS, Oracle
from tests.oracle.verdicts import objections

FILES = sorted(path for folder in DEFINITIONS for path in folder.rglob("*.json"))
STRUCTURES = sorted(ROOT.glob("profiles/StructureDefinition/*.json"))
CANONICAL = "https://w3id.org/fhir-keta/StructureDefinition/"

# Constraints of a type profile that our snapshot repeats at the element, as HL7's published snapshots do for types
# that the base narrows; its generator of today leaves them to the type when a differential narrows it.
REPEATED = {"MedicationAdministration.dosage.rate[x]": ("qty-3", "sqty-1")}


def test_all_definitions_load(oracle: Oracle) -> None:
    assert len(FILES) > 60
    assert oracle.definition_problems() == []


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_definition_has_no_fault(oracle: Oracle, path: Path) -> None:
    assert objections(oracle.check(path.read_bytes())) == []


def test_the_oracle_is_awake(oracle: Oracle) -> None:
    """The same file with one fault: an oracle without definitions or without rules would not see it."""
    text = (ROOT / "profiles/StructureDefinition/keta-rating.json").read_text()
    for old, new in (
        ('"resource"', '"resourceful"'),
        ('"active"', '"activ"'),
        ('"Observation.component"', '"Observation.components"'),
    ):
        assert old in text
        assert oracle.has_error(text.replace(old, new)), f"{old} -> {new}"


@pytest.mark.parametrize("path", STRUCTURES, ids=[path.stem for path in STRUCTURES])
def test_our_snapshot_says_what_hl7s_generator_says(oracle: Oracle, path: Path) -> None:
    ours, theirs = bundled().structure(CANONICAL + path.stem), oracle.structure(CANONICAL + path.stem)
    assert ours is not None
    assert theirs is not None
    for our, their in zip(meanings(ours), meanings(theirs), strict=True):
        for key in REPEATED.get(our["id"], ()):
            assert key in our["constraint"]
            assert key not in their["constraint"]
            del our["constraint"][key]
        assert our == their


@pytest.mark.parametrize("path", STRUCTURES, ids=[path.stem for path in STRUCTURES])
def test_our_snapshot_has_no_fault(oracle: Oracle, path: Path) -> None:
    structure = bundled().structure(CANONICAL + path.stem)
    assert structure is not None
    assert "snapshot" in structure
    assert [str(issue) for issue in oracle.errors(structure)] == []


def meanings(structure: dict[str, Any]) -> list[dict[str, Any]]:
    """Each element of the snapshot, in order, with what constrains a record: without prose and pins to 4.0.1."""
    return [meaning(element) for element in structure["snapshot"]["element"]]


def meaning(element: dict[str, Any]) -> dict[str, Any]:
    plain = ("id", "path", "sliceName", "min", "max", "mustSupport", "maxLength", "contentReference")
    valued = ("fixed", "pattern", "minValue", "maxValue")
    found = {key: value for key, value in element.items() if key in plain or key.startswith(valued)}
    if "contentReference" in found:
        found["contentReference"] = "#" + found["contentReference"].partition("#")[2]
    found["isModifier"] = element.get("isModifier", False)
    found["type"] = [
        (each["code"], unpinned(each.get("profile", ())), unpinned(each.get("targetProfile", ())))
        for each in element.get("type", ())
    ]
    if "binding" in element:
        found["binding"] = (element["binding"]["strength"], unpinned([element["binding"].get("valueSet", "")]))
    if "slicing" in element:
        slicing = element["slicing"]
        discriminators = [(each["type"], each["path"]) for each in slicing.get("discriminator", ())]
        found["slicing"] = (discriminators, slicing["rules"], slicing.get("ordered", False))
    found["constraint"] = {
        each["key"]: (each["severity"], each.get("expression")) for each in element.get("constraint", ())
    }
    return found


def unpinned(canonicals: Any) -> list[str]:
    return [canonical.removesuffix("|4.0.1") for canonical in canonicals]
