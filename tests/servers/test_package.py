"""The package as a plugin: installed by HAPI's own package installer, on a server that has nothing else."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_keta.cli.main import main
from fhir_keta.definitions.package import NAME, build, published
from tests import java
from tests.conftest import require
from tests.servers.hapi import Hapi
from tests.servers.wire import Resource, Wire, said

COUNTS = Counter(each["resourceType"] for each in published())
SKIPPED = {"Questionnaire", "ImplementationGuide"}
# What to list in a HAPI's configuration; ImplementationGuide cannot be: HAPI gives the others ids of its own, and then
# refuses the guide because what it refers to is not there under the ids that it names.
INSTALLABLE = ["CodeSystem", "ValueSet", "StructureDefinition", "ConceptMap", "SearchParameter", "Questionnaire"]


@pytest.fixture(scope="module")
def server() -> Iterator[Wire]:
    require(java.missing())
    with Hapi() as hapi:
        wire = Wire(hapi.url)
        yield wire
        wire.close()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "package.tgz"
    build(path)
    return path


def parameters(package: Path, *types: str) -> Resource:
    """What HAPI's package settings say: name, version, the package itself, installResourceTypes."""
    version = published()[0]["version"]
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "name", "valueString": NAME},
            {"name": "version", "valueString": version},
            {"name": "npmContent", "valueBase64Binary": base64.b64encode(package.read_bytes()).decode()},
            *({"name": "installResourceTypes", "valueString": each} for each in types),
        ],
    }


def stored(server: Wire) -> Counter[str]:
    """How many of our definitions the server has, by type."""
    found: Counter[str] = Counter()
    for definition in published():
        found[definition["resourceType"]] += len(server.found(f"{definition['resourceType']}?url={definition['url']}"))
    return +found


def test_by_default_the_forms_are_left_out(server: Wire, package: Path) -> None:
    answer = server.send("POST", "ImplementationGuide/$install", parameters(package))
    assert answer.status_code == 200, answer.text
    assert stored(server) == {kind: count for kind, count in COUNTS.items() if kind not in SKIPPED}


def test_the_guide_cannot_be_installed(server: Wire, package: Path) -> None:
    answer = server.send("POST", "ImplementationGuide/$install", parameters(package, "ImplementationGuide"))
    assert answer.status_code == 500
    assert "ImplementationGuide.definition.resource.reference" in said(answer)
    assert stored(server)["ImplementationGuide"] == 0


def test_listing_the_types_installs_the_forms_too(server: Wire, package: Path) -> None:
    assert {*INSTALLABLE, "ImplementationGuide"} == set(COUNTS)
    answer = server.send("POST", "ImplementationGuide/$install", parameters(package, *INSTALLABLE))
    assert answer.status_code == 200, answer.text
    assert stored(server) == {kind: count for kind, count in COUNTS.items() if kind != "ImplementationGuide"}


def test_an_installed_form_is_used_for_validation(server: Wire, package: Path) -> None:
    """Responses are held to the form that came with the package."""
    response = json.loads((java.ROOT / "examples/responses/keta-during.json").read_bytes())
    response["item"][0]["linkId"] = "unknown"
    issues = server.send("POST", "QuestionnaireResponse/$validate", response).json()["issue"]
    assert any(each["severity"] == "error" and "unknown" in each["diagnostics"] for each in issues)


def test_our_upload_adds_what_the_plugin_left_out(server: Wire) -> None:
    """It finds what the plugin stored under ids of the server's own, leaves it, and brings the guide."""
    result = CliRunner().invoke(main, ["upload", "--server", server.url])
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    assert [row[0] for row in rows if row[-1] == "created"] == ["ImplementationGuide/fhir-keta"]
    assert {row[-1] for row in rows} == {"created", "unchanged"}
    assert stored(server) == COUNTS
