"""Many writes in four threads while every other request fails in some way: none is lost, none happens twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from fhir_keta.server.client import Client, Interrupted
from tests.servers.faults import FaultServer, seeded
from tests.servers.trouble import Time, body, identified, puts, retrying, versions
from tests.servers.wire import Resource, Wire, name, patient

EACH = 16
FOR_EVER = 1e9


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["sandbox", "hapi"])
def test_whatever_happens_nothing_is_lost_and_nothing_twice(
    request: pytest.FixtureRequest, kind: str, seed: int
) -> None:
    """Updates, updates of a known version, conditional creates and transactions; counted past the faults, at the end.

    A create of unknown outcome is what its caller runs again: here at once.
    """
    url = request.getfixturevalue(kind)
    behind = Wire(url)
    updated = [patient(name()) for _ in range(EACH)]
    created = [identified() for _ in range(EACH)]
    together = [[patient(name()) for _ in range(4)] for _ in range(EACH // 4)]
    with (
        FaultServer(url, seeded(seed, 0.5)) as server,
        retrying(server, Time(), FOR_EVER) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        tasks = [pool.submit(_update_twice, client, resource) for resource in updated]
        tasks += [pool.submit(_create, client, *each) for each in created]
        tasks += [pool.submit(_transaction, client, resources) for resources in together]
        for task in tasks:
            task.result()
        failed = [asked for asked in server.asked if asked.fault is not None]
    assert [versions(behind, resource) for resource in updated] == [2] * EACH
    assert [len(behind.found(f"Patient?{search}")) for _, search in created] == [1] * EACH
    assert [versions(behind, resource) for resources in together for resource in resources] == [1] * EACH
    assert len(failed) > EACH
    behind.close()


def _update_twice(client: Client, resource: Resource) -> None:
    first = client.update("Patient", resource["id"], body(resource))
    second = client.update("Patient", resource["id"], body({**resource, "gender": "other"}), version=first.version)
    assert (first.version, second.version) == ("1", "2")


def _create(client: Client, resource: Resource, search: str) -> None:
    while True:
        try:
            client.create("Patient", body(resource), unless=search)
        except Interrupted:
            continue
        return


def _transaction(client: Client, resources: list[Resource]) -> None:
    tries = client.retry.tries()
    while resources:
        answer = client.transaction(puts(*resources), idempotent=True)
        states = [each["response"]["status"][:3] for each in answer.entries]
        resources = [each for each, state in zip(resources, states, strict=True) if state == "429"]
        assert not resources or tries.again(answer.retry_after)
