"""A real HAPI FHIR R4 server, from Maven Central, for the tests and for work on them.

    python -m tests.servers.hapi 8902        keep one running at http://127.0.0.1:8902/fhir until interrupted
    FHIR_KETA_HAPI_URL=http://127.0.0.1:8902/fhir pytest tests/servers      use it

Its store lies in memory and is empty at the start.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests

from tests import java

PROJECT = Path(__file__).parent / "hapi"
LOG = java.CACHE / "hapi" / "hapi.log"
START_SECONDS = 400


class Hapi:
    """The server as a child process; `url` is its base. Raises JavaError if it does not come up. Close it."""

    def __init__(self, port: int = 0) -> None:
        java.build(PROJECT)
        LOG.parent.mkdir(parents=True, exist_ok=True)
        self._log = LOG.open("wb")
        self._child = subprocess.Popen(
            java.command(PROJECT, "keta.Hapi", str(port)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reader.start()
        try:
            self.url = self._first_line(lines)
            self._await_metadata()
        except BaseException:
            self.close()
            raise

    def _read(self, lines: queue.SimpleQueue[str]) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            lines.put(line.strip())
        lines.put("")

    def _first_line(self, lines: queue.SimpleQueue[str]) -> str:
        try:
            line = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            line = ""
        if not line.startswith("http"):
            raise java.JavaError(f"the HAPI server did not start, see {LOG}")
        return line

    def _await_metadata(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                if requests.get(f"{self.url}/metadata", timeout=START_SECONDS).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.2)
            if self._child.poll() is not None:
                break
        raise java.JavaError(f"the HAPI server gave no CapabilityStatement, see {LOG}")

    def wait(self) -> None:
        """Block until the server ends."""
        self._child.wait()

    def close(self) -> None:
        java.end(self._child, self._reader, self._log, 20)

    def __enter__(self) -> Hapi:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def main() -> int:
    try:
        with Hapi(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as hapi:
            sys.stderr.write(f"HAPI answers at {hapi.url}\n")
            hapi.wait()
    except java.JavaError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
