"""Plan and apply, against a running sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_keta.errors import ServerError
from fhir_keta.records.source import Record
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client, Interrupted, Unavailable
from fhir_keta.server.incoming import parcels
from fhir_keta.server.order import in_dependency_order
from fhir_keta.server.plan import plan
from fhir_keta.server.sandbox import Sandbox
from tests.unit.uploads import (
    PATIENT,
    Resource,
    about,
    actions,
    bundle,
    code_system,
    observation,
    put,
    record,
    statuses,
    stored_version,
    upload,
)

# Definitions


def test_a_plan_writes_nothing(client: Client) -> None:
    planned = plan([code_system(), record(PATIENT)], client)
    assert actions(planned) == {"CodeSystem/levels": "create", "Patient/p": "create"}
    assert client.read("CodeSystem", "levels") is None


def test_a_second_upload_changes_nothing(client: Client) -> None:
    sources = [code_system(), record(PATIENT), record(bundle(put(observation("o", subject=about("Patient", "p")))))]
    assert set(statuses(upload(client, *sources)).values()) == {"created"}
    again = upload(client, *sources)
    assert set(statuses(again).values()) == {"unchanged"}
    assert again.complete
    for kind, identity in (("CodeSystem", "levels"), ("Patient", "p"), ("Observation", "o")):
        assert stored_version(client, kind, identity) == "1"


def test_other_content_under_the_same_canonical_is_a_conflict_until_overwritten(client: Client) -> None:
    upload(client, code_system())
    changed = code_system(title="Changed")
    report = upload(client, changed)
    assert statuses(report) == {"CodeSystem/levels": "conflict"}
    assert not report.complete
    assert "http://example.org/levels|1 with other content: CodeSystem.title" in report.results[0].message
    assert stored_version(client, "CodeSystem", "levels") == "1"
    assert statuses(upload(client, changed, overwrite=True)) == {"CodeSystem/levels": "updated"}
    assert stored_version(client, "CodeSystem", "levels") == "2"
    assert statuses(upload(client, changed)) == {"CodeSystem/levels": "unchanged"}


def test_a_definition_is_found_under_any_id(client: Client) -> None:
    client.create("CodeSystem", json.dumps(code_system()).encode())
    assert actions(plan([code_system()], client)) == {"CodeSystem/levels": "unchanged"}
    report = upload(client, code_system(title="Changed"), overwrite=True)
    assert statuses(report) == {"CodeSystem/levels": "updated"}
    assert client.read("CodeSystem", "levels") is None
    assert (client.read("CodeSystem", "1") or {})["title"] == "Changed"


def test_another_version_is_created_beside_the_first(client: Client) -> None:
    upload(client, code_system())
    assert statuses(upload(client, code_system(version="2"))) == {"CodeSystem/levels": "created"}
    assert (client.read("CodeSystem", "levels") or {})["version"] == "1"
    assert (client.read("CodeSystem", "levels-2") or {})["version"] == "2"
    assert statuses(upload(client, code_system(version="2"))) == {"CodeSystem/levels": "unchanged"}


def test_two_versions_in_one_upload_stand_beside_each_other(client: Client) -> None:
    sources = [code_system(), code_system(version="2")]
    assert [result.status for result in upload(client, *sources).results] == ["created", "created"]
    assert len(list(client.search("CodeSystem", {"url": "http://example.org/levels"}))) == 2
    assert [result.status for result in upload(client, *sources).results] == ["unchanged", "unchanged"]


def test_a_definition_without_an_id_gets_one_from_the_server(client: Client) -> None:
    source = {name: value for name, value in code_system().items() if name != "id"}
    assert [result.status for result in upload(client, source).results] == ["created"]
    assert [result.status for result in upload(client, source).results] == ["unchanged"]


def test_many_definitions_are_found_in_few_searches_and_across_pages(client: Client) -> None:
    many = [code_system(id=f"c{number}", url=f"http://example.org/{number},with-comma") for number in range(250)]
    upload(client, *many)
    assert plan(many, client).counts() == {"unchanged": 250}


# Records


def test_a_changed_record_is_updated(client: Client) -> None:
    upload(client, record(PATIENT))
    report = upload(client, record({**PATIENT, "active": True}))
    assert [(result.status, result.http_status) for result in report.results] == [("updated", 200)]
    assert stored_version(client, "Patient", "p") == "2"


def test_records_arrive_as_the_bytes_read(client: Client) -> None:
    text = '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":6.50}}'
    upload(client, record(text))
    assert str((client.read("Observation", "o") or {})["valueQuantity"]["value"]) == "6.50"
    upload(
        client,
        record(
            text.replace('"o"', '"o2"').join(
                ['{"resourceType":"Bundle","type":"collection","entry":[{"resource":', "}]}"]
            )
        ),
    )
    assert str((client.read("Observation", "o2") or {})["valueQuantity"]["value"]) == "6.50"


def test_referenced_records_go_first_whatever_the_order(client: Client) -> None:
    sources = [record(observation("o", subject=about("Patient", "p"))), record(PATIENT)]
    assert list(statuses(upload(client, *sources)).items()) == [("Patient/p", "created"), ("Observation/o", "created")]


def test_records_in_a_circle_go_together(client: Client) -> None:
    link = {"type": "seealso"}
    sources = [
        record({**PATIENT, "link": [{**link, "other": about("Patient", "q")}]}),
        record({**PATIENT, "id": "q", "link": [{**link, "other": about("Patient", "p")}]}),
        record(observation("o", subject=about("Patient", "p"))),
    ]
    planned = plan(sources, client)
    assert [(len(group.entries), group.transaction) for group in planned.groups] == [(2, True), (1, False)]
    assert apply(planned, client).complete
    assert plan(sources, client).counts() == {"unchanged": 3}


def test_an_update_does_not_undo_what_came_between(client: Client) -> None:
    upload(client, record(PATIENT))
    planned = plan([record({**PATIENT, "active": True})], client)
    upload(client, record({**PATIENT, "gender": "other"}))
    report = apply(planned, client)
    assert [(result.status, result.http_status) for result in report.results] == [("refused", 409)]
    assert "active" not in (client.read("Patient", "p") or {})


# Transactions


def test_a_transaction_sends_only_what_changed(client: Client) -> None:
    patient_url, other_url = (
        "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
        "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0b",
    )
    first = observation("o", subject={"reference": patient_url})
    upload(client, record(bundle(put(PATIENT, patient_url), put(first, other_url))))
    assert (client.read("Observation", "o") or {})["subject"] == about("Patient", "p")
    changed = observation("o", status="amended", subject={"reference": patient_url})
    report = upload(client, record(bundle(put(PATIENT, patient_url), put(changed, other_url))))
    assert statuses(report) == {"Patient/p": "unchanged", "Observation/o": "updated"}
    assert (client.read("Observation", "o") or {})["subject"] == about("Patient", "p")
    assert stored_version(client, "Patient", "p") == "1"


def test_a_refused_transaction_leaves_nothing(client: Client) -> None:
    report = upload(client, record(bundle(put(PATIENT), put(observation("o", subject=about("Patient", "nobody"))))))
    assert statuses(report) == {"Patient/p": "refused", "Observation/o": "refused"}
    assert "Patient/nobody" in report.results[0].message
    assert client.read("Patient", "p") is None


def test_absolute_addresses_inside_a_bundle_become_local(client: Client) -> None:
    url = "http://elsewhere.example/fhir/Patient/p"
    source = record(bundle(put(PATIENT, url), put(observation("o", subject={"reference": url}))))
    assert upload(client, source).complete
    assert (client.read("Observation", "o") or {})["subject"] == about("Patient", "p")
    assert plan([source], client).counts() == {"unchanged": 2}


def test_conditional_creates_and_updates(client: Client) -> None:
    url = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"
    condition = "identifier=http://example.org/ids|7"
    patient = {"resourceType": "Patient", "identifier": [{"system": "http://example.org/ids", "value": "7"}]}
    created = {
        "fullUrl": url,
        "resource": patient,
        "request": {"method": "POST", "url": "Patient", "ifNoneExist": condition},
    }
    source = bundle(created, put(observation("o", subject={"reference": url})))
    assert upload(client, record(source)).complete
    source["entry"][1] = put(observation("o", status="amended", subject={"reference": url}))
    again = upload(client, record(source))
    assert [result.status for result in again.results] == ["unchanged", "updated"]
    replaced = {"resource": {**patient, "active": True}, "request": {"method": "PUT", "url": f"Patient?{condition}"}}
    assert [result.status for result in upload(client, record(bundle(replaced))).results] == ["updated"]
    assert [result.status for result in upload(client, record(bundle(replaced))).results] == ["unchanged"]
    assert len(list(client.search("Patient", {}))) == 1
    client.create("Patient", json.dumps(patient).encode())
    report = upload(client, record(bundle(replaced, put(observation("o2")))))
    assert [result.status for result in report.results] == ["conflict", "skipped"]
    assert client.read("Observation", "o2") is None


def test_what_stands_in_two_bundles_is_sent_once(client: Client) -> None:
    sources = [
        record(bundle(put(PATIENT), put(observation("a", subject=about("Patient", "p"))))),
        record(bundle(put(PATIENT), put(observation("b", subject=about("Patient", "p"))))),
    ]
    assert list(statuses(upload(client, *sources))) == ["Patient/p", "Observation/a", "Observation/b"]


@pytest.mark.parametrize("kind", ["collection", "searchset", "batch"])
def test_other_bundles_are_their_entries(client: Client, kind: str) -> None:
    source = bundle(put(PATIENT), put(observation("o", subject=about("Patient", "nobody"))), kind=kind)
    assert statuses(upload(client, record(source))) == {"Patient/p": "created", "Observation/o": "refused"}


def test_a_document_is_stored_whole(client: Client) -> None:
    assert statuses(upload(client, record({**bundle(kind="document"), "id": "d"}))) == {"Bundle/d": "created"}


# When something is refused


def test_others_go_on_and_dependents_are_skipped(client: Client) -> None:
    sources = [
        record({"resourceType": "Patient", "id": "123"}),
        record(observation("needs-it", subject=about("Patient", "123"))),
        record(observation("needs-that", hasMember=[about("Observation", "needs-it")])),
        record(PATIENT),
    ]
    report = upload(client, *sources)
    assert statuses(report) == {
        "Patient/123": "refused",
        "Observation/needs-it": "skipped",
        "Observation/needs-that": "skipped",
        "Patient/p": "created",
    }
    by_label = {result.entry.incoming.label: result for result in report.results}
    assert "clients may only assign IDs" in by_label["Patient/123"].message
    assert by_label["Observation/needs-that"].message == "needs Observation/needs-it, which is not on the server"
    assert not report.complete


def test_a_conflict_does_not_hold_back_what_uses_the_definition(client: Client) -> None:
    upload(client, code_system())
    value_set = {"resourceType": "ValueSet", "id": "v", "url": "http://example.org/v", "compose": {}}
    value_set["compose"] = {"include": [{"system": "http://example.org/levels"}]}
    report = upload(client, value_set, code_system(title="Changed"))
    assert list(statuses(report).items()) == [("CodeSystem/levels", "conflict"), ("ValueSet/v", "created")]


def test_a_type_that_the_server_does_not_store(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    statement = client.capabilities()
    kept = [each for each in statement["rest"][0]["resource"] if each["type"] != "Flag"]
    statement["rest"][0]["resource"] = kept
    monkeypatch.setattr(Client, "capabilities", lambda _self: statement)
    planned = plan([record({"resourceType": "Flag", "id": "f"}), record(PATIENT)], client)
    assert actions(planned) == {"Flag/f": "unsupported", "Patient/p": "create"}
    report = apply(planned, client)
    assert statuses(report) == {"Flag/f": "refused", "Patient/p": "created"}
    assert report.results[0].message == "the server does not store resources of type Flag"


def test_a_server_that_goes_away_leaves_a_true_report() -> None:
    with Sandbox() as sandbox, Client(sandbox.url, timeout=5) as client:
        upload(client, record(PATIENT))
        planned = plan([record(PATIENT), record(observation("a")), record(observation("b"))], client)
    with Client(sandbox.url, timeout=5) as client:
        report = apply(planned, client)
    assert isinstance(report.stopped, ServerError)
    assert [result.status for result in report.results] == ["unchanged", "not tried", "not tried"]
    assert not report.complete


@pytest.mark.parametrize(
    ("error", "state"),
    [(Interrupted("cut off"), "unknown"), (KeyboardInterrupt(), "unknown"), (Unavailable("busy"), "not tried")],
)
def test_a_run_that_stops_says_what_was_done(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: BaseException, state: str
) -> None:
    sent = Client.update

    def update(self: Client, kind: str, identity: str, *arguments: Any, **options: Any) -> Any:
        if identity == "b":
            raise error
        return sent(self, kind, identity, *arguments, **options)

    monkeypatch.setattr(Client, "update", update)
    report = upload(client, *(record(observation(identity)) for identity in "abc"))
    assert [result.status for result in report.results] == ["created", state, "not tried"]
    assert report.stopped is error
    assert not report.complete


# Order


def test_definitions_go_before_what_stands_on_them() -> None:
    def profile(identity: str, base: str) -> Resource:
        url = f"http://example.org/{identity}"
        return {"resourceType": "StructureDefinition", "id": identity, "url": url, "baseDefinition": base}

    levels = code_system(valueSet="http://example.org/levels-values")
    sources: list[Resource | Record] = [
        record({**PATIENT, "meta": {"profile": ["http://example.org/child"]}}),
        {"resourceType": "ImplementationGuide", "id": "ig", "url": "http://example.org/ig"},
        {"resourceType": "Questionnaire", "id": "q", "url": "http://example.org/q"},
        {"resourceType": "ConceptMap", "id": "m", "url": "http://example.org/m"},
        {"resourceType": "SearchParameter", "id": "s", "url": "http://example.org/s"},
        profile("child", "http://example.org/parent|1"),
        profile("parent", "http://hl7.org/fhir/StructureDefinition/Patient") | {"version": "1"},
        {"resourceType": "ValueSet", "id": "v", "url": "http://example.org/levels-values", "x": levels["url"]},
        levels,
    ]
    ordered = in_dependency_order(parcels(sources))
    assert [each.parcel.items[0].id for each in ordered] == ["levels", "v", "parent", "child", "s", "m", "q", "ig", "p"]
    assert [sorted(each.needs) for each in ordered] == [[], [0], [], [2], [], [], [], [], [3]]


def test_a_long_chain_of_references_is_no_problem() -> None:
    sources = [record(observation(f"o{i}", hasMember=[about("Observation", f"o{i + 1}")])) for i in range(3000)]
    ordered = in_dependency_order(parcels(sources))
    assert [each.parcel.items[0].id for each in ordered[:2]] == ["o2999", "o2998"]
