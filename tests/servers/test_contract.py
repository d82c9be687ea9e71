"""The contract of every server, resource by resource: what the loader relies on, and what the sandbox claims.

Each expectation is from FHIR R4, RESTful API (http://hl7.org/fhir/R4/http.html); where that leaves a choice, or where a
server departs from it, from ``behaviour``. All servers run the same tests, so that the sandbox cannot flatter.
"""

from __future__ import annotations

import json

import pytest

from tests.servers.wire import Wire, code_system, content, etag, name, observation, patient, place, said


def test_says_what_it_can_do(server: Wire) -> None:
    statement = server.get("metadata")
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["kind"] == "instance"
    rest = statement["rest"][0]
    assert rest["mode"] == "server"
    assert "transaction" in {each["code"] for each in rest["interaction"]}
    types = {each["type"]: each for each in rest["resource"]}
    for kind in ("Questionnaire", "StructureDefinition", "CodeSystem", "Observation", "QuestionnaireResponse"):
        interactions = {each["code"] for each in types[kind]["interaction"]}
        assert {"read", "vread", "create", "update", "delete", "search-type"} <= interactions
        assert types[kind]["conditionalCreate"] is True
        assert types[kind]["conditionalUpdate"] is True
    assert "url" in {each["name"] for each in types["Questionnaire"]["searchParam"]}
    assert {"subject", "code", "identifier"} <= {each["name"] for each in types["Observation"]["searchParam"]}


def test_a_put_under_an_own_id_creates(server: Wire) -> None:
    resource = patient(name(), name=[{"family": "Kéta", "given": ["Ünïcode"]}])
    created = server.put(resource)
    assert created.status_code == server.does.created_by_put
    assert server.does.is_version(etag(created), 1)
    named = created.headers.get("Location") or created.headers.get("Content-Location")
    assert named == (f"{server.url}/Patient/{resource['id']}/_history/1" if server.does.names_versions else None)
    there = server.send("GET", f"Patient/{resource['id']}")
    assert etag(there) == etag(created)
    assert there.headers["Content-Type"].startswith("application/fhir+json")
    assert content(there.json()) == resource
    assert there.json()["meta"]["versionId"] == etag(created)
    assert "lastUpdated" in there.json()["meta"]


def test_an_unchanged_put_keeps_the_version(server: Wire) -> None:
    resource = patient(name())
    first = etag(server.put(resource))
    again = server.put(resource)
    assert again.status_code == 200
    assert (etag(again) == first) is server.does.keeps_unchanged
    changed = server.put({**resource, "active": False})
    assert changed.status_code == 200
    assert server.does.is_version(etag(changed), 2)
    there = server.get(f"Patient/{resource['id']}")
    assert there["active"] is False
    assert server.get(f"Patient/{resource['id']}/_history/{first}")["active"] is True
    versions = [
        each["resource"]["meta"]["versionId"] for each in server.get(f"Patient/{resource['id']}/_history")["entry"]
    ]
    assert versions == list(dict.fromkeys((etag(changed), etag(again), first)))


def test_decimals_keep_their_precision(server: Wire) -> None:
    subject = patient(name())
    server.put(subject)
    resource = observation(f"Patient/{subject['id']}", name())
    sent = json.dumps(resource).replace('"value": 70', '"value": 70.50').encode()
    server.send("PUT", f"Observation/{resource['id']}", sent)
    stored = server.send("GET", f"Observation/{resource['id']}").content
    assert (b"70.50" in stored) is server.does.keeps_digits
    assert b"70.5" in stored


def test_a_post_lets_the_server_give_the_id(server: Wire) -> None:
    first = server.send("POST", "Patient", patient())
    second = server.send("POST", "Patient", patient())
    assert (first.status_code, second.status_code) == (201, 201)
    assert all(("/_history/" in each.headers["Location"]) is server.does.names_versions for each in (first, second))
    places = [place(response.headers["Location"]) for response in (first, second)]
    assert len(set(places)) == 2
    for each in places:
        assert f"Patient/{server.get(each)['id']}" == each


def test_prefer_minimal_gives_no_body(server: Wire) -> None:
    response = server.put(patient(name()), Prefer="return=minimal")
    assert response.status_code == server.does.created_by_put
    assert response.content == b""
    assert server.does.is_version(etag(response), 1)


def test_a_conditional_create_happens_once(server: Wire) -> None:
    identifier = {"system": "https://w3id.org/fhir-keta/example/contract", "value": name()}
    condition = f"identifier={identifier['system']}|{identifier['value']}"
    first = server.send("POST", "Patient", patient(identifier=[identifier]), If_None_Exist=condition)
    again = server.send("POST", "Patient", patient(identifier=[identifier], gender="other"), If_None_Exist=condition)
    assert (first.status_code, again.status_code) == (201, 200)
    assert etag(again) == etag(first)
    assert len(server.found(f"Patient?{condition}")) == 1
    server.send("POST", "Patient", patient(identifier=[identifier]))
    assert server.send("POST", "Patient", patient(), If_None_Exist=condition).status_code == 412


def test_a_conditional_update_finds_its_resource(server: Wire) -> None:
    url = f"https://w3id.org/fhir-keta/contract/{name()}"
    resource = {"resourceType": "Questionnaire", "url": url, "version": "1", "status": "draft"}
    assert server.send("PUT", f"Questionnaire?url={url}", resource).status_code == 201
    assert server.send("PUT", f"Questionnaire?url={url}", {**resource, "status": "active"}).status_code == 200
    found = server.found(f"Questionnaire?url={url}")
    assert [each["status"] for each in found] == ["active"]
    server.put({**resource, "id": name(), "version": "2"})
    refused = server.send("PUT", f"Questionnaire?url={url}", resource)
    assert refused.status_code == 412
    assert said(refused)


