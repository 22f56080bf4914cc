"""What only Lerax's main branch has; with another Lerax, there is nothing to collect here."""

import importlib.util

if importlib.util.find_spec("lerax.curriculum") is None:
    collect_ignore_glob = ["test_*.py"]
