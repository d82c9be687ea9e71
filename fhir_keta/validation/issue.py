"""One finding about one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fhir_keta.records.source import Place

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding, with the fields of an OperationOutcome.issue (FHIR R4, OperationOutcome).

    ``code`` is a code of http://hl7.org/fhir/issue-type, ``rule`` the stable id from ``rules.py`` or the key of a FHIR
    invariant (``obs-7``), ``expression`` a FHIRPath such as ``Observation.component[0].value.ofType(Quantity).unit``.
    ``message`` never quotes values from the record. ``place`` is filled where the record came from bytes.
    """

    severity: Severity
    code: str
    rule: str
    expression: str
    message: str
    place: Place | None = None
