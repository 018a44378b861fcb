"""A clock that nothing holds up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self


class Alarm:
    """Calls `action` in a thread of its own at `deadline` (monotonic), once it is set and until it is left.

    Measuring a run can wait for the kernel for seconds, when all its processes wait for memory.
    """

    def __init__(self, deadline: float, action: Callable[[], None]) -> None:
        self.rang = False
        self._deadline = deadline
        self._action = action
        self._timer: threading.Timer | None = None

    def set(self) -> None:
        """Start the clock, if it does not run."""
        if self._timer is None:
            self._timer = threading.Timer(max(self._deadline - time.monotonic(), 0), self._ring)
            self._timer.daemon = True
            self._timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """From here on `action` is not called; when it is being called, it has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _ring(self) -> None:
        self.rang = True
        self._action()
