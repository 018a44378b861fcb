"""What all container engines have in common: what is refused, the work folder before and after, and how a run ended."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from novum.errors import UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, inplace, policy, workfolder
from novum.sandbox.ending import Ending, OnOutput
from novum.sandbox.foreign import name_tasks
from novum.sandbox.limits import check_limits
from novum.sandbox.recorded import CPU_BY_PROCESS, DISK_WATCHED, outcome

NEVER_STARTED = (126, 127)
SPARE_S = 30
"""Seconds after the wall limit when a container ends itself, should novum no longer be there to end it."""
CPU_EXCEEDED = 128 + 24
"""The exit code of a payload that SIGXCPU ended."""
STARTER_FAILED = (b"timeout: failed to run", b"timeout: can't execute")


class Engine(ABC):
    """A backend that runs each command in a container of its own."""

    name = "container"

    @property
    @abstractmethod
    def level(self) -> str:
        """What is enforced, and how."""

    @abstractmethod
    def refuse(self, workdir: Path, access: Access) -> None:
        """Raise UsageError for what this engine cannot show."""

    @abstractmethod
    def contain(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access,
        owner: int | None,
        on_output: OnOutput | None,
    ) -> Ending:
        """Run it in a container, as the user `owner` outside (None: novum's own), and tell how it ended."""

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: OnOutput | None = None,
    ) -> Outcome:
        """See `novum.sandbox.Sandbox.run`."""
        access = access or Access()
        if not command:
            raise UsageError("there is no command to run")
        check_limits(limits)
        policy.no_hosts(self.name, access)
        workfolder.check_workdir(workdir, limits, access.protected)
        policy.view(access)  # refuses what must not be shown
        self.refuse(workdir, access)
        owner = policy.free_uid() if os.geteuid() == 0 else None
        before = inplace.prepare(workdir, owner)
        try:
            ending = self.contain(command, workdir, limits, access, owner, on_output)
        finally:
            returned = inplace.clean(workdir, limits, owner, before)
        approximate = (DISK_WATCHED, *(() if limits.cpu_s is None else (CPU_BY_PROCESS,)))
        return outcome(ending, returned, self.name, approximate)


def payload(command: Sequence[str], limits: Limits) -> list[str]:
    """The command behind `timeout`, which ends the container when novum is no longer there."""
    seconds = str(math.ceil(limits.wall_s) + SPARE_S)
    # A Python of the host does not run in an image: the image's own takes its place.
    program = Path(command[0])
    own = "python3" if program.is_absolute() and program.name.startswith("python") else command[0]
    return ["timeout", "-s", "KILL", seconds, own, *command[1:]]


def refuse_unstarted(ending: Ending, command: Sequence[str], complaint: str = "") -> None:
    """Raise UsageError where the payload never started: `complaint` or the one line on the error stream says so."""
    said = ending.stderr.startswith(STARTER_FAILED) and ending.stderr.count(b"\n") == 1
    if ending.code in NEVER_STARTED and (complaint or said):
        why = complaint or ending.stderr.decode(errors="replace")[-500:]
        raise UsageError(f"the command {command[0]!r} cannot be started in the container", why)


def name_limits(ending: Ending, limits: Limits) -> None:
    """Name the limit on CPU time or tasks that an exit of the payload came from."""
    if ending.ended == "exit" and ending.code == CPU_EXCEEDED and limits.cpu_s is not None:
        ending.ended, ending.code = "timeout", None
        ending.reason = f"one process used its CPU time of {limits.cpu_s:g} s"
    name_tasks(ending, limits)


def shown(access: Access) -> list[Path]:
    """What of the host is shown: all but interpreters, which are of no use in an image."""
    return [p for p in access.readonly if not ((p / "pyvenv.cfg").exists() or (p / "bin/python3").exists())]
