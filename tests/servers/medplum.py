"""Medplum's FHIR router with its store in memory, from npm: a server that differs from HAPI.

    python -m tests.servers.medplum 8903        keep one running until interrupted
    FHIR_KETA_MEDPLUM_URL=http://127.0.0.1:8903 pytest tests/servers        use it

One process has three servers, each with a store of its own: ``/fhir`` lets a client name the ids, as Medplum lets its
administrators; ``/own-ids`` gives its own, as to everyone else; ``/without-transactions`` takes a transaction for a
batch, as Medplum does for projects that have not switched transactions on.
"""

from __future__ import annotations

from pathlib import Path

from tests import child, node

PROJECT = Path(__file__).parent / "medplum"
LOG = node.CACHE / "medplum.log"
START_SECONDS = 120


class Medplum(child.Server):
    """The server as a child process; ``url`` is where it listens. Raises NodeError or NotStarted if it does not come
    up."""

    def __init__(self, port: int = 0) -> None:
        folder = node.install(PROJECT)
        # Medplum asks for Node 22; on Node 20 the flag gives it the WebSocket it imports and does not use here
        command = ["node", "--experimental-websocket", "--no-warnings", str(folder / "server.js"), str(port)]
        super().__init__("Medplum's router", command, LOG, START_SECONDS)


if __name__ == "__main__":
    raise SystemExit(child.keep("Medplum's router", Medplum, node.NodeError))
