"""What the sandbox holds: every version of every resource, in memory, under the rules of a HAPI JPA server.

The rules, as measured on HAPI 8.8: an unchanged update keeps the version; an update keeps tags and security labels;
ids given by clients need a character that is no digit; a reference to another server, or to a resource that is not
there, is refused, and so is deleting one that is referred to; url and version of vocabulary stand once. HAPI checks the
references that a search parameter covers, the sandbox all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from fhir_keta.server.incoming import strings, with_references

Resource = dict[str, Any]
T = TypeVar("T")

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LOCAL_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_LABELS = ("tag", "security")
_ONCE = ("CodeSystem", "ValueSet", "ConceptMap")


class Failure(Exception):
    """A request that is refused: HTTP status, FHIR issue type, and the text of the OperationOutcome."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource; ``resource`` is None when this version is its deletion."""

    number: int
    type: str
    id: str
    resource: Resource | None
    at: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a write led to: the version there is now, whether the resource is new, and whether anything changed."""

    version: Version
    created: bool
    changed: bool


@dataclass(slots=True)
class Store:
    """All resources by type and id. Not thread-safe: the caller serialises."""

    _histories: dict[tuple[str, str], tuple[Version, ...]] = field(default_factory=dict)
    _assigned: int = 0
    _deferred: list[Resource] | None = None
    _deleted: list[tuple[str, str]] = field(default_factory=list)

    def current(self, resource_type: str, resource_id: str) -> Version:
        """The version there is now. Raises Failure 404 when there never was one, 410 when it is deleted."""
        version = self.history(resource_type, resource_id)[-1]
        if version.resource is None:
            raise Failure(410, "deleted", f"Resource was deleted at {version.at}")
        return version

    def history(self, resource_type: str, resource_id: str) -> tuple[Version, ...]:
        """Every version, the oldest first. Raises Failure 404 when there is none."""
        try:
            return self._histories[resource_type, resource_id]
        except KeyError:
            raise Failure(404, "not-found", f"Resource {resource_type}/{resource_id} is not known") from None

    def of_type(self, resource_type: str) -> Iterator[Resource]:
        """Every resource of the type that is not deleted, as it is now."""
        for (kind, _), versions in self._histories.items():
            if kind == resource_type and versions[-1].resource is not None:
                yield versions[-1].resource

    def new_id(self) -> str:
        """The next id that the server gives."""
        self._assigned += 1
        return str(self._assigned)

    def put(self, resource: Resource, resource_id: str, *, given_by_client: bool = True) -> Written:
        """Store ``resource`` under the id; nothing happens when it is stored there already."""
        kind = resource["resourceType"]
        earlier = self._histories.get((kind, resource_id), ())
        if not _ID.fullmatch(resource_id):
            raise Failure(400, "invalid", f"{resource_id!r} is not a FHIR id")
        if given_by_client and not earlier and resource_id.isdigit():
            raise Failure(
                400,
                "processing",
                f"Can not create resource with ID[{resource_id}], no resource with this ID exists and clients may only "
                "assign IDs to resources which contain at least one non-numeric character",
            )
        resource = with_references(resource, _unversioned)
        self._check_canonical(resource, resource_id)
        if self._deferred is None:
            self._check_references(resource)
        else:
            self._deferred.append(resource)
        before = earlier[-1].resource if earlier else None
        content = _without_server_meta({**resource, "id": resource_id}, before)
        if before is not None and content == _without_server_meta(before, None):
            return Written(earlier[-1], created=False, changed=False)
        version = self._add(kind, resource_id, content)
        return Written(version, created=before is None, changed=True)

    def delete(self, resource_type: str, resource_id: str) -> bool:
        """Delete the resource, not its history; False when there is none. Raises Failure 409 when it is referred to."""
        versions = self._histories.get((resource_type, resource_id))
        if versions is None or versions[-1].resource is None:
            return False
        self._add(resource_type, resource_id, None)
        if self._deferred is None:
            try:
                self._check_unreferenced(resource_type, resource_id)
            except Failure:
                self._histories[resource_type, resource_id] = versions
                raise
        else:
            self._deleted.append((resource_type, resource_id))
        return True

    def together(self, writes: Callable[[], T]) -> T:
        """Run ``writes``: references are checked when all is written, and a Failure leaves nothing behind."""
        kept, assigned = dict(self._histories), self._assigned
        self._deferred, self._deleted = [], []
        try:
            done = writes()
            for resource in self._deferred:
                self._check_references(resource)
            for deleted in self._deleted:
                self._check_unreferenced(*deleted)
        except BaseException:
            self._histories, self._assigned = kept, assigned
            raise
        finally:
            self._deferred = None
        return done

    def _add(self, resource_type: str, resource_id: str, content: Resource | None) -> Version:
        earlier = self._histories.get((resource_type, resource_id), ())
        number = len(earlier) + 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        if content is not None:
            set_here = {"versionId": str(number), "lastUpdated": at, "source": f"#{number:08x}"}
            meta = {**set_here, **content.get("meta", {})}
            first = {name: content[name] for name in ("resourceType", "id")}
            content = {**first, "meta": meta, **{key: item for key, item in content.items() if key != "meta"}}
        version = Version(number, resource_type, resource_id, content, at)
        self._histories[resource_type, resource_id] = (*earlier, version)
        return version

    def _present(self) -> Iterator[Resource]:
        for versions in self._histories.values():
            if versions[-1].resource is not None:
                yield versions[-1].resource

    def _check_unreferenced(self, resource_type: str, resource_id: str) -> None:
        name = f"{resource_type}/{resource_id}"
        if self._histories[resource_type, resource_id][-1].resource is not None:
            return
        for other in self._present():
            if name in _references(other):
                raise Failure(
                    409,
                    "conflict",
                    f"Unable to delete {name} because at least one resource has a reference to this resource: "
                    f"{other['resourceType']}/{other['id']}",
                )

    def _check_references(self, resource: Resource) -> None:
        for reference in sorted(_references(resource)):
            if _ELSEWHERE.match(reference):
                raise Failure(
                    400,
                    "processing",
                    f'Resource contains external reference to URL "{reference}" but this server is not configured to '
                    "allow external references",
                )
            found = _LOCAL_REFERENCE.fullmatch(reference)
            if found is None:
                continue
            versions = self._histories.get((found[1], found[2]))
            if versions is None or versions[-1].resource is None:
                raise Failure(
                    400,
                    "processing",
                    f"Resource {reference} not found, specified in {resource['resourceType']}/{resource.get('id', '')}",
                )

    def _check_canonical(self, resource: Resource, resource_id: str) -> None:
        kind = resource["resourceType"]
        if kind not in _ONCE or "url" not in resource:
            return
        for other in self.of_type(kind):
            same = all(other.get(name) == resource.get(name) for name in ("url", "version"))
            if same and other["id"] != resource_id:
                raise Failure(
                    422,
                    "processing",
                    f'Can not create multiple {kind} resources with {kind}.url "{resource["url"]}" and '
                    f'{kind}.version "{resource.get("version")}", already have one with resource ID: '
                    f"{kind}/{other['id']}",
                )


def _unversioned(reference: str) -> str | None:
    """A reference to a resource here is kept without the version it may name."""
    found = _LOCAL_REFERENCE.fullmatch(reference)
    return f"{found[1]}/{found[2]}" if found else None


def _references(resource: Resource) -> set[str]:
    return {text for name, text in strings(resource) if name == "reference"}


def _without_server_meta(resource: Resource, before: Resource | None) -> Resource:
    """The resource without what the server sets; tags and security labels it had before are kept (R4, Tags)."""
    left_out = ("versionId", "lastUpdated", "source")
    meta = {key: item for key, item in resource.get("meta", {}).items() if key not in left_out}
    for name in _LABELS:
        own = meta.get(name, [])
        kept = [label for label in (before or {}).get("meta", {}).get(name, []) if label not in own]
        if own or kept:
            meta[name] = [*own, *kept]
    rest = {key: item for key, item in resource.items() if key != "meta"}
    return {**rest, "meta": meta} if meta else rest
