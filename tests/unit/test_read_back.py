"""Reading back what was written: what a server may answer, and what it then has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.records.source import Record
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Answer, Client
from fhir_keta.server.journal import begin, read
from fhir_keta.server.plan import plan
from fhir_keta.server.read_back import read_back
from fhir_keta.server.result import Report
from tests.servers.faults import Fault, FaultServer, scripted, writes_only
from tests.unit.uploads import PATIENT, about, bundle, code_system, observation, put, record, statuses

Resource = dict[str, Any]


def observations(*names: str) -> list[Resource | Record]:
    return [record(observation(each)) for each in names]


def stored_otherwise(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """A server that answers 201 and stores something else."""
    update = Client.update

    def altered(self: Client, kind: str, identity: str, body: bytes, **options: Any) -> Answer:
        return update(self, kind, identity, json.dumps(change(json.loads(body))).encode(), **options)

    monkeypatch.setattr(Client, "update", altered)


def proven(client: Client, *sources: Resource | Record) -> Report:
    planned = plan(sources, client)
    return read_back(planned, apply(planned, client), client)


def test_what_is_stored_as_sent_stays_created(client: Client) -> None:
    before = [record(PATIENT), code_system(title="Old")]
    apply(plan(before, client), client)
    pair = record(bundle(put(observation("a", subject=about("Patient", "p"))), put(observation("b"))))
    planned = plan([record(PATIENT), code_system(), pair], client, overwrite=True)
    report = read_back(planned, apply(planned, client), client)
    assert list(statuses(report).values()) == ["updated", "unchanged", "created", "created"]
    assert report.complete


def test_what_is_stored_otherwise_is_told_with_its_place(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    stored_otherwise(monkeypatch, lambda resource: {**resource, "active": False, "gender": "other"})
    report = proven(client, record({**PATIENT, "active": True}))
    assert [result.status for result in report.results] == ["altered"]
    assert report.results[0].message == "the server gives back something else: Patient.active and 1 more"
    assert not report.complete


def test_what_is_gone_again_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = plan([record(PATIENT), *observations("a")], client)
    report = apply(planned, client)
    client.delete("Patient", "p")
    again = read_back(planned, report, client)
    assert [(result.status, result.message) for result in again.results] == [
        ("altered", "the server does not give it back"),
        ("created", ""),
    ]


def test_a_search_that_lags_is_no_proof(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = plan([record(PATIENT), *observations("a")], client)
    report = apply(planned, client)
    monkeypatch.setattr(Client, "search_page", lambda *_arguments: [])
    assert read_back(planned, report, client).complete


def test_a_version_that_the_server_did_not_tell_is_filled_in(client: Client, path: Path) -> None:
    with FaultServer(client.base, writes_only(scripted(Fault.WRONG_ETAG))) as server, Client(server.url) as through:
        planned = plan([record(PATIENT)], through)
        with begin(path, planned, {}) as journal:
            report = apply(planned, through, journal=journal)
            assert report.results[0].version is None
            assert read_back(planned, report, through, journal).results[0].version == "1"
    (sent,) = read(path).sent.values()
    assert (sent.status, sent.version) == ("created", "1")


def test_a_server_with_small_pages_is_asked_for_the_rest(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not stand on the first page is read by itself."""
    planned = plan(observations(*"abcdef"), client, batch_size=10)
    report = apply(planned, client)
    first_page, read_singly = Client.search_page, []
    whole = Client.read

    def page(self: Client, kind: str, parameters: Any) -> list[Resource]:
        return first_page(self, kind, parameters)[:2]

    def singly(self: Client, kind: str, identity: str) -> Resource | None:
        read_singly.append(identity)
        return whole(self, kind, identity)

    monkeypatch.setattr(Client, "search_page", page)
    monkeypatch.setattr(Client, "read", singly)
    assert read_back(planned, report, client, workers=3).complete
    assert sorted(read_singly) == ["c", "d", "e", "f"]
