"""A plan keeps to what the server's CapabilityStatement says, type by type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_keta.errors import InputError, ServerError, UsageError
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.plan import Plan, plan
from tests.unit.uploads import PATIENT, about, bundle, code_system, observation, put, record

Resource = dict[str, Any]
Say = Callable[..., None]


@pytest.fixture
def say(client: Client, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Change what the server says of each type, or of itself."""
    statement = client.capabilities()

    def change(of_types: Resource | None = None, of_all: Resource | None = None, **top: Any) -> None:
        rest = statement["rest"][0] | (of_all or {})
        rest["resource"] = [{**each, **(of_types or {})} for each in rest["resource"]]
        changed = {**statement, **top, "rest": [rest]}
        monkeypatch.setattr(Client, "capabilities", lambda _self: changed)

    return change


def codes(*interactions: str) -> Resource:
    return {"interaction": [{"code": code} for code in interactions]}


def told(planned: Plan) -> list[tuple[str, str]]:
    return [(entry.action, entry.reason) for entry in planned.entries]


def conditional(method: str) -> Resource:
    condition = "identifier=http://example.org/ids|7"
    request = {"method": "POST", "url": "Patient", "ifNoneExist": condition}
    put_there = {"method": "PUT", "url": f"Patient?{condition}"}
    return bundle({"resource": {"resourceType": "Patient"}, "request": request if method == "POST" else put_there})


def test_a_server_that_takes_only_creates(client: Client, say: Say) -> None:
    client.update("Patient", "p", b'{"resourceType": "Patient", "id": "p"}')
    say(codes("create", "read", "search-type"))
    sources = [record({**PATIENT, "active": True}), code_system()]
    planned = plan(sources, client, source="here")
    assert {(entry.incoming.type, entry.action, entry.target) for entry in planned.entries} == {
        ("CodeSystem", "create", None),
        ("Patient", "create", None),
    }


def test_a_server_that_takes_only_updates(client: Client, say: Say) -> None:
    say(codes("update", "read", "search-type"))
    assert told(plan([record(PATIENT)], client)) == [("create", "")]
    reason = "the server has no conditional create of Patient: it could end up there twice"
    assert told(plan([record(conditional("POST"))], client)) == [("unsupported", reason)]


@pytest.mark.parametrize("said", [{"updateCreate": False}, codes("create")])
def test_a_server_that_gives_ids_is_found_out(client: Client, say: Say, said: Resource) -> None:
    say(said)
    (entry,) = plan([record({**PATIENT, "identifier": [{"system": "http://x.org", "value": "7"}]})], client).entries
    assert (entry.action, entry.target, entry.unless) == ("create", None, "identifier=http%3A%2F%2Fx.org%7C7")
    reason = "the server gives its own ids to new resources of type Binary"
    binary = {"resourceType": "Binary", "id": "b", "contentType": "text/plain"}
    assert told(plan([record(binary)], client)) == [("unsupported", reason)]


def test_ids_may_be_kept_against_what_the_server_says(client: Client, say: Say) -> None:
    say({"updateCreate": False})
    assert apply(plan([record(PATIENT)], client, ids="own"), client).complete
    assert client.read("Patient", "p") is not None


@pytest.mark.parametrize(
    ("said", "source", "reason"),
    [
        ({"conditionalCreate": False}, "POST", "the server has no conditional create of Patient"),
        ({"conditionalUpdate": False}, "PUT", "the server has no conditional update of Patient"),
    ],
)
def test_conditional_entries_need_a_server_that_has_them(
    client: Client, say: Say, said: Resource, source: str, reason: str
) -> None:
    assert told(plan([record(conditional(source))], client)) == [("create", "")]
    say(said)
    ((action, why),) = told(plan([record(conditional(source))], client))
    assert (action, why.startswith(reason)) == ("unsupported", True)


def test_updates_need_a_server_that_has_them(client: Client, say: Say) -> None:
    client.update("Patient", "p", b'{"resourceType": "Patient", "id": "p"}')
    say(codes("create"))
    person = {**PATIENT, "identifier": [{"system": "http://x.org", "value": "7"}]}
    client.update("Patient", "p", record(person).data)
    assert told(plan([record({**person, "active": True})], client)) == [
        ("unsupported", "the server takes no updates of Patient")
    ]
    assert [entry.action for entry in plan([record(person)], client).entries] == ["unchanged"]


def test_a_server_without_transactions(client: Client, say: Say) -> None:
    say(of_all=codes("batch"))
    singles = plan([record(PATIENT), record({**PATIENT, "id": "q"})], client, batch_size=10)
    assert [group.transaction for group in singles.groups] == [False, False]
    source = bundle(put(PATIENT), put(observation("o", subject=about("Patient", "p"))))
    reason = "it goes in a transaction, and the server takes none"
    assert told(plan([record(source)], client)) == [("unsupported", reason)] * 2
    report = apply(plan([record(source)], client), client)
    assert [(result.status, result.message) for result in report.results] == [("refused", reason)] * 2
    say(of_all={"interaction": []})
    assert plan([record(source)], client).counts() == {"create": 2}


def test_a_server_that_speaks_xml_only(client: Client, say: Say) -> None:
    say(format=["application/fhir+xml"])
    with pytest.raises(ServerError, match=r"takes no JSON, only application/fhir\+xml"):
        plan([record(PATIENT)], client)


# How records are found again


def test_a_record_needs_something_to_be_found_by(client: Client) -> None:
    weak = [{"value": "7"}, {"system": "http://x.org"}, {"system": "http://x.org", "value": "a|b"}]
    old = [{"use": "old", "system": "http://x.org", "value": "7"}]
    for identifiers in ([], weak, old):
        with pytest.raises(InputError, match=r"Patient/p has no identifier .* with --source"):
            plan([record({**PATIENT, "identifier": identifiers})], client, ids="server")


