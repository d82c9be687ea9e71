"""Going on with an upload: what the journal knows, what the server is asked, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.errors import UsageError
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Answer, Client, Interrupted
from fhir_keta.server.journal import begin, read, reopen
from fhir_keta.server.plan import plan
from fhir_keta.server.plan_file import check, load, save
from fhir_keta.server.remove import plan_removal, remove
from fhir_keta.server.result import Report
from fhir_keta.server.resume import as_planned, resume
from fhir_keta.server.sandbox import Sandbox
from tests.unit.uploads import PATIENT, about, bundle, code_system, observation, put, record, statuses, stored_version

Resource = dict[str, Any]
SETTINGS = {"overwrite": False, "batch_size": 1}


def sources(**changes: Any) -> list[Any]:
    return [record({**PATIENT, **changes}), *(record(observation(each)) for each in "abc")]


def lost(client: Client, path: Path, *of: Any, identity: str, arrived: bool) -> Report:
    """An upload that loses the answer to one write, which the server carried out or not."""
    update = Client.update

    def cut(self: Client, kind: str, target: str, *arguments: Any, **options: Any) -> Answer:
        if target != identity or arrived:
            answer = update(self, kind, target, *arguments, **options)
        if target == identity:
            raise Interrupted("lost")
        return answer

    planned = plan(of or sources(), client)
    with pytest.MonkeyPatch.context() as patched, begin(path, planned, SETTINGS) as journal:
        patched.setattr(Client, "update", cut)
        return apply(planned, client, journal=journal)


def resumed(client: Client, path: Path, *of: Any) -> Report:
    journal, rest = resume(path, plan(of or sources(), client), SETTINGS)
    with journal:
        return apply(rest, client, journal=journal)


def journal_says(path: Path) -> dict[str, tuple[str | None, str | None]]:
    return {name: (sent.status, sent.version) for name, sent in read(path).sent.items()}


@pytest.mark.parametrize("arrived", [True, False])
def test_what_arrived_is_not_sent_again(client: Client, path: Path, arrived: bool) -> None:
    report = lost(client, path, identity="a", arrived=arrived)
    assert list(statuses(report).values()) == ["created", "unknown", "not tried", "not tried"]
    assert journal_says(path) == {"Patient/p": ("created", "1"), "Observation/a": (None, None)}
    again = resumed(client, path)
    assert list(statuses(again).values()) == ["created"] * 4
    assert [result.action for result in again.results] == ["create"] * 4
    assert again.complete
    names = ("Patient/p", "Observation/a", "Observation/b", "Observation/c")
    assert journal_says(path) == dict.fromkeys(names, ("created", "1"))
    assert {stored_version(client, "Observation", each) for each in "abc"} == {"1"}


@pytest.mark.parametrize("arrived", [True, False])
def test_an_update_that_arrived_is_not_sent_again(client: Client, path: Path, arrived: bool) -> None:
    apply(plan([record(PATIENT)], client), client)
    changed = record({**PATIENT, "gender": "other"})
    lost(client, path, changed, identity="p", arrived=arrived)
    (result,) = resumed(client, path, changed).results
    assert (result.action, result.status) == ("update", "updated")
    assert stored_version(client, "Patient", "p") == "2"
    assert journal_says(path) == {"Patient/p": ("updated", "2")}


def test_what_somebody_changed_since_is_left_as_it_is(client: Client, path: Path) -> None:
    """Of the known and of the unknown outcome alike."""
    lost(client, path, identity="a", arrived=True)
    for kind, identity in (("Patient", "p"), ("Observation", "a")):
        there = client.read(kind, identity)
        assert there is not None
        client.update(kind, identity, json.dumps({**there, "language": "de"}).encode())
    report = resumed(client, path)
    assert list(statuses(report).values()) == ["created", "conflict", "created", "created"]
    assert "the server has other content now: it is left as it is" in report.results[1].message
    assert not report.complete
    assert stored_version(client, "Patient", "p") == stored_version(client, "Observation", "a") == "2"
    assert journal_says(path)["Observation/a"] == (None, None)
    assert list(statuses(resumed(client, path)).values()) == ["created", "conflict", "created", "created"]


def test_an_update_that_somebody_overtook_is_left_as_it_is(client: Client, path: Path) -> None:
    apply(plan([record(PATIENT)], client), client)
    changed = record({**PATIENT, "gender": "other"})
    lost(client, path, changed, identity="p", arrived=False)
    client.update("Patient", "p", json.dumps({**PATIENT, "gender": "male"}).encode())
    assert list(statuses(resumed(client, path, changed)).values()) == ["conflict"]
    assert stored_version(client, "Patient", "p") == "2"


def test_what_was_refused_is_tried_again(client: Client, path: Path) -> None:
    of = [record(observation("a", subject=about("Patient", "late")))]
    assert list(statuses(lost(client, path, *of, identity="", arrived=True)).values()) == ["refused"]
    client.update("Patient", "late", b'{"resourceType":"Patient","id":"late"}')
    assert list(statuses(resumed(client, path, *of)).values()) == ["created"]


def test_a_conditional_create_without_an_answer_counts_as_created(client: Client, path: Path) -> None:
    create = {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=http://example.org/i|1"}
    person = {"resourceType": "Patient", "identifier": [{"system": "http://example.org/i", "value": "1"}]}
    of = record(bundle({"resource": person, "request": create}, put(observation("a"))))
    planned = plan([of], client)
    with begin(path, planned, SETTINGS) as journal:
        journal.intend(planned.entries)
        apply(planned, client)
    report = resumed(client, path, of)
    assert [result.status for result in report.results] == ["created", "created"]
    (stored,) = client.search("Patient", {})
    assert {(sent.status, sent.version) for sent in read(path).sent.values()} == {("created", "1")}
    assert [sent.id for sent in read(path).sent.values()] == [stored["id"], "a"]


# What is refused


def refused(client: Client, path: Path, *of: Any, **settings: Any) -> str:
    with pytest.raises(UsageError) as error:
        resume(path, plan(of or sources(), client), {**SETTINGS, **settings})
    reopen(path).close()  # it is not left open
    return str(error.value)


def test_other_settings(client: Client, path: Path) -> None:
    lost(client, path, identity="a", arrived=True)
    assert "--batch-size: expected 1, found 50. Nothing was sent." in refused(client, path, batch_size=50)
    assert "--ids: expected None, found server" in refused(client, path, ids="server")


def test_other_sources(client: Client, path: Path) -> None:
    lost(client, path, identity="a", arrived=True)
    said = refused(client, path, *sources(active=True))
    assert "belongs to other sources: Patient/p has other content than was sent: expected 4 resources with" in said
    said = refused(client, path, *sources()[:3])
    assert "expected 4 resources with SHA-256" in said
    assert "found 3 resources with SHA-256" in said
    assert stored_version(client, "Observation", "b") is None


def test_another_server(client: Client, path: Path) -> None:
    lost(client, path, identity="a", arrived=True)
    with Sandbox() as other, Client(other.url) as elsewhere:
        said = refused(elsewhere, path)
    assert f"server: expected {client.base}, found {elsewhere.base}" in said


def test_what_is_being_taken_back(client: Client, path: Path) -> None:
    lost(client, path, identity="b", arrived=True)
    with reopen(path) as journal:
        remove(plan_removal(journal, client)[-1:], journal, client)
    assert "Patient/p was taken back. Finish that with fhir-keta remove" in refused(client, path)


def test_a_saved_plan_is_resumed_as_it_was_planned(client: Client, path: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "plan.json")
    save(plan(sources(), client), file, ["in.json"], {})
    lost(client, path, identity="b", arrived=True)
    check(load(file), as_planned(path, plan(sources(), client)))
    journal, rest = resume(path, plan(sources(), client), SETTINGS)
    with journal:
        assert apply(rest, client, journal=journal).complete


def test_definitions_are_resumed_by_their_canonical(client: Client, path: Path) -> None:
    lost(client, path, code_system(), record(PATIENT), identity="levels", arrived=True)
    report = resumed(client, path, code_system(), record(PATIENT))
    assert statuses(report) == {"CodeSystem/levels": "created", "Patient/p": "created"}
    assert stored_version(client, "CodeSystem", "levels") == "1"
