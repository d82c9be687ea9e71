"""``fhir-keta explain``: each rule of ours, each invariant of the definitions, and what is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fhir_keta.cli.main import main
from fhir_keta.definitions.library import bundled
from fhir_keta.validation.rules import RULES


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def test_a_rule() -> None:
    """The example is written out here by hand: what differs is marked."""
    result = run("binding-required")
    assert result.exit_code == 0
    assert result.stdout.startswith("binding-required (error)\n\nWhere the binding is required, ")
    assert "\n\nWhy: " in result.stdout
    assert "\n\nFix: " in result.stdout
    assert result.stdout.endswith(
        "Example (- wrong, + right):\n"
        '  - {"resourceType": "Patient", "gender": "Female"}\n'
        '  + {"resourceType": "Patient", "gender": "female"}\n'
    )


@pytest.mark.parametrize("rule", list(RULES))
def test_every_rule_is_explained(rule: str) -> None:
    result = run(rule)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{rule} ({RULES[rule].severity})\n")


def test_a_long_example_is_json_whose_marked_lines_differ() -> None:
    lines = run("slice-max").stdout.partition("Example (- wrong, + right):\n")[2].splitlines()
    wrong, right = (json.loads("\n".join(line[4:] for line in lines if line[2:3] in marks)) for marks in (" -", " +"))
    assert (len(wrong.pop("component")), len(right.pop("component"))) == (2, 1)
    assert wrong == right
    assert all(len(line) <= 120 for line in lines)


def test_an_invariant_of_r4() -> None:
    """Text and expression as R4 has them on the page of Observation."""
    assert run("obs-6").stdout.splitlines() == [
        "obs-6 (error)",
        "",
        "dataAbsentReason SHALL only be present if Observation.value[x] is not present",
        "",
        "FHIRPath:",
        "  dataAbsentReason.empty() or value.empty()",
        "",
        "Stated by (definition#element):",
        "  Observation#Observation",
    ]


def test_an_invariant_of_ours() -> None:
    stated = "https://w3id.org/fhir-keta/StructureDefinition/keta-observation#Observation"
    assert f"\n  {stated}\n" in run("keta-obs-3").stdout


def test_a_key_that_definitions_use_for_different_things() -> None:
    """R4 has inv-1 in Parameters, in Task and in others."""
    text = run("inv-1").stdout
    assert text.count("inv-1 (error)") >= 3
    assert "  Parameters#Parameters.parameter\n" in text
    assert "  Task#Task\n" in text


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("cardinality-mim", "cardinality-min"), ("Slice-max", "slice-max"), ("keta-obs-33", "keta-obs-3")],
)
def test_did_you_mean(asked: str, meant: str) -> None:
    result = run(asked)
    assert (result.exit_code, result.stdout) == (2, "")
    known = f"Error: There is no rule '{asked}'. Did you mean '{meant}'? For all of them: fhir-keta explain\n"
    assert result.stderr == known


def test_nothing_like_it() -> None:
    result = run("what\nis this")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: There is no rule 'what\\nis this'. For all of them: fhir-keta explain\n"


def test_the_list_has_every_rule_and_every_invariant_in_a_line() -> None:
    listed = [line.strip().partition(": ")[0] for line in run().stdout.splitlines() if line.startswith("  ")]
    keys = {
        constraint["key"]
        for structure in bundled().of_type("StructureDefinition")
        for element in (structure.get("snapshot") or structure["differential"])["element"]
        for constraint in element.get("constraint", ())
    }
    assert len(listed) == len(set(listed))
    assert set(listed) == set(RULES) | keys


def test_an_invariant_of_definitions_that_the_user_brings(tmp_path: Path) -> None:
    constraint = {
        "key": "site-1",
        "severity": "warning",
        "human": "A patient has a name.",
        "expression": "name.exists()",
    }
    element = {"id": "Patient", "path": "Patient", "constraint": [constraint]}
    profile = {
        "resourceType": "StructureDefinition",
        "url": "https://example.org/StructureDefinition/site-patient",
        "name": "SitePatient",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": [element]},
    }
    path = tmp_path / "site-patient.json"
    path.write_text(json.dumps(profile))
    assert run("site-1").exit_code == 2
    result = run("site-1", "--definitions", str(path))
    assert result.stdout.startswith("site-1 (warning)\n\nA patient has a name.\n\nFHIRPath:\n  name.exists()\n")
    assert result.stdout.endswith("  https://example.org/StructureDefinition/site-patient#Patient\n")
