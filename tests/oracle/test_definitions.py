"""Our definitions, with and without their generated snapshots, held against HL7's validator."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_keta.definitions.library import bundled
from tests.java import ROOT
from tests.oracle.oracle import DEFINITIONS, Oracle
from tests.oracle.verdicts import objections

FILES = sorted(path for folder in DEFINITIONS for path in folder.rglob("*.json"))
STRUCTURES = sorted(ROOT.glob("profiles/StructureDefinition/*.json"))
CANONICAL = "https://w3id.org/fhir-keta/StructureDefinition/"


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
def test_our_snapshot_has_no_fault(oracle: Oracle, path: Path) -> None:
    structure = bundled().structure(CANONICAL + path.stem)
    assert structure is not None
    assert "snapshot" in structure
    assert [str(issue) for issue in oracle.errors(structure)] == []
