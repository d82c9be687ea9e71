"""The embedded FHIR server for ``fhir-keta demo`` and tests: loopback only, in memory, named a sandbox everywhere.

It behaves as a HAPI JPA server does for what this package asks of one; ``tests/servers`` runs one contract over both.
Unlike HAPI it stores what is wrong in itself (an unknown code, a malformed date): ``$validate`` tells that.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fhir_keta._version import __version__
from fhir_keta.errors import DefinitionError, ServerError
from fhir_keta.server import exact_json
from fhir_keta.server.sandbox_interactions import NAME, Interactions, Reply, Request, Validate, issue, outcome

if TYPE_CHECKING:
    from fhir_keta.validation.issue import Issue
    from fhir_keta.validation.validator import Validator

Resource = dict[str, Any]

_PATH = "/fhir"
_LARGEST_BODY = 64 * 1024 * 1024
_LOOPBACK = ("127.0.0.1", "localhost")


class Sandbox:
    """A running sandbox: ``with Sandbox() as sandbox: ... sandbox.url``.

    ``port`` 0 takes a free one. ``validate`` replaces this package's own validator behind ``$validate``.
    Raises ServerError when the port is taken.
    """

    def __init__(self, port: int = 0, *, validate: Validate | None = None) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise ServerError(
                f"The sandbox cannot listen on port {port} ({error.strerror}). Choose another."
            ) from error
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{_PATH}"
        self._server.interactions = Interactions(self.url, _resource_types(), validate or _OwnValidation())
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name=NAME, daemon=True)
        self._thread.start()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server; everything in it is gone."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    interactions: Interactions

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = f"{NAME.replace(' ', '-')}/{__version__}"
    sys_version = ""
    timeout = 60
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(_refusal(413, "too-long", "The body needs a Content-Length of at most 64 MiB"))
            return
        body = self.rfile.read(int(length))
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        path, _, query = self.path.partition("?")
        if host not in _LOOPBACK:  # a page in a browser that has its own name point here
            self._send(_refusal(403, "security", "The sandbox answers to localhost only"))
        elif path != _PATH and not path.startswith(f"{_PATH}/"):
            self._send(_refusal(404, "not-found", f"The FHIR base URL is {self.server.interactions.base}"))
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, unquote(path.removeprefix(_PATH)), query, headers, body)
            self._send(self.server.interactions.handle(request))

    def _send(self, reply: Reply) -> None:
        minimal = "return=minimal" in self.headers.get("Prefer", "") and reply.written is not None
        body = b"" if minimal or reply.resource is None else exact_json.write(reply.resource)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", "application/fhir+json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the requests of a sandbox are of no interest on a terminal."""


def _unknown(found: Issue, resource: Resource) -> str:
    """The canonical behind a finding that it is unknown: a server may repeat it, the finding itself does not."""
    place = re.search(r"\.meta\.profile\[(\d+)\]$", found.expression)
    return f" ({resource['meta']['profile'][int(place[1])]})" if place else ""


def _refusal(status: int, code: str, text: str) -> Reply:
    return Reply(status, outcome([issue("error", code, text)]))


def _resource_types() -> frozenset[str]:
    from fhir_keta.definitions.library import base

    return base().resource_types


class _OwnValidation:
    """This package's findings, with R4 and what was uploaded to the sandbox as the only definitions, as in HAPI."""

    def __init__(self) -> None:
        self._definitions: list[Resource] = []
        self._validators: dict[tuple[str, ...], Validator] = {}

    def __call__(self, resource: Resource, profiles: Sequence[str], definitions: Sequence[Resource]) -> list[Resource]:
        try:
            findings = self._validator(tuple(profiles), list(definitions)).check(exact_json.write(resource))
        except DefinitionError as error:
            return [issue("error", "not-found", str(error))]
        return [
            {
                **issue(found.severity, found.code, f"{found.rule}: {found.message}{_unknown(found, resource)}"),
                "expression": [found.expression],
            }
            for found in findings
        ]

    def _validator(self, profiles: tuple[str, ...], definitions: list[Resource]) -> Validator:
        """The one made before, unless a definition on the server has changed since."""
        from fhir_keta.definitions.library import base
        from fhir_keta.validation.validator import Validator

        if list(map(id, definitions)) != list(map(id, self._definitions)):
            self._definitions, self._validators = definitions, {}
        if profiles not in self._validators:
            library = base().with_resources(definitions)
            self._validators[profiles] = Validator(library=library, profiles=profiles, strict=True)
        return self._validators[profiles]
