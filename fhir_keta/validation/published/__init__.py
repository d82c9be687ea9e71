"""The JSON Schemas we publish. It begins in ``schemas``."""
