"""Findings out: one module a format, and the registry that feeds ``--format``."""
