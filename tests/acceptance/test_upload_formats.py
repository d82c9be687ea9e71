"""``fhir-keta upload --format``: the results for programs, on standard output alone; packages among the paths."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from fhir_keta.cli.main import main
from fhir_keta.definitions.library import profiles
from fhir_keta.definitions.package_build import FILE_NAME
from fhir_keta.server.client import Client
from fhir_keta.server.sandbox import Sandbox


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """One record that a server takes, and one that refers to nobody."""
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "a.json").write_text('{"resourceType": "Patient", "id": "a", "gender": "unknown"}')
    dangling = {"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "subject": {"reference": "Patient/nobody"}}
    (folder / "b.json").write_text(json.dumps(dangling))
    return folder


def upload(server: str, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["upload", "--server", server, *map(str, arguments)])


def test_json(sandbox: Sandbox, records: Path) -> None:
    result = upload(sandbox.url, records, "--format", "json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["server"], document["complete"]) == (sandbox.url, False)
    assert document["counts"] == {"created": 1, "refused": 1}
    found = {each["resource"]: each for each in document["results"]}
    taken, refused = found["Patient/a"], found["Basic/b"]
    assert (taken["status"], taken["id"], taken["version"]) == ("created", "a", "1")
    assert taken["source"] == f"{records / 'a.json'}:1"
    for each, status in ((taken, 201), (refused, 400)):
        assert (each["method"], each["url"]) == ("PUT", f"{sandbox.url}/{each['resource']}")
        assert each["httpStatus"] == status
        assert each["milliseconds"] > 0
    assert "Patient/nobody not found" in refused["outcome"]
    assert "Patient/nobody not found" in result.stderr


def test_json_of_a_second_run_has_no_requests(sandbox: Sandbox, records: Path) -> None:
    upload(sandbox.url, records / "a.json")
    (again,) = json.loads(upload(sandbox.url, records / "a.json", "--format", "json").stdout)["results"]
    assert (again["status"], again["method"], again["milliseconds"]) == ("unchanged", None, None)


def test_junit(sandbox: Sandbox, records: Path) -> None:
    result = upload(sandbox.url, records, "--format", "junit")
    assert result.exit_code == 1
    suite = ElementTree.fromstring(result.stdout)[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert {case.get("name"): case.find("failure") is None for case in suite} == {"Patient/a": True, "Basic/b": False}


@pytest.mark.parametrize("other", [["--dry-run"], ["--plan", "plan.json"]])
def test_a_plan_has_no_results_to_format(sandbox: Sandbox, records: Path, other: list[str]) -> None:
    result = upload(sandbox.url, records, "--format", "json", *other)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--format is for results" in result.stderr


# ---- packages ----


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    assert CliRunner().invoke(main, ["package", "build", str(folder)]).exit_code == 0
    return folder / FILE_NAME


def count(server: str, kind: str) -> int:
    with Client(server) as client:
        return sum(1 for _ in client.search(kind, {}))


def test_a_package_is_the_same_as_its_definitions(sandbox: Sandbox, package: Path) -> None:
    first = upload(sandbox.url, package)
    assert first.exit_code == 0, first.stderr
    assert f"{len(profiles())} created." in first.stderr
    assert f"{package}: its examples are left out" in first.stderr
    assert "it depends on hl7.fhir.uv.sdc 3.0.0" in first.stderr
    assert count(sandbox.url, "Patient") == 0
    bundled = upload(sandbox.url)
    assert f"{len(profiles())} unchanged." in bundled.stderr


def test_the_examples_of_a_package_on_request(sandbox: Sandbox, package: Path) -> None:
    result = upload(sandbox.url, package, "--examples")
    assert result.exit_code == 0, result.stderr
    assert f"{len(profiles()) + 791} created." in result.stderr
    assert count(sandbox.url, "Patient") == 1


def test_a_plan_keeps_whether_examples_are_loaded(sandbox: Sandbox, package: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert upload(sandbox.url, package, "--examples", "--plan", plan).exit_code == 0
    applied = upload(sandbox.url, "--apply", plan)
    assert applied.exit_code == 0, applied.stderr
    assert count(sandbox.url, "Patient") == 1


def test_packages_and_records_together(sandbox: Sandbox, package: Path, records: Path) -> None:
    result = upload(sandbox.url, package, records / "a.json")
    assert result.exit_code == 0, result.stderr
    assert f"{len(profiles()) + 1} created." in result.stderr


def test_a_hostile_package_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "hostile.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for name in ("package/package.json", "package/../../outside.json"):
            member = tarfile.TarInfo(name)
            data = b'{"name": "x", "version": "1", "fhirVersions": ["4.0.1"], "resourceType": "Basic"}'
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    result = upload("http://127.0.0.1:1", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'package/../../outside.json', which leaves the package" in result.stderr
    assert not (tmp_path.parent / "outside.json").exists()
