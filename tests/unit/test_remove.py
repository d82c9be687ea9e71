"""Taking back what an upload created: in reverse, nothing that was changed, nothing that something needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client, Interrupted, Unavailable
from fhir_keta.server.journal import begin, reopen
from fhir_keta.server.plan import plan
from fhir_keta.server.remove import Removal, Removals, plan_removal, remove
from tests.unit.uploads import PATIENT, about, bundle, code_system, observation, put, record, stored_version

Resource = dict[str, Any]


def uploaded(client: Client, path: Path, *sources: Any) -> None:
    planned = plan(sources, client)
    with begin(path, planned, {}) as journal:
        assert apply(planned, client, journal=journal).complete


def planned(client: Client, path: Path) -> list[Removal]:
    with reopen(path) as journal:
        return plan_removal(journal, client)


def taken_back(client: Client, path: Path) -> Removals:
    with reopen(path) as journal:
        return remove(plan_removal(journal, client), journal, client)


def states(removals: list[Removal] | tuple[Removal, ...]) -> dict[str, str]:
    return {removal.address: removal.state for removal in removals}


def changed(client: Client, resource: Resource) -> None:
    body = json.dumps({**resource, "language": "de"}).encode()
    client.update(resource["resourceType"], resource["id"], body)


OF_P = observation("a", subject=about("Patient", "p"))


def test_what_was_created_goes_in_reverse_and_once(client: Client, path: Path) -> None:
    client.update("Basic", "there", b'{"resourceType":"Basic","id":"there","code":{"text":"x"}}')
    uploaded(client, path, code_system(), record(PATIENT), record(OF_P), record(bundle(put(observation("b")))))
    expected = ["Observation/b", "Observation/a", "Patient/p", "CodeSystem/levels"]
    assert states(planned(client, path)) == dict.fromkeys(expected, "remove")
    assert stored_version(client, "Patient", "p") == "1"
    done = taken_back(client, path)
    assert list(states(done.each).items()) == [(each, "removed") for each in expected]
    assert done.complete
    assert all(client.read(*each.split("/")) is None for each in expected)
    assert stored_version(client, "Basic", "there") == "1"
    assert planned(client, path) == []


def test_what_was_there_before_stays(client: Client, path: Path) -> None:
    apply(plan([record(PATIENT), record(observation("b"))], client), client)
    uploaded(client, path, record({**PATIENT, "active": True}), record(observation("b")), record(OF_P))
    done = taken_back(client, path)
    assert states(done.each) == {"Observation/a": "removed", "Patient/p": "stays"}
    assert "it was there before the upload, which updated it" in done.each[1].reason
    assert not done.complete
    assert (stored_version(client, "Patient", "p"), stored_version(client, "Observation", "b")) == ("2", "1")


def test_what_was_changed_stays_and_what_it_refers_to(client: Client, path: Path) -> None:
    uploaded(client, path, record(PATIENT), record(OF_P), record(observation("b")))
    changed(client, OF_P)
    done = taken_back(client, path)
    assert states(done.each) == {"Observation/a": "stays", "Observation/b": "removed", "Patient/p": "stays"}
    reasons = {removal.address: removal.reason for removal in done.each}
    assert reasons["Observation/a"] == "it was changed since: version 2 instead of 1"
    assert reasons["Patient/p"] == "Observation/a refers to it, and stays"


def test_what_is_changed_between_plan_and_removal_stays(client: Client, path: Path) -> None:
    uploaded(client, path, record(PATIENT), record(bundle(put(observation("a")), put(observation("b")))))
    with reopen(path) as journal:
        plans = plan_removal(journal, client)
        changed(client, PATIENT)
        changed(client, observation("a"))
        done = remove(plans, journal, client)
    assert states(done.each) == {"Observation/b": "removed", "Observation/a": "stays", "Patient/p": "stays"}
    assert stored_version(client, "Observation", "a") == stored_version(client, "Patient", "p") == "2"


def test_what_others_came_to_refer_to_is_refused_by_the_server(client: Client, path: Path) -> None:
    """One of a transaction: the other still goes."""
    uploaded(client, path, record(bundle(put(PATIENT), put(observation("b")))))
    apply(plan([record(OF_P)], client), client)
    done = taken_back(client, path)
    assert states(done.each) == {"Observation/b": "removed", "Patient/p": "refused"}
    assert "Observation/a" in done.each[-1].reason
    assert not done.complete
    client.delete("Observation", "a")
    assert states(taken_back(client, path).each) == {"Patient/p": "removed"}


def test_a_circle_goes_together(client: Client, path: Path) -> None:
    def linked(own: str, other: str) -> Any:
        link = [{"other": about("Patient", other), "type": "seealso"}]
        return record({"resourceType": "Patient", "id": own, "link": link})

    uploaded(client, path, linked("x", "y"), linked("y", "x"))
    assert set(states(taken_back(client, path).each).values()) == {"removed"}


def test_what_is_gone_already_is_no_failure(client: Client, path: Path) -> None:
    uploaded(client, path, record(PATIENT), record(observation("b")))
    client.delete("Patient", "p")
    done = taken_back(client, path)
    assert states(done.each) == {"Observation/b": "removed", "Patient/p": "gone"}
    assert done.complete


def test_what_came_back_under_the_same_id_stays(client: Client, path: Path) -> None:
    uploaded(client, path, record(PATIENT))
    client.delete("Patient", "p")
    client.update("Patient", "p", json.dumps(PATIENT).encode())
    assert states(taken_back(client, path).each) == {"Patient/p": "stays"}


def test_an_unknown_outcome_stays_and_says_what_to_do(client: Client, path: Path) -> None:
    sources = plan([record(PATIENT)], client)
    with begin(path, sources, {}) as journal:
        journal.intend(sources.entries)
    (removal,) = planned(client, path)
    assert removal.state == "unknown"
    assert "Run fhir-keta upload --resume first" in removal.reason


@pytest.mark.parametrize(("error", "state"), [(Interrupted("lost"), "unknown"), (Unavailable("busy"), "not tried")])
def test_an_error_of_the_server_stops(
    client: Client, path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, state: str
) -> None:
    uploaded(client, path, *(record(observation(each)) for each in "abc"))
    delete = Client.delete

    def cut(self: Client, kind: str, identity: str, **options: Any) -> Any:
        if identity == "b":
            raise error
        return delete(self, kind, identity, **options)

    monkeypatch.setattr(Client, "delete", cut)
    done = taken_back(client, path)
    assert done.stopped is error
    assert states(done.each) == {"Observation/c": "removed", "Observation/b": state, "Observation/a": "not tried"}
    monkeypatch.undo()
    assert states(taken_back(client, path).each) == {"Observation/b": "removed", "Observation/a": "removed"}