def test_a_stale_version_is_not_overwritten(server: Wire) -> None:
    resource = patient(name())
    first = f'W/"{etag(server.put(resource))}"'
    second = server.put({**resource, "gender": "female"}, If_Match=first)
    assert second.status_code == 200
    stale = server.put({**resource, "gender": "male"}, If_Match=first)
    assert stale.status_code == server.does.stale
    assert said(stale)
    there = server.get(f"Patient/{resource['id']}")
    assert (there["gender"], there["meta"]["versionId"]) == ("female", etag(second))
    assert server.does.is_version(etag(second), 2)


def test_what_is_not_there_is_not_found(server: Wire) -> None:
    for path in (f"Patient/{name()}", f"Patient/{name()}/_history/1", "Nonsense/1"):
        response = server.send("GET", path)
        assert response.status_code == 404
        assert said(response)


def test_what_was_deleted_is_gone(server: Wire) -> None:
    resource = patient(name())
    server.put(resource)
    assert server.send("DELETE", f"Patient/{resource['id']}").status_code in (200, 204)
    gone = server.send("GET", f"Patient/{resource['id']}")
    assert gone.status_code == server.does.deleted
    assert said(gone)
    assert server.found(f"Patient?_id={resource['id']}") == []
    restored = server.put(resource)
    assert restored.status_code == server.does.created_by_put
    assert server.does.is_version(etag(restored), 3)


def test_nothing_is_deleted_that_others_refer_to(server: Wire) -> None:
    subject = patient(name())
    server.put(subject)
    server.put(observation(f"Patient/{subject['id']}", name()))
    refused = server.send("DELETE", f"Patient/{subject['id']}")
    if not server.does.checks_references:
        assert refused.status_code == 200
        assert server.send("GET", f"Patient/{subject['id']}").status_code == server.does.deleted
        return
    assert refused.status_code == 409
    assert "Observation/" in said(refused)
    assert server.get(f"Patient/{subject['id']}")["active"] is True


def test_a_dangling_reference_is_refused(server: Wire) -> None:
    missing = f"Patient/{name()}"
    refused = server.put(observation(missing, name()))
    if not server.does.checks_references:
        assert refused.status_code == server.does.created_by_put
        return
    assert refused.status_code == 400
    assert missing in said(refused)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b'{"resourceType": "Patient"',
        b"[]",
        b'{"active": true}',
        b'{"resourceType": "Nonsense"}',
    ],
    ids=["empty", "no JSON", "cut off", "array", "no type", "unknown type"],
)
def test_what_is_no_resource_is_a_bad_request(server: Wire, body: bytes) -> None:
    refused = server.send("POST", "Patient", body)
    assert refused.status_code == 400
    assert said(refused)


def test_the_url_and_the_body_must_agree(server: Wire) -> None:
    identity = name()
    for path, resource in (
        (f"Patient/{identity}", patient(name())),
        (f"Patient/{identity}", patient()),
        (f"Observation/{identity}", patient(identity)),
    ):
        refused = server.send("PUT", path, resource)
        assert refused.status_code == 400
        assert said(refused)


@pytest.mark.parametrize("identity", ["90210", "a_b", "a" * 65])
def test_ids_that_a_client_may_not_give(server: Wire, identity: str) -> None:
    """Digits alone are HAPI's own ids; the others are no FHIR ids."""
    refused = server.put(patient(identity))
    if not server.does.checks_ids:
        assert refused.status_code == server.does.created_by_put
        return
    assert refused.status_code == 400
    assert said(refused)


def test_url_and_version_of_a_code_system_stand_once(server: Wire) -> None:
    url = f"https://w3id.org/fhir-keta/contract/{name()}"
    assert server.put(code_system(name(), url, "1")).status_code == server.does.created_by_put
    refused = server.put(code_system(name(), url, "1"))
    if server.does.code_systems_stand_once:
        assert refused.status_code == 422
        assert url in said(refused)
    assert len(server.found(f"CodeSystem?url={url}")) == (1 if server.does.code_systems_stand_once else 2)
    assert server.put(code_system(name(), url, "2")).status_code == server.does.created_by_put


def test_the_same_questionnaire_may_stand_twice(server: Wire) -> None:
    url = f"https://w3id.org/fhir-keta/contract/{name()}"
    for _ in range(2):
        resource = {"resourceType": "Questionnaire", "id": name(), "url": url, "version": "1", "status": "draft"}
        assert server.put(resource).status_code == server.does.created_by_put
    assert len(server.found(f"Questionnaire?url={url}")) == 2


def test_validate_answers_with_what_it_finds(server: Wire) -> None:
    good = server.send("POST", "Patient/$validate", patient(gender="female"))
    if not server.does.validates:
        assert good.status_code == 404
        assert said(good)
        return
    assert good.status_code == 200
    assert not [each for each in good.json()["issue"] if each["severity"] in ("error", "fatal")]
    incomplete = server.send("POST", "Observation/$validate", {"resourceType": "Observation", "code": {"text": "a"}})
    assert incomplete.status_code == 200
    assert "status" in said(incomplete)
    unknown = patient(meta={"profile": ["https://w3id.org/fhir-keta/contract/unknown"]})
    assert "contract/unknown" in said(server.send("POST", "Patient/$validate", unknown))
