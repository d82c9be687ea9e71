"""The contract of every server for transactions and batches (FHIR R4, RESTful API, sections 3.1.0.11 and 3.2.0.6)."""

from __future__ import annotations

import uuid

from tests.servers.wire import Wire, entry, etag, name, observation, patient, place, said, transaction


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
    assert [each["status"][:3] for each in answers] == [str(server.does.created_by_put)] * 2
    assert [place(each["location"]) for each in answers] == [f"Observation/{weight}", f"Patient/{subject}"]
    if server.does.names_versions:  # HAPI leaves out what makes it an ETag
        assert {each["etag"] for each in answers} in ({"1"}, {'W/"1"'})
        assert all(each["location"].endswith("/_history/1") for each in answers)
    else:
        assert all("etag" not in each and "_history" not in each["location"] for each in answers)
    assert server.get(f"Observation/{weight}")["subject"] == {"reference": f"Patient/{subject}"}


def test_a_second_load_changes_nothing(server: Wire) -> None:
    subject, weight = name(), name()
    entries = (
        entry("PUT", f"Patient/{subject}", patient(subject)),
        entry("PUT", f"Observation/{weight}", observation(f"Patient/{subject}", weight)),
    )
    send(server, *entries)
    first = server.get(f"Observation/{weight}")["meta"]["versionId"]
    answers = send(server, *entries)
    assert [each["status"][:3] for each in answers] == ["200", "200"]
    assert (server.get(f"Observation/{weight}")["meta"]["versionId"] == first) is server.does.keeps_unchanged


def test_placeholders_become_references(server: Wire) -> None:
    placeholder = f"urn:uuid:{uuid.uuid4()}"
    answers = send(
        server,
        entry("POST", "Observation", observation(placeholder)),
        entry("POST", "Patient", patient(), placeholder),
    )
    places = [place(each["location"]) for each in answers]
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
    if not server.does.checks_references:
        assert refused.status_code == 200
        assert server.get(f"Observation/{weight}")["subject"] == {"reference": missing}
        return
    assert 400 <= refused.status_code < 500
    assert missing in said(refused)
    assert server.send("GET", f"Patient/{subject}").status_code == 404
    assert server.send("GET", f"Observation/{weight}").status_code == 404


def test_an_update_is_undone_too(server: Wire) -> None:
    subject, other = patient(name()), patient(name())
    first = etag(server.put(subject))
    stale = f'W/"{etag(server.put(other))}"'
    server.put({**other, "gender": "male"})
    refused = server.send(
        "POST",
        "",
        transaction(
            entry("PUT", f"Patient/{subject['id']}", {**subject, "gender": "female"}),
            entry("PUT", f"Patient/{other['id']}", other, ifMatch=stale),
        ),
    )
    assert refused.status_code == server.does.stale
    assert said(refused)
    there = server.get(f"Patient/{subject['id']}")
    assert ("gender" not in there) is server.does.undoes
    assert (there["meta"]["versionId"] == first) is server.does.undoes


def test_a_stale_entry_refuses_the_transaction(server: Wire) -> None:
    first, second = patient(name()), patient(name())
    stale = f'W/"{etag(server.put(first))}"'
    server.put({**first, "gender": "female"})
    refused = server.send(
        "POST",
        "",
        transaction(
            entry("PUT", f"Patient/{second['id']}", second),
            entry("PUT", f"Patient/{first['id']}", {**first, "gender": "male"}, ifMatch=stale),
        ),
    )
    assert refused.status_code == server.does.stale
    assert said(refused)
    assert (server.send("GET", f"Patient/{second['id']}").status_code == 404) is server.does.undoes
    assert server.get(f"Patient/{first['id']}")["gender"] == "female"


def test_what_refers_to_each_other_is_deleted_together(server: Wire) -> None:
    subject, weight = patient(name()), name()
    server.put(subject)
    server.put(observation(f"Patient/{subject['id']}", weight))
    addresses = [f"Patient/{subject['id']}", f"Observation/{weight}"]
    both = transaction(*({"request": {"method": "DELETE", "url": address}} for address in addresses))
    answers = server.send("POST", "", both).json()["entry"]
    assert [answer["response"]["status"][:3] in ("200", "204") for answer in answers] == [True, True]
    assert [server.send("GET", address).status_code for address in addresses] == [server.does.deleted] * 2


def test_nothing_is_deleted_together_that_others_refer_to(server: Wire) -> None:
    subject, other, weight = patient(name()), patient(name()), name()
    server.put(subject)
    server.put(other)
    server.put(observation(f"Patient/{subject['id']}", weight))
    addresses = [f"Patient/{other['id']}", f"Patient/{subject['id']}"]
    refused = server.send(
        "POST", "", transaction(*({"request": {"method": "DELETE", "url": address}} for address in addresses))
    )
    if not server.does.checks_references:
        assert refused.status_code == 200
        return
    assert refused.status_code == 409
    assert f"Observation/{weight}" in said(refused)
    assert [server.send("GET", address).status_code for address in addresses] == [200, 200]


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
    assert (subject["id"] in said(refused)) is server.does.names_repeated
    assert server.send("GET", f"Patient/{subject['id']}").status_code == 404


def test_the_entries_of_a_batch_stand_alone(server: Wire) -> None:
    subject, weight = name(), name()
    answers = send(
        server,
        entry("PUT", f"Patient/{subject}", patient(subject)),
        entry("PUT", f"Observation/{weight}", observation(f"Patient/{name()}", weight)),
        entry("GET", f"Patient/{name()}"),
        kind="batch",
    )
    created = str(server.does.created_by_put)
    dangling = "400" if server.does.checks_references else created
    assert [each["status"][:3] for each in answers] == [created, dangling, "404"]
    assert server.get(f"Patient/{subject}")["active"] is True
    stored = server.send("GET", f"Observation/{weight}").status_code == 200
    assert stored is not server.does.checks_references


def test_only_a_bundle_is_taken_at_the_base(server: Wire) -> None:
    for body in (patient(), {"resourceType": "Bundle", "type": "searchset"}):
        refused = server.send("POST", "", body)
        assert refused.status_code == 400
        assert said(refused)
