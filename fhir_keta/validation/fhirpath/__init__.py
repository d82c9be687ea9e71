"""FHIRPath: read, said as a schema where it can be, evaluated where not."""
