"""FHIR profiles and questionnaires for ketamine infusions: validate records, load them into a FHIR server."""

from fhir_keta._version import __version__

__all__ = ["__version__"]
