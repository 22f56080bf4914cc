"""The version, stated once for the code; `pyproject.toml` states the same."""

__version__ = "0.1.0"
