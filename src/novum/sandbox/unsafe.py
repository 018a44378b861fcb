"""No sandbox at all: a plain process with a time limit, for people who trust every line that will run.

Covered: wall time, the amount of output, and killing the process group. Not covered: everything else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from novum.errors import SandboxError, UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, policy
from novum.sandbox.ending import OnOutput
from novum.sandbox.foreign import run_foreign
from novum.sandbox.limits import check_limits
from novum.sandbox.recorded import outcome
from novum.sandbox.workfolder import Returned, check_workdir


class Unsafe:
    """Runs commands as the user, on the user's machine."""

    name = "unsafe"
    level = "none (unsandboxed): no sandbox was used, at the user's wish"

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
            ending = run_foreign(
                command, limits, stop=kill_group, environment=environment, cwd=workdir, on_output=on_output
            )
        except SandboxError as error:
            raise UsageError(f"the command {command[0]!r} cannot be started", error.why) from error
        written = sorted(name for name, state in _listing(workdir).items() if before.get(name) != state)
        return outcome(ending, Returned(tuple(written), ()), self.name)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill it and its children that are still in its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _listing(workdir: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in workdir.rglob("*"):
        status = path.lstat()
        if not path.is_dir():
            found[str(path.relative_to(workdir))] = (status.st_size, status.st_ctime_ns)
    return found
