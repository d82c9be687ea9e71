"""The FHIR interactions of the sandbox, apart from HTTP: a request in, a reply out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fhir_keta._version import __version__
from fhir_keta.server import exact_json
from fhir_keta.server.client import version_of
from fhir_keta.server.incoming import with_references
from fhir_keta.server.sandbox_search import Parameter, criteria, ordering, parameters
from fhir_keta.server.sandbox_store import Failure, Store, Version, Written

Resource = dict[str, Any]
Criteria = Sequence[tuple[str, str]]
# resource, profiles to check besides its own, definitions on the server -> OperationOutcome.issue
Validate = Callable[[Resource, Sequence[str], Sequence[Resource]], list[Resource]]

NAME = "fhir-keta sandbox"
_INTERACTIONS = ("read", "vread", "update", "delete", "history-instance", "create", "search-type")
_PAGE = 20
_LARGEST_PAGE = 500
_DEFINING = ("StructureDefinition", "ValueSet", "CodeSystem", "Questionnaire")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request below the base URL; header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    resource: Resource | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    written: Version | None = None


class Interactions:
    """A FHIR R4 server without its network: ``handle`` gives the reply to a request. Thread-safe."""

    def __init__(self, base: str, resource_types: frozenset[str], validate: Validate) -> None:
        self.base = base
        self._types = resource_types
        self._validate = validate
        self._store = Store()
        self._lock = RLock()
        self._started = datetime.now(UTC).isoformat(timespec="seconds")

    def handle(self, request: Request) -> Reply:
        """Carry the request out. Never raises: a refused request gives an OperationOutcome."""
        try:
            with self._lock:
                return self._route(request)
        except Failure as failure:
            return Reply(failure.status, outcome([issue("error", failure.code, str(failure))]))
        except (
            AttributeError,
            KeyError,
            TypeError,
            RecursionError,
        ) as error:  # an object where FHIR has a list, and the like
            said = f"The body is not a well-formed FHIR resource ({type(error).__name__})"
            return Reply(400, outcome([issue("error", "structure", said)]))

    def _route(self, request: Request) -> Reply:
        asked = parse_qsl(request.query, keep_blank_values=True)
        wanted = [each for each in asked if each[0] not in ("_format", "_pretty")]
        match [part for part in request.path.split("/") if part]:
            case [] if request.method == "POST":
                return self._bundle(self._body(request))
            case ["metadata"] if request.method == "GET":
                return Reply(200, self._capabilities())
            case [kind, *_] if kind not in self._types:
                raise Failure(404, "not-supported", f"Unknown resource type '{kind}': this is FHIR R4")
            case [kind, "$validate"] if request.method == "POST":
                return self._validated(self._body(request), dict(wanted).get("profile"))
            case [kind, operation, *_] if operation.startswith("$"):
                raise Failure(400, "not-supported", f"The sandbox has no operation {operation} on {kind}")
            case [kind, "_search"] if request.method == "POST":
                body = request.body.decode(errors="replace")
                return self._search(kind, [*wanted, *parse_qsl(body, keep_blank_values=True)])
            case [kind]:
                return self._on_type(kind, request, wanted)
            case [kind, identity]:
                return self._on_instance(kind, identity, request)
            case [kind, identity, "_history"] if request.method == "GET":
                return Reply(200, self._history(kind, identity))
            case [kind, identity, "_history", number] if request.method == "GET":
                found = [each for each in self._store.history(kind, identity) if str(each.number) == number]
                if not found:
                    raise Failure(404, "not-found", f"Version {number} of {kind}/{identity} is not known")
                return self._read(found[0])
        raise Failure(400, "not-supported", f"The sandbox does not support {request.method} {request.path}")

    def _on_type(self, kind: str, request: Request, wanted: Criteria) -> Reply:
        if request.method == "GET":
            return self._search(kind, wanted)
        resource = self._body(request, kind)
        if request.method == "POST":
            return self._written(*self._create(resource, request.headers.get("if-none-exist")))
        if request.method == "PUT" and wanted:
            return self._written(self._update_matching(resource, wanted))
        raise Failure(400, "not-supported", f"The sandbox does not support {request.method} on a type")

    def _on_instance(self, kind: str, identity: str, request: Request) -> Reply:
        if request.method == "GET":
            return self._read(self._store.current(kind, identity))
        if request.method == "PUT":
            resource = self._body(request, kind)
            return self._written(self._update(resource, identity, request.headers.get("if-match")))
        if request.method == "DELETE":
            deleted = self._store.delete(kind, identity)
            said = f"Deleted {kind}/{identity}" if deleted else f"Not deleted: {kind}/{identity} does not exist"
            return Reply(200, outcome([issue("information", "informational", said)]))
        raise Failure(400, "not-supported", f"The sandbox does not support {request.method} on a resource")

    def _body(self, request: Request, kind: str | None = None) -> Resource:
        if "json" not in request.headers.get("content-type", "json"):
            raise Failure(400, "not-supported", "The sandbox reads application/fhir+json only")
        try:
            resource = exact_json.parse(request.body)
        except ValueError as error:
            raise Failure(400, "structure", f"Failed to parse request body as JSON resource: {error}") from None
        return self._typed(resource, kind)

    def _typed(self, resource: Any, kind: str | None = None) -> Resource:
        if not isinstance(resource, dict) or resource.get("resourceType") not in self._types | {"Parameters"}:
            raise Failure(
                400, "structure", "The body is not a FHIR R4 resource: its resourceType is missing or unknown"
            )
        if kind is not None and resource["resourceType"] != kind:
            raise Failure(400, "processing", f"The body is a {resource['resourceType']}, the URL says {kind}")
        return resource

    # One resource

    def _create(self, resource: Resource, unless: str | None) -> tuple[Written, int | None]:
        """The write, and the status when it is another one than the write tells."""
        if unless is not None:
            found = self._matching(resource["resourceType"], parse_qsl(unless.lstrip("?"), keep_blank_values=True))
            if found:
                version = self._store.current(resource["resourceType"], found[0]["id"])
                return Written(version, created=False, changed=False), 200
        return self._store.put(resource, self._store.new_id(), given_by_client=False), None

    def _update(self, resource: Resource, identity: str, if_match: str | None) -> Written:
        if resource.get("id") != identity:
            raise Failure(
                400, "processing", "The id in the body must be there and equal to the id of the URL for an update"
            )
        if if_match is not None and self._exists(resource["resourceType"], identity):
            there = self._store.current(resource["resourceType"], identity)
            if version_of(if_match) != str(there.number):
                raise Failure(409, "conflict", f"Trying to update {if_match} but the current version is {there.number}")
        return self._store.put(resource, identity)

    def _update_matching(self, resource: Resource, wanted: Criteria) -> Written:
        found = self._matching(resource["resourceType"], wanted)
        if found:
            return self._store.put(resource, found[0]["id"])
        return self._store.put(resource, self._store.new_id(), given_by_client=False)

    def _matching(self, kind: str, wanted: Criteria) -> list[Resource]:
        """What a conditional interaction means: at most one resource (RESTful API, Conditional update)."""
        found = self._found(kind, wanted)
        if len(found) > 1:
            raise Failure(412, "multiple-matches", f"{len(found)} resources match the condition {urlencode(wanted)}")
        return found

    def _read(self, version: Version) -> Reply:
        if version.resource is None:
            raise Failure(410, "deleted", f"Resource was deleted at {version.at}")
        return Reply(200, version.resource, {"ETag": f'W/"{version.number}"'})

    def _written(self, written: Written, status: int | None = None) -> Reply:
        version = written.version
        headers = {"ETag": f'W/"{version.number}"', "Location": f"{self.base}/{_address(version)}"}
        return Reply(status or (201 if written.created else 200), version.resource, headers, version)

    # Many resources

    def _search(self, kind: str, wanted: Criteria) -> Reply:
        control = {name: value for name, value in wanted if name in ("_count", "_offset", "_summary", "_sort")}
        wanted = [each for each in wanted if each[0] not in control]
        found = self._found(kind, wanted)
        for name in reversed(control.get("_sort", "").split(",") if "_sort" in control else []):
            found.sort(key=ordering(name.lstrip("-"), kind, self._parameters(kind)), reverse=name.startswith("-"))
        size = min(_number(control.get("_count"), _PAGE), _LARGEST_PAGE)
        start = _number(control.get("_offset"), 0)
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        kept = [*wanted, *(each for each in control.items() if each[0] in ("_sort", "_summary"))]
        links = [("self", [*kept, ("_count", str(size))])]
        if control.get("_summary") != "count" and size:
            if len(found) > start + size:
                links.append(("next", [*kept, ("_count", str(size)), ("_offset", str(start + size))]))
            bundle["entry"] = [
                {"fullUrl": f"{self.base}/{kind}/{each['id']}", "resource": each, "search": {"mode": "match"}}
                for each in found[start : start + size]
            ]
        bundle["link"] = [{"relation": name, "url": f"{self.base}/{kind}?{urlencode(of)}"} for name, of in links]
        return Reply(200, bundle)

    def _found(self, kind: str, wanted: Criteria) -> list[Resource]:
        return list(filter(criteria(wanted, kind, self._parameters(kind), self.base), self._store.of_type(kind)))

    def _parameters(self, kind: str) -> dict[str, Parameter]:
        return parameters(kind, self._store.of_type("SearchParameter"))

    def _history(self, kind: str, identity: str) -> Resource:
        entries = []
        for version in reversed(self._store.history(kind, identity)):
            method = "DELETE" if version.resource is None else "POST" if version.number == 1 else "PUT"
            entry: Resource = {"fullUrl": f"{self.base}/{kind}/{identity}"}
            if version.resource is not None:
                entry["resource"] = version.resource
            entry["request"] = {"method": method, "url": f"{kind}/{identity}"}
            entry["response"] = {"status": "200 OK", "etag": f'W/"{version.number}"', "lastModified": version.at}
            entries.append(entry)
        return {"resourceType": "Bundle", "type": "history", "total": len(entries), "entry": entries}

    # Bundles

    def _bundle(self, bundle: Resource) -> Reply:
        if bundle["resourceType"] != "Bundle" or bundle.get("type") not in ("transaction", "batch"):
            raise Failure(400, "processing", "Only a Bundle of type transaction or batch can be posted to the base URL")
        entries = [each for each in bundle.get("entry", []) if isinstance(each, dict)]
        if bundle["type"] == "transaction":
            responses = self._store.together(lambda: self._transaction(entries))
        else:
            responses = [self._batched(entry) for entry in entries]
        return Reply(200, {"resourceType": "Bundle", "type": f"{bundle['type']}-response", "entry": responses})

    def _batched(self, entry: Resource) -> Resource:
        try:
            return _response(self._entry(entry, None))
        except Failure as failure:
            said = outcome([issue("error", failure.code, str(failure))])
            return {"response": {"status": f"{failure.status} {failure.code}", "outcome": said}}

    def _transaction(self, entries: Sequence[Resource]) -> list[Resource]:
        """All entries, in the order DELETE, POST, PUT, GET (RESTful API, Transaction), answered in their own order."""
        addresses: dict[str, str] = {}
        ids: dict[int, str] = {}
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            address = self._address_of(entry)
            if address is None:
                continue
            if address in seen:
                raise Failure(400, "processing", f"Transaction bundle contains multiple resources with ID: {address}")
            seen.add(address)
            ids[index] = address.partition("/")[2]
            if str(entry.get("fullUrl", "")).startswith("urn:"):
                if entry["fullUrl"] in addresses:
                    raise Failure(400, "processing", f"Two entries of the transaction are {entry['fullUrl']}")
                addresses[entry["fullUrl"]] = address
        replies: dict[int, Reply] = {}
        for method in ("DELETE", "POST", "PUT", "GET"):
            for index, entry in enumerate(entries):
                if entry.get("request", {}).get("method") == method:
                    linked = {**entry, "resource": with_references(entry.get("resource"), addresses.get)}
                    replies[index] = self._entry(linked, ids.get(index))
        if len(replies) != len(entries):
            raise Failure(
                400, "processing", "Every entry of a transaction needs a request with DELETE, POST, PUT or GET"
            )
        return [_response(replies[index]) for index in range(len(entries))]

    def _address_of(self, entry: Resource) -> str | None:
        """``Type/id`` that the entry's resource will have, so that the others can refer to it."""
        request = entry.get("request", {})
        kind, _, identity = str(request.get("url", "")).partition("?")[0].partition("/")
        if request.get("method") not in ("POST", "PUT") or "$" in identity:
            return None
        if not identity:
            condition = request.get("ifNoneExist") or str(request["url"]).partition("?")[2]
            found = self._matching(kind, parse_qsl(condition, keep_blank_values=True)) if condition else []
            identity = found[0]["id"] if found else self._store.new_id()
        return f"{kind}/{identity}"

    def _entry(self, entry: Resource, identity: str | None) -> Reply:
        """One entry of a Bundle; ``identity`` is the id settled for it by ``_address_of``."""
        asked = entry.get("request", {})
        method, (path, _, query) = asked.get("method"), str(asked.get("url", "")).partition("?")
        if method in ("POST", "PUT"):
            resource = self._typed(entry.get("resource"), path.partition("/")[0])
            if method == "POST" and identity is not None:
                if asked.get("ifNoneExist") and self._exists(resource["resourceType"], identity):
                    return self._written(
                        Written(self._store.current(resource["resourceType"], identity), created=False, changed=False)
                    )
                return self._written(self._store.put(resource, identity, given_by_client=False))
            if method == "PUT" and query and identity is not None:
                return self._written(self._store.put(resource, identity, given_by_client=False))
        headers = {"if-match": asked.get("ifMatch"), "if-none-exist": asked.get("ifNoneExist")}
        present = {name: str(value) for name, value in headers.items() if value is not None}
        body = exact_json.write(entry.get("resource"))
        return self._route(Request(str(method), path, query, present, body))

    def _exists(self, kind: str, identity: str) -> bool:
        return any(each["id"] == identity for each in self._store.of_type(kind))

    # Whole server

    def _validated(self, body: Resource, profile: str | None) -> Reply:
        if body["resourceType"] == "Parameters":
            given = {each.get("name"): each for each in body.get("parameter", ())}
            body = self._typed(given.get("resource", {}).get("resource"))
            profile = next((given["profile"][key] for key in given.get("profile", {}) if key != "name"), profile)
        definitions = [each for kind in _DEFINING for each in self._store.of_type(kind)]
        issues = self._validate(body, [profile] if profile else [], definitions)
        return Reply(200, outcome(issues or [issue("information", "informational", "No issues detected")]))

    def _capabilities(self) -> Resource:
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": self._started,
            "kind": "instance",
            "software": {"name": NAME, "version": __version__},
            "implementation": {
                "description": "A sandbox in memory, for demonstrations and tests: not for patient data.",
                "url": self.base,
            },
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json"],
            "rest": [
                {
                    "mode": "server",
                    "resource": [self._of_type(kind) for kind in sorted(self._types)],
                    "interaction": [{"code": "transaction"}, {"code": "batch"}],
                }
            ],
        }

    def _of_type(self, kind: str) -> Resource:
        return {
            "type": kind,
            "interaction": [{"code": code} for code in _INTERACTIONS],
            "versioning": "versioned-update",
            "updateCreate": True,
            "conditionalCreate": True,
            "conditionalUpdate": True,
            "searchParam": [{"name": name, "type": each.type} for name, each in sorted(self._parameters(kind).items())],
        }


def issue(severity: str, code: str, text: str) -> Resource:
    """An OperationOutcome.issue."""
    return {"severity": severity, "code": code, "diagnostics": text}


def outcome(issues: Sequence[Resource]) -> Resource:
    """An OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def _response(reply: Reply) -> Resource:
    response: Resource = {"status": {200: "200 OK", 201: "201 Created"}.get(reply.status, str(reply.status))}
    if reply.written is not None:
        address = {"location": _address(reply.written), "etag": reply.headers["ETag"], "lastModified": reply.written.at}
        return {"response": response | address}
    return {"resource": reply.resource, "response": response} if reply.resource else {"response": response}


def _address(version: Version) -> str:
    return f"{version.type}/{version.id}/_history/{version.number}"


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default
