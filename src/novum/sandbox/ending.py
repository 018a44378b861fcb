"""What a run printed and how it ended, in words."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from novum.records import Ended, Limits
from novum.sandbox.limits import size
from novum.sandbox.watch import Broken, Usage

OnOutput = Callable[[str, bytes], None]
COMPLAINT_BYTES = 4096
FILE_TOO_LARGE = b"File too large"
NO_SPACE = b"No space left on device"
COMPLAINTS: dict[bytes, Ended] = {
    NO_SPACE: "disk",
    FILE_TOO_LARGE: "disk",
    b"can't start new thread": "tasks",
    b"Resource temporarily unavailable": "tasks",
}
"""What programs say on standard error when they met a limit. It counts only together with what was measured."""
TRACEBACK = b"Traceback (most recent call last)"
"""Comes before such words, while the program still holds what it took."""


@dataclass
class Ending:
    """How a run ended."""

    ended: Ended = "sandbox_error"
    code: int | None = None
    signal: int | None = None
    reason: str = ""
    wall_s: float = 0.0
    stdout: bytes = b""
    stderr: bytes = b""
    peak: Usage = field(default_factory=Usage)
    written_bytes: int = 0
    """What all its processes gave to write(2), as the kernel counted it; 0 where that is not known."""


class Output:
    """Both streams, up to a limit for the two together."""

    def __init__(self, limit: int, on_output: OnOutput | None) -> None:
        self._limit = limit
        self._content = {"stdout": bytearray(), "stderr": bytearray()}
        self._on_output = on_output
        self._looked_at = 0

    def read(self, stream: str, fd: int) -> bool:
        """Take what is there; False when there is no more."""
        try:
            chunk = os.read(fd, 1 << 16)
        except BlockingIOError:
            return False
        self._content[stream] += chunk
        if chunk and self._on_output:
            self._on_output(stream, chunk)
        return bool(chunk)

    def drain(self, streams: dict[int, str]) -> None:
        """Take what is left, waiting for nothing."""
        for fd, name in streams.items():
            os.set_blocking(fd, False)
            while self.read(name, fd) and not self.broken():
                pass

    def complains(self) -> bool:
        """Whether standard error has since spoken of a limit, or of a failure that may come to that."""
        stderr = self._content["stderr"]
        if len(stderr) == self._looked_at:
            return False
        new = stderr[max(self._looked_at - len(TRACEBACK), len(stderr) - COMPLAINT_BYTES, 0) :]
        self._looked_at = len(stderr)
        return any(words in new for words in (TRACEBACK, *COMPLAINTS))

    def broken(self) -> Broken | None:
        """Whether it was too much."""
        if sum(map(len, self._content.values())) <= self._limit:
            return None
        return Broken("output", f"it printed more than {self._limit} bytes, which is the limit")

    def content(self, stream: str) -> bytes:
        """What came."""
        return bytes(self._content[stream])


def out_of_time(deadline: float, limits: Limits) -> Broken | None:
    """Whether the monotonic clock has passed `deadline`."""
    if time.monotonic() < deadline:
        return None
    return Broken("timeout", f"it ran for {limits.wall_s:g} s, which is its limit")


def name_by_complaint(ending: Ending, met: Broken | None, limits: Limits) -> None:
    """Name the limit that a program met before it failed, when it says so and that was seen from outside too.

    `met` is what was measured when it spoke. What it says alone names nothing: anyone can print words.
    """
    said = ending.stderr[-COMPLAINT_BYTES:]
    most = max(ending.peak.disk_bytes, ending.written_bytes)
    if FILE_TOO_LARGE in said and most >= _largest_file(limits):
        met = met or Broken("disk", _file_too_large(ending, limits))
    if NO_SPACE in said and most >= limits.disk_bytes:  # which it gave back when it ended
        words = f"it ran out of disk space: it wrote {size(most)}, and the limit is {size(limits.disk_bytes)}"
        met = met or Broken("disk", words)
    if met and any(words in said and ended == met.ended for words, ended in COMPLAINTS.items()):
        ending.ended = met.ended
        ending.reason = f"{met.reason} (its exit code was {ending.code})"


def _largest_file(limits: Limits) -> int:
    return min(limits.file_bytes, limits.disk_bytes)


def _file_too_large(ending: Ending, limits: Limits) -> str:
    largest, peak = size(_largest_file(limits)), size(ending.peak.disk_bytes)
    return f"it wrote more than {largest} to one file, which is the limit for one file; {peak} of disk in all"


def name_signal(ending: Ending, number: int, limits: Limits) -> None:
    ending.signal = number
    if number == signal.SIGXFSZ:
        ending.ended, ending.reason = "disk", _file_too_large(ending, limits)
    elif number == signal.SIGXCPU:
        ending.ended = "timeout"
        used = f"{ending.peak.cpu_s:.1f} s in all"
        ending.reason = f"one process used its CPU time of {limits.cpu_s} s, which is the limit; {used}"
    else:
        ending.ended = "signal"
        name = signal.Signals(number).name if number in list(signal.Signals) else str(number)
        ending.reason = f"it was ended by {name}"
