"""A real HAPI FHIR R4 server, from Maven Central, for the tests and for work on them.

    python -m tests.servers.hapi 8902        keep one running at http://127.0.0.1:8902/fhir until interrupted
    FHIR_KETA_HAPI_URL=http://127.0.0.1:8902/fhir pytest tests/servers      use it

Its store lies in memory and is empty at the start.
"""

from __future__ import annotations

import time
from pathlib import Path

import requests

from tests import child, java

PROJECT = Path(__file__).parent / "hapi"
LOG = java.CACHE / "hapi" / "hapi.log"
START_SECONDS = 400


class Hapi(child.Server):
    """The server as a child process; ``url`` is its base. Raises JavaError or NotStarted if it does not come up."""

    def __init__(self, port: int = 0) -> None:
        java.build(PROJECT)
        super().__init__("HAPI", java.command(PROJECT, "keta.Hapi", str(port)), LOG, START_SECONDS)
        try:
            self._await_metadata()
        except BaseException:
            self.close()
            raise

    def _await_metadata(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                if requests.get(f"{self.url}/metadata", timeout=START_SECONDS).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.2)
            if self.process.poll() is not None:
                break
        raise child.NotStarted(f"HAPI gave no CapabilityStatement, see {LOG}")


if __name__ == "__main__":
    raise SystemExit(child.keep("HAPI", Hapi, java.JavaError))
