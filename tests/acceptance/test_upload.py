"""``fhir-keta upload`` as it is typed, on a running server: what it prints where, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhir_keta.cli.main import main
from fhir_keta.definitions.library import profiles
from fhir_keta.server.client import Client
from fhir_keta.server.sandbox import Sandbox

Resource = dict[str, Any]
PATIENT: Resource = {"resourceType": "Patient", "id": "p"}


def upload(server: str, *arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["upload", "--server", server, *map(str, arguments)])
    assert "Traceback" not in result.output
    return result


def written(folder: Path, *resources: Resource) -> Path:
    for resource in resources:
        (folder / f"{resource['resourceType']}-{resource.get('id')}.json").write_text(json.dumps(resource))
    return folder


def rows(result: Result) -> dict[str, list[str]]:
    """The table on standard output: resource to its other columns."""
    head, *lines = result.stdout.splitlines()
    assert head.split()[:2] == ["RESOURCE", "ACTION"]
    return {line.split()[0]: line.split()[1:] for line in lines if not line.startswith(" ")}


def versions(server: str) -> dict[str, str]:
    """What is on the server of the bundled definitions, with its versions."""
    with Client(server) as client:
        kinds = {each["resourceType"] for each in profiles()}
        found = [each for kind in sorted(kinds) for each in client.search(kind, {})]
    return {f"{each['resourceType']}/{each['id']}": each["meta"]["versionId"] for each in found}


def test_the_bundled_definitions_arrive_and_a_second_run_changes_nothing(sandbox: Sandbox) -> None:
    ours = {f"{each['resourceType']}/{each['id']}" for each in profiles()}
    first = upload(sandbox.url)
    assert (first.exit_code, set(rows(first))) == (0, ours)
    assert {tuple(cells) for cells in rows(first).values()} == {("create", "created")}
    assert f"{len(ours)} created." in first.stderr
    stored = versions(sandbox.url)
    assert stored == dict.fromkeys(ours, "1")
    second = upload(sandbox.url)
    assert (second.exit_code, {tuple(cells) for cells in rows(second).values()}) == (0, {("unchanged", "unchanged")})
    assert versions(sandbox.url) == stored


def test_the_definitions_arrive_complete(sandbox: Sandbox) -> None:
    upload(sandbox.url)
    with Client(sandbox.url) as client:
        for definition in profiles():
            found = client.read(definition["resourceType"], definition["id"])
            assert found is not None
            assert found["text"]["status"] == "generated"
            assert found["text"]["div"].startswith("<div")
            if definition["resourceType"] == "StructureDefinition":
                assert len(found["snapshot"]["element"]) > len(definition["differential"]["element"])


def test_nothing_of_sdc_is_uploaded(sandbox: Sandbox) -> None:
    upload(sandbox.url)
    with Client(sandbox.url) as client:
        urls = {each["url"] for each in client.search("StructureDefinition", {})}
    assert urls
    assert all(url.startswith("https://w3id.org/fhir-keta/") for url in urls)


def test_a_dry_run_prints_the_plan_and_writes_nothing(sandbox: Sandbox) -> None:
    result = upload(sandbox.url, "--dry-run")
    assert (result.exit_code, {tuple(cells) for cells in rows(result).values()}) == (0, {("create",)})
    assert versions(sandbox.url) == {}


def test_a_tampered_definition_is_a_conflict_until_overwritten(sandbox: Sandbox) -> None:
    upload(sandbox.url)
    with Client(sandbox.url) as client:
        tampered = client.read("CodeSystem", "keta-intensity")
        assert tampered is not None
        tampered["concept"][2]["display"] = "Tampered"
        client.update("CodeSystem", "keta-intensity", json.dumps(tampered).encode())
    dry = upload(sandbox.url, "--dry-run")
    assert (dry.exit_code, rows(dry)["CodeSystem/keta-intensity"]) == (1, ["conflict"])
    refused = upload(sandbox.url)
    assert (refused.exit_code, rows(refused)["CodeSystem/keta-intensity"]) == (1, ["conflict", "conflict"])
    said = next(line for line in refused.stderr.splitlines() if line.startswith("CodeSystem/keta-intensity"))
    assert "https://w3id.org/fhir-keta/CodeSystem/keta-intensity|" in said
    assert "CodeSystem.concept[2].display" in said
    assert "--overwrite" in said
    assert "Tampered" not in said
    assert versions(sandbox.url)["CodeSystem/keta-intensity"] == "2"
    overwritten = upload(sandbox.url, "--overwrite")
    assert (overwritten.exit_code, rows(overwritten)["CodeSystem/keta-intensity"]) == (0, ["update", "updated"])
    assert set(map(tuple, rows(overwritten).values())) == {("update", "updated"), ("unchanged", "unchanged")}
    assert upload(sandbox.url).exit_code == 0
    assert versions(sandbox.url)["CodeSystem/keta-intensity"] == "3"


def test_records_from_files_bundles_and_ndjson(sandbox: Sandbox, tmp_path: Path) -> None:
    written(tmp_path, {**PATIENT, "id": "file"})
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
                "resource": PATIENT,
                "request": {"method": "PUT", "url": "Patient/p"},
            },
            {
                "resource": {
                    "resourceType": "Basic",
                    "id": "b",
                    "code": {"text": "x"},
                    "subject": {"reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"},
                },
                "request": {"method": "PUT", "url": "Basic/b"},
            },
        ],
    }
    (tmp_path / "session.json").write_text(json.dumps(bundle))
    lines = [{"resourceType": "Flag", "id": f"f{n}", "subject": {"reference": "Patient/p"}} for n in range(3)]
    (tmp_path / "Flag.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    first = upload(sandbox.url, tmp_path)
    assert first.exit_code == 0
    assert list(rows(first)) == ["Patient/p", "Basic/b", "Flag/f0", "Flag/f1", "Flag/f2", "Patient/file"]
    second = upload(sandbox.url, tmp_path)
    assert set(map(tuple, rows(second).values())) == {("unchanged", "unchanged")}


def test_a_refused_resource_is_told_in_the_words_of_the_server(sandbox: Sandbox, tmp_path: Path) -> None:
    dangling = {"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "subject": {"reference": "Patient/nobody"}}
    result = upload(sandbox.url, written(tmp_path, dangling, PATIENT))
    assert result.exit_code == 1
    assert rows(result) == {"Basic/b": ["create", "refused"], "Patient/p": ["create", "created"]}
    assert "Basic/b refused (HTTP 400): Resource Patient/nobody not found" in result.stderr


def test_what_cannot_be_read_stops_before_anything_is_written(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "z.json").write_text('{"resourceType": "Pat')
    result = upload(sandbox.url, written(tmp_path, PATIENT))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "z.json:1: not JSON" in one_line(result)
    with Client(sandbox.url) as client:
        assert client.read("Patient", "p") is None


def one_line(result: Result) -> str:
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_a_server_that_is_down(tmp_path: Path) -> None:
    with Sandbox() as gone:
        pass
    result = upload(gone.url, written(tmp_path, PATIENT))
    assert result.exit_code == 3
    assert f"{gone.url} cannot be reached" in one_line(result)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}, "speaks FHIR 5.0.0"),
        ({"hello": "world"}, "not FHIR JSON"),
    ],
)
def test_a_server_that_is_not_r4(body: Resource, said: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        result = upload(f"http://127.0.0.1:{server.server_address[1]}/fhir")
        server.shutdown()
        thread.join()
    assert result.exit_code == 3
    assert said in one_line(result)


@pytest.mark.parametrize(
    "arguments",
    [["upload"], ["upload", "--server", "nonsense"], ["upload", "--server", "http://127.0.0.1:1", "/none/x"]],
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_help_needs_no_server_and_no_slow_import() -> None:
    code = "import sys; from fhir_keta.cli import upload; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
