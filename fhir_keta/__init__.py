"""FHIR profiles and questionnaires for ketamine infusions: validate records, load them into a FHIR server.

    from fhir_keta import Validator
    issues = Validator().check(data)          # data: bytes or dict; an empty list is a valid record

Names are imported when first used, so that ``import fhir_keta`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fhir_keta._version import __version__

if TYPE_CHECKING:
    from fhir_keta.definitions.incoming import read_definitions as read_definitions
    from fhir_keta.definitions.library import Library as Library
    from fhir_keta.definitions.library import bundled as bundled
    from fhir_keta.errors import KetaError as KetaError
    from fhir_keta.records.source import Record as Record
    from fhir_keta.records.source import read as read
    from fhir_keta.server.apply import apply as apply
    from fhir_keta.server.client import Client as Client
    from fhir_keta.server.plan import plan as plan
    from fhir_keta.validation.issue import Issue as Issue
    from fhir_keta.validation.validator import Validator as Validator

_HOMES = {
    "Client": "fhir_keta.server.client",
    "Issue": "fhir_keta.validation.issue",
    "KetaError": "fhir_keta.errors",
    "Library": "fhir_keta.definitions.library",
    "Record": "fhir_keta.records.source",
    "Validator": "fhir_keta.validation.validator",
    "apply": "fhir_keta.server.apply",
    "bundled": "fhir_keta.definitions.library",
    "plan": "fhir_keta.server.plan",
    "read": "fhir_keta.records.source",
    "read_definitions": "fhir_keta.definitions.incoming",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
