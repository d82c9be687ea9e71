"""One HTTP exchange with one server: what came back, or in words why nothing did. Nothing is tried again here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock, local
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from weakref import WeakSet

from fhir_keta.errors import KetaError, ServerError, UsageError

if TYPE_CHECKING:
    import requests
    from requests.auth import AuthBase

Parameters = Mapping[str, str] | Sequence[tuple[str, str]]
Certificate = str | tuple[str, str]
_Parameter = tuple[str, str]

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1", re.IGNORECASE)
_SECONDS_TO_CONNECT = 10.0
_MOST_REDIRECTS = 5
_LONGEST_ANSWER = 10  # times the timeout, which is for each wait
_SHORTEST_KEY = 8
_READ_AT_ONCE = 1 << 16


class NotReached(ServerError):
    """There was no connection: the request was certainly not carried out.

    ``answered_before`` is true when the server has answered this client: the address is right.
    """

    def __init__(self, message: str, *, answered_before: bool) -> None:
        super().__init__(message)
        self.answered_before = answered_before


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
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.base = base
        self.answered = False
        self._timeout = timeout
        self._clock = clock
        self._auth = auth
        self._renewals = 0
        self._renewing = Lock()
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
        """One request and its response, whatever its status.

        Raises NotReached, Lost, another ServerError about the way there, what ``auth`` raises, and UsageError for files
        that cannot be read and headers that cannot be sent.
        """
        asked = [*(parameters.items() if isinstance(parameters, Mapping) else parameters)]
        renewals = self._renewals
        response = self._followed(method, url, headers, body, asked)
        if response.status == 401 and self._renewed(renewals):
            response = self._followed(method, url, headers, body, asked)
        return response

    @property
    def has_credentials(self) -> bool:
        """Whether requests say who sends them, as far as this knows: a header may do so too."""
        return self._auth is not None or self._certificate is not None

    def secrets(self) -> tuple[str, ...]:
        """What must not be shown: what ``auth`` calls its secrets, and values of headers as long as a key may be."""
        own = getattr(self._auth, "secrets", None)
        keys = (value for value in self._headers.values() if len(value) >= _SHORTEST_KEY)
        return (*(own() if own is not None else ()), *keys)

    def _renewed(self, renewals: int) -> bool:
        """Whether there are newer credentials than after ``renewals``: another thread may just have got them."""
        renew = getattr(self._auth, "renew", None)
        if renew is None:
            return False
        with self._renewing:
            if self._renewals == renewals:
                renew()
                self._renewals += 1
        return True

    def _followed(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, parameters: Sequence[_Parameter]
    ) -> Response:
        response = self._exchange(method, url, headers, body, parameters)
        for _ in range(_MOST_REDIRECTS):
            same_method = response.status in (307, 308) or (method == "GET" and response.status in (301, 302, 303))
            link = response.headers.get("Location", "")
            target = urljoin(response.url, link)
            if not (same_method and link and _same_origin(target, self.base)):
                break
            response = self._exchange(method, target, headers, body, ())
        return response

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, parameters: Sequence[_Parameter]
    ) -> Response:
        import requests
        import urllib3

        started = self._clock()
        try:
            response = self._session().request(
                method,
                url,
                params=[*parameters],
                data=body,
                headers=self._headers | dict(headers),
                timeout=(_SECONDS_TO_CONNECT, self._timeout),
                allow_redirects=False,
                # Given with each request, REQUESTS_CA_BUNDLE does not take the place of False.
                verify=self._verify,
                stream=True,
            )
            self.answered = True
            content = self._content(response, started)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise self._unanswered(error) from error
        except OSError as error:
            raise UsageError("The CA bundle or the client certificate cannot be read. Correct its path.") from error
        plain = response.url.partition("?")[0]
        milliseconds = (self._clock() - started) * 1000
        return Response(method, plain, response.status_code, response.headers, content, milliseconds)

    def _content(self, response: requests.Response, started: float) -> bytes:
        """The body; one that only trickles in does not keep us for ever: each byte would start the timeout anew."""
        parts = []
        with response:
            while part := response.raw.read1(_READ_AT_ONCE, decode_content=True):
                parts.append(part)
                if self._clock() - started > _LONGEST_ANSWER * self._timeout:
                    raise Lost(
                        f"{self.base} did not finish its answer within {_LONGEST_ANSWER * self._timeout:g} s.",
                        running=True,
                    )
        return b"".join(parts)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            import requests
            import urllib3

            if self._verify is False:  # who asked for it is warned once, by the command, not with each request
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            session = requests.Session()
            # A set ``auth`` keeps requests from looking into .netrc; this one adds nothing.
            session.auth = self._auth or _no_credentials
            session.cert = self._certificate
            session.trust_env = not _LOOPBACK.fullmatch(self._host)
            with self._opening:
                self._opened.add(session)
            self._own.session = session
        return session

    def _unanswered(self, error: Exception) -> KetaError:
        """Why there was no answer, in one line with the remedy. The text of ``error`` itself is for developers."""
        import urllib3
        from requests import exceptions

        if isinstance(error, exceptions.SSLError | urllib3.exceptions.SSLError) and "EOF" not in str(error):
            return self._without_tls(str(error))
        if isinstance(error, exceptions.ProxyError):
            return self._not_reached(
                f"The proxy on the way to {self.base} does not answer. Check HTTPS_PROXY, HTTP_PROXY, NO_PROXY."
            )
        if isinstance(error, exceptions.ConnectTimeout):
            return self._not_reached(
                f"{self.base} does not answer within {_SECONDS_TO_CONNECT:g} s. Check the address and the network."
            )
        if isinstance(error, exceptions.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
            return Lost(f"{self.base} did not finish its answer within {self._timeout:g} s.", running=True)
        if isinstance(error, exceptions.ConnectionError) and "NewConnectionError" in repr(error):
            return self._not_reached(f"{self.base} cannot be reached. Start the server, or correct the address.")
        if isinstance(error, exceptions.ConnectionError) and "NameResolution" in repr(error):
            return self._not_reached(f"The host {self._host} is not known. Check the address.")
        if isinstance(error, exceptions.InvalidHeader):
            return UsageError("One of the headers cannot be sent: it has a line break, or a space at its start.")
        if isinstance(error, exceptions.InvalidURL | exceptions.InvalidSchema | exceptions.MissingSchema):
            return ServerError(f"{self.base} is not a usable address. Give one such as http://localhost:8080/fhir.")
        return Lost(f"{self.base} broke the connection off.", running=False)

    def _not_reached(self, message: str) -> NotReached:
        return NotReached(message, answered_before=self.answered)

    def _without_tls(self, reason: str) -> ServerError:
        if "WRONG_VERSION_NUMBER" in reason or "record layer failure" in reason:
            return ServerError(f"{self.base} does not speak TLS. Give its address with http instead of https.")
        if alert := re.search(r"\balert ([a-z][a-z ]+)", reason):
            return ServerError(
                f"{self.base} ends the TLS connection ({alert[1].strip()}). "
                "Give a client certificate that it accepts, with the key that belongs to it."
            )
        refused = re.search(r"certificate verify failed: ([^(]+)", reason)
        if refused is None and self._certificate is not None:
            return ServerError("The client certificate cannot be used. Give it and the key that belongs to it as PEM.")
        why = refused[1].strip() if refused else "TLS failed"
        return ServerError(
            f"The TLS certificate of {self._host} is not accepted ({why}). "
            "Have it corrected, or name the CA that signed it with --ca."
        )


def checked_base(base_url: str) -> str:
    """The base URL without a slash at its end. Raises UsageError when it is not one, or carries credentials."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # not quoted: a password or token may be in it, by mistake
        raise UsageError("The server's address is not a URL. Give a base URL such as http://localhost:8080/fhir.")
    if parts.username is not None or parts.password is not None:
        raise UsageError("Credentials do not belong in the URL: it ends up in logs. Leave them out of --server.")
    if parts.query or parts.fragment:
        raise UsageError("The server's address has a query or fragment. Give the base URL alone.")
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


def _same_origin(url: str, base: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(base)
        return (one.scheme, one.netloc.lower()) == (other.scheme, other.netloc.lower())
    except ValueError:
        return False
