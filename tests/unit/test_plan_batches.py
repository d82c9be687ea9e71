"""Records in batches: what goes together, what waits for what, and what becomes of a batch that is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import DataObject, booleans, data, integers, lists, sets

from fhir_keta.errors import InputError
from fhir_keta.records.source import Record
from fhir_keta.server.apply import apply
from fhir_keta.server.batches import batches
from fhir_keta.server.client import Client
from fhir_keta.server.plan import Plan, plan
from tests.unit.uploads import PATIENT, about, bundle, code_system, observation, put, record, statuses

Resource = dict[str, Any]


def groups(planned: Plan) -> list[list[str]]:
    return [[entry.incoming.label for entry in group.entries] for group in planned.groups]


def records(*resources: Resource) -> list[Resource | Record]:
    return [record(each) for each in resources]


@settings(max_examples=200, deadline=None)
@given(data())
def test_any_graph_falls_into_batches(drawn: DataObject) -> None:
    """Every place once, after what it needs; no batch too large, none with two that need one another in any way."""
    count = drawn.draw(integers(0, 30))
    needs = [frozenset(drawn.draw(sets(integers(0, place - 1), max_size=3)) if place else ()) for place in range(count)]
    joinable = drawn.draw(lists(booleans(), min_size=count, max_size=count))
    size = drawn.draw(integers(1, 5))
    found = batches(needs, [0] * count, joinable, size)
    assert sorted(place for batch in found for place in batch.members) == list(range(count))
    reached: dict[int, set[int]] = {}
    for place in range(count):
        reached[place] = set(needs[place]).union(*(reached[each] for each in needs[place]))
    where = {place: number for number, batch in enumerate(found) for place in batch.members}
    for number, batch in enumerate(found):
        assert len(batch.members) <= size
        assert len(batch.members) == 1 or all(joinable[place] for place in batch.members)
        assert not any(reached[place] & set(batch.members) for place in batch.members)
        assert batch.needs == {where[each] for place in batch.members for each in needs[place]}
        assert all(each < number for each in batch.needs)


def test_definitions_go_singly_and_first(client: Client) -> None:
    patients = [{**PATIENT, "id": f"p{number}"} for number in range(5)]
    reading = [observation(f"o{number}", subject=about("Patient", f"p{number}")) for number in range(3)]
    planned = plan([*records(*reading, *patients), code_system()], client, batch_size=2)
    assert groups(planned) == [
        ["CodeSystem/levels"],
        ["Patient/p0", "Patient/p1"],
        ["Patient/p2", "Patient/p3"],
        ["Patient/p4"],
        ["Observation/o0", "Observation/o1"],
        ["Observation/o2"],
    ]
    assert [sorted(group.needs) for group in planned.groups] == [[], [], [], [], [1], [2]]
    assert [group.splittable for group in planned.groups] == [False, True, True, False, True, False]
    assert apply(planned, client).complete
    assert plan(records(*reading, *patients), client, batch_size=2).counts() == {"unchanged": 8}


def test_only_what_is_to_be_written_takes_room(client: Client) -> None:
    patients = [{**PATIENT, "id": f"p{number}"} for number in range(6)]
    apply(plan(records(*patients[:3]), client, batch_size=10), client)
    changed = [{**patients[0], "active": True}, *patients[1:]]
    planned = plan(records(*changed), client, batch_size=10)
    written = [group for group in planned.groups if group.transaction]
    assert [[(entry.incoming.id, entry.action) for entry in group.entries] for group in written] == [
        [("p0", "update"), ("p3", "create"), ("p4", "create"), ("p5", "create")]
    ]
    assert apply(planned, client).counts() == {"updated": 1, "unchanged": 2, "created": 3}


def test_transactions_of_the_source_stay_as_they_are(client: Client) -> None:
    source = bundle(put(PATIENT), put(observation("o", subject=about("Patient", "p"))))
    planned = plan([record(source), *records({**PATIENT, "id": "q"}, {**PATIENT, "id": "r"})], client, batch_size=10)
    assert sorted(groups(planned)) == [["Patient/p", "Observation/o"], ["Patient/q", "Patient/r"]]
    assert {tuple(each): group.splittable for each, group in zip(groups(planned), planned.groups, strict=True)} == {
        ("Patient/p", "Observation/o"): False,
        ("Patient/q", "Patient/r"): True,
    }


def test_a_refused_batch_goes_record_by_record(client: Client) -> None:
    sources = records(PATIENT, {**PATIENT, "id": "123"}, {**PATIENT, "id": "q"})
    report = apply(plan(sources, client, batch_size=10), client)
    assert statuses(report) == {"Patient/p": "created", "Patient/123": "refused", "Patient/q": "created"}
    assert [each.message for each in report.results if "clients may only assign IDs" in each.message]


def test_records_in_a_batch_arrive_as_the_bytes_read(client: Client) -> None:
    text = '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":6.50}}'
    apply(plan([record(text), record(text.replace('"o"', '"o2"'))], client, batch_size=2), client)
    for identity in ("o", "o2"):
        assert str((client.read("Observation", identity) or {})["valueQuantity"]["value"]) == "6.50"


# Never two entries of one identity


def conditional(method: str, value: str = "7", **more: Any) -> Resource:
    condition = f"identifier=http://example.org/ids|{value}"
    resource = {"resourceType": "Patient", "identifier": [{"system": "http://example.org/ids", "value": value}], **more}
    if method == "POST":
        return {"resource": resource, "request": {"method": "POST", "url": "Patient", "ifNoneExist": condition}}
    return {"resource": resource, "request": {"method": "PUT", "url": f"Patient?{condition}"}}


@pytest.mark.parametrize(
    "sources",
    [
        [bundle(conditional("POST"), conditional("POST"))],
        [bundle(conditional("PUT"), conditional("PUT"))],
        [bundle(conditional("PUT")), bundle(conditional("PUT", active=True))],
        [bundle(conditional("POST"), conditional("PUT"))],
    ],
)
def test_one_condition_in_two_entries_is_refused(client: Client, sources: list[Resource]) -> None:
    with pytest.raises(InputError, match=r"Bundle.entry\[0\] and .* one and the same Patient on the server") as error:
        plan(records(*sources), client)
    assert "ids|7" not in str(error.value)


def test_a_condition_that_finds_what_another_entry_puts_is_refused(client: Client) -> None:
    there = {**PATIENT, "identifier": [{"system": "http://example.org/ids", "value": "7"}]}
    client.update("Patient", "p", json.dumps(there).encode())
    sources = [bundle(conditional("PUT", active=True)), {**there, "gender": "other"}]
    with pytest.raises(InputError, match="one and the same Patient on the server"):
        plan(records(*sources), client)


def test_two_transactions_may_create_the_same_if_it_is_not_there(client: Client) -> None:
    sources = [bundle(conditional("POST"), put(observation("a"))), bundle(conditional("POST"), put(observation("b")))]
    report = apply(plan(records(*sources), client), client)
    assert sorted(result.status for result in report.results) == ["created", "created", "created", "unchanged"]
    assert len(list(client.search("Patient", {}))) == 1


def test_many_conditions_are_asked_for_in_few_searches(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    searched = []
    ask = Client.search

    def search(self: Client, kind: str, parameters: Any) -> Any:
        searched.append(kind)
        return ask(self, kind, parameters)

    sources = records(*(bundle(conditional("POST", str(number))) for number in range(60)))
    apply(plan(sources, client), client)
    monkeypatch.setattr(Client, "search", search)
    assert plan(sources, client).counts() == {"unchanged": 60}
    assert len(searched) < 5
