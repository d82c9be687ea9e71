"""``fhir-keta validate --definitions``: what is brought is checked against, what cannot be used named in one line."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhir_keta import Validator, bundled, read_definitions
from fhir_keta.cli.main import main
from fhir_keta.definitions import incoming
from fhir_keta.errors import DefinitionError
from tests.conftest import require
from tests.unit.made_profiles import MADE, element, profile

GIVEN = profile("given", element("Patient.active", min=1), on="Patient")
QUESTIONNAIRE = {
    "resourceType": "Questionnaire",
    "url": MADE + "form",
    "status": "active",
    "item": [{"linkId": "a", "type": "boolean"}],
}
CLAIM = json.dumps({"resourceType": "Patient", "id": "p", "meta": {"profile": [MADE + "given"]}}).encode()
ANSWERS = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "questionnaire": MADE + "form",
    "item": [{"linkId": "b"}],
}


@pytest.fixture(params=["1", "2"])
def jobs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("fhir_keta.reporting.checking.ALONE_RECORDS", 0)
    return str(request.param)


def run(*arguments: str, given: bytes = CLAIM) -> Result:
    return CliRunner().invoke(main, ["validate", "-", *arguments], input=given)


def write(path: Path, content: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return str(path)


def package(path: Path, *resources: Any, folder: str = "package") -> str:
    files = {f"{folder}/{number}.json": resource for number, resource in enumerate(resources)}
    files["package/package.json"] = {"name": "x", "version": "1", "fhirVersions": ["4.0.1"]}
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return str(path)


def test_without_the_definition_the_profile_is_not_known() -> None:
    result = run()
    assert result.exit_code == 0
    assert "[profile-unknown]" in result.stdout


@pytest.mark.parametrize("kind", ["file", "folder", "bundle", "package"])
def test_what_is_given_is_checked_against(kind: str, jobs: str, tmp_path: Path) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": GIVEN}]}
    path = {
        "file": lambda: write(tmp_path / "given.json", GIVEN),
        "folder": lambda: str(Path(write(tmp_path / "deep" / "er" / "given.json", GIVEN)).parent.parent),
        "bundle": lambda: write(tmp_path / "bundle.json", bundle),
        "package": lambda: package(tmp_path / "given.tgz", GIVEN),
    }[kind]()
    result = run("--definitions", path, "--jobs", jobs)
    assert result.exit_code == 1
    assert "[cardinality-min]" in result.stdout


def test_a_questionnaire_and_a_profile_from_two_places(tmp_path: Path) -> None:
    options = ["--definitions", write(tmp_path / "a.json", GIVEN)]
    options += ["--definitions", write(tmp_path / "b.json", QUESTIONNAIRE)]
    assert "[response-link-id-unknown]" in run(*options, given=json.dumps(ANSWERS).encode()).stdout
    assert "[cardinality-min]" in run(*options).stdout


def test_examples_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "given.json", GIVEN)
    write(tmp_path / "example.json", {"resourceType": "Patient", "id": "x"})
    write(tmp_path / ".index.json", [])
    assert "[cardinality-min]" in run("--definitions", str(tmp_path)).stdout


def test_a_library_user_gets_the_same(tmp_path: Path) -> None:
    library = bundled().with_resources(read_definitions([write(tmp_path / "given.json", GIVEN)]))
    assert [issue.rule for issue in Validator(library).check(CLAIM)] == ["cardinality-min"]


def test_the_same_definition_twice_is_one(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.json", GIVEN), write(tmp_path / "b.json", GIVEN)]
    assert len(read_definitions(paths)) == 1


def based(name: str, base: str) -> dict[str, Any]:
    return {**profile(name, on="Patient"), "baseDefinition": base}


BAD: dict[str, tuple[Any, str]] = {
    "text": ("Dear colleague", "correct it or leave it out"),
    "list": ([GIVEN], "correct it or leave it out"),
    "no url": ({name: value for name, value in GIVEN.items() if name != "url"}, "give it a url"),
    "no type": ({name: value for name, value in GIVEN.items() if name != "type"}, "without type; give it one"),
    "odd version": ({**GIVEN, "version": 1}, "write it in quotation marks"),
    "a record": ({"resourceType": "Patient"}, "name it without --definitions"),
    "base unknown": (based("x", "https://example.org/nowhere"), "add its definition with --definitions"),
    "base missing": ({**GIVEN, "baseDefinition": None}, "say what it is built on"),
    "built on itself": (based("x", MADE + "x"), "give one of them another baseDefinition"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    content, remedy = BAD[name]
    path = write(tmp_path / "bad.json", content)
    result = run("--definitions", path)
    assert result.exit_code == 2
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert path in result.stderr
    assert remedy in result.stderr


def test_not_json(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"{")
    result = run("--definitions", str(tmp_path))
    assert result.exit_code == 2
    assert f"{tmp_path / 'bad.json'} is not JSON" in result.stderr


def test_a_device_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    require(None if Path("/dev/zero").is_char_device() else "there is no /dev/zero here")
    monkeypatch.setattr(incoming, "LARGEST_FILE", 2**20)
    result = run("--definitions", "/dev/zero")
    assert result.exit_code == 2
    assert "/dev/zero has more than 1,048,576 bytes" in result.stderr


def test_a_circle_of_two(tmp_path: Path) -> None:
    write(tmp_path / "a.json", based("a", MADE + "b"))
    write(tmp_path / "b.json", based("b", MADE + "a"))
    result = run("--definitions", str(tmp_path))
    assert result.exit_code == 2
    assert "a.json is built on itself" in result.stderr


def test_one_canonical_for_two_definitions(tmp_path: Path) -> None:
    write(tmp_path / "a.json", GIVEN)
    write(tmp_path / "b.json", {**GIVEN, "title": "another"})
    result = run("--definitions", str(tmp_path))
    assert result.exit_code == 2
    assert f"{MADE}given|1, but differ" in result.stderr


def test_a_package_that_leaves_its_folder(tmp_path: Path) -> None:
    result = run("--definitions", package(tmp_path / "bad.tgz", GIVEN, folder="package/../.."))
    assert result.exit_code == 2
    assert "leaves the package" in result.stderr


@pytest.mark.parametrize("name", ["missing.json", "missing.tgz", "missing"])
def test_missing(name: str, tmp_path: Path) -> None:
    result = run("--definitions", str(tmp_path / name))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert name in result.stderr


def test_a_folder_without_definitions(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="holds no definitions"):
        read_definitions([tmp_path])


MALFORMED = (
    {"snapshot": 5},
    {"snapshot": {"element": [5]}},
    {"differential": {"element": [{"path": 5}]}},
    {"differential": {"element": [element("Patient.active", type=5)]}},
    {"differential": {"element": [element("Patient.active", min="one")]}},
    {"differential": {"element": [element("Patient.active", constraint=[{"severity": "error"}])]}},
    {"type": "Nothing"},
)


MALFORMED_EXTENSION = (
    {"context": "Patient"},
    {"context": {"type": "element", "expression": "Patient"}},
    {"context": ["Patient"]},
    {"context": [None]},
    {"context": [{"type": "element"}]},
    {"context": [{"type": "element", "expression": 1}]},
    {"contextInvariant": "true"},
    {"contextInvariant": [1]},
)


def extended(tmp_path: Path, **changed: Any) -> Result:
    """What is said of a patient with an extension that is defined like this."""
    definition = {
        "resourceType": "StructureDefinition",
        "url": "https://example.org/StructureDefinition/own",
        "name": "Own",
        "status": "draft",
        "kind": "complex-type",
        "abstract": False,
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "context": [{"type": "element", "expression": "Patient"}],
        "differential": {"element": [{"id": "Extension", "path": "Extension"}]},
    }
    patient = {"resourceType": "Patient", "extension": [{"url": definition["url"], "valueString": "a"}]}
    file = write(tmp_path / "patient.json", patient)
    definitions = write(tmp_path / "own.json", {**definition, **changed})
    return CliRunner().invoke(main, ["validate", file, "--definitions", definitions])


@pytest.mark.parametrize("odd", MALFORMED_EXTENSION, ids=str)
def test_a_malformed_extension_is_named(odd: dict[str, Any], tmp_path: Path) -> None:
    result = extended(tmp_path, **odd)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "https://example.org/StructureDefinition/own is malformed" in result.stderr


def test_a_definition_without_an_id_is_named_by_its_url(tmp_path: Path) -> None:
    assert extended(tmp_path).exit_code == 0
    elsewhere = extended(tmp_path, context=[{"type": "element", "expression": "Group"}])
    assert elsewhere.exit_code == 1
    assert "[extension-context]" in elsewhere.stdout
    assert " own " in elsewhere.stdout


@pytest.mark.parametrize("odd", MALFORMED, ids=str)
def test_a_malformed_profile_is_named(odd: dict[str, Any], tmp_path: Path) -> None:
    result = run("--definitions", write(tmp_path / "bad.json", {**GIVEN, **odd}))
    if "type" in odd:  # it is for no resource there is
        assert "[profile-mismatch]" in result.stdout
    else:
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert MADE in result.stderr or "bad.json" in result.stderr
