"""HL7's own FHIR validator, asked from Python.

The validator is a Java program (tests/oracle/java); one process serves a whole test session. For work on the content:

    python -m tests.oracle.oracle profiles examples              check files, folders, NDJSON
    python -m tests.oracle.oracle --serve 8901                   keep one process for several terminals or test runs
    python -m tests.oracle.oracle --connect 8901 profiles        use it

With FHIR_KETA_ORACLE_PORT=8901 in the environment the tests use it too. Changed definitions are read again unasked.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import queue
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests import child, java

PROJECT = Path(__file__).parent / "java"
HOME = java.CACHE / "oracle"
DEFINITIONS = (java.ROOT / "profiles", java.ROOT / "fhir_keta" / "definitions" / "sdc")
START_SECONDS = 300
ANSWER_SECONDS = 180
NO_NARRATIVE = "http://hl7.org/fhir/StructureDefinition/DomainResource#dom-6"


@dataclass(frozen=True)
class OracleIssue:
    """One thing the validator said; the severity is fatal, error, warning or information."""

    severity: str
    code: str
    expression: str
    line: int
    column: int
    message: str
    message_id: str

    @property
    def is_error(self) -> bool:
        return self.severity in ("fatal", "error")

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.severity} {self.expression} [{self.message_id}] {self.message}"


class Connection(Protocol):
    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Process:
    """The validator as a child process; its log is .cache/oracle/oracle.log."""

    def __init__(self) -> None:
        java.build(PROJECT)
        HOME.mkdir(parents=True, exist_ok=True)
        self._log = (HOME / "oracle.log").open("ab")
        self._lock = threading.Lock()
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._child = subprocess.Popen(
            java.command(PROJECT, "keta.Oracle", properties={"user.home": str(HOME)}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._line(START_SECONDS)
        except BaseException:
            self.close()
            raise

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _line(self, seconds: float) -> bytes:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self._child.kill()
            raise java.JavaError(f"the validator was silent for {seconds:.0f} s, see {self._log.name}") from None
        if not line:
            self._lines.put(b"")
            raise java.JavaError(f"the validator has ended, see {self._log.name}")
        return line

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._child.stdin is not None
        with self._lock:
            try:
                self._child.stdin.write(json.dumps(request).encode() + b"\n")
                self._child.stdin.flush()
            except OSError as error:
                raise java.JavaError(f"the validator has ended, see {self._log.name}") from error
            answer: dict[str, Any] = json.loads(self._line(ANSWER_SECONDS))
            return answer

    def close(self) -> None:
        child.end(self._child, self._reader, self._log, 10)


class Remote:
    """A validator that another process serves on this machine."""

    def __init__(self, port: int) -> None:
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS)
        except OSError as error:
            raise java.JavaError(
                f"no validator on port {port}: python -m tests.oracle.oracle --serve {port}"
            ) from error
        self._stream = self._socket.makefile("rwb")
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._stream.write(json.dumps(request).encode() + b"\n")
            self._stream.flush()
            line = self._stream.readline()
        if not line:
            raise java.JavaError("the validator's server has closed the connection")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


class Oracle:
    """HL7's validator with R4 and the definitions in some folders (default: ours and the minimal ones of SDC).

    Without a connection it uses the server at FHIR_KETA_ORACLE_PORT, or starts a process of its own.
    Raises JavaError when that does not work. Close it, or use it in a with statement.
    """

    def __init__(
        self, definition_folders: Iterable[Path | str] = DEFINITIONS, connection: Connection | None = None
    ) -> None:
        self._folders = [str(Path(folder).resolve()) for folder in definition_folders]
        for folder in self._folders:
            if not Path(folder).is_dir():
                raise java.JavaError(f"no folder of definitions at {folder}")
        port = os.environ.get("FHIR_KETA_ORACLE_PORT")
        self._connection = connection or (Remote(int(port)) if port else Process())

    def with_definitions(self, folders: Iterable[Path | str]) -> Oracle:
        """The same process with other definitions on top of R4; three such sets are kept ready."""
        return Oracle(folders, self._connection)

    def _ask(self, **more: object) -> dict[str, Any]:
        answer = self._connection.ask({"id": 0, "definitions": self._folders, **more})
        if "failure" in answer:
            raise java.JavaError(f"the validator failed: {answer['failure']}")
        return answer

    def definition_problems(self) -> list[str]:
        """A line for each definition that could not be read or got no snapshot."""
        return list(self._ask()["problems"])

    def structure(self, canonical: str) -> dict[str, Any] | None:
        """A StructureDefinition with the snapshot that HL7's own generator makes."""
        found: dict[str, Any] | None = self._ask(structure=canonical)["structure"]
        return found

    def check(
        self, resource: Mapping[str, Any] | bytes | bytearray | str, profiles: Sequence[str] = ()
    ) -> list[OracleIssue]:
        """What the validator says about one resource, given as a dict or as JSON text, well-formed or not."""
        if isinstance(resource, Mapping):
            resource = json.dumps(resource, ensure_ascii=False, indent=1)
        data = resource.encode() if isinstance(resource, str) else bytes(resource)
        answer = self._ask(profiles=list(profiles), data=base64.b64encode(data).decode())
        return [
            OracleIssue(
                issue["severity"],
                issue["code"],
                issue.get("expression") or "",
                issue["line"],
                issue["column"],
                issue["message"],
                issue.get("messageId") or "",
            )
            for issue in answer["issue"]
        ]

    def errors(
        self, resource: Mapping[str, Any] | bytes | bytearray | str, profiles: Sequence[str] = ()
    ) -> list[OracleIssue]:
        """The issues of check that make the resource invalid."""
        return [issue for issue in self.check(resource, profiles) if issue.is_error]

    def has_error(self, resource: Mapping[str, Any] | bytes | bytearray | str, profiles: Sequence[str] = ()) -> bool:
        return bool(self.errors(resource, profiles))

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(port: int, connection: Connection) -> None:
    """Answer on the loopback address until interrupted."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                try:
                    answer = connection.ask(json.loads(line))
                except (java.JavaError, ValueError) as error:
                    answer = {"failure": str(error)}
                self.wfile.write(json.dumps(answer).encode() + b"\n")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", port), Handler) as server:
        sys.stderr.write(f"the validator listens on port {server.server_address[1]}\n")
        server.serve_forever()


def records(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every record in files, folders and NDJSON files."""
    for path in paths:
        if path.is_dir():
            yield from records(sorted(child for child in path.rglob("*") if child.suffix in (".json", ".ndjson")))
        elif path.suffix == ".ndjson":
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                yield f"{path}, record {number}", line
        else:
            yield str(path), path.read_bytes()


