"""Programs of the tests that run as child processes: each says on standard output when it is ready, and ends with its
standard input."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

_SECONDS_TO_END = 20


class NotStarted(Exception):
    """A server did not come up; the message says where it wrote why."""


class Server:
    """A server whose first line of output is its address, ``url``. Close it, or use it in a with statement.

    ``command`` starts it, ``log`` takes its standard error. Raises NotStarted when it says no address in time.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, seconds: float) -> None:
        self._name = name
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=False
        )
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reader.start()
        try:
            self.url = lines.get(timeout=seconds)
        except queue.Empty:
            self.url = ""
        if not self.url.startswith("http"):
            self.close()
            raise NotStarted(f"{name} did not start, see {log}")

    def _read(self, lines: queue.SimpleQueue[str]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.put(line.decode().strip())
        lines.put("")

    def close(self) -> None:
        end(self.process, self._reader, self._log, _SECONDS_TO_END)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def end(process: subprocess.Popen[bytes], reader: threading.Thread, log: BinaryIO, seconds: float) -> None:
    """End a process that ends with its standard input, by force after ``seconds``; then what reads from it."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.close()
        process.wait(seconds)
    except (OSError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
    reader.join(10)
    process.stdout.close()
    log.close()


def keep(name: str, start: Callable[[int], Server], not_ready: type[Exception]) -> int:
    """Run a server at the port of the command line until it ends or is interrupted; gives the exit code.

    ``not_ready`` is what ``start`` raises when something is missing.
    """
    try:
        with start(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as server:
            sys.stderr.write(f"{name} answers at {server.url}\n")
            server.process.wait()
    except (NotStarted, not_ready) as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except KeyboardInterrupt:
        return 0
    return 0
