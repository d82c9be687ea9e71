"""Our package follows the FHIR NPM package specification, holds everything of ours, and is the same every time."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fhir_keta import __version__
from fhir_keta.definitions import package, package_build
from fhir_keta.definitions.library import profiles
from fhir_keta.validation.validator import Validator

JsonObject = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built() -> bytes:
    return package_build.build(package_build.published(), package_build.examples())


@pytest.fixture(scope="module")
def contents(built: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(built)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_the_manifest_says_what_the_specification_asks_for(contents: dict[str, bytes]) -> None:
    # FHIR NPM Packages: name, version, canonical, fhirVersions, dependencies, author, license; canonical has no slash
    manifest = json.loads(contents["package/package.json"])
    assert manifest["name"] == "org.w3id.fhir-keta"
    assert manifest["version"] == __version__ == "0.1.0"
    assert manifest["canonical"] == "https://w3id.org/fhir-keta"
    assert manifest["fhirVersions"] == ["4.0.1"]
    assert manifest["dependencies"] == {"hl7.fhir.r4.core": "4.0.1", "hl7.fhir.uv.sdc": "3.0.0"}
    assert manifest["license"] == "Apache-2.0"
    assert manifest["author"] == "fhir-keta maintainers"
    assert manifest["description"] and manifest["title"]


def exported() -> dict[str, bytes]:
    """The example course, out of its export: name in the package to its line."""
    lines = [line for file in (ROOT / "examples/export").glob("*.ndjson") for line in file.read_bytes().splitlines()]
    named = {(resource := json.loads(line))["resourceType"] + "-" + resource["id"]: line for line in lines}
    assert len(named) == len(lines) == 791
    return {f"package/example/{name}.json": line for name, line in named.items()}


def test_everything_of_ours_is_in_it(contents: dict[str, bytes]) -> None:
    assert next(iter(contents)) == "package/package.json"
    definitions = {f"package/{item['resourceType']}-{item['id']}.json" for item in profiles()}
    assert len(definitions) == len(profiles()) == len(list((ROOT / "profiles").glob("*/*.json")))
    indexes = {"package/.index.json", "package/example/.index.json"}
    assert set(contents) == {"package/package.json"} | indexes | definitions | set(exported())


def test_the_examples_are_the_records_of_the_export_as_they_stand_there(contents: dict[str, bytes]) -> None:
    assert {name: contents[name].rstrip(b"\n") for name in exported()} == exported()


@pytest.mark.parametrize("folder", ["package", "package/example"])
def test_each_folder_has_an_index_of_all_its_files(contents: dict[str, bytes], folder: str) -> None:
    index = json.loads(contents[f"{folder}/.index.json"])
    assert index["index-version"] == 2
    files = {name for name in contents if name.rpartition("/")[0] == folder}
    unindexed = {f"{folder}/.index.json", f"{folder}/package.json"}
    assert {f"{folder}/{entry['filename']}" for entry in index["files"]} == files - unindexed
    assert len(index["files"]) == len(files - unindexed)
    for entry in index["files"]:
        resource = json.loads(contents[f"{folder}/{entry.pop('filename')}"])
        assert entry.items() <= resource.items()
        assert entry["resourceType"] and entry["id"]


def test_the_index_says_what_tools_look_things_up_by(contents: dict[str, bytes]) -> None:
    # the keys that HL7's own packages have in index version 2
    files = {entry.pop("filename"): entry for entry in json.loads(contents["package/.index.json"])["files"]}
    assert files["StructureDefinition-keta-observation.json"] == {
        "resourceType": "StructureDefinition",
        "id": "keta-observation",
        "url": "https://w3id.org/fhir-keta/StructureDefinition/keta-observation",
        "version": __version__,
        "kind": "resource",
        "type": "Observation",
        "derivation": "constraint",
    }
    assert files["CodeSystem-keta-action.json"]["content"] == "complete"


def test_what_is_published_is_valid_fhir() -> None:
    validator = Validator()
    found = {item["url"]: validator.check(item) for item in package_build.published()}
    assert {
        url: issues for url, issues in found.items() if any(one.severity in ("fatal", "error") for one in issues)
    } == {}


def test_definitions_have_snapshots_and_narratives_and_nothing_of_sdc_goes_along(built: bytes, tmp_path: Path) -> None:
    (tmp_path / "ours.tgz").write_bytes(built)
    members = package.read(tmp_path / "ours.tgz").members
    definitions = [each.resource for each in members if not each.example]
    assert len(definitions) == len(profiles())
    for resource in definitions:
        assert resource["text"]["status"] == "generated"
        assert resource["url"].startswith("https://w3id.org/fhir-keta/")
        if resource["resourceType"] == "StructureDefinition":
            assert resource["snapshot"]["element"][0]["path"] == resource["type"]
            assert resource["differential"]


def test_the_archive_says_nothing_of_when_where_and_by_whom(built: bytes) -> None:
    # RFC 1952: deflate, no flags (no name), no time, best compression, system unknown
    assert built[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    with tarfile.open(fileobj=io.BytesIO(built)) as archive:
        assert {(item.mtime, item.uid, item.gid, item.uname, item.gname, item.mode) for item in archive} == {
            (0, 0, 0, "", "", 0o644)
        }


def test_two_builds_are_equal_byte_for_byte(tmp_path: Path) -> None:
    """In other folders, under another umask, at another time, in another zone and language, with other hashes."""
    clock = "import time; time.time = lambda: {:.1f}; import os; os.umask({}); "
    code = "from fhir_keta.cli.main import main; main(['package', 'build', *__import__('sys').argv[1:]])"
    one, two = tmp_path / "one", tmp_path / "two" / "deeper"
    two.mkdir(parents=True)
    builds = [
        (clock.format(86400, 0o022) + code, [str(one)], tmp_path, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}),
        (clock.format(2e9, 0o077) + code, [], two, {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"}),
    ]
    for command, arguments, folder, variables in builds:
        done = subprocess.run(
            [sys.executable, "-c", command, *arguments],
            cwd=folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(f"org.w3id.fhir-keta-{__version__}.tgz: 65 definitions, 791 examples.\n")
    first, second = (folder / f"org.w3id.fhir-keta-{__version__}.tgz" for folder in (one, two))
    assert first.read_bytes() == second.read_bytes()
