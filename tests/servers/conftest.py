"""The servers of the contract: each test of it runs against the sandbox, a real HAPI and Medplum's router."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_keta.server.sandbox import Sandbox
from tests.servers.behaviour import BEHAVIOURS
from tests.servers.wire import Wire


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
