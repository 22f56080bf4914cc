"""What all tests share."""

import signal


def pytest_configure() -> None:
    """Let Ctrl-C be one: a shell that runs the tests in the background makes them ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
