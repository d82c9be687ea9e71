"""Speaking to a FHIR server: client, plan, apply, and the embedded sandbox."""
