"""The published JSON Schemas: three engines, one verdict, and it is the validator's."""
