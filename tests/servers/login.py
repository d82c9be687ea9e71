"""What the tests of logging in have in common: a client with settings as they are given, and a record that arrives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fhir_keta.server.client import Client
from fhir_keta.server.retry import Retry
from fhir_keta.server.settings import resolve
from tests.servers.guarded import Guarded

PATIENT = b'{"resourceType":"Patient","id":"p"}'


def written(path: Path, content: str | bytes) -> Path:
    """``path``, with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def client(server: Guarded, retry: Retry | None = None, **flags: Any) -> Client:
    """A client for the server with these flags (``client_id`` for ``--client-id``)."""
    return resolve(server.url, {name.replace("_", "-"): value for name, value in flags.items()}).client(retry)


def arrives(server: Guarded, **flags: Any) -> None:
    """A patient is written and read."""
    with client(server, **flags) as opened:
        assert opened.update("Patient", "p", PATIENT).status in (200, 201)
        assert opened.read("Patient", "p") is not None
