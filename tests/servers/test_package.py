"""The package as a plugin: installed by HAPI's own package installer, on a server that has nothing else."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from fhir_keta.cli.main import main
from fhir_keta.definitions.package_build import FILE_NAME, NAME, published
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
    folder = tmp_path_factory.mktemp("package")
    result = CliRunner().invoke(main, ["package", "build", str(folder)])
    assert result.exit_code == 0, result.output
    return folder / FILE_NAME


class PackageHost(ThreadingHTTPServer):
    """An HTTP server with a folder at its root; ``requests`` are the lines that were asked."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(_Files, directory=folder))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Files(SimpleHTTPRequestHandler):
    server: PackageHost

    def log_message(self, format: str, *args: object) -> None:
        self.server.requests.append(self.requestline)


@pytest.fixture
def package_host(package: Path) -> Iterator[PackageHost]:
    with PackageHost(package.parent) as host:
        thread = Thread(target=host.serve_forever, args=(0.05,))
        thread.start()
        yield host
        host.shutdown()
        thread.join()


def parameters(url: str, *types: str) -> Resource:
    """What HAPI's package settings say: name, version, packageUrl, installResourceTypes."""
    version = published()[0]["version"]
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "name", "valueString": NAME},
            {"name": "version", "valueString": version},
            {"name": "packageUrl", "valueString": url},
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
    answer = server.send("POST", "ImplementationGuide/$install", parameters(package.as_uri()))
    assert answer.status_code == 200, answer.text
    assert stored(server) == {kind: count for kind, count in COUNTS.items() if kind not in SKIPPED}


def test_the_guide_cannot_be_installed(server: Wire, package: Path) -> None:
    answer = server.send("POST", "ImplementationGuide/$install", parameters(package.as_uri(), "ImplementationGuide"))
    assert answer.status_code == 500
    assert "ImplementationGuide.definition.resource.reference" in said(answer)
    assert stored(server)["ImplementationGuide"] == 0


def test_listing_the_types_installs_the_forms_too(server: Wire, package_host: PackageHost) -> None:
    assert {*INSTALLABLE, "ImplementationGuide"} == set(COUNTS)
    url = f"{package_host.url}/{FILE_NAME}"
    answer = server.send("POST", "ImplementationGuide/$install", parameters(url, *INSTALLABLE))
    assert answer.status_code == 200, answer.text
    assert package_host.requests == [f"GET /{FILE_NAME} HTTP/1.1"]
    assert stored(server) == {kind: count for kind, count in COUNTS.items() if kind != "ImplementationGuide"}


def test_examples_are_not_installed(server: Wire) -> None:
    for kind in ("Patient", "Observation", "QuestionnaireResponse"):
        assert server.found(kind) == []


def test_what_is_not_active_is_not_installed(server: Wire, tmp_path: Path) -> None:
    url = "https://w3id.org/fhir-keta/test/package"
    given = {"status": "active", "content": "complete", "version": "1"}
    systems = [
        {"resourceType": "CodeSystem", "id": status, "url": f"{url}/{status}", **given, "status": status}
        for status in ("active", "draft", "retired")
    ]
    manifest = {"name": "org.example.some", "version": "1.0.0", "fhirVersions": ["4.0.1"]}
    file = tmp_path / "some.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for name, content in (("package", manifest), *((each["id"], each) for each in systems)):
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}.json")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    asked = parameters(file.as_uri())
    for each in asked["parameter"]:
        if each["name"] in ("name", "version"):
            each["valueString"] = manifest[each["name"]]
    answer = server.send("POST", "ImplementationGuide/$install", asked)
    assert answer.status_code == 200, answer.text
    assert [each["status"] for system in systems for each in server.found(f"CodeSystem?url={system['url']}")] == [
        "active"
    ]


def test_an_installed_form_is_used_for_validation(server: Wire) -> None:
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