def main(arguments: Sequence[str] | None = None) -> int:
    """Check files and print an issue a line; 1 when there is an error among them."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle.oracle", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", nargs="*", type=Path, help="JSON or NDJSON files, or folders of them")
    parser.add_argument("--profile", action="append", default=[], help="canonical of a profile to hold every record to")
    parser.add_argument(
        "--definitions", action="append", type=Path, help="folder of definitions (default: ours and SDC)"
    )
    parser.add_argument("--errors", action="store_true", help="only errors; warnings are shown too otherwise")
    parser.add_argument("--serve", type=int, metavar="PORT", help="keep a validator running on this loopback port")
    parser.add_argument("--connect", type=int, metavar="PORT", help="use the validator that runs there")
    options = parser.parse_args(arguments)
    connection: Connection | None = None
    try:
        if options.serve is not None:
            serve(options.serve, Process())
            return 0
        if options.connect is not None:
            connection = Remote(options.connect)
        found = count = 0
        with Oracle(options.definitions or DEFINITIONS, connection) as oracle:
            for problem in oracle.definition_problems():
                sys.stdout.write(f"definition problem: {problem}\n")
                found += 1
            for name, data in records(options.path):
                count += 1
                for issue in oracle.check(data, options.profile):
                    found += issue.is_error
                    hidden = issue.severity == "information" or issue.message_id == NO_NARRATIVE or options.errors
                    if issue.is_error or not hidden:
                        sys.stdout.write(f"{name}:{issue}\n")
    except java.JavaError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except KeyboardInterrupt:
        return 0
    sys.stderr.write(f"{count} records, {found} errors\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
