"""What a run printed and how it ended, in words."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from novum.records import Ended, Limits
from novum.sandbox.watch import Broken, Usage

OnOutput = Callable[[str, bytes], None]
COMPLAINT_BYTES = 4096
COMPLAINTS: tuple[tuple[bytes, Ended, str], ...] = (
    (
        b"No space left on device",
        "disk",
        "it ran out of disk space or files, in its work folder, /tmp or /dev/shm",
    ),
    (b"File too large", "disk", "it wanted to write a file that is larger than the limit for one file"),
    (b"can't start new thread", "tasks", "it wanted more processes and threads than its limit"),
)


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


class Output:
    """Both streams, up to a limit for the two together."""

    def __init__(self, limit: int, on_output: OnOutput | None) -> None:
        self._limit = limit
        self._content = {"stdout": bytearray(), "stderr": bytearray()}
        self._on_output = on_output

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


def name_by_complaint(ending: Ending) -> None:
    """A program that met a limit, failed and gave everything back says so itself: nothing else is left to tell."""
    for words, ended, reason in COMPLAINTS:
        if words in ending.stderr[-COMPLAINT_BYTES:]:
            ending.ended, ending.reason = ended, f"{reason} (its exit code was {ending.code})"


def name_signal(ending: Ending, number: int, limits: Limits) -> None:
    ending.signal = number
    if number == signal.SIGXFSZ:
        ending.ended = "disk"
        ending.reason = (
            f"it wrote a file of more than {limits.file_bytes} bytes, which is the limit for one file"
        )
    elif number == signal.SIGXCPU:
        ending.ended = "timeout"
        ending.reason = f"one process used its CPU time of {limits.cpu_s} s"
    else:
        ending.ended = "signal"
        name = signal.Signals(number).name if number in list(signal.Signals) else str(number)
        ending.reason = f"it was ended by {name}"
