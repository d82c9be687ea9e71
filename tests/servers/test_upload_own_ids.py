"""Uploads to servers that give new resources their own ids: nothing twice, and references lead to what arrived."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.plan import Ids, Plan, plan
from fhir_keta.server.result import Report
from tests.servers.test_upload_contract import Resource, code_system, observation, patient, put, record, transaction
from tests.servers.wire import Wire, name

SYSTEM = "https://w3id.org/fhir-keta/test/identifier"


@pytest.fixture(params=["sandbox", "hapi", "medplum"])
def way(request: pytest.FixtureRequest) -> Iterator[tuple[Wire, Client, Ids | None]]:
    """A server and what is to be said to the plan: Medplum's own statement tells that it gives the ids."""
    base = request.getfixturevalue(request.param)
    own = request.param == "medplum"
    wire = Wire(f"{base}/own-ids" if own else base)
    with Client(wire.url) as client:
        yield wire, client, None if own else "server"
    wire.close()


@pytest.fixture
def unique() -> str:
    return name("own")


def identified(resource: Resource, value: str) -> Resource:
    return {**resource, "identifier": [{"system": SYSTEM, "value": value}]}


def family(unique: str) -> list[Resource]:
    """A patient, an observation of it, and one that has that as a member: each with an identifier."""
    first = observation(f"{unique}-b", f"Patient/{unique}", hasMember=[{"reference": f"Observation/{unique}-a"}])
    return [
        identified(first, f"{unique}-b"),
        identified(observation(f"{unique}-a", f"Patient/{unique}"), f"{unique}-a"),
        identified(patient(unique), unique),
    ]


def planned(
    way: tuple[Wire, Client, Ids | None], sources: list[Resource], source: str | None = None, batch_size: int = 1
) -> Plan:
    _, client, ids = way
    return plan([record(each) for each in sources], client, ids=ids, source=source, batch_size=batch_size)


def done(report: Report) -> list[tuple[str, str]]:
    assert report.stopped is None
    assert not [each.message for each in report.results if each.message]
    return [(each.entry.incoming.type, each.status) for each in report.results]


@pytest.mark.parametrize("source", [None, "clinic-a"])
@pytest.mark.parametrize("batch_size", [1, 10])
def test_references_follow_and_nothing_arrives_twice(
    way: tuple[Wire, Client, Ids | None], unique: str, source: str | None, batch_size: int
) -> None:
    server, client, _ = way
    sources = family(unique)
    kinds = ["Patient", "Observation", "Observation"]
    first = apply(planned(way, sources, source, batch_size), client)
    assert done(first) == [(kind, "created") for kind in kinds]
    again = apply(planned(way, sources, source, batch_size), client)
    assert done(again) == [(kind, "unchanged") for kind in kinds]
    search = f"identifier={SYSTEM}|"
    (stored,) = server.found(f"Patient?{search}{unique}")
    assert stored["id"] != unique
    members = {
        each["identifier"][0]["value"]: each for each in server.found(f"Observation?subject=Patient/{stored['id']}")
    }
    assert set(members) == {f"{unique}-a", f"{unique}-b"}
    assert members[f"{unique}-b"]["hasMember"] == [{"reference": f"Observation/{members[f'{unique}-a']['id']}"}]


def test_a_changed_record_is_updated_where_it_is(way: tuple[Wire, Client, Ids | None], unique: str) -> None:
    server, client, _ = way
    sources = family(unique)
    apply(planned(way, sources), client)
    sources[0] = {**sources[0], "status": "amended"}
    changed = planned(way, sources)
    assert [entry.action for entry in changed.entries] == ["unchanged", "unchanged", "update"]
    assert [str(each) for each in changed.entries[2].differences] == ["Observation.status"]
    assert done(apply(changed, client))[2] == ("Observation", "updated")
    assert {entry.action for entry in planned(way, sources).entries} == {"unchanged"}
    (stored,) = server.found(f"Patient?identifier={SYSTEM}|{unique}")
    assert len(server.found(f"Observation?subject=Patient/{stored['id']}")) == 2


def test_two_sources_with_the_same_ids_stay_apart(way: tuple[Wire, Client, Ids | None], unique: str) -> None:
    server, client, _ = way
    for source, gender in (("clinic-a", "male"), ("clinic-b", "female")):
        person = patient(unique, gender=gender, identifier=[{"system": SYSTEM, "value": unique}])
        assert done(apply(planned(way, [person], source), client)) == [("Patient", "created")]
    assert {each["gender"] for each in server.found(f"Patient?identifier={SYSTEM}|{unique}")} == {"male", "female"}


def test_a_transaction_keeps_its_references(way: tuple[Wire, Client, Ids | None], unique: str) -> None:
    server, client, ids = way
    placeholder = f"urn:uuid:{uuid.uuid4()}"
    source = transaction(
        put(identified(patient(unique), unique), placeholder),
        put(identified(observation(unique, placeholder), unique)),
        put(identified(observation(f"{unique}-2", f"Patient/{unique}"), f"{unique}-2")),
    )
    first = plan([source], client, ids=ids)
    assert done(apply(first, client)) == [
        ("Patient", "created"),
        ("Observation", "created"),
        ("Observation", "created"),
    ]
    assert {entry.action for entry in plan([source], client, ids=ids).entries} == {"unchanged"}
    (stored,) = server.found(f"Patient?identifier={SYSTEM}|{unique}")
    assert len(server.found(f"Observation?subject=Patient/{stored['id']}")) == 2


def test_records_in_a_circle(way: tuple[Wire, Client, Ids | None], unique: str) -> None:
    _, client, _ = way

    def linked(own: str, other: str) -> Resource:
        link = {"other": {"reference": f"Patient/{unique}-{other}"}, "type": "seealso"}
        return identified(patient(f"{unique}-{own}", link=[link]), f"{unique}-{own}")

    sources = [linked("a", "b"), linked("b", "a")]
    assert done(apply(planned(way, sources), client)) == [("Patient", "created")] * 2
    assert {entry.action for entry in planned(way, sources).entries} == {"unchanged"}


def test_definitions_are_found_by_their_canonical(way: tuple[Wire, Client, Ids | None], unique: str) -> None:
    server, client, ids = way
    system = code_system(unique)
    first = plan([system], client, ids=ids)
    assert (first.entries[0].target, first.entries[0].unless is None) == (None, False)
    assert done(apply(first, client)) == [("CodeSystem", "created")]
    assert done(apply(plan([system], client, ids=ids), client)) == [("CodeSystem", "unchanged")]
    (stored,) = server.found(f"CodeSystem?url={system['url']}")
    assert stored["id"] != unique


def test_a_definition_whose_url_begins_like_anothers_is_stored_too(
    way: tuple[Wire, Client, Ids | None], unique: str
) -> None:
    """Medplum's store in memory answers its conditional create with the other one."""
    wire, client, ids = way
    longer, shorter = code_system(f"{unique}-codes"), code_system(unique)
    assert longer["url"].startswith(shorter["url"])
    for _ in range(2):
        assert done(apply(plan([longer], client, ids=ids), client))[0][1] in ("created", "unchanged")
        report = apply(plan([shorter], client, ids=ids), client)
        assert report.complete
        urls = [each["url"] for each in wire.found(f"CodeSystem?url={shorter['url']}") if each["url"] == shorter["url"]]
        assert urls == [shorter["url"]]
