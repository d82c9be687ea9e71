"""The verdicts: definitions compiled to schemas, records checked against them, refusals explained."""
