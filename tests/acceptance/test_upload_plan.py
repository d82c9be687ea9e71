"""``fhir-keta upload --plan`` and ``--apply`` as they are typed: what is kept, and what is refused later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_keta.server.client import Client
from fhir_keta.server.sandbox import Sandbox
from tests.acceptance.test_upload import PATIENT, Resource, rows, upload, written

LEVELS: Resource = {
    "resourceType": "CodeSystem",
    "id": "levels",
    "url": "http://example.org/levels",
    "version": "1",
    "status": "active",
    "content": "complete",
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    return written(folder, PATIENT, LEVELS)


def put(client: Client, resource: Resource) -> None:
    client.update(resource["resourceType"], resource["id"], json.dumps(resource).encode())


def test_a_plan_is_kept_and_applied_once(client: Client, sources: Path, tmp_path: Path) -> None:
    kept = tmp_path / "plan.json"
    planned = upload(client.base, "--plan", kept, sources)
    assert (planned.exit_code, rows(planned)) == (0, {"CodeSystem/levels": ["create"], "Patient/p": ["create"]})
    assert client.read("Patient", "p") is None
    applied = upload(client.base, "--apply", kept)
    assert applied.exit_code == 0, applied.output
    assert rows(applied) == {"CodeSystem/levels": ["create", "created"], "Patient/p": ["create", "created"]}
    again = upload(client.base, "--apply", kept)
    assert (again.exit_code, again.stdout) == (3, "")
    assert "CodeSystem/levels: expected create at levels, found unchanged at levels version 1" in again.stderr
    assert "Nothing was written" in again.stderr


def test_a_plan_of_our_own_definitions(client: Client, tmp_path: Path) -> None:
    kept = tmp_path / "plan.json"
    assert upload(client.base, "--plan", kept).exit_code == 0
    assert {cells[-1] for cells in rows(upload(client.base, "--apply", kept)).values()} == {"created"}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, {**PATIENT, "active": True}, "Patient/p: expected create at p, found update at p version 1"),
        (None, PATIENT, "Patient/p: expected create at p, found unchanged at p version 1"),
        (
            {**PATIENT, "gender": "male"},
            {**PATIENT, "gender": "female"},
            "Patient/p: expected update at p version 1, found update at p version 2",
        ),
        (PATIENT, {**PATIENT, "active": True}, "expected unchanged at p version 1, found update at p version 2"),
    ],
)
def test_a_server_that_changed_since_is_left_alone(
    client: Client, sources: Path, tmp_path: Path, before: Resource | None, after: Resource, said: str
) -> None:
    if before is not None:
        put(client, before)
    kept = tmp_path / "plan.json"
    upload(client.base, "--plan", kept, sources)
    put(client, after)
    refused = upload(client.base, "--apply", kept)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert said in refused.stderr
    assert client.read("CodeSystem", "levels") is None


def test_sources_that_changed_since_are_not_sent(client: Client, sources: Path, tmp_path: Path) -> None:
    kept = tmp_path / "plan.json"
    upload(client.base, "--plan", kept, sources)
    written(sources, {**PATIENT, "gender": "other"})
    refused = upload(client.base, "--apply", kept)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Patient/p of" in refused.stderr
    assert "expected content with SHA-256" in refused.stderr
    written(sources, PATIENT, {**PATIENT, "id": "q"})
    assert "Patient/q of" in upload(client.base, "--apply", kept).stderr
    (sources / "Patient-p.json").unlink()
    assert "Patient-p.json:1 is not there any more" in upload(client.base, "--apply", kept).stderr
    assert client.read("CodeSystem", "levels") is None


def test_a_plan_is_for_one_server(client: Client, sources: Path, tmp_path: Path) -> None:
    kept = tmp_path / "plan.json"
    upload(client.base, "--plan", kept, sources)
    with Sandbox() as other:
        refused = upload(other.url, "--apply", kept)
        assert refused.exit_code == 3
        assert f"expected {client.base}, found {other.url}" in refused.stderr


def test_what_was_planned_with_overwrite_is_applied_with_it(client: Client, sources: Path, tmp_path: Path) -> None:
    put(client, {**LEVELS, "title": "Other"})
    kept = tmp_path / "plan.json"
    assert upload(client.base, "--plan", kept, sources).exit_code == 1
    assert upload(client.base, "--plan", kept, "--overwrite", sources).exit_code == 0
    assert rows(upload(client.base, "--apply", kept))["CodeSystem/levels"] == ["update", "updated"]


def test_a_plan_holds_nothing_of_a_record(client: Client, tmp_path: Path) -> None:
    identifier = {"system": "http://example.org/mrn", "value": "MRN-4711"}
    patient = {"resourceType": "Patient", "name": [{"family": "Quillfeather"}], "identifier": [identifier]}
    condition = "identifier=http://example.org/mrn|MRN-4711"
    request = {"method": "POST", "url": "Patient", "ifNoneExist": condition}
    entry = {"resource": {**patient, "id": "p"}, "request": {"method": "PUT", "url": "Patient/p"}}
    bundle = {"resourceType": "Bundle", "id": "b", "type": "transaction"}
    bundle["entry"] = [{"resource": patient, "request": request}, entry]  # type: ignore[assignment]
    put(client, {**PATIENT, "name": [{"family": "Oldname"}]})
    kept = tmp_path / "plan.json"
    folder = tmp_path / "in"
    folder.mkdir()
    planned = upload(client.base, "--plan", kept, written(folder, bundle))
    assert planned.exit_code == 0
    for shown in (kept.read_text(), planned.output, upload(client.base, "--apply", kept).output):
        assert "Patient/p" in shown
        assert not [word for word in ("Quillfeather", "4711", "Oldname") if word in shown]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a plan"),
        ('{"format": "fhir-keta plan 2"}', "not a plan of this version"),
        ('{"format": "fhir-keta plan 1", "server": 7}', "not a plan of this version"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_other_files_are_no_plans(client: Client, tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "plan.json").write_text(content)
    refused = upload(client.base, "--apply", tmp_path / "plan.json")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert said in refused.stderr


def test_a_plan_that_cannot_be_kept(client: Client, sources: Path, tmp_path: Path) -> None:
    refused = upload(client.base, "--plan", tmp_path / "none" / "plan.json", sources)
    assert refused.exit_code == 2
    assert "cannot be written (No such file or directory)" in refused.stderr


def test_options_that_do_not_go_together(client: Client, sources: Path, tmp_path: Path) -> None:
    kept = tmp_path / "plan.json"
    upload(client.base, "--plan", kept, sources)
    for arguments in (["--apply", kept, sources], ["--apply", kept, "--overwrite"], ["--apply", kept, "--dry-run"]):
        assert upload(client.base, *arguments).exit_code == 2
    assert "save standard input to a file" in upload(client.base, "--plan", kept, "-").stderr
