"""A FHIR server that misbehaves as told: a proxy on loopback in front of a real one, with a thread a connection.

    with Sandbox() as sandbox, FaultServer(sandbox.url, scripted(Fault.CUT_AFTER)) as server:
        Client(server.url, retry=Retry(...)).update(...)
        server.carried_out  # what the server behind did, whatever its client heard of it

Which request meets which fault is said by a function of the request (``scripted``, ``seeded``, or a test's own, which
may do anything at that moment: kill a process, say).
"""

from __future__ import annotations

import json
import random
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

import requests

Resource = dict[str, Any]

SECONDS_ASKED = 7
_NOW = 1767225600  # 2026-01-01T00:00:00Z: a clock of its own, as servers have
_HTML = b"<html><body>Please sign in</body></html>"


class Fault(Enum):
    """What a request meets instead of its answer. "After": the server behind has carried it out by then."""

    TOO_MANY = auto()  # 429, Retry-After in seconds
    TOO_MANY_UNTIL = auto()  # 429, Retry-After as a date
    TOO_MANY_WITHIN = auto()  # 429 for some entries inside a Bundle's 200, the others carried out
    BUSY = auto()  # 503
    BAD_GATEWAY = auto()  # 502
    BAD_GATEWAY_AFTER = auto()
    GATEWAY_TIMEOUT = auto()  # 504
    GATEWAY_TIMEOUT_AFTER = auto()
    CUT_BEFORE = auto()  # the connection ends
    CUT_AFTER = auto()
    CUT_WITHIN = auto()  # the connection ends in the middle of the answer
    RESET_AFTER = auto()  # the connection is reset
    TRICKLE = auto()  # the answer comes byte by byte
    REDIRECT_HERE = auto()  # 307 to another path of this server
    REDIRECT_AWAY = auto()  # 307 to another server
    HTML = auto()  # 200 with a page
    HTML_AFTER = auto()
    WRONG_ETAG = auto()  # the right answer with a version that is none
    EXPIRED = auto()  # the token is no longer good: 401 until the new one is used


# What a loader gets through by trying again, for requests that may be repeated.
PASSING = (
    Fault.TOO_MANY,
    Fault.TOO_MANY_UNTIL,
    Fault.TOO_MANY_WITHIN,
    Fault.BUSY,
    Fault.BAD_GATEWAY,
    Fault.BAD_GATEWAY_AFTER,
    Fault.GATEWAY_TIMEOUT,
    Fault.GATEWAY_TIMEOUT_AFTER,
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.CUT_WITHIN,
    Fault.RESET_AFTER,
    Fault.TRICKLE,
    Fault.REDIRECT_HERE,
)
_STATUS = {
    Fault.TOO_MANY: 429,
    Fault.TOO_MANY_UNTIL: 429,
    Fault.BUSY: 503,
    Fault.BAD_GATEWAY: 502,
    Fault.BAD_GATEWAY_AFTER: 502,
    Fault.GATEWAY_TIMEOUT: 504,
    Fault.GATEWAY_TIMEOUT_AFTER: 504,
}
_AFTER = (
    Fault.BAD_GATEWAY_AFTER,
    Fault.GATEWAY_TIMEOUT_AFTER,
    Fault.CUT_AFTER,
    Fault.CUT_WITHIN,
    Fault.RESET_AFTER,
    Fault.HTML_AFTER,
)