def test_records_that_share_an_identifier_are_not_taken_for_one(client: Client) -> None:
    shared = [{"system": "http://x.org", "value": "4711"}]
    sources = [record({**PATIENT, "id": identity, "identifier": shared}) for identity in ("a", "b")]
    with pytest.raises(InputError, match="Patient/a and Patient/b share their first identifier") as error:
        plan(sources, client, ids="server")
    assert "4711" not in str(error.value)
    assert plan(sources, client, ids="server", source="clinic").counts() == {"create": 2}


def test_the_source_is_a_tag_beside_the_others(client: Client) -> None:
    tagged = {**PATIENT, "meta": {"tag": [{"system": "http://x.org", "code": "t"}]}}
    assert apply(plan([record(tagged)], client, ids="server", source="clinic"), client).complete
    (stored,) = client.search("Patient", {})
    assert stored["meta"]["tag"] == [
        {"system": "http://x.org", "code": "t"},
        {"system": "https://w3id.org/fhir-keta/source", "code": "clinic/p"},
    ]


def test_a_single_identifier_counts_too(client: Client) -> None:
    response = {"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed"}
    source = record({**response, "identifier": {"system": "http://x.org", "value": "7"}})
    assert apply(plan([source], client, ids="server"), client).complete
    assert plan([source], client, ids="server").counts() == {"unchanged": 1}


def test_two_on_the_server_that_match_are_a_conflict(client: Client) -> None:
    person = {"resourceType": "Patient", "identifier": [{"system": "http://x.org", "value": "7"}]}
    for _ in range(2):
        client.create("Patient", record(person).data)
    assert told(plan([record({**person, "id": "p"})], client, ids="server")) == [
        ("conflict", "2 resources on the server match its condition")
    ]


def reading(identity: str, subject: str) -> Resource:
    return observation(
        identity, identifier=[{"system": "http://x.org", "value": identity}], subject=subject_of(subject)
    )


def subject_of(reference: str) -> Resource:
    return {"reference": reference}


def test_references_to_an_earlier_upload_of_the_source_are_followed(client: Client) -> None:
    apply(plan([record(PATIENT)], client, ids="server", source="clinic"), client)
    (stored,) = client.search("Patient", {})
    later = plan([record(reading("o", "Patient/p"))], client, ids="server", source="clinic")
    assert later.moved == {"Patient/p": f"Patient/{stored['id']}"}
    assert apply(later, client).complete
    (found,) = client.search("Observation", {})
    assert found["subject"] == {"reference": f"Patient/{stored['id']}"}
    assert plan([record(reading("o", "Patient/p"))], client, ids="server", source="clinic").counts() == {"unchanged": 1}


def test_ids_of_the_source_that_are_others_on_the_server(client: Client) -> None:
    """The sandbox numbers from 1: Patient/2 of the source becomes Patient/1 there, and the other way round."""
    people = [record({**PATIENT, "id": identity, "birthDate": f"190{identity}"}) for identity in "21"]
    notes = [record(observation(f"o{identity}", subject=about("Patient", identity))) for identity in "21"]
    assert apply(plan([*people, *notes], client, ids="server", source="x"), client).complete
    assert plan([*people, *notes], client, ids="server", source="x").counts() == {"unchanged": 4}
    changed = [record(observation("o1", status="amended", subject=about("Patient", "1")))]
    for sources in ([*people, *changed], changed):
        assert apply(plan(sources, client, ids="server", source="x"), client).complete
        (found,) = [each for each in client.search("Observation", {}) if each["status"] == "amended"]
        subject = client.read("Patient", found["subject"]["reference"].removeprefix("Patient/"))
        assert (subject or {})["birthDate"] == "1901"
        changed = [
            record(observation("o1", status="amended", subject=about("Patient", "1"), issued="2026-11-22T10:00Z"))
        ]


def test_a_reference_to_another_source_is_not_guessed(client: Client) -> None:
    client.update("Patient", "p", record(PATIENT).data)  # the same id, but who knows of whom
    reason = "it refers to Patient/p, which is not in this upload, and not on the server from the same source"
    assert told(plan([record(reading("o", "Patient/p"))], client, ids="server", source="clinic")) == [
        ("unsupported", reason)
    ]


def test_without_a_source_references_are_to_the_servers_own(client: Client) -> None:
    client.update("Patient", "p", record(PATIENT).data)
    sources = [record(reading("a", "Patient/p")), record(reading("b", "Patient/nobody"))]
    planned = plan(sources, client, ids="server")
    assert {entry.incoming.id: entry.action for entry in planned.entries} == {"a": "create", "b": "unsupported"}
    apply(planned, client)
    assert [each["subject"] for each in client.search("Observation", {})] == [{"reference": "Patient/p"}]


def test_what_refers_to_one_of_two_matches_is_not_written(client: Client) -> None:
    person = {"resourceType": "Patient", "identifier": [{"system": "http://x.org", "value": "7"}]}
    for _ in range(2):
        client.create("Patient", record(person).data)
    planned = plan([record({**person, "id": "p"}), record(reading("o", "Patient/p"))], client, ids="server")
    assert [entry.action for entry in planned.entries] == ["conflict", "unsupported"]


def test_a_source_that_is_of_no_use_is_refused(client: Client) -> None:
    with pytest.raises(UsageError, match="--source is of use where the server gives its own ids"):
        plan([record(PATIENT)], client, source="clinic")
