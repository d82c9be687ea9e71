"""The tests of fhir-keta."""