@dataclass(slots=True)
class Asked:
    """A request as it came in, the path below the base; ``status`` is what the server behind said, if it was asked."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    fault: Fault | None = None
    status: int | None = None

    @property
    def bundle(self) -> bool:
        return self.method == "POST" and self.path in ("", "/")


Faults = Callable[[Asked], Fault | None]


def scripted(*faults: Fault | None) -> Faults:
    """The first request meets the first of these, and so on; those after the last meet none."""
    left = iter(faults)
    lock = Lock()

    def next_one(_asked: Asked) -> Fault | None:
        with lock:
            return next(left, None)

    return next_one


def writes_only(faults: Faults) -> Faults:
    """``faults`` for what is not a GET."""
    return lambda asked: None if asked.method == "GET" else faults(asked)


def seeded(seed: int, share: float, among: Sequence[Fault] = PASSING) -> Faults:
    """About ``share`` of the requests meet one of these; the same seed gives the same sequence."""
    chance = random.Random(seed)
    lock = Lock()

    def perhaps(_asked: Asked) -> Fault | None:
        with lock:
            return chance.choice(among) if chance.random() < share else None

    return perhaps


@dataclass(slots=True)
class _Reply:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class FaultServer:
    """A running proxy in front of the FHIR base URL ``upstream``.

    With ``token``, requests need it as a bearer token; ``EXPIRED`` replaces it. ``elsewhere`` is the base URL that
    ``REDIRECT_AWAY`` leads to. ``port`` 0 takes a free one. ``tls`` makes it HTTPS.
    """

    def __init__(
        self,
        upstream: str,
        faults: Faults = lambda _asked: None,
        *,
        token: str | None = None,
        elsewhere: str = "http://elsewhere.invalid/fhir",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.upstream = upstream
        self.faults = faults
        self.token = token
        self.elsewhere = elsewhere
        self.asked: list[Asked] = []
        self.lock = Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.faulty = self
        self.port: int = self._server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/fhir"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def writes(self) -> list[Asked]:
        """Everything that came in but GET."""
        return [each for each in self.asked if each.method != "GET"]

    @property
    def carried_out(self) -> list[Asked]:
        """The writes that the server behind carried out, whatever was answered then."""
        return [each for each in self.writes if each.status is not None and each.status < 300]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    faulty: FaultServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.upstream = requests.Session()
        self.upstream.trust_env = False

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def answer(self) -> None:
        faulty = self.server.faulty
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path = self.path.removeprefix(urlsplit(faulty.url).path).replace("/redirected", "", 1)
        headers = dict(self.headers.items())
        with faulty.lock:
            asked = Asked(len(faulty.asked), self.command, path, headers, body)
            faulty.asked.append(asked)
        asked.fault = faulty.faults(asked)
        if asked.fault is Fault.EXPIRED:
            with faulty.lock:
                faulty.token = f"token-{asked.number}"
        if faulty.token is not None and headers.get("Authorization") != f"Bearer {faulty.token}":
            self.send(_Reply(401, {"WWW-Authenticate": "Bearer"}, _outcome("login", "The token has expired")))
            return
        reply = self.misbehave(asked)
        if reply is not None:
            self.send(reply, trickle=asked.fault is Fault.TRICKLE)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def misbehave(self, asked: Asked) -> _Reply | None:
        """The reply to give, or None when the connection is cut."""
        faulty, fault = self.server.faulty, asked.fault
        reply = self.forwarded(asked, asked.body) if fault in _AFTER else None
        match fault:
            case Fault.CUT_BEFORE | Fault.CUT_AFTER:
                self.cut()
                return None
            case Fault.RESET_AFTER:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return None
            case Fault.CUT_WITHIN:
                assert reply is not None
                self.send(reply, cut=True)
                self.cut()
                return None
            case Fault.REDIRECT_HERE:
                return _Reply(307, {"Location": f"{faulty.url}/redirected{asked.path}"})
            case Fault.REDIRECT_AWAY:
                return _Reply(307, {"Location": f"{faulty.elsewhere}{asked.path}"})
            case Fault.HTML | Fault.HTML_AFTER:
                return _Reply(200, {"Content-Type": "text/html"}, _HTML)
            case Fault.WRONG_ETAG:
                reply = self.forwarded(asked, asked.body)
                reply.headers["ETag"] = '"no version'
                return reply
            case Fault.TOO_MANY_WITHIN if asked.bundle:
                return self.partly(asked)
        if fault not in _STATUS:
            return self.forwarded(asked, asked.body)
        asks = {Fault.TOO_MANY: str(SECONDS_ASKED), Fault.TOO_MANY_UNTIL: self.date_time_string(_NOW + SECONDS_ASKED)}
        headers = {"Retry-After": asks[fault]} if fault in asks else {}
        return _Reply(_STATUS[fault], headers, _outcome("throttled", "Not now"))

    def forwarded(self, asked: Asked, body: bytes) -> _Reply:
        """What the server behind answers; addresses in it are those of this one."""
        faulty = self.server.faulty
        here, behind = faulty.url.encode(), faulty.upstream.encode()
        left_out = ("host", "content-length", "connection", "accept-encoding", "authorization")
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in left_out}
        response = self.upstream.request(
            asked.method,
            f"{faulty.upstream}{asked.path}",
            data=body.replace(here, behind),
            headers=headers | {"Accept-Encoding": "identity"},
            allow_redirects=False,
            timeout=120,
        )
        asked.status = response.status_code
        kept = ("Content-Type", "ETag", "Location", "Content-Location", "Last-Modified")
        returned = {name: response.headers[name] for name in kept if name in response.headers}
        returned = {name: value.replace(faulty.upstream, faulty.url) for name, value in returned.items()}
        return _Reply(response.status_code, returned, response.content.replace(behind, here))

    def partly(self, asked: Asked) -> _Reply:
        """Every second entry that no other refers to is answered with 429; the others are sent on."""
        bundle = json.loads(asked.body)
        texts = [json.dumps(entry) for entry in bundle["entry"]]
        put_off = set(range(0, len(texts), 2))
        for index, entry in enumerate(bundle["entry"]):
            names = [entry.get("fullUrl"), f"{entry['resource']['resourceType']}/{entry['resource'].get('id')}"]
            others = texts[:index] + texts[index + 1 :]
            if any(json.dumps(name) in other for name in names if name for other in others):
                put_off.discard(index)
        left = [entry for index, entry in enumerate(bundle["entry"]) if index not in put_off]
        answers = iter(())
        if left:
            reply = self.forwarded(asked, json.dumps({**bundle, "entry": left}).encode())
            if reply.status >= 300:
                return reply
            answers = iter(json.loads(reply.body)["entry"])
        too_many = {"response": {"status": "429 Too Many Requests", "outcome": json.loads(_outcome("throttled", "no"))}}
        entries = [too_many if index in put_off else next(answers) for index in range(len(texts))]
        answer = {"resourceType": "Bundle", "type": f"{bundle['type']}-response", "entry": entries}
        headers = {"Content-Type": "application/fhir+json", "Retry-After": str(SECONDS_ASKED)}
        return _Reply(200, headers, json.dumps(answer).encode())

    def send(self, reply: _Reply, *, trickle: bool = False, cut: bool = False) -> None:
        self.send_response(reply.status)
        for name, value in ({"Content-Type": "application/fhir+json"} | reply.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) + (1 if cut else 0)))
        self.end_headers()
        body = reply.body[: len(reply.body) // 2] if cut else reply.body
        for part in [body[at : at + 1] for at in range(len(body))] if trickle else [body]:
            self.wfile.write(part)

    def cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(_NOW if timestamp is None else timestamp)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _outcome(code: str, text: str) -> bytes:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
