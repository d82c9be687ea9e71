"""The whole main job on a real HAPI server: definitions and a course uploaded, checked by the server, found again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhir_keta.cli.main import main
from tests.java import ROOT
from tests.servers.wire import Resource, Wire

EXAMPLES = ROOT / "examples"
DEFINITIONS = sorted((ROOT / "profiles").glob("*/*.json"))
SINGLES = sorted(
    path for folder in ("observations", "records", "responses") for path in EXAMPLES.glob(f"{folder}/*.json")
)
BUNDLES = sorted(EXAMPLES.glob("course/*.json"))


def upload(wire: Wire, *arguments: str) -> Result:
    """The command itself, as a user runs it."""
    result = CliRunner().invoke(main, ["upload", "--server", wire.url, *arguments])
    assert result.exit_code == 0, result.output
    return result


def statuses(result: Result) -> Counter[str]:
    """How many rows of the command's table ended in which status."""
    return Counter(line.split()[-1] for line in result.stdout.splitlines()[1:])


@pytest.fixture(scope="module")
def server(hapi: str) -> Iterator[Wire]:
    """HAPI with our definitions and the course; --overwrite for a server that has been in use."""
    wire = Wire(hapi)
    upload(wire, "--overwrite")
    upload(wire, "--overwrite", str(EXAMPLES / "course"))
    yield wire
    wire.close()


def course() -> list[Resource]:
    """Every record of the course, from its bundles."""
    return [entry["resource"] for path in BUNDLES for entry in json.loads(path.read_bytes())["entry"]]


def versions(server: Wire) -> dict[str, str]:
    """The version of everything of ours on the server."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for path in DEFINITIONS:
        definition = json.loads(path.read_bytes())
        wanted.setdefault((definition["resourceType"], "url"), []).append(definition["url"])
    for record in course():
        wanted.setdefault((record["resourceType"], "_id"), []).append(record["id"])
    found = {}
    for (kind, parameter), values in wanted.items():
        for start in range(0, len(values), 50):
            search = f"{kind}?{parameter}={','.join(values[start : start + 50])}&_elements=id,meta&_count=100"
            for resource in server.found(search):
                found[f"{kind}/{resource['id']}"] = resource["meta"]["versionId"]
    return found


def test_everything_arrives(server: Wire) -> None:
    expected = {f"{each['resourceType']}/{each['id']}" for each in course()}
    expected |= {f"{path.parent.name}/{path.stem}" for path in DEFINITIONS}
    assert versions(server).keys() == expected


def test_a_second_upload_changes_nothing(server: Wire) -> None:
    before = versions(server)
    definitions, records = upload(server), upload(server, str(EXAMPLES / "course"))
    assert statuses(definitions) == {"unchanged": len(DEFINITIONS)}
    assert statuses(records).keys() == {"unchanged"}
    assert versions(server) == before


def test_the_export_is_the_course(server: Wire) -> None:
    """The bulk export holds the same records as the bundles: uploading it after them changes nothing."""
    result = upload(server, "--dry-run", str(EXAMPLES / "export"))
    assert {line.split()[-1] for line in result.stdout.splitlines()[1:]} == {"unchanged"}


@pytest.mark.parametrize("path", [*SINGLES, *BUNDLES], ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_hapi_finds_no_fault(server: Wire, path: Path) -> None:
    resource = json.loads(path.read_bytes())
    answer = server.send("POST", f"{resource['resourceType']}/$validate", path.read_bytes())
    assert answer.status_code == 200
    assert [each["diagnostics"] for each in answer.json()["issue"] if each["severity"] in ("error", "fatal")] == []


def test_hapi_holds_records_to_our_profiles(server: Wire) -> None:
    rating = json.loads((EXAMPLES / "observations/keta-rating.json").read_bytes())
    rating["component"] = [{"code": {"text": "more"}, "valueString": "more"}]
    issues = server.send("POST", "Observation/$validate", rating).json()["issue"]
    assert any(each["severity"] == "error" and "component" in each["diagnostics"] for each in issues)


def test_records_are_found_by_time_point(server: Wire) -> None:
    """Our own SearchParameter works on the server that it was uploaded to."""
    extension = "https://w3id.org/fhir-keta/StructureDefinition/keta-time-point"
    expected: dict[tuple[str, str], set[str]] = {}
    for record in course():
        for each in record.get("extension", ()):
            if each["url"] == extension:
                expected.setdefault((record["resourceType"], each["valueCoding"]["code"]), set()).add(record["id"])
    assert ("Observation", "during") in expected
    assert ("QuestionnaireResponse", "baseline") in expected
    for (kind, code), ids in expected.items():
        found = server.found(f"{kind}?keta-time-point={code}&_count=200")
        assert {each["id"] for each in found} >= ids, (kind, code)


def test_a_course_is_read_back_as_it_was_sent(server: Wire) -> None:
    for record in course()[::25]:
        there = server.get(f"{record['resourceType']}/{record['id']}")
        assert _comparable(there) == _comparable(record)


def _comparable(resource: Resource) -> Any:
    """Without what the server sets; references without the server's own base."""
    meta = {key: value for key, value in resource.get("meta", {}).items() if key == "profile"}
    return {**{key: value for key, value in resource.items() if key != "meta"}, "meta": meta}
