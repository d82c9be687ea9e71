"""The one place that says which version this is (read by setup.cfg, the package and its IG resource)."""

__version__ = "0.1.0"
