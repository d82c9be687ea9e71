"""What a check may know beside the value it looks at: the resource around it, and the Bundle around that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fhir_keta.validation.addresses import absolute
from fhir_keta.validation.issue import Severity
from fhir_keta.validation.shapes import objects

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """``resource`` is FHIRPath's %resource, the nearest one; ``root`` its %rootResource, whose contained it is.

    ``resources`` are those in the Bundle around it by their absolute URLs, ``addresses`` these by id() of the resource,
    ``bundle`` is that Bundle's type; all empty outside one. ``conforms`` tells whether a resource found so meets a
    profile; ``asked`` is what it is being asked for already, by id() of the resource and canonical.
    """

    resource: JsonObject
    root: JsonObject
    resources: Mapping[str, JsonObject] = field(default_factory=dict)
    bundle: str = ""
    addresses: Mapping[int, str] = field(default_factory=dict)
    conforms: Callable[[JsonObject, str, Scope], bool] | None = None
    asked: frozenset[tuple[int, str]] = frozenset()

    @property
    def is_contained(self) -> bool:
        return self.resource is not self.root

    def inside(self, resource: JsonObject, contained: bool) -> Scope:
        """The scope of a resource in this one: contained, or as an entry or parameter a root of its own."""
        return replace(self, resource=resource, root=self.root if contained else resource)

    def find(self, reference: str) -> JsonObject | None:
        """The resource that a reference leads to inside the record; None where it leads outside."""
        if reference == "#":
            return self.root if self.is_contained else None
        if reference.startswith("#"):
            contained = objects(self.root.get("contained"))
            return next((item for item in contained if item.get("id") == reference[1:]), None)
        return self.resources.get(absolute(reference, self.addresses.get(id(self.root), ""))) if self.bundle else None

    def meets(self, resource: JsonObject, canonical: str) -> bool:
        """Whether a resource meets a profile; where nobody can tell, it does."""
        return self.conforms is None or self.conforms(resource, canonical, self)

    def type_of(self, reference: str) -> str | None:
        """The type of the resource that a reference leads to inside the record; None where it leads outside."""
        found = self.find(reference)
        return str(found.get("resourceType")) if found else None


Function = Callable[[JsonObject, Scope], bool]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One constraint of an element that is checked by a function; None: it could not be evaluated.

    ``expression`` is its FHIRPath, or the names of what the function reads; empty: perhaps all.
    """

    key: str
    human: str
    holds: Callable[[JsonObject, Scope], bool | None]
    expression: str = ""
    severity: Severity = "error"
