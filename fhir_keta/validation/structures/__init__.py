"""StructureDefinitions against their base. It begins in ``faults``."""
