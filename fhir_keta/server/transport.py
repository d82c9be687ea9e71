"""One HTTP exchange with one server: what came back, or in words why nothing did. Nothing is tried again here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock, local
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from weakref import WeakSet

from fhir_keta.errors import ServerError, UsageError

if TYPE_CHECKING:
    import requests
    from requests.auth import AuthBase

Parameters = Mapping[str, str] | Sequence[tuple[str, str]]
Certificate = str | tuple[str, str]

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1", re.IGNORECASE)
_SECONDS_TO_CONNECT = 10.0
_MOST_REDIRECTS = 5


class NotReached(ServerError):
    """There was no connection: the request was certainly not carried out."""


class Lost(ServerError):
    """The request was sent and no whole answer came: whether it was carried out is not known.

    ``running`` is true when the time was up: the server may still be at it.
    """

    def __init__(self, message: str, *, running: bool) -> None:
        super().__init__(message)
        self.running = running


@dataclass(frozen=True, slots=True)
class Response:
    """What came back over HTTP; ``url`` is without its query, which may name a patient."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    milliseconds: float


class Transport:
    """Sends requests to the server at ``base``; any number of threads, each with a connection of its own.

    Environment proxies and CA bundles count (not for loopback addresses), ``.netrc`` does not. Redirects are followed
    within the same origin only, and only where the method stays: credentials never leave for another one. ``verify``
    is True, False, or the path of a CA bundle; ``certificate`` a PEM file with certificate and key, or two files.
    When ``auth`` has a method ``renew``, it is called on HTTP 401, once, and the request is sent again.
    Raises UsageError for headers that cannot be sent and files that cannot be read.
    """

    def __init__(
        self,
        base: str,
        *,
        timeout: float,
        auth: AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
        certificate: Certificate | None = None,
    ) -> None:
        self.base = base
        self.answered = False
        self._timeout = timeout
        self._auth = auth
        self._headers = dict(headers or {})
        self._verify = verify
        self._certificate = certificate
        self._host = urlsplit(base).hostname or ""
        self._own = local()
        self._opened: WeakSet[requests.Session] = WeakSet()  # those of threads that ended close by themselves
        self._opening = Lock()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._opening:
            for session in list(self._opened):
                session.close()
            self._opened.clear()
            self._own = local()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, parameters: Parameters = ()
    ) -> Response:
        """One request and its response, whatever its status. Raises NotReached, Lost, or ServerError."""
        import requests

        started = perf_counter()
        try:
            response = self._session().request(
                method,
                url,
                params=[*(parameters.items() if isinstance(parameters, Mapping) else parameters)],
                data=body,
                headers=self._headers | dict(headers),
                timeout=(_SECONDS_TO_CONNECT, self._timeout),
                allow_redirects=False,
                verify=self._verify,
            )
        except requests.exceptions.RequestException as error:
            raise self._unanswered(error) from error
        self.answered = True
        milliseconds = (perf_counter() - started) * 1000
        plain = response.url.partition("?")[0]
        return Response(method, plain, response.status_code, response.headers, response.content, milliseconds)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            import requests

            session = requests.Session()
            # A set ``auth`` keeps requests from looking into .netrc; this one adds nothing.
            session.auth = self._auth or _no_credentials
            session.cert = self._certificate
            session.trust_env = not _LOOPBACK.fullmatch(self._host)
            with self._opening:
                self._opened.add(session)
            self._own.session = session
        return session

    def _unanswered(self, error: Exception) -> ServerError:
        """Why there was no answer, in one line with the remedy. The text of ``error`` itself is for developers."""
        from requests import exceptions

        if isinstance(error, exceptions.SSLError):
            reason = re.search(r"certificate verify failed: ([^(]+)", str(error))
            if "WRONG_VERSION_NUMBER" in str(error) or "record layer failure" in str(error):
                return ServerError(f"{self.base} does not speak TLS. Give its address with http instead of https.")
            why = reason[1].strip() if reason else "TLS failed"
            return ServerError(
                f"The TLS certificate of {self._host} is not accepted ({why}). "
                "Have it corrected, or name the CA that signed it in REQUESTS_CA_BUNDLE."
            )
        if isinstance(error, exceptions.ProxyError):
            return NotReached(
                f"The proxy on the way to {self.base} does not answer. Check HTTPS_PROXY, HTTP_PROXY, NO_PROXY."
            )
        if isinstance(error, exceptions.ConnectTimeout):
            return NotReached(
                f"{self.base} does not answer within {_SECONDS_TO_CONNECT:g} s. Check the address and the network."
            )
        if isinstance(error, exceptions.ReadTimeout):
            return Lost(f"{self.base} did not finish its answer within {self._timeout:g} s.", running=True)
        if isinstance(error, exceptions.ConnectionError) and "NewConnectionError" in repr(error):
            return NotReached(f"{self.base} cannot be reached. Start the server, or correct the address.")
        if isinstance(error, exceptions.ConnectionError) and "NameResolution" in repr(error):
            return NotReached(f"The host {self._host} is not known. Check the address.")
        if isinstance(error, exceptions.InvalidURL | exceptions.InvalidSchema | exceptions.MissingSchema):
            return ServerError(f"{self.base} is not a usable address. Give one such as http://localhost:8080/fhir.")
        return Lost(f"{self.base} broke the connection off.", running=False)


def checked_base(base_url: str) -> str:
    """The base URL without a slash at its end. Raises UsageError when it is not one, or carries credentials."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{base_url!r} is not a server. Give a base URL such as http://localhost:8080/fhir.")
    if parts.username is not None or parts.password is not None:
        raise UsageError("Credentials do not belong in the URL: it ends up in logs. Leave them out of --server.")
    if parts.query or parts.fragment:
        raise UsageError(f"{base_url!r} has a query or fragment. Give the base URL alone.")
    return f"{_origin(parts.scheme, parts.hostname, port)}{parts.path.rstrip('/')}"


def address_of(link: str, base: str) -> str:
    """Where a link leads, for a message: without credentials, query and fragment."""
    parts = urlsplit(urljoin(f"{base}/", link))
    return f"{_origin(parts.scheme, parts.hostname or '', parts.port)}{parts.path}"


def _origin(scheme: str, host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + (f":{port}" if port is not None else "")


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
