"""What the server says it can do, asked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_keta.errors import ServerError
from fhir_keta.server.client import Client


@dataclass(frozen=True, slots=True)
class Capability:
    """The parts of a CapabilityStatement that an upload depends on.

    ``interactions`` maps each resource type to its interaction codes; a server may list a type without saying which.
    """

    software: str
    fhir_version: str
    interactions: Mapping[str, frozenset[str]]

    def stores(self, resource_type: str) -> bool:
        """Whether resources of this type can be written, as far as the server says."""
        listed = self.interactions.get(resource_type)
        return listed is not None and (not listed or bool(listed & {"create", "update"}))


def preflight(client: Client) -> Capability:
    """Read the CapabilityStatement and refuse a server that is not R4.

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
    interactions: dict[str, frozenset[str]] = {}
    for rest in statement.get("rest", ()):
        if rest.get("mode", "server") == "server":
            for resource in rest.get("resource", ()):
                codes = frozenset(interaction["code"] for interaction in resource.get("interaction", ()))
                interactions[resource["type"]] = codes
    if not interactions:
        raise ServerError(f"{client.base} offers no resource types in its CapabilityStatement. Ask who runs it.")
    software = statement.get("software", {})
    name = " ".join(filter(None, (software.get("name"), software.get("version")))) or "a server that gives no name"
    return Capability(name, version, interactions)
