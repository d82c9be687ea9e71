"""Guides: what they depend on (R4, ImplementationGuide.dependsOn; package names: FHIR NPM Packages)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_keta.validation import rules
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.shapes import objects, text
from fhir_keta.validation.terminology import Terminology

JsonObject = dict[str, Any]

_PACKAGE = re.compile(r"(?:@[A-Za-z0-9_-]+/)?[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+")
_OF_HL7 = re.compile(r"https?://hl7\.org/fhir/.*")


def faults(guide: JsonObject, expression: str, _scope: Scope, _terminology: Terminology) -> Iterator[Issue]:
    """The findings on an ImplementationGuide."""
    for position, each in enumerate(objects(guide.get("dependsOn"))):
        if problem := _problem(each):
            yield rules.issue("guide-dependency", f"{expression}.dependsOn[{position}]", problem=problem)


def _problem(dependency: JsonObject) -> str:
    uri, bar, version = text(dependency.get("uri")).partition("|")
    if bar and not version:
        return "the uri ends with |"
    if bar and "version" not in dependency:
        return "its version stands in version, not in the uri"
    if uri and "/ImplementationGuide/" not in uri:
        return "the uri is not the canonical of an ImplementationGuide"
    package = dependency.get("packageId")
    if isinstance(package, str) and _PACKAGE.fullmatch(package) is None:
        return "packageId is no name of a package (my.domain.name)"
    return ""
