"""Fixtures of all tests: the real parts, started once a session and only when a test asks for them.

Where Java, Maven or Node.js is missing, tests that need it are skipped with one line that says what to install; with
FHIR_KETA_REQUIRE=all they fail instead. A developer can let an already running process be used: FHIR_KETA_ORACLE_PORT
(python -m tests.oracle.oracle --serve PORT), FHIR_KETA_HAPI_URL (python -m tests.servers.hapi) and
FHIR_KETA_MEDPLUM_URL (python -m tests.servers.medplum).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator

import pytest

from fhir_keta.server.client import Client
from fhir_keta.server.sandbox import Sandbox
from tests import java, node
from tests.oracle.oracle import Oracle
from tests.servers.hapi import Hapi
from tests.servers.medplum import Medplum

# A shell that runs this in the background has it ignore Ctrl-C, and so would every command that a test interrupts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def require(missing: str | None) -> None:
    """Skip the test, or fail it where everything is required, when a tool is missing."""
    if missing is not None:
        if os.environ.get("FHIR_KETA_REQUIRE") == "all":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Places all skips for a missing tool here, so that the summary has one line for them."""
    report = yield
    if (
        report.skipped
        and isinstance(report.longrepr, tuple)
        and any(remedy in report.longrepr[2] for remedy in (java.REMEDY, node.REMEDY))
    ):
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """HL7's own validator with our definitions."""
    if "FHIR_KETA_ORACLE_PORT" not in os.environ:
        require(java.missing())
    with Oracle() as running:
        yield running


@pytest.fixture(scope="session")
def hapi() -> Iterator[str]:
    """The base URL of a real HAPI server."""
    url = os.environ.get("FHIR_KETA_HAPI_URL")
    if url:
        yield url.rstrip("/")
        return
    require(java.missing())
    with Hapi() as running:
        yield running.url


@pytest.fixture(scope="session")
def medplum() -> Iterator[str]:
    """Where Medplum's router listens, with its three servers ``/fhir``, ``/own-ids`` and ``/without-transactions``."""
    url = os.environ.get("FHIR_KETA_MEDPLUM_URL")
    if url:
        yield url.rstrip("/")
        return
    require(node.missing())
    with Medplum() as running:
        yield running.url


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty server of its own for each test."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """What speaks to the sandbox of the test."""
    with Client(sandbox.url, timeout=10) as opened:
        yield opened
