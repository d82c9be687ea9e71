"""The servers of the contract: each test of it runs against the sandbox, a real HAPI and Medplum's router."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fhir_keta.server.sandbox import Sandbox
from tests.servers.behaviour import BEHAVIOURS
from tests.servers.faults import Faults, FaultServer
from tests.servers.trouble import Time
from tests.servers.wire import Wire

Faulty = Callable[[Faults], FaultServer]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """The base URL of a running sandbox."""
    with Sandbox() as running:
        yield running.url


@pytest.fixture(scope="session", params=["sandbox", "hapi", "medplum"])
def server(request: pytest.FixtureRequest) -> Iterator[Wire]:
    base = request.getfixturevalue(request.param)
    wire = Wire(f"{base}/fhir" if request.param == "medplum" else base, BEHAVIOURS[request.param])
    yield wire
    wire.close()


@pytest.fixture
def behind(sandbox: str) -> Iterator[Wire]:
    """The sandbox itself, past all faults in front of it."""
    wire = Wire(sandbox)
    yield wire
    wire.close()


@pytest.fixture
def faulty(sandbox: str) -> Iterator[Faulty]:
    """Puts faults in front of the sandbox."""
    running = []

    def start(faults: Faults) -> FaultServer:
        running.append(FaultServer(sandbox, faults))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def time() -> Time:
    return Time()
