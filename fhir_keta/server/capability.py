"""What the server says it can do, asked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fhir_keta.errors import ServerError
from fhir_keta.server.client import Client


@dataclass(frozen=True, slots=True)
class TypeCapability:
    """What a server says of one resource type; what it leaves out counts as allowed: many leave out a lot."""

    interactions: frozenset[str] = frozenset()
    update_create: bool = True
    conditional_create: bool = True
    conditional_update: bool = True

    def allows(self, *interactions: str) -> bool:
        """Whether one of these interactions is offered."""
        return not self.interactions or not self.interactions.isdisjoint(interactions)


@dataclass(frozen=True, slots=True)
class Capability:
    """The parts of a CapabilityStatement that an upload depends on. ``system``: the interactions with all types."""

    software: str
    fhir_version: str
    types: Mapping[str, TypeCapability]
    system: frozenset[str] = field(default_factory=frozenset)

    def stores(self, resource_type: str) -> bool:
        """Whether resources of this type can be written, as far as the server says."""
        listed = self.types.get(resource_type)
        return listed is not None and listed.allows("create", "update")

    def takes_ids(self, resource_type: str) -> bool:
        """Whether a client may name the id of a new resource (RESTful API, Update as Create)."""
        listed = self.types.get(resource_type, TypeCapability())
        return listed.update_create and listed.allows("update")

    def with_ids(self, given_by: Literal["own", "server"] | None) -> Capability:
        """The same with who gives the ids of new resources settled, whatever the server says; None leaves it."""
        if given_by is None:
            return self
        taken = given_by == "own"
        types = {kind: replace(listed, update_create=taken) for kind, listed in self.types.items()}
        return replace(self, types=types)

    @property
    def transactions(self) -> bool:
        """Whether the server takes transactions."""
        return not self.system or "transaction" in self.system


def preflight(client: Client) -> Capability:
    """Read the CapabilityStatement and refuse a server that is not R4, or takes no JSON.

    Raises ServerError when the server cannot be reached, is not a FHIR server, or speaks another FHIR version.
    Source: FHIR R4, CapabilityStatement.
    """
    statement = client.capabilities()
    version = str(statement.get("fhirVersion", ""))
    if not version.startswith("4.0."):
        raise ServerError(
            f"{client.base} speaks FHIR {version or 'of an unnamed version'}; the definitions are R4 (4.0.1). "
            "Give the base URL of an R4 server."
        )
    formats = statement.get("format", ())
    if formats and not any("json" in str(each) for each in formats):
        raise ServerError(f"{client.base} takes no JSON, only {', '.join(map(str, formats))}. Ask who runs it.")
    types: dict[str, TypeCapability] = {}
    system: set[str] = set()
    for rest in statement.get("rest", ()):
        if rest.get("mode", "server") == "server":
            system |= _codes(rest)
            types |= {resource["type"]: _of_type(resource) for resource in rest.get("resource", ())}
    if not types:
        raise ServerError(f"{client.base} offers no resource types in its CapabilityStatement. Ask who runs it.")
    software = statement.get("software", {})
    name = " ".join(filter(None, (software.get("name"), software.get("version")))) or "a server that gives no name"
    return Capability(name, version, types, frozenset(system))


def _of_type(resource: Mapping[str, Any]) -> TypeCapability:
    return TypeCapability(
        _codes(resource),
        resource.get("updateCreate") is not False,
        resource.get("conditionalCreate") is not False,
        resource.get("conditionalUpdate") is not False,
    )


def _codes(listed: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(interaction["code"] for interaction in listed.get("interaction", ()))
