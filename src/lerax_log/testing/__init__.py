"""The behaviour that every logging backend shares, as test classes to derive from.

Needs pytest. A backend of your own is tested like this:

    from lerax_log.testing import BackendContract

    class TestMyBackend(BackendContract):
        @pytest.fixture
        def backend(self, tmp_path):
            return MyBackend(tmp_path)

`ReadableBackendContract` looks at what was logged, too, and wants to be told how to read it. The
page on logging has a whole backend with its test to start from.
"""

import pytest

# Before the import: a failed assertion then shows the values that it compared.
pytest.register_assert_rewrite(f"{__name__}.backend_contract")

from .backend_contract import (  # noqa: E402
    CLIP_FRAMES,
    FACTS,
    HPARAMS,
    BackendContract,
    ReadableBackendContract,
    make_clip,
)

__all__ = [
    "CLIP_FRAMES",
    "FACTS",
    "HPARAMS",
    "BackendContract",
    "ReadableBackendContract",
    "make_clip",
]
