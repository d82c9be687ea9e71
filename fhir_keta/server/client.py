"""Speaks FHIR REST to one server: a request gives an answer, or one clear error.

Two kinds of error: ``Refused`` is about the one resource that was sent, the next may fare better; any other
``ServerError`` is about the server and means to stop. Nothing is retried here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from fhir_keta._version import __version__
from fhir_keta.errors import KetaError, ServerError, UsageError
from fhir_keta.server import exact_json

if TYPE_CHECKING:
    import requests

Resource = dict[str, Any]
Parameters = Mapping[str, str] | Sequence[tuple[str, str]]

FHIR_JSON = "application/fhir+json"
_LONGEST_MESSAGE = 1000
_RUN_AGAIN = "Run again: what arrived is found."
_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1", re.IGNORECASE)


class Refused(KetaError):
    """The server took the request and refused it; ``str()`` carries what its OperationOutcome says."""

    exit_code = 1

    def __init__(self, message: str, status: int, outcome: Resource | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.outcome = outcome


class Unavailable(ServerError):
    """The server takes no requests now (429, 503), or a read got lost on the way (502, 504): it may work later."""


class Interrupted(ServerError):
    """Something was sent and the answer did not come through: whether the server carried it out is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status and body, the version (from ETag) and the id (from Location) of the resource."""

    status: int
    resource: Resource | None
    version: str | None
    id: str | None


class Client:
    """A FHIR R4 server by its base URL (``http://host/fhir``).

    Environment proxies and CA bundles count (not for loopback addresses), ``.netrc`` does not; redirects are not
    followed. Raises UsageError when the URL is not one, or carries credentials.
    """

    def __init__(self, base_url: str, *, timeout: float = 60.0) -> None:
        self.base = _checked_base(base_url)
        self._timeout = timeout
        self._host = urlsplit(self.base).hostname or ""
        self._opened: requests.Session | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def capabilities(self) -> Resource:
        """The server's CapabilityStatement (RESTful API, capabilities)."""
        try:
            answer = self._request("GET", "metadata")
        except Refused as error:
            said = f" It says: {error}" if error.outcome is not None else ""
            raise ServerError(
                f"{self.base}/metadata does not exist (HTTP {error.status}).{said} "
                "Give the FHIR base URL: it often ends in /fhir."
            ) from error
        if answer.resource is None or answer.resource.get("resourceType") != "CapabilityStatement":
            raise ServerError(
                f"{self.base}/metadata is not a CapabilityStatement. Give the FHIR base URL: it often ends in /fhir."
            )
        return answer.resource

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource as it is now, or None when it never existed or is deleted."""
        try:
            return self._request("GET", f"{resource_type}/{resource_id}").resource
        except Refused as error:
            if error.status in (404, 410):
                return None
            raise

    def search(self, resource_type: str, parameters: Parameters) -> Iterator[Resource]:
        """Every match, page after page; included resources and outcomes in the answer are left out."""
        page = self._request("GET", resource_type, parameters=parameters).resource
        seen: set[str] = set()
        while page is not None:
            for entry in page.get("entry", ()):
                if entry.get("search", {}).get("mode", "match") == "match" and "resource" in entry:
                    yield entry["resource"]
            following = next((link["url"] for link in page.get("link", ()) if link.get("relation") == "next"), None)
            if following is None or following in seen:
                return
            seen.add(following)
            page = self._request("GET", self._page(following)).resource

    def update(self, resource_type: str, resource_id: str, body: bytes, *, version: str | None = None) -> Answer:
        """PUT by id; with ``version`` only if the server still has that one (If-Match). Raises Refused."""
        headers = {"If-Match": f'W/"{version}"'} if version is not None else {}
        return self._request("PUT", f"{resource_type}/{resource_id}", body=body, headers=headers)

    def create(self, resource_type: str, body: bytes, *, unless: str | None = None) -> Answer:
        """POST: the server gives the id; with ``unless`` (a search) only if nothing matches it (If-None-Exist)."""
        headers = {"If-None-Exist": unless} if unless is not None else {}
        return self._request("POST", resource_type, body=body, headers=headers)

    def transaction(self, body: bytes) -> list[Resource]:
        """POST a transaction Bundle; the entries of the answer, in the order sent. Raises Refused: nothing was kept."""
        answer = self._request("POST", "", body=body)
        if answer.resource is None or answer.resource.get("type") != "transaction-response":
            raise Interrupted(f"{self.base} answered a transaction with something else. Ask who runs it.")
        entries: list[Resource] = answer.resource.get("entry", [])
        return entries

    def validate(self, resource_type: str, body: bytes, *, profile: str | None = None) -> Resource:
        """The OperationOutcome of the server's own ``$validate``, whatever its status. Raises Refused without one."""
        parameters = {"profile": profile} if profile else {}
        try:
            answer = self._request("POST", f"{resource_type}/$validate", body=body, parameters=parameters)
        except Refused as error:
            if error.outcome is not None and error.status in (400, 412, 422):
                return error.outcome
            raise
        return answer.resource or {"resourceType": "OperationOutcome", "issue": []}

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        parameters: Parameters | None = None,
    ) -> Answer:
        import requests

        url = f"{self.base}/{path}" if path and not path.startswith("?") else f"{self.base}{path}"
        sent = {"Accept": FHIR_JSON, "Cache-Control": "no-cache", "User-Agent": f"fhir-keta/{__version__}"}
        if body is not None:
            sent["Content-Type"] = FHIR_JSON
            sent["Prefer"] = "return=minimal"
        if path.endswith("$validate"):
            del sent["Prefer"]
        try:
            response = self._session().request(
                method,
                url,
                params=[*(parameters.items() if isinstance(parameters, Mapping) else parameters or ())],
                data=body,
                headers=sent | dict(headers or {}),
                timeout=(10.0, self._timeout),
                allow_redirects=False,
            )
        except requests.exceptions.RequestException as error:
            raise self._unanswered(error, written=method != "GET") from error
        return self._answer(response, f"{method} {urlsplit(response.url).path}")

    def _session(self) -> requests.Session:
        if self._opened is None:
            import requests

            self._opened = requests.Session()
            # A set ``auth`` keeps requests from looking into .netrc; this one adds nothing.
            self._opened.auth = _no_credentials
            self._opened.trust_env = not _LOOPBACK.fullmatch(self._host)
        return self._opened

    def _page(self, link: str) -> str:
        """A paging link as a path below the base; it must not lead elsewhere."""
        url = urljoin(f"{self.base}/", link)
        if url == self.base or url.startswith((f"{self.base}/", f"{self.base}?")):
            return url.removeprefix(self.base).removeprefix("/")
        elsewhere = urlsplit(url)
        raise ServerError(
            f"{self.base} continues its search results at {elsewhere.scheme}://{elsewhere.netloc}{elsewhere.path}. "
            "Give that server's base URL as --server, or have its own base URL corrected."
        )

    def _answer(self, response: requests.Response, what: str) -> Answer:
        status = response.status_code
        if 300 <= status < 400 and status != 304:
            target = urlsplit(urljoin(f"{self.base}/", response.headers.get("Location", "")))
            raise ServerError(
                f"{self.base} redirects to {target.scheme}://{target.hostname or ''}{_port(target.port)}{target.path} "
                f"(HTTP {status}), which is not followed. If you trust that address, give its base URL as --server."
            )
        resource = self._body(response)
        if status < 300:
            location = re.search(r"([^/]+)/_history/[^/]+$|([^/]+)$", response.headers.get("Location", ""))
            return Answer(
                status,
                resource,
                version_of(response.headers.get("ETag")),
                (location[1] or location[2]) if location else None,
            )
        said = outcome_text(resource)
        if status == 401:
            raise ServerError(f"{self.base} wants credentials (HTTP 401){_colon(said)} Only open servers work so far.")
        if status in (502, 504) and response.request.method != "GET":
            raise Interrupted(f"{self.base} gave no answer (HTTP {status}){_colon(said)} {_RUN_AGAIN}")
        if status in (429, 502, 503, 504):
            raise Unavailable(f"{self.base} cannot answer now (HTTP {status}){_colon(said)} Try again later.")
        raise Refused(said or f"{what} was refused without a reason (HTTP {status}).", status, resource)

    def _body(self, response: requests.Response) -> Resource | None:
        """The body as a resource; None when empty, or when an error carries something else (an HTML page)."""
        if not response.content.strip():
            return None
        kind = response.headers.get("Content-Type", "").split(";")[0].strip() or "no content type"
        try:
            if "json" not in kind:
                raise ValueError(kind)
            resource = exact_json.parse(response.content)
            if not isinstance(resource, dict) or "resourceType" not in resource:
                raise ValueError("no resourceType")
        except ValueError as error:
            if response.status_code >= 400:
                return None
            said = f"{self.base} answered with {kind}, not FHIR JSON."
            if response.request.method != "GET":
                raise Interrupted(f"{said} {_RUN_AGAIN}") from error
            raise ServerError(f"{said} Give the FHIR base URL: it often ends in /fhir.") from error
        return resource

    def _unanswered(self, error: Exception, *, written: bool) -> ServerError:
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
            return ServerError(
                f"The proxy on the way to {self.base} does not answer. Check HTTPS_PROXY, HTTP_PROXY, NO_PROXY."
            )
        if isinstance(error, exceptions.ConnectTimeout):
            return ServerError(f"{self.base} does not answer within 10 s. Check the address and the network.")
        if isinstance(error, exceptions.ReadTimeout):
            return _lost(f"{self.base} did not finish its answer within {self._timeout:g} s.", written)
        if isinstance(error, exceptions.ConnectionError) and "NewConnectionError" in repr(error):
            return ServerError(f"{self.base} cannot be reached. Start the server, or correct the address.")
        if isinstance(error, exceptions.ConnectionError) and "NameResolution" in repr(error):
            return ServerError(f"The host {self._host} is not known. Check the address.")
        if isinstance(error, exceptions.InvalidURL | exceptions.InvalidSchema | exceptions.MissingSchema):
            return ServerError(f"{self.base} is not a usable address. Give one such as http://localhost:8080/fhir.")
        return _lost(f"{self.base} broke the connection off.", written)


