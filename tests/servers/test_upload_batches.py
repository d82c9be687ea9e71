"""Records in batches, and the server's own validation, against every server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_keta.errors import ServerError
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.journal import begin
from fhir_keta.server.plan import plan
from fhir_keta.server.remove import plan_removal, remove
from fhir_keta.server.server_validation import refused_by_validation
from tests.servers.test_upload_contract import code_system, observation, patient, put, record, statuses, transaction
from tests.servers.wire import Wire, name


@pytest.fixture
def client(server: Wire) -> Iterator[Client]:
    with Client(server.url) as opened:
        yield opened


@pytest.fixture
def unique() -> str:
    return name("batch")


def test_batches_arrive_and_arrive_once(server: Wire, client: Client, unique: str) -> None:
    people = [patient(f"{unique}-{number}") for number in range(7)]
    readings = [observation(f"{unique}-{number}", f"Patient/{unique}-{number % 7}") for number in range(20)]
    sources = [record(each) for each in (*readings, *people)]
    planned = plan(sources, client, batch_size=5)
    assert [len(group.entries) for group in planned.groups] == [5, 2, 5, 5, 5, 5]
    assert set(statuses(apply(planned, client, workers=4))) == {"created"}
    assert plan(sources, client, batch_size=5).counts() == {"unchanged": 27}
    assert len(server.found(f"Observation?subject=Patient/{unique}-0")) == 3


def test_what_is_refused_in_a_batch_holds_back_no_other(server: Wire, client: Client, unique: str) -> None:
    if not server.does.checks_references:
        pytest.skip("this server refuses no reference")
    readings = [observation(f"{unique}-{number}", f"Patient/{unique}") for number in range(4)]
    lost = observation(f"{unique}-lost", f"Patient/{unique}-nobody")
    sources = [record(each) for each in (*readings[:2], lost, *readings[2:], patient(unique))]
    report = apply(plan(sources, client, batch_size=10), client)
    told = {each.entry.incoming.id: each.status for each in report.results}
    assert told == {
        unique: "created",
        f"{unique}-lost": "refused",
        **{f"{unique}-{number}": "created" for number in range(4)},
    }


def test_a_batch_with_what_changed_meanwhile(server: Wire, client: Client, unique: str) -> None:
    people = [patient(f"{unique}-{number}") for number in range(3)]
    apply(plan([record(each) for each in people], client, batch_size=3), client)
    changed = [{**each, "gender": "other"} for each in people]
    planned = plan([record(each) for each in changed], client, batch_size=3)
    server.put({**people[1], "gender": "male"})
    report = apply(planned, client)
    assert [each.status for each in report.results] == ["updated", "refused", "updated"]
    assert [server.get(f"Patient/{unique}-{number}")["gender"] for number in range(3)] == ["other", "male", "other"]
    # where the refused batch left its first entry behind, that is told, and it is not written twice
    assert bool(report.results[0].message) is not server.does.undoes
    version = report.results[0].version
    assert version is not None
    assert server.get(f"Patient/{unique}-0")["meta"]["versionId"] == version
    assert server.does.is_version(version, 2)


def test_what_is_left_of_a_refused_transaction_is_told(
    server: Wire, client: Client, unique: str, tmp_path: Path
) -> None:
    """All of it is refused, or, where the server does not undo it, what stood before the entry that it refused is not:
    the report and the journal say which, and what is taken back is exactly that."""
    stale = patient(f"{unique}-b")
    apply(plan([record(stale)], client), client)
    source = transaction(
        put(patient(unique)),
        put({**stale, "gender": "other"}),
        put(observation(unique, f"Patient/{unique}")),
    )
    planned = plan([source], client)
    server.put({**stale, "gender": "male"})
    with begin(tmp_path / "journal", planned, {}) as journal:
        report = apply(planned, client, journal=journal)
        told = {each.entry.incoming.label: each.status for each in report.results}
        there = {label for label in told if server.send("GET", label).status_code == 200} - {f"Patient/{unique}-b"}
        assert {label for label, status in told.items() if status == "created"} == there
        assert set(told.values()) == {"refused"} if server.does.undoes else {"refused", "created"}
        done = remove(plan_removal(journal, client), journal, client)
    assert {(each.address, each.state) for each in done.each} == {(label, "removed") for label in there}
    assert server.get(f"Patient/{unique}-b")["gender"] == "male"


def test_the_server_validates_before_anything_is_written(server: Wire, client: Client, unique: str) -> None:
    fine, wrong = patient(unique), {"resourceType": "Observation", "id": unique, "status": "final"}  # no code
    planned = plan([record(wrong), record(fine), code_system(unique)], client, batch_size=10)
    if not server.does.validates:
        with pytest.raises(ServerError, match=r"does not validate \(HTTP 404.* Leave --validate-on-server out"):
            refused_by_validation(planned, client)
        return
    report = refused_by_validation(planned, client)
    assert report is not None
    told = {each.entry.incoming.type: (each.status, each.message != "") for each in report.results}
    assert told == {
        "CodeSystem": ("not tried", False),
        "Observation": ("refused", True),
        "Patient": ("not tried", False),
    }
    assert server.send("GET", f"Patient/{unique}").status_code == 404
    assert refused_by_validation(plan([record(fine)], client), client) is None
