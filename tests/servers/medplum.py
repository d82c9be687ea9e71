"""Medplum's FHIR router with its store in memory, from npm: a server that differs from HAPI.

    python -m tests.servers.medplum 8903        keep one running until interrupted
    FHIR_KETA_MEDPLUM_URL=http://127.0.0.1:8903 pytest tests/servers        use it

One process has three servers, each with a store of its own: ``/fhir`` lets a client name the ids, as Medplum lets its
administrators; ``/own-ids`` gives its own, as to everyone else; ``/without-transactions`` takes a transaction for a
batch, as Medplum does for projects that have not switched transactions on.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from pathlib import Path

from tests import node

PROJECT = Path(__file__).parent / "medplum"
LOG = node.CACHE / "medplum.log"
START_SECONDS = 120


class Medplum:
    """The server as a child process; ``url`` is where it listens. Raises NodeError if it does not come up. Close it."""

    def __init__(self, port: int = 0) -> None:
        folder = node.install(PROJECT)
        self._log = LOG.open("wb")
        # Medplum asks for Node 22; on Node 20 the flag gives it the WebSocket it imports and does not use here
        command = ["node", "--experimental-websocket", "--no-warnings", str(folder / "server.js"), str(port)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self._child.stdout is not None
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        first_line = self._child.stdout.readline
        threading.Thread(target=lambda: lines.put(first_line().strip()), daemon=True).start()
        try:
            self.url = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            self.url = ""
        if not self.url.startswith("http"):
            self.close()
            raise node.NodeError(f"Medplum's router did not start, see {LOG}")

    def wait(self) -> None:
        """Block until the server ends."""
        self._child.wait()

    def close(self) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.close()
            self._child.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()
        self._log.close()

    def __enter__(self) -> Medplum:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def main() -> int:
    try:
        with Medplum(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as medplum:
            sys.stderr.write(f"Medplum's router answers at {medplum.url}/fhir\n")
            medplum.wait()
    except node.NodeError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
