"""No sandbox at all: a plain process with a time limit, for people who trust every line that will run.

Covered: wall time, the amount of output, and killing the process group. Not covered: everything else.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from novum.errors import UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, policy
from novum.sandbox.confined import outcome
from novum.sandbox.ending import Ending, OnOutput, Output, name_signal, out_of_time
from novum.sandbox.limits import check_limits
from novum.sandbox.watch import Broken
from novum.sandbox.workfolder import Returned, check_workdir


class Unsafe:
    """Runs commands as the user, on the user's machine."""

    name = "unsafe"
    level = "none: no sandbox was used, at the user's wish"

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: OnOutput | None = None,
    ) -> Outcome:
        """See `novum.sandbox.Sandbox.run`; only the wall and output limits hold."""
        access = access or Access()
        check_limits(limits)
        check_workdir(workdir, limits, access.protected)
        environment = {**policy.environment(access), "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        before = _listing(workdir)
        try:
            process = subprocess.Popen(
                [*command],
                cwd=workdir,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise UsageError(f"the command {command[0]!r} cannot be started", str(error)) from error
        with process:
            ending = _wait(process, limits, on_output)
        written = sorted(name for name, state in _listing(workdir).items() if before.get(name) != state)
        return outcome(ending, Returned(tuple(written), ()), self.name)


def _wait(process: subprocess.Popen[bytes], limits: Limits, on_output: OnOutput | None) -> Ending:
    assert process.stdout and process.stderr
    output = Output(limits.output_bytes, on_output)
    streams = {process.stdout.fileno(): "stdout", process.stderr.fileno(): "stderr"}
    began = time.monotonic()
    try:
        broken = _watch(process, streams, output, limits)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    output.drain(streams)
    ending = Ending(wall_s=time.monotonic() - began)
    ending.stdout, ending.stderr = output.content("stdout"), output.content("stderr")
    if broken:
        ending.ended, ending.reason = broken
    elif code < 0:
        name_signal(ending, -code, limits)
    else:
        ending.ended, ending.code = "exit", code
    return ending


def _watch(
    process: subprocess.Popen[bytes], streams: dict[int, str], output: Output, limits: Limits
) -> Broken | None:
    poll = select.poll()
    for fd in streams:
        os.set_blocking(fd, False)
        poll.register(fd, select.POLLIN)
    deadline = time.monotonic() + limits.wall_s
    while process.poll() is None:
        for fd, _ in poll.poll(20):
            if not output.read(streams[fd], fd):
                poll.unregister(fd)
        if broken := output.broken() or out_of_time(deadline, limits):
            return broken
    return None


def _listing(workdir: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in workdir.rglob("*"):
        status = path.lstat()
        if not path.is_dir():
            found[str(path.relative_to(workdir))] = (status.st_size, status.st_ctime_ns)
    return found
