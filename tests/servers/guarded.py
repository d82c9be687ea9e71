"""A FHIR server that wants to know who asks: the sandbox behind a gateway, over HTTP or HTTPS, on loopback."""

from __future__ import annotations

import json
import ssl
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import Thread
from typing import Any
from urllib.parse import unquote

from fhir_keta.definitions.library import base
from fhir_keta.server import exact_json
from fhir_keta.server.sandbox_interactions import Interactions, Request, issue, outcome
from tests.servers.token_endpoint import TokenEndpoint

CONFIGURATION = "/fhir/.well-known/smart-configuration"
TOKEN = "/token"
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that is not the sandbox's."""

    status: int
    body: bytes = b"{}"
    kind: str = "application/fhir+json"
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    headers: Headers
    body: bytes = b""
    query: str = ""


class Guarded:
    """``with Guarded(...) as server: ... server.url``; a request is let in if ``allowed`` says so of its headers.

    ``tokens`` puts SMART's discovery and a token endpoint beside it. ``answer`` may give another answer to any request
    before it is looked at. ``asked`` is every request that came. ``tls`` makes it HTTPS.
    """

    def __init__(
        self,
        allowed: Callable[[Headers], bool] = lambda headers: True,
        *,
        tokens: TokenEndpoint | None = None,
        tls: ssl.SSLContext | None = None,
        answer: Callable[[Asked], Said | None] = lambda asked: None,
    ) -> None:
        self.allowed = allowed
        self.answer = answer
        self.tokens = tokens
        self.asked: list[Asked] = []
        self.configuration: dict[str, Any] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.gateway = self
        if tls is not None:  # the handshake is the work of the connection's own thread
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.origin = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.origin}/fhir"
        self.fhir = Interactions(self.url, base().resource_types, lambda *_: [])
        if tokens is not None:
            tokens.url = f"{self.origin}{TOKEN}"
            self.allowed = lambda headers: tokens.accepts(headers.get("authorization"))
            self.configuration = {
                "token_endpoint": tokens.url,
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
                "capabilities": ["client-confidential-asymmetric", "permission-v2"],
            }
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Guarded:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reply(self, asked: Asked) -> Said:
        """The answer to a request: one made up, one of the token endpoint, a refusal, or the sandbox's."""
        self.asked.append(asked)
        other = self.answer(asked)
        if other is not None:
            return other
        if asked.path == CONFIGURATION and self.configuration:
            return Said(200, json.dumps(self.configuration).encode(), "application/json")
        if asked.path == TOKEN and self.tokens is not None:
            status, said = self.tokens.answer(asked.headers, asked.body)
            return Said(status, json.dumps(said).encode(), "application/json")
        if not self.allowed(asked.headers):
            return Said(401, json.dumps(outcome([issue("error", "login", "Who are you?")])).encode())
        path = unquote(asked.path.removeprefix("/fhir"))
        reply = self.fhir.handle(Request(asked.method, path, asked.query, asked.headers, asked.body))
        content = b"" if reply.resource is None else exact_json.write(reply.resource)
        return Said(reply.status, content, headers=reply.headers)


def basic(user: str, password: str) -> Callable[[Headers], bool]:
    """Lets in who says this user and password (RFC 7617)."""

    def allowed(headers: Headers) -> bool:
        scheme, _, pair = headers.get("authorization", "").partition(" ")
        return scheme == "Basic" and b64decode(pair, validate=True).decode() == f"{user}:{password}"

    return allowed


def header(name: str, value: str) -> Callable[[Headers], bool]:
    """Lets in who sends this header."""
    return lambda headers: headers.get(name.lower()) == value


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    gateway: Guarded

    def finish_request(self, request: Any, client_address: Any) -> None:
        if isinstance(request, ssl.SSLSocket):
            try:
                request.do_handshake()
            except ssl.SSLError:
                # closing with unread bytes would reset the connection, and the alert be lost on the way
                while socket.recv(request, 65536):
                    pass
                raise
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that fails and a client that goes away are what some tests are about."""
        if not isinstance(sys.exception(), ssl.SSLError | ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = self.server.gateway.reply(Asked(self.command, path, headers, body, query))
        self.send_response(said.status)
        self.send_header("Content-Type", said.kind)
        self.send_header("Content-Length", str(len(said.body)))
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body)

    do_GET = do_PUT = do_POST = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass
