"""What holds for every test."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """A process that a shell put in the background ignores interrupts, and so would all that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
