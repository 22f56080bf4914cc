"""What tests share."""

import pytest

# What these assert is told like what tests assert.
pytest.register_assert_rewrite("support.format_contract", "support.gl_platform_contract")
