"""What is known: definitions by canonical, snapshots, narratives, FHIR packages, base R4."""
