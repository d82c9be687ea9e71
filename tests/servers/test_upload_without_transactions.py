"""Uploads to a server that carries a transaction out as a batch: it answers 200, and has refused some of the entries.

Medplum does so for a project that has not switched transactions on, in spite of what its CapabilityStatement says.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_keta.server import resume
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.journal import begin
from fhir_keta.server.plan import plan
from fhir_keta.server.read_back import read_back
from tests.servers.test_upload_contract import observation, patient, put, record, statuses, transaction, upload
from tests.servers.wire import Wire, name


@pytest.fixture
def server(medplum: str) -> Iterator[Wire]:
    wire = Wire(f"{medplum}/without-transactions")
    yield wire
    wire.close()


@pytest.fixture
def client(server: Wire) -> Iterator[Client]:
    with Client(server.url) as opened:
        yield opened


def test_what_was_refused_of_a_transaction_is_told_and_the_rest_arrived(
    server: Wire, client: Client, tmp_path: Path
) -> None:
    unique = name("batch")
    upload(client, record(patient(f"{unique}-b")))
    source = transaction(
        put(patient(unique)),
        put(patient(f"{unique}-b", active=True)),
        put(observation(unique, f"Patient/{unique}")),
    )
    planned = plan([source], client)
    upload(client, record(patient(f"{unique}-b", gender="other")))
    with begin(tmp_path / "journal", planned, {}) as journal:
        report = read_back(planned, apply(planned, client, journal=journal), client, journal)
    assert [(each.status, each.http_status) for each in report.results] == [
        ("created", 200),
        ("refused", 412),
        ("created", 200),
    ]
    assert "Precondition Failed" in report.results[1].message
    assert not report.complete
    assert server.get(f"Observation/{unique}")["subject"] == {"reference": f"Patient/{unique}"}
    assert server.get(f"Patient/{unique}-b")["gender"] == "other"

    again, rest = resume.resume(tmp_path / "journal", plan([source], client), {})
    with again:
        assert statuses(apply(rest, client, journal=again)) == ["created", "updated", "created"]
    assert statuses(upload(client, source)) == ["unchanged"] * 3


def test_batches_arrive_and_arrive_once(server: Wire, client: Client) -> None:
    unique = name("batch")
    people = [patient(f"{unique}-{number}") for number in range(3)]
    readings = [observation(f"{unique}-{number}", f"Patient/{unique}-{number % 3}") for number in range(8)]
    sources = [record(each) for each in (*readings, *people)]
    planned = plan(sources, client, batch_size=4)
    assert set(statuses(apply(planned, client, workers=4))) == {"created"}
    assert set(statuses(apply(plan(sources, client, batch_size=4), client))) == {"unchanged"}
    assert len(server.found(f"Observation?subject=Patient/{unique}-0")) == 3
