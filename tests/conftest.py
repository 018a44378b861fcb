"""What holds for every test."""

from __future__ import annotations

import signal

import pytest

from tests.torch_python import TORCH, WITHOUT


def pytest_configure() -> None:
    """A process that a shell put in the background ignores interrupts, and so would all that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("torch") and not TORCH:
        pytest.skip(WITHOUT)
