"""Plan and apply against every server: the same plan, the same report, and nothing written twice."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_keta.records.source import Place, Record
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.plan import plan
from fhir_keta.server.read_back import read_back
from fhir_keta.server.result import Report
from tests.servers.wire import Wire, name

Resource = dict[str, Any]


@pytest.fixture
def client(server: Wire) -> Iterator[Client]:
    with Client(server.url) as opened:
        yield opened


@pytest.fixture
def unique() -> str:
    return name("upload")


def definition(kind: str, identity: str, /, **more: Any) -> Resource:
    base = {
        "resourceType": kind,
        "id": identity,
        "url": f"https://w3id.org/fhir-keta/test/{kind}/{identity}",
        "version": "1",
    }
    texts = {"name": "Test", "status": "active", "experimental": True, "text": narrative("generated")}
    return {**base, **texts, **more}


def narrative(status: str) -> Resource:
    return {"status": status, "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Test</p></div>'}


def code_system(identity: str, **more: Any) -> Resource:
    concepts = [{"code": "low", "display": "Low"}, {"code": "high", "display": "High"}]
    return definition("CodeSystem", identity, content="complete", caseSensitive=True, concept=concepts, **more)


def definitions(identity: str) -> list[Resource]:
    """One of each kind that this project has, with what servers like to touch: compose, contained, decimals."""
    system = code_system(identity)
    include = {"system": system["url"], "version": "1", "concept": [{"code": "low"}]}
    element = {"id": "Patient.active", "path": "Patient.active", "min": 1}
    option = {"valueCoding": {"system": system["url"], "code": "low"}, "initialSelected": True}
    score = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 2}
    option["extension"] = [score]
    contained = {"resourceType": "ValueSet", "id": "inner", "status": "active", "compose": {"include": [include]}}
    return [
        definition("ImplementationGuide", identity, fhirVersion=["4.0.1"], packageId="test", definition={
            "resource": [{"reference": {"reference": f"CodeSystem/{identity}"}, "exampleBoolean": False}]}),
        definition("Questionnaire", identity, subjectType=["Patient"], contained=[contained], item=[
            {"linkId": "1", "type": "choice", "text": "One", "answerOption": [option]},
            {"linkId": "2", "type": "choice", "text": "Two", "answerValueSet": "#inner"}]),
        definition("ConceptMap", identity, sourceUri=system["url"], group=[{
            "source": system["url"], "target": "http://snomed.info/sct",
            "element": [{"code": "low", "target": [{"code": "62482003", "equivalence": "equivalent"}]}]}]),
        definition("SearchParameter", identity, description="Test", code="birthdate", base=["Patient"], type="date",
                   expression="Patient.birthDate"),
        definition("StructureDefinition", identity, kind="resource", abstract=False, type="Patient",
                   baseDefinition="http://hl7.org/fhir/StructureDefinition/Patient", derivation="constraint",
                   fhirVersion="4.0.1", differential={"element": [{"id": "Patient", "path": "Patient"}, element]}),
        definition("ValueSet", identity, compose={"include": [include]}),
        system,
    ]  # fmt: skip


def patient(identity: str, **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": identity, **more}


def observation(identity: str, subject: str, **more: Any) -> Resource:
    code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
    content = {"status": "final", "code": code, "subject": {"reference": subject}, **more}
    return {"resourceType": "Observation", "id": identity, **content}


def put(resource: Resource, full_url: str | None = None) -> Resource:
    request = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    return {"fullUrl": full_url or f"urn:uuid:{uuid.uuid4()}", "resource": resource, "request": request}


def transaction(*entries: Resource) -> Record:
    return record({"resourceType": "Bundle", "type": "transaction", "entry": list(entries)})


def record(resource: Resource | str) -> Record:
    text = resource if isinstance(resource, str) else json.dumps(resource)
    return Record(text.encode(), Place("test.json"))


def upload(client: Client, *sources: Resource | Record, overwrite: bool = False) -> Report:
    return apply(plan(sources, client, overwrite=overwrite), client)


def statuses(report: Report) -> list[str]:
    assert report.stopped is None
    return [result.status for result in report.results]


def version(server: Wire, kind: str, identity: str) -> str:
    return str(server.get(f"{kind}/{identity}")["meta"]["versionId"])


def versions(server: Wire, resources: list[Resource], number: int) -> list[str]:
    """The versions that the server has; each can be the ``number``-th, as it may name them."""
    found = [version(server, each["resourceType"], each["id"]) for each in resources]
    assert all(server.does.is_version(each, number) for each in found), found
    return found


def test_definitions_arrive_in_order_and_once(server: Wire, client: Client, unique: str) -> None:
    sources = definitions(unique)
    report = upload(client, *sources)
    assert [(each.entry.incoming.type, each.status) for each in report.results] == [
        (kind, "created")
        for kind in (
            "CodeSystem",
            "ValueSet",
            "StructureDefinition",
            "SearchParameter",
            "ConceptMap",
            "Questionnaire",
            "ImplementationGuide",
        )
    ], [each.message for each in report.results]
    created = versions(server, sources, 1)
    assert set(statuses(upload(client, *sources))) == {"unchanged"}
    assert versions(server, sources, 1) == created


def test_what_was_written_is_read_back_as_it_was_sent(server: Wire, client: Client, unique: str) -> None:
    placeholder = f"urn:uuid:{uuid.uuid4()}"
    records = transaction(put(patient(unique), placeholder), put(observation(unique, placeholder)))
    planned = plan([*definitions(unique), records], client)
    report = read_back(planned, apply(planned, client, workers=4), client)
    assert {(each.status, each.message) for each in report.results} == {("created", "")}
    assert report.complete


def test_every_real_difference_is_a_conflict(server: Wire, client: Client, unique: str) -> None:
    sources = definitions(unique)
    upload(client, *sources)
    created = versions(server, sources, 1)
    changed = [
        {**each, "copyright" if each["resourceType"] != "SearchParameter" else "purpose": "x"} for each in sources
    ]
    assert set(statuses(upload(client, *changed))) == {"conflict"}
    assert versions(server, sources, 1) == created
    assert set(statuses(upload(client, *changed, overwrite=True))) == {"updated"}
    updated = versions(server, sources, 2)
    assert not set(updated) & set(created)
    assert set(statuses(upload(client, *changed))) == {"unchanged"}
    assert versions(server, sources, 2) == updated


def test_another_version_is_put_beside(server: Wire, client: Client, unique: str) -> None:
    upload(client, code_system(unique))
    assert statuses(upload(client, code_system(unique, version="2"))) == ["created"]
    assert server.get(f"CodeSystem/{unique}")["version"] == "1"
    assert server.get(f"CodeSystem/{unique}-2")["version"] == "2"
    assert statuses(upload(client, code_system(unique), code_system(unique, version="2"))) == ["unchanged"] * 2


def test_a_definition_is_found_where_the_server_put_it(server: Wire, client: Client, unique: str) -> None:
    assigned = server.send("POST", "CodeSystem", code_system(unique)).json()["id"]
    assert statuses(upload(client, code_system(unique))) == ["unchanged"]
    assert statuses(upload(client, code_system(unique, title="Changed"), overwrite=True)) == ["updated"]
    assert server.get(f"CodeSystem/{assigned}")["title"] == "Changed"
    without_id = {key: value for key, value in code_system(f"{unique}-free").items() if key != "id"}
    assert statuses(upload(client, without_id)) == ["created"]
    assert statuses(upload(client, without_id)) == ["unchanged"]


def test_records_are_updated_by_their_id(server: Wire, client: Client, unique: str) -> None:
    first = patient(
        unique, meta={"tag": [{"system": "http://example.org/t", "code": "t"}]}, text=narrative("additional")
    )
    assert statuses(upload(client, record(first))) == ["created"]
    assert statuses(upload(client, record(first))) == ["unchanged"]
    assert statuses(upload(client, record({**first, "gender": "other"}))) == ["updated"]
    updated = versions(server, [first], 2)
    without_tag = {key: value for key, value in first.items() if key != "meta"}
    assert statuses(upload(client, record({**without_tag, "gender": "other"}))) == ["unchanged"]
    assert versions(server, [first], 2) == updated


def test_decimals_keep_their_digits(server: Wire, client: Client, unique: str) -> None:
    text = json.dumps(observation(unique, f"Patient/{unique}", valueQuantity={"value": "DIGITS"}))
    upload(client, record(patient(unique)), record(text.replace('"DIGITS"', "6.50")))
    stored = server.send("GET", f"Observation/{unique}").text.replace(" ", "")
    assert ('"value":6.50' if server.does.keeps_digits else '"value":6.5}') in stored


def test_what_came_between_plan_and_apply_is_not_undone(server: Wire, client: Client, unique: str) -> None:
    upload(client, record(patient(unique)))
    planned = plan([record(patient(unique, active=True))], client)
    upload(client, record(patient(unique, gender="other")))
    report = apply(planned, client)
    assert [(each.status, each.http_status) for each in report.results] == [("refused", server.does.stale)]
    assert report.results[0].message
    assert "active" not in server.get(f"Patient/{unique}")
    upload(client, record(patient(f"{unique}-b")), record(observation(unique, f"Patient/{unique}")))
    planned = plan([transaction(put(patient(unique, active=True)), put(patient(f"{unique}-b", active=True)))], client)
    upload(client, record(patient(unique, gender="male")))
    assert statuses(apply(planned, client)) == ["refused", "refused"]
    assert "active" not in server.get(f"Patient/{unique}-b")


def test_a_transaction_sends_what_changed(server: Wire, client: Client, unique: str) -> None:
    placeholder = f"urn:uuid:{uuid.uuid4()}"
    first = transaction(put(patient(unique), placeholder), put(observation(unique, placeholder)))
    assert statuses(upload(client, first)) == ["created", "created"]
    patients = [{"resourceType": "Patient", "id": unique}]
    created = versions(server, patients, 1)
    assert statuses(upload(client, first)) == ["unchanged", "unchanged"]
    changed = transaction(
        put(patient(unique), placeholder), put(observation(unique, placeholder, issued="2026-11-22T10:00:00Z"))
    )
    assert statuses(upload(client, changed)) == ["unchanged", "updated"]
    assert statuses(upload(client, changed)) == ["unchanged", "unchanged"]
    assert server.get(f"Observation/{unique}")["subject"] == {"reference": f"Patient/{unique}"}
    assert versions(server, patients, 1) == created
    assert server.does.is_version(version(server, "Observation", unique), 2)


def test_absolute_addresses_inside_a_bundle(server: Wire, client: Client, unique: str) -> None:
    url = f"https://elsewhere.example/fhir/Patient/{unique}"
    source = transaction(put(patient(unique), url), put(observation(unique, url)))
    assert statuses(upload(client, source)) == ["created", "created"]
    assert server.get(f"Observation/{unique}")["subject"] == {"reference": f"Patient/{unique}"}
    assert statuses(upload(client, source)) == ["unchanged", "unchanged"]


def test_conditional_entries(server: Wire, client: Client, unique: str) -> None:
    system, placeholder = "https://w3id.org/fhir-keta/test/identifier", f"urn:uuid:{uuid.uuid4()}"
    person = {"resourceType": "Patient", "identifier": [{"system": system, "value": unique}]}
    condition = f"identifier={system}|{unique}"
    create = {"fullUrl": placeholder, "resource": person}
    create["request"] = {"method": "POST", "url": "Patient", "ifNoneExist": condition}
    assert statuses(upload(client, transaction(create, put(observation(unique, placeholder))))) == ["created"] * 2
    again = transaction(create, put(observation(unique, placeholder, issued="2026-11-22T10:00:00Z")))
    assert statuses(upload(client, again)) == ["unchanged", "updated"]
    assert statuses(upload(client, again)) == ["unchanged", "unchanged"]
    update = {"resource": {**person, "active": True}, "request": {"method": "PUT", "url": f"Patient?{condition}"}}
    assert statuses(upload(client, transaction(update))) == ["updated"]
    assert statuses(upload(client, transaction(update))) == ["unchanged"]
    assert len(server.found(f"Patient?identifier={system}|{unique}")) == 1


def test_records_in_a_circle(server: Wire, client: Client, unique: str) -> None:
    def linked(own: str, other: str) -> Record:
        link = {"other": {"reference": f"Patient/{unique}-{other}"}, "type": "seealso"}
        return record(patient(f"{unique}-{own}", link=[link]))

    assert statuses(upload(client, linked("a", "b"), linked("b", "a"))) == ["created", "created"]
    assert statuses(upload(client, linked("a", "b"), linked("b", "a"))) == ["unchanged", "unchanged"]


def test_a_refusal_in_the_words_of_the_server(server: Wire, client: Client, unique: str) -> None:
    number = str(uuid.uuid4().int)[:18]
    report = upload(
        client,
        record(patient(number)),
        record(observation(unique, f"Patient/{number}")),
        record(patient(unique)),
        record(observation(f"{unique}-dangling", f"Patient/{unique}-nobody")),
    )
    by_label = {each.entry.incoming.label: each for each in report.results}
    assert by_label[f"Patient/{unique}"].status == "created"
    if server.does.checks_ids:
        assert by_label[f"Patient/{number}"].status == "refused"
        assert "clients may only assign IDs" in by_label[f"Patient/{number}"].message
        assert by_label[f"Observation/{unique}"].status == "skipped"
    else:
        assert by_label[f"Patient/{number}"].status == by_label[f"Observation/{unique}"].status == "created"
    if server.does.checks_references:
        assert by_label[f"Observation/{unique}-dangling"].status == "refused"
        assert f"Patient/{unique}-nobody" in by_label[f"Observation/{unique}-dangling"].message
    else:
        assert by_label[f"Observation/{unique}-dangling"].status == "created"


def test_a_refused_transaction_leaves_nothing(server: Wire, client: Client, unique: str) -> None:
    upload(client, record(patient(f"{unique}-b")))
    sources = [transaction(put(patient(unique)), put(patient(f"{unique}-b", active=True)))]
    planned = plan(sources, client)
    upload(client, record(patient(f"{unique}-b", gender="other")))
    report = apply(planned, client)
    # what a server left behind in spite of that is told, and found by the next upload
    assert statuses(report) == ["refused" if server.does.undoes else "created", "refused"]
    assert report.results[1].http_status == server.does.stale
    assert (server.send("GET", f"Patient/{unique}").status_code == 404) is server.does.undoes
    assert "active" not in server.get(f"Patient/{unique}-b")
    assert statuses(upload(client, *sources)) == ["created" if server.does.undoes else "unchanged", "updated"]


def test_a_transaction_that_refers_to_nothing(server: Wire, client: Client, unique: str) -> None:
    report = upload(client, transaction(put(patient(unique)), put(observation(unique, f"Patient/{unique}-nobody"))))
    taken = not server.does.checks_references
    assert statuses(report) == (["created", "created"] if taken else ["refused", "refused"])
    assert (server.send("GET", f"Patient/{unique}").status_code == 200) is taken
