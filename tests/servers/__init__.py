"""One contract for every server that fhir-keta talks to, and the real servers to hold it against."""
