"""SMART Backend Services: access tokens for a program, in exchange for statements signed with its private key.

Source: SMART App Launch 2.2, Backend Services; Client Authentication: Asymmetric; Conformance (discovery).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock, local
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from requests.auth import AuthBase

from fhir_keta.errors import ServerError, UsageError
from fhir_keta.server.auth import checked_token, concealed, is_protected
from fhir_keta.server.retry import Retry
from fhir_keta.server.signing_key import SigningKey
from fhir_keta.server.transport import Lost, NotReached, Response, Transport

if TYPE_CHECKING:
    from requests import PreparedRequest

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 240  # five minutes at most, of which one is left for clocks that differ
_TOKEN_SECONDS = 300  # where the answer does not say: what SMART recommends
_EARLY_SECONDS = 30.0
_SCOPES = {True: "system/*.cruds", False: "system/*.*"}  # in the words of SMART 2 (permission-v2), and of SMART 1
_LONGEST_REASON = 300
_METADATA = ".well-known/smart-configuration"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a client is known by at an authorization server; the public half of ``key`` is registered there."""

    client_id: str
    key: SigningKey
    scope: str | None = None
    token_endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class _Endpoint:
    url: str
    scope: str


class BackendServices(AuthBase):
    """A bearer token on every request, fetched when there is none, shortly before it ends, and on ``renew``.

    ``base`` is the FHIR server, asked for its token endpoint and scopes unless ``registration`` names them. Any number
    of threads. ``connect`` opens the exchange with an address. Raises ServerError, when a request is about to be sent,
    if there is no token to be had. What is tried again is up to ``retry``.
    """

    def __init__(
        self,
        base: str,
        registration: Registration,
        connect: Callable[[str], Transport],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.retry: Retry | None = None
        self._base = base
        self._registration = registration
        self._connect = connect
        self._clock = clock
        self._lock = Lock()
        self._used = local()
        self._endpoint: _Endpoint | None = None
        self._token: str | None = None
        self._until = 0.0
        self._assertion = ""
        self._answered: set[str] = set()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        with self._lock:
            if self._token is None or self._clock() >= self._until:
                self._fetch()
            self._used.token = self._token
        request.headers["Authorization"] = f"Bearer {self._used.token}"
        return request

    def renew(self) -> None:
        """Fetch another token than this thread's last request carried, unless another thread did meanwhile."""
        with self._lock:
            if self._token == getattr(self._used, "token", None):
                self._fetch()

    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return tuple(filter(None, (self._token, getattr(self._used, "token", None), self._assertion)))

    def _fetch(self) -> None:
        self._token = None
        self._endpoint = self._endpoint or self._discovered()
        endpoint = self._endpoint
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        asked = self._clock()
        answer = self._exchange("POST", endpoint.url, headers, lambda: self._form(endpoint))
        said = _parsed(answer)
        if answer.status != 200:
            raise ServerError(self._refusal(endpoint, answer.status, said))
        token = said.get("access_token")
        if not isinstance(token, str) or str(said.get("token_type", "")).lower() != "bearer":
            raise ServerError(f"{endpoint.url} answered without a bearer token. Ask who runs it.")
        try:
            self._token = checked_token(token)
        except UsageError as error:
            raise ServerError(f"{endpoint.url} answered with a token that cannot be sent. Ask who runs it.") from error
        seconds = _seconds(said.get("expires_in"))
        self._until = asked + seconds - min(_EARLY_SECONDS, seconds / 4)

    def _form(self, endpoint: _Endpoint) -> bytes:
        """A request for a token; never the same one twice, for each ``jti`` is good for one."""
        client = self._registration
        self._assertion = client.key.signed(
            {
                "iss": client.client_id,
                "sub": client.client_id,
                "aud": endpoint.url,
                "exp": int(time.time()) + _ASSERTION_SECONDS,
                "jti": str(uuid4()),
            }
        )
        form = {
            "grant_type": "client_credentials",
            "scope": endpoint.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self._assertion,
        }
        return urlencode(form).encode("ascii")

    def _discovered(self) -> _Endpoint:
        """Where tokens are had, and the scope to ask for."""
        given = self._registration
        if given.token_endpoint is not None:
            return _Endpoint(given.token_endpoint, given.scope or _SCOPES[False])
        where = f"{self._base}/{_METADATA}"
        answer = self._exchange("GET", where, {"Accept": "application/json"})
        said = _parsed(answer)
        url = said.get("token_endpoint")
        if answer.status != 200 or not isinstance(url, str):
            raise ServerError(
                f"{where} names no token endpoint (HTTP {answer.status}). "
                "Correct the base URL of the server, or name the endpoint with --token-endpoint."
            )
        for field, needed in (
            ("grant_types_supported", "client_credentials"),
            ("token_endpoint_auth_methods_supported", "private_key_jwt"),
            ("token_endpoint_auth_signing_alg_values_supported", given.key.algorithm),
        ):
            if isinstance(said.get(field), list) and needed not in said[field]:
                offered = ", ".join(map(str, said[field])) or "nothing"
                raise ServerError(
                    f"{self._base} does not offer what this login needs: {field} has {offered}, not {needed}. "
                    "Use another key or another kind of authentication, or ask who runs it."
                )
        if not is_protected(url):
            raise ServerError(f"{where} names a token endpoint without TLS, which is not used. Ask who runs it.")
        return _Endpoint(url, given.scope or _SCOPES["permission-v2" in (said.get("capabilities") or ())])

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Callable[[], bytes | None] = lambda: None
    ) -> Response:
        transport = self._connect(url)
        transport.answered = url in self._answered
        retry = self.retry or Retry(0)
        try:
            response = retry.run(lambda: transport.send(method, url, headers, body()), idempotent=True).response
        except (Lost, NotReached) as error:  # not of the request that waits for the token: that one was not sent
            raise ServerError(f"No token for {self._base}: {error}") from error
        finally:
            transport.close()
        self._answered.add(url)
        return response

    def _refusal(self, endpoint: _Endpoint, status: int, said: Mapping[str, Any]) -> str:
        client = self._registration
        words = concealed([str(said[each]) for each in ("error", "error_description") if each in said], self.secrets())
        why = f": {': '.join(words)}"[:_LONGEST_REASON].rstrip(".")
        if said.get("error") == "invalid_scope":
            remedy = f"Ask for another scope than {endpoint.scope} with --scope."
        elif status in (429, 502, 503, 504):
            remedy = "Try again later."
        else:
            remedy = (
                f"Check that client {client.client_id} is registered there with the {client.key.algorithm} key of id "
                f"{client.key.id} (another id: --client-key-id), and the clock of this computer."
            )
        return f"{endpoint.url} gives no token (HTTP {status}){why if words else ''}. {remedy}"


def _parsed(answer: Response) -> Mapping[str, Any]:
    """The JSON object in an answer; empty where there is none."""
    try:
        parsed = json.loads(answer.content)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _seconds(said: object) -> float:
    """``expires_in`` (RFC 6749, 5.1); some servers send it as text."""
    try:
        seconds = float(said) if isinstance(said, int | float | str) else 0.0
    except ValueError:
        seconds = 0.0
    return seconds if seconds > 0 else float(_TOKEN_SECONDS)
