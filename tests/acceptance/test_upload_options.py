"""``fhir-keta upload`` as it is typed: --batch-size, --ids, --source, --retry-budget and --validate-on-server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_keta.server.client import Client, Refused
from tests.acceptance.test_upload import PATIENT, Resource, rows, upload, written
from tests.servers.faults import Fault, FaultServer, scripted, writes_only


@pytest.fixture
def family(tmp_path: Path) -> Path:
    """A patient and two flags about it."""
    folder = tmp_path / "family"
    folder.mkdir()
    flags = [
        {
            "resourceType": "Flag",
            "id": identity,
            "status": "active",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/p"},
        }
        for identity in ("a", "b")
    ]
    return written(folder, PATIENT, *flags)


def test_records_go_in_batches(client: Client, family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    send = Client.transaction

    def transaction(self: Client, body: bytes, **options: bool) -> object:
        sent.append(len(json.loads(body)["entry"]))
        return send(self, body, **options)

    monkeypatch.setattr(Client, "transaction", transaction)
    result = upload(client.base, "--batch-size", "10", family)
    assert result.exit_code == 0
    assert set(map(tuple, rows(result).values())) == {("create", "created")}
    assert sent == [2]  # the patient alone, then what refers to it
    assert upload(client.base, "--batch-size", "0", family).exit_code == 2


def test_a_plan_for_a_server_that_gives_the_ids_is_kept_and_applied(
    client: Client, family: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "plan.json"
    options = ("--ids", "server", "--source", "clinic-a", "--batch-size", "5")
    assert upload(client.base, "--plan", kept, *options, family).exit_code == 0
    assert upload(client.base, "--apply", kept).exit_code == 0
    (patient,) = client.search("Patient", {})
    assert {each["subject"]["reference"] for each in client.search("Flag", {})} == {f"Patient/{patient['id']}"}
    assert patient["meta"]["tag"] == [{"system": "https://w3id.org/fhir-keta/source", "code": "clinic-a/p"}]
    again = upload(client.base, *options, family)
    assert set(map(tuple, rows(again).values())) == {("unchanged", "unchanged")}


def test_records_that_could_not_be_found_again_are_not_sent(client: Client, family: Path) -> None:
    refused = upload(client.base, "--ids", "server", family)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "with --source" in refused.stderr
    assert upload(client.base, "--ids", "server", "--source", "two words", family).exit_code == 2
    assert upload(client.base, "--source", "clinic-a", family).exit_code == 2
    assert list(client.search("Patient", {})) == []


def test_a_server_that_gives_the_ids_without_saying_so(
    client: Client, family: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def update(self: Client, kind: str, identity: str, *_arguments: object, **_options: object) -> object:
        raise Refused("Not found", 404)

    monkeypatch.setattr(Client, "update", update)
    result = upload(client.base, family)
    assert result.exit_code == 1
    assert "upload with --ids server" in result.stderr


def test_the_server_validates_first(client: Client, family: Path) -> None:
    wrong: Resource = {"resourceType": "Observation", "id": "o", "status": "final"}
    written(family, wrong)
    result = upload(client.base, "--validate-on-server", family)
    assert result.exit_code == 1
    assert rows(result) == {
        "Flag/a": ["create", "not", "tried"],
        "Flag/b": ["create", "not", "tried"],
        "Observation/o": ["create", "refused"],
        "Patient/p": ["create", "not", "tried"],
    }
    assert "Observation/o refused: " in result.stderr
    assert list(client.search("Patient", {})) == []
    written(family, {**wrong, "code": {"text": "x"}})
    assert upload(client.base, "--validate-on-server", family).exit_code == 0


def test_a_busy_server_is_tried_again_within_the_budget(client: Client, family: Path) -> None:
    with FaultServer(client.base, writes_only(scripted(Fault.BUSY))) as server:
        given_up = upload(server.url, "--retry-budget", "0", "--workers", "1", family)
        assert given_up.exit_code == 3
        assert "cannot answer now (HTTP 503)" in given_up.stderr
        assert client.read("Patient", "p") is None
        server.faults = writes_only(scripted(Fault.BUSY))
        assert upload(server.url, "--retry-budget", "60", family).exit_code == 0
        assert len([asked for asked in server.asked if asked.fault is not None]) == 2
    assert client.read("Patient", "p") is not None
