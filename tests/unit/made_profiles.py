"""Profiles made in a test: a differential as short as the rule under test allows."""

from __future__ import annotations

from typing import Any

from fhir_keta.definitions.library import Library, base
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.validator import Validator

JsonObject = dict[str, Any]

MADE = "https://example.org/StructureDefinition/"


def profile(name: str, *elements: JsonObject, on: str = "Observation") -> JsonObject:
    """A StructureDefinition of a profile on a resource type or data type, from its differential."""
    return {
        "resourceType": "StructureDefinition",
        "url": MADE + name,
        "version": "1",
        "name": name,
        "id": name,
        "status": "active",
        "kind": "resource" if base().structure(on) and on in base().resource_types else "complex-type",
        "abstract": False,
        "type": on,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{on}",
        "derivation": "constraint",
        "differential": {"element": list(elements)},
    }


def extension(name: str, *elements: JsonObject, context: str = "Element") -> JsonObject:
    """A StructureDefinition of an extension that may stand on ``context``."""
    url = {"id": "Extension.url", "path": "Extension.url", "fixedUri": MADE + name}
    made = profile(name, *elements, url, on="Extension")
    return {**made, "context": [{"type": "element", "expression": context}]}


def element(identifier: str, **members: Any) -> JsonObject:
    """An element of a differential from its id: the path is the id without slice names."""
    steps = [step.partition(":") for step in identifier.split(".")]
    named = {"sliceName": steps[-1][2]} if steps[-1][2] else {}
    return {"id": identifier, "path": ".".join(name for name, _, _ in steps), **named, **members}


def slicing(kind: str, path: str, rules: str = "open") -> JsonObject:
    """The member ``slicing`` of a sliced element."""
    return {"discriminator": [{"type": kind, "path": path}], "rules": rules}


def library(*definitions: JsonObject) -> Library:
    return base().with_resources(definitions)


def validator(*definitions: JsonObject) -> Validator:
    """A validator that holds every record to the first definition."""
    return Validator(library(*definitions), profiles=[definitions[0]["url"]])


def findings(issues: list[Issue]) -> list[tuple[str, str]]:
    return [(issue.rule, issue.expression) for issue in issues if issue.severity in ("error", "fatal")]
