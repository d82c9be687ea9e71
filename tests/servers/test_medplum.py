"""Medplum's router as the tests need it: what its three servers do differently, and what it does with Prefer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.plan import plan
from tests.servers.test_upload_contract import record
from tests.servers.wire import Resource, Wire, entry, name, patient, place, said, transaction

Opened = Callable[[str], Wire]


@pytest.fixture
def opened(medplum: str) -> Iterator[Opened]:
    wires: list[Wire] = []

    def made(base: str) -> Wire:
        wires.append(Wire(f"{medplum}/{base}"))
        return wires[-1]

    yield made
    for each in wires:
        each.close()


def test_own_ids_are_the_servers(opened: Opened) -> None:
    """As Medplum to all but administrators: its issue 5032, and ``updateCreate`` false in its CapabilityStatement."""
    server, wanted = opened("own-ids"), name()
    types = {each["type"]: each for each in server.get("metadata")["rest"][0]["resource"]}
    assert types["Patient"]["updateCreate"] is False
    refused = server.put(patient(wanted))
    assert (refused.status_code, said(refused)) == (404, "Not found")
    created = server.send("POST", "Patient", patient(wanted))
    assert created.status_code == 201
    given = place(created.headers["Location"])
    assert given != f"Patient/{wanted}"
    assert server.put({**patient(given.removeprefix("Patient/")), "gender": "other"}).status_code == 200
    assert server.get(given)["gender"] == "other"
    answer = server.send("POST", "", transaction(entry("PUT", f"Patient/{wanted}", patient(wanted))))
    assert (answer.status_code, said(answer)) == (404, "Not found")


def test_stores_are_apart(opened: Opened) -> None:
    resource = patient(name())
    opened("fhir").put(resource)
    assert opened("without-transactions").send("GET", f"Patient/{resource['id']}").status_code == 404


def test_a_transaction_is_carried_out_as_a_batch_where_it_is_not_switched_on(opened: Opened) -> None:
    first, second = patient(name()), patient(name())
    entries = (
        entry("PUT", f"Patient/{first['id']}", first),
        entry("PUT", f"Patient/{second['id']}", second, ifMatch='W/"stale"'),
    )
    answer = opened("without-transactions").send("POST", "", transaction(*entries))
    assert (answer.status_code, answer.json()["type"]) == (200, "transaction-response")
    assert [each["response"]["status"] for each in answer.json()["entry"]] == ["200", "404"]
    assert opened("fhir").send("POST", "", transaction(*entries)).status_code == 404


def test_minimal_leaves_out_every_body(opened: Opened) -> None:
    """So a loader that asks for it does not learn what became of a transaction, nor why something was refused."""
    server = opened("fhir")
    identity = name()
    bundle = transaction(entry("PUT", f"Patient/{identity}", patient(identity)))
    refused = server.put(patient(name()), If_Match='W/"stale"', Prefer="return=minimal")
    assert (refused.status_code, refused.content) == (404, b"")
    answer = server.send("POST", "", bundle, Prefer="return=minimal")
    assert (answer.status_code, answer.content) == (200, b"")
    assert server.send("POST", "", bundle, Prefer="return=OperationOutcome").json()["type"] == "transaction-response"


def test_a_batch_that_is_too_large_for_the_server_goes_one_by_one(opened: Opened) -> None:
    """More than 50 records under their own ids are."""
    server, unique = opened("fhir"), name()
    people = [patient(f"{unique}-{number}") for number in range(51)]
    whole = transaction(*(entry("PUT", f"Patient/{each['id']}", each) for each in people))
    refused = server.send("POST", "", whole)
    assert (refused.status_code, said(refused)) == (400, "Transaction contains more update operations than allowed")
    assert sent(server, people, batch_size=51) == {"alone": 51}
    assert server.get(f"Patient/{unique}-50")["active"] is True
    assert sent(server, [{**each, "gender": "other"} for each in people[:50]], batch_size=50) == {"together": 50}


def test_where_the_server_gives_the_ids_more_than_eight_are_too_many(opened: Opened) -> None:
    """They are created conditionally, which it does in isolation."""
    server, unique = opened("own-ids"), name()
    people = [patient(f"{unique}-{number}") for number in range(17)]
    posts = [entry("POST", "Patient", each, ifNoneExist=f"_tag=x|{each['id']}") for each in people[:9]]
    refused = server.send("POST", "", transaction(*posts))
    assert (refused.status_code, said(refused)) == (
        400,
        "Transaction requires strict isolation but has too many entries",
    )
    assert sent(server, people[:9], batch_size=9, source=unique) == {"alone": 9}
    assert sent(server, people[9:], batch_size=8, source=unique) == {"together": 8}


def sent(server: Wire, people: Sequence[Resource], **options: Any) -> Counter[str]:
    """How many were sent together, and how many alone, when all arrived."""
    with Client(server.url) as client:
        report = apply(plan([record(each) for each in people], client, **options), client)
    assert report.complete
    return Counter("together" if result.url == server.url else "alone" for result in report.results)
