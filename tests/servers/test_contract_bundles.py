"""The contract of every server for transactions and batches (FHIR R4, RESTful API, sections 3.1.0.11 and 3.2.0.6)."""

from __future__ import annotations

import uuid

from tests.servers.wire import Wire, entry, name, observation, patient, said, transaction


def send(server: Wire, *entries: dict[str, object], kind: str = "transaction") -> list[dict[str, str]]:
    """What is said about each entry of a bundle that the server takes."""
    answer = server.send("POST", "", transaction(*entries, kind=kind))
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert bundle["type"] == f"{kind}-response"
    assert len(bundle["entry"]) == len(entries)
    return [each["response"] for each in bundle["entry"]]


def test_a_transaction_answers_in_the_order_sent(server: Wire) -> None:
    subject, weight = name(), name()
    answers = send(
        server,
        entry("PUT", f"Observation/{weight}", observation(f"Patient/{subject}", weight)),
        entry("PUT", f"Patient/{subject}", patient(subject)),
    )
    assert [each["status"][:3] for each in answers] == ["201", "201"]
    assert [each["etag"] for each in answers] == ["1", "1"] or [each["etag"] for each in answers] == ['W/"1"'] * 2
    assert answers[0]["location"].endswith(f"Observation/{weight}/_history/1")
    assert answers[1]["location"].endswith(f"Patient/{subject}/_history/1")
    assert server.get(f"Observation/{weight}")["subject"] == {"reference": f"Patient/{subject}"}


def test_a_second_load_changes_nothing(server: Wire) -> None:
    subject, weight = name(), name()
    entries = (
        entry("PUT", f"Patient/{subject}", patient(subject)),
        entry("PUT", f"Observation/{weight}", observation(f"Patient/{subject}", weight)),
    )
    send(server, *entries)
    answers = send(server, *entries)
    assert [each["status"][:3] for each in answers] == ["200", "200"]
    assert server.get(f"Observation/{weight}")["meta"]["versionId"] == "1"


def test_placeholders_become_references(server: Wire) -> None:
    placeholder = f"urn:uuid:{uuid.uuid4()}"
    answers = send(
        server,
        entry("POST", "Observation", observation(placeholder)),
        entry("POST", "Patient", patient(), placeholder),
    )
    places = ["/".join(each["location"].split("/")[-4:-2]) for each in answers]
    assert places[1].startswith("Patient/")
    assert server.get(places[0])["subject"] == {"reference": places[1]}


def test_one_refused_entry_undoes_all(server: Wire) -> None:
    subject, weight, missing = name(), name(), f"Patient/{name()}"
    refused = server.send(
        "POST",
        "",
        transaction(
            entry("PUT", f"Patient/{subject}", patient(subject)),
            entry("PUT", f"Observation/{weight}", observation(missing, weight)),
        ),
    )
    assert 400 <= refused.status_code < 500
    assert missing in said(refused)
    assert server.send("GET", f"Patient/{subject}").status_code == 404
    assert server.send("GET", f"Observation/{weight}").status_code == 404


def test_an_update_is_undone_too(server: Wire) -> None:
    subject = patient(name())
    server.put(subject)
    refused = server.send(
        "POST",
        "",
        transaction(
            entry("PUT", f"Patient/{subject['id']}", {**subject, "gender": "female"}),
            entry("POST", "Observation", observation(f"Patient/{name()}")),
        ),
    )
    assert 400 <= refused.status_code < 500
    there = server.get(f"Patient/{subject['id']}")
    assert "gender" not in there
    assert there["meta"]["versionId"] == "1"


def test_a_stale_entry_refuses_the_transaction(server: Wire) -> None:
    first, second = patient(name()), patient(name())
    server.put(first)
    server.put({**first, "gender": "female"})
    refused = server.send(
        "POST",
        "",
        transaction(
            entry("PUT", f"Patient/{second['id']}", second),
            entry("PUT", f"Patient/{first['id']}", {**first, "gender": "male"}, ifMatch='W/"1"'),
        ),
    )
    assert refused.status_code in (409, 412)
    assert said(refused)
    assert server.send("GET", f"Patient/{second['id']}").status_code == 404
    assert server.get(f"Patient/{first['id']}")["gender"] == "female"


def test_a_condition_links_the_entries_to_what_is_there(server: Wire) -> None:
    identifier = {"system": "https://w3id.org/fhir-keta/example/contract", "value": name()}
    condition = f"identifier={identifier['system']}|{identifier['value']}"
    there = patient(name(), identifier=[identifier])
    server.put(there)
    placeholder = f"urn:uuid:{uuid.uuid4()}"
    answers = send(
        server,
        entry("POST", "Patient", patient(identifier=[identifier]), placeholder, ifNoneExist=condition),
        entry("POST", "Observation", observation(placeholder)),
    )
    assert [each["status"][:3] for each in answers] == ["200", "201"]
    assert server.found(f"Observation?subject=Patient/{there['id']}")


def test_the_same_resource_twice_is_refused(server: Wire) -> None:
    subject = patient(name())
    refused = server.send(
        "POST",
        "",
        transaction(
            entry("PUT", f"Patient/{subject['id']}", subject),
            entry("PUT", f"Patient/{subject['id']}", {**subject, "gender": "female"}),
        ),
    )
    assert refused.status_code == 400
    assert subject["id"] in said(refused)


def test_the_entries_of_a_batch_stand_alone(server: Wire) -> None:
    subject, weight = name(), name()
    answers = send(
        server,
        entry("PUT", f"Patient/{subject}", patient(subject)),
        entry("PUT", f"Observation/{weight}", observation(f"Patient/{name()}", weight)),
        entry("GET", f"Patient/{name()}"),
        kind="batch",
    )
    assert [each["status"][:3] for each in answers] == ["201", "400", "404"]
    assert server.get(f"Patient/{subject}")["active"] is True
    assert server.send("GET", f"Observation/{weight}").status_code == 404


def test_only_a_bundle_is_taken_at_the_base(server: Wire) -> None:
    for body in (patient(), {"resourceType": "Bundle", "type": "searchset"}):
        refused = server.send("POST", "", body)
        assert refused.status_code == 400
        assert said(refused)
