"""Findings out: what was found in each record, and the formats it is written in."""
