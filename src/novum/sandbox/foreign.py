"""Run and watch a program that another tool confines (or none does): time, output, disk, and its end."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from novum.errors import SandboxError
from novum.records import Limits
from novum.sandbox.ending import COMPLAINT_BYTES, Ending, OnOutput, Output, name_signal, out_of_time
from novum.sandbox.limits import size
from novum.sandbox.tree import folder, survey
from novum.sandbox.watch import INTERVAL_S, Broken, Usage

WALK_EVERY = 10
"""Looks at the clock for one look at the disk."""
TASK_COMPLAINTS = (b"can't start new thread", b"Resource temporarily unavailable", b"Cannot fork")


def _nothing() -> None:
    """No limit is broken."""


def run_foreign(
    command: Sequence[str | Path],
    limits: Limits,
    *,
    stop: Callable[[subprocess.Popen[bytes]], None],
    environment: dict[str, str],
    cwd: Path | None = None,
    watched: Path | None = None,
    on_output: OnOutput | None = None,
    check: Callable[[], Broken | None] = _nothing,
) -> Ending:
    """Run it to its end or to a limit; `stop` must kill everything. The disk use of `watched` is looked at, and
    `check` asked for another limit that is broken.

    Raises:
        SandboxError: it cannot be started.
    """
    try:
        process = subprocess.Popen(
            [*command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxError(f"{command[0]} cannot be started", str(error)) from error
    began = time.monotonic()
    with process:
        output = Output(limits.output_bytes, on_output)
        disk = _Disk(watched, limits)
        try:
            broken = _watch(process, output, limits, lambda: disk.broken() or check())
        finally:
            stop(process)
        code = process.wait()
        output.drain(_streams(process))
    ending = Ending(wall_s=time.monotonic() - began, peak=Usage(disk_bytes=disk.peak))
    ending.stdout, ending.stderr = output.content("stdout"), output.content("stderr")
    if broken:
        ending.ended, ending.reason = broken
    elif code < 0:
        name_signal(ending, -code, limits)
    else:
        ending.ended, ending.code = "exit", code
    return ending


def name_tasks(ending: Ending, limits: Limits) -> None:
    """A tool that bounds tasks does not tell that it refused one; a program that failed for it says so itself."""
    said = any(words in ending.stderr[-COMPLAINT_BYTES:] for words in TASK_COMPLAINTS)
    if ending.ended == "exit" and ending.code and said:
        ending.ended = "tasks"
        ending.reason = (
            f"it says that it could not have another process or thread; the limit is {limits.tasks}"
        )


class _Disk:
    """What the work folder has grown by, looked at now and then."""

    def __init__(self, watched: Path | None, limits: Limits) -> None:
        self._watched = watched
        self._limits = limits
        self._turn = 0
        self._start = self._measure()
        self.peak = 0

    def broken(self) -> Broken | None:
        self._turn += 1
        if self._watched is None or self._turn % WALK_EVERY:
            return None
        used = self._measure()
        self.peak = max(self.peak, used[0] - self._start[0])
        if self.peak > self._limits.disk_bytes:
            return Broken("disk", f"it wrote {size(self.peak)}; the limit is {size(self._limits.disk_bytes)}")
        if used[1] - self._start[1] > self._limits.inodes:
            return Broken("disk", f"it made more than {self._limits.inodes} files, which is the limit")
        return None

    def _measure(self) -> tuple[int, int]:
        if self._watched is None:
            return 0, 0
        with folder(self._watched) as fd:
            states = [status for _, status in survey(fd) if status]
        return sum(status.st_blocks * 512 for status in states), len(states)


def _streams(process: subprocess.Popen[bytes]) -> dict[int, str]:
    assert process.stdout and process.stderr
    return {process.stdout.fileno(): "stdout", process.stderr.fileno(): "stderr"}


def _watch(
    process: subprocess.Popen[bytes], output: Output, limits: Limits, check: Callable[[], Broken | None]
) -> Broken | None:
    poll = select.poll()
    streams = _streams(process)
    for fd in streams:
        os.set_blocking(fd, False)
        poll.register(fd, select.POLLIN)
    deadline = time.monotonic() + limits.wall_s
    while process.poll() is None:
        for fd, _ in poll.poll(INTERVAL_S * 1000):
            if not output.read(streams[fd], fd):
                poll.unregister(fd)
        if broken := output.broken() or out_of_time(deadline, limits) or check():
            return broken
    return None
