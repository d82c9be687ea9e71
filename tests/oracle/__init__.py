"""Our content and our verdicts held against HL7's own validator."""
