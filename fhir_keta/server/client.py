"""Speaks FHIR REST to one server: a request gives an answer, or one clear error.

Two kinds of error: ``Refused`` is about the one resource that was sent, the next may fare better; any other
``ServerError`` is about the server and means to stop: what may pass by itself has been tried again (see ``retry``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from fhir_keta._version import __version__
from fhir_keta.errors import KetaError, ServerError
from fhir_keta.server import exact_json
from fhir_keta.server.comparison import differences
from fhir_keta.server.retry import GOT_LOST, NOT_CARRIED_OUT, Retry
from fhir_keta.server.transport import Certificate, Lost, Parameters, Response, Transport, address_of, checked_base

if TYPE_CHECKING:
    from requests.auth import AuthBase

Resource = dict[str, Any]
Said = TypeVar("Said")

FHIR_JSON = "application/fhir+json"
_LONGEST_MESSAGE = 1000
_OVERTAKEN = (409, 412)  # If-Match no longer holds: RFC 9110 says 412, HAPI 409
_RUN_AGAIN = "Run again: what arrived is found."
_BUNDLE_RESPONSES = ("transaction-response", "batch-response")


class Refused(KetaError):
    """The server took the request and refused it; ``str()`` carries what its OperationOutcome says.

    ``repeated``: an earlier try of the same request got lost, and may have been carried out.
    """

    exit_code = 1

    def __init__(self, message: str, status: int, outcome: Resource | None = None, *, repeated: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.outcome = outcome
        self.repeated = repeated


class Unavailable(ServerError):
    """The server takes no requests now (429, 503), or a read got lost on the way (502, 504): it may work later."""


class Interrupted(ServerError):
    """Something was sent and the answer did not come through: whether the server carried it out is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status and body, the version (from ETag) and the id (from Location) of the resource.

    ``url`` is where the request went, without a query; ``milliseconds`` is how long the last try took; ``retry_after``
    is the seconds the server asked to wait, if it did. ``repeated``: an earlier try got lost, and may have been carried
    out: what is "unchanged" now may have come from it.
    """

    status: int
    resource: Resource | None
    version: str | None
    id: str | None
    url: str = ""
    milliseconds: float = 0.0
    retry_after: float | None = None
    repeated: bool = False

    @property
    def entries(self) -> list[Resource]:
        """The entries of a Bundle, in its order; none when the answer is something else."""
        entries: list[Resource] = (self.resource or {}).get("entry", [])
        return entries


class Client:
    """A FHIR R4 server by its base URL (``http://host/fhir``), for any number of threads.

    ``retry`` says what is tried again, and how long; without it nothing is. ``timeout`` (seconds without a byte),
    ``auth``, ``headers``, ``verify`` and ``certificate`` are those of ``Transport``.
    Raises UsageError when the URL is not one, or carries credentials.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = 60.0,
        retry: Retry | None = None,
        auth: AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
        certificate: Certificate | None = None,
    ) -> None:
        self.base = checked_base(base_url)
        self.retry = retry or Retry(0.0)
        self._transport = Transport(
            self.base, timeout=timeout, auth=auth, headers=headers, verify=verify, certificate=certificate
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def capabilities(self) -> Resource:
        """The server's CapabilityStatement (RESTful API, capabilities)."""
        try:
            # one of a minute ago will do: a HAPI that is asked for a new one takes half a second to make it
            answer = self._request("GET", "metadata", headers={"Cache-Control": "max-age=60"})
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
            yield from _matches(page)
            following = next((link["url"] for link in page.get("link", ()) if link.get("relation") == "next"), None)
            if following is None or following in seen:
                return
            seen.add(following)
            page = self._request("GET", self._page(following)).resource

    def search_page(self, resource_type: str, parameters: Parameters) -> list[Resource]:
        """The matches of the first page; there may be more.

        A HAPI keeps what it found for further pages, which costs it a third of the search: "no-store" spares it that.
        """
        headers = {"Cache-Control": "no-cache, no-store"}
        return _matches(self._request("GET", resource_type, headers=headers, parameters=parameters).resource or {})

    def update(self, resource_type: str, resource_id: str, body: bytes, *, version: str | None = None) -> Answer:
        """PUT by id; with ``version`` only if the server still has that one (If-Match). Raises Refused."""
        headers = {"If-Match": f'W/"{version}"'} if version is not None else {}
        path = f"{resource_type}/{resource_id}"
        try:
            return self._request("PUT", path, body=body, headers=headers, idempotent=True)
        except Refused as error:
            if not (error.repeated and error.status in _OVERTAKEN):
                raise
            # The first try, whose answer got lost, may be what this one is too late for.
            there = self.read(resource_type, resource_id)
            if there is None or differences(exact_json.parse(body), there, base=self.base, by_canonical=False):
                raise Interrupted(f"{path} was changed by this upload or by something else. {_RUN_AGAIN}") from error
            now = there.get("meta", {}).get("versionId")
            return Answer(200, None, now, resource_id, f"{self.base}/{path}", repeated=True)

    def create(self, resource_type: str, body: bytes, *, unless: str | None = None) -> Answer:
        """POST: the server gives the id; with ``unless`` (a search) only if nothing matches it (If-None-Exist)."""
        headers = {"If-None-Exist": unless} if unless is not None else {}
        return self._request(
            "POST", resource_type, body=body, headers=headers, idempotent=unless is not None, conditional=True
        )

    def delete(self, resource_type: str, resource_id: str, *, version: str | None = None) -> Answer:
        """DELETE by id; with ``version`` only if the server still has that one (If-Match; not every server looks).

        What is not there is an answer, too: its status is 404 or 410. Raises Refused.
        """
        headers = {"If-Match": f'W/"{version}"'} if version is not None else {}
        try:
            return self._request("DELETE", f"{resource_type}/{resource_id}", headers=headers, idempotent=True)
        except Refused as error:
            if error.status not in (404, 410):
                raise
            return Answer(error.status, None, None, resource_id, f"{self.base}/{resource_type}/{resource_id}")

    def transaction(self, body: bytes, *, idempotent: bool = False, conditional: bool = False) -> Answer:
        """POST a transaction or batch Bundle; the answer's entries are in the order sent.

        ``idempotent``: every entry is a PUT by id, or a create with If-None-Exist; ``conditional``: some are the
        latter. Raises Refused: then nothing of a transaction was kept.
        """
        try:
            answer = self._request("POST", "", body=body, idempotent=idempotent, conditional=conditional)
        except Refused as error:
            if error.repeated and error.status in _OVERTAKEN:
                raise Interrupted(f"A transaction was sent twice, and refused then: {error} {_RUN_AGAIN}") from error
            raise
        if answer.resource is None or answer.resource.get("type") not in _BUNDLE_RESPONSES:
            raise Interrupted(f"{self.base} answered a transaction with something else. Ask who runs it.")
        return answer

    def validate(self, resource_type: str, body: bytes, *, profile: str | None = None) -> Resource:
        """The OperationOutcome of the server's own ``$validate``, whatever its status. Raises Refused without one."""
        parameters: Parameters = {"profile": profile} if profile else {}
        try:
            answer = self._request(
                "POST", f"{resource_type}/$validate", body=body, parameters=parameters, idempotent=True
            )
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
        parameters: Parameters = (),
        idempotent: bool = False,
        conditional: bool = False,
    ) -> Answer:
        url = f"{self.base}/{path}" if path and not path.startswith("?") else f"{self.base}{path}"
        sent = {"Accept": FHIR_JSON, "Cache-Control": "no-cache", "User-Agent": f"fhir-keta/{__version__}"}
        if body is not None:
            sent["Content-Type"] = FHIR_JSON
            # "minimal" means no body at all to Medplum: not of a transaction's answer, and no reason with a refusal
            sent["Prefer"] = "return=OperationOutcome"
        if path.endswith("$validate"):
            del sent["Prefer"]
        read = method == "GET"
        try:
            tried = self.retry.run(
                lambda: self._transport.send(method, url, sent | dict(headers or {}), body, parameters),
                idempotent=read or idempotent,
                conditional=conditional,
            )
        except Lost as error:
            if read:
                raise ServerError(f"{error} Try again.") from error
            raise Interrupted(f"{error} {_RUN_AGAIN}") from error
        return self._answer(tried.response, tried.repeated and not read)

    def _page(self, link: str) -> str:
        """A paging link as a path below the base; it must not lead elsewhere."""
        url = urljoin(f"{self.base}/", link)
        if url == self.base or url.startswith((f"{self.base}/", f"{self.base}?")):
            return url.removeprefix(self.base).removeprefix("/")
        raise ServerError(
            f"{self.base} continues its search results at {self._without_secrets(address_of(url, self.base))}. "
            "Give that server's base URL as --server, or have its own base URL corrected."
        )

    def _answer(self, response: Response, repeated: bool) -> Answer:
        status = response.status
        if 300 <= status < 400 and status != 304:
            target = self._without_secrets(address_of(response.headers.get("Location", ""), self.base))
            raise self._stopping(
                f"{self.base} redirects to {target} (HTTP {status}), which is not followed. "
                "If you trust that address, give its base URL as --server.",
                repeated,
            )
        resource = self._body(response)
        if resource is not None and (status >= 300 or resource.get("type") in _BUNDLE_RESPONSES):
            resource = self._without_secrets(resource)
        asked = self.retry.seconds_asked(response.headers)
        if status < 300:
            location = re.search(r"([^/]+)/_history/[^/]+$|([^/]+)$", response.headers.get("Location", ""))
            return Answer(
                status,
                resource,
                version_of(response.headers.get("ETag")),
                (location[1] or location[2]) if location else None,
                response.url,
                response.milliseconds,
                asked,
                repeated,
            )
        said = outcome_text(resource)
        if status == 401:
            raise self._stopping(self._unauthorised(said), repeated)
        if status in GOT_LOST and response.method != "GET":
            raise Interrupted(f"{self.base} gave no answer (HTTP {status}){_colon(said)} {_RUN_AGAIN}")
        if status in (*NOT_CARRIED_OUT, *GOT_LOST):
            when = f"in {asked:.0f} s" if asked else "later"
            message = f"{self.base} cannot answer now (HTTP {status}){_colon(said)} Try again {when}."
            raise Interrupted(message) if repeated else Unavailable(message)
        what = f"{response.method} {urlsplit(response.url).path}"
        raise Refused(
            said or f"{what} was refused without a reason (HTTP {status}).", status, resource, repeated=repeated
        )

    def _without_secrets(self, said: Said) -> Said:
        """Some servers repeat the header that they refuse."""
        from fhir_keta.server.auth import concealed

        return concealed(said, self._transport.secrets())

    def _stopping(self, message: str, repeated: bool) -> ServerError:
        return Interrupted(message) if repeated else ServerError(message)

    def _unauthorised(self, said: str) -> str:
        if self._transport.has_credentials:
            return f"{self.base} does not accept the credentials (HTTP 401){_colon(said)} Check them, and their scope."
        return f"{self.base} wants credentials (HTTP 401){_colon(said)} fhir-keta upload --help says how to give them."

    def _body(self, response: Response) -> Resource | None:
        """The body as a resource; None when empty, or when an error carries something else (an HTML page)."""
        if not response.content.strip():
            return None
        kind = self._without_secrets(response.headers.get("Content-Type", "").split(";")[0].strip())
        kind = kind or "no content type"
        try:
            if "json" not in kind:
                raise ValueError(kind)
            resource = exact_json.parse(response.content)
            if not isinstance(resource, dict) or "resourceType" not in resource:
                raise ValueError("no resourceType")
        except ValueError as error:
            if response.status >= 400:
                return None
            said = f"{self.base} answered with {kind}, not FHIR JSON."
            if response.method != "GET":
                raise Interrupted(f"{said} {_RUN_AGAIN}") from error
            raise ServerError(f"{said} Give the FHIR base URL: it often ends in /fhir.") from error
        return resource


def _matches(page: Resource) -> list[Resource]:
    return [
        entry["resource"]
        for entry in page.get("entry", ())
        if entry.get("search", {}).get("mode", "match") == "match" and "resource" in entry
    ]


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


def _colon(said: str) -> str:
    return f": {said.rstrip('.')}." if said else "."