def _lost(text: str, written: bool) -> ServerError:
    return Interrupted(f"{text} {_RUN_AGAIN}") if written else ServerError(f"{text} Try again.")


def outcome_text(resource: Resource | None) -> str:
    """What an OperationOutcome says, from ``diagnostics`` or ``details.text``; only its errors if it has any."""
    if not resource or resource.get("resourceType") != "OperationOutcome":
        return ""
    issues = [issue for issue in resource.get("issue", ()) if isinstance(issue, dict)]
    worst = [issue for issue in issues if issue.get("severity") in ("fatal", "error")] or issues
    said = []
    for issue in worst:
        text = issue.get("diagnostics") or issue.get("details", {}).get("text") or issue.get("code", "")
        where = ", ".join(issue.get("expression") or issue.get("location") or ())
        said.append(" ".join(f"{where}: {text}".split() if where else str(text).split()))
    message = "; ".join(dict.fromkeys(filter(None, said)))
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + " [...]"


def version_of(etag: str | None) -> str | None:
    """The version in an ETag such as ``W/"3"`` (RESTful API, Versioning); HAPI leaves the quotes out inside Bundles."""
    found = re.fullmatch(r'(?:W/)?("?)([^"]+)\1', etag.strip()) if etag else None
    return found[2] if found else None


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _checked_base(base_url: str) -> str:
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
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{_port(port)}{parts.path.rstrip('/')}"


def _port(port: int | None) -> str:
    return f":{port}" if port is not None else ""


def _colon(said: str) -> str:
    return f": {said.rstrip('.')}." if said else "."
