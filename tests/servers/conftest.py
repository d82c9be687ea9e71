"""The servers of the contract: each test of it runs against the sandbox and against a real HAPI server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_keta.server.sandbox import Sandbox
from tests.servers.wire import Wire


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """The base URL of a running sandbox."""
    with Sandbox() as running:
        yield running.url


@pytest.fixture(scope="session", params=["sandbox", "hapi"])
def server(request: pytest.FixtureRequest) -> Iterator[Wire]:
    wire = Wire(request.getfixturevalue(request.param))
    yield wire
    wire.close()
