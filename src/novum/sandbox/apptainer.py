"""Apptainer, the container engine of many clusters, when a person names it: `container:apptainer:IMAGE.sif`.

Covered: what its namespaces, its control group and novum's deny list of system calls (as its seccomp profile) cover.
Not covered: bugs of Apptainer, and memory where it may make no control group: then it refuses to start, and so does
novum. It tells nothing of how a container ended, so a kill that novum did not ask for is taken for the memory limit's.
Tested against a stand-in only; the self-test decides on the machine at hand.
"""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from novum.errors import SandboxError, UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, inplace, policy, workfolder
from novum.sandbox.container import (
    CPU_EXCEEDED,
    NEVER_STARTED,
    SPARE_S,
    approximations,
    complained,
    is_python,
    translated,
)
from novum.sandbox.ending import Ending, OnOutput
from novum.sandbox.foreign import name_tasks, run_foreign
from novum.sandbox.launcher import seccomp
from novum.sandbox.limits import check_limits
from novum.sandbox.recorded import outcome
from novum.sandbox.unsafe import kill_group

ENGINE = "apptainer"
ENGINE_FAILED = 255
KILLED = 137


def find(image: str) -> tuple[str, Path]:
    """The program, and the image: a file (.sif) or an unpacked folder.

    Raises:
        SandboxError: Apptainer is not installed, or there is no such image.
    """
    program = shutil.which(ENGINE)
    if program is None:
        raise SandboxError("Apptainer is not installed", f"no {ENGINE} is on the PATH")
    path = Path(image).absolute()
    if not image or not path.exists():
        raise SandboxError(
            f"there is no Apptainer image {image!r}",
            "an image with Python, `timeout` and `prlimit` is needed",
            "name one: container:apptainer:IMAGE.sif",
        )
    return program, path


class Apptainer:
    """Runs each command in a container of its own."""

    name = "container"

    def __init__(self, program: str, image: Path) -> None:
        self._program = program
        self._image = image

    @property
    def level(self) -> str:
        """What is enforced, and how."""
        return f"container: apptainer, image {self._image.name}; disk watched, approximate"

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
        check_limits(limits)
        policy.no_hosts(self.name, access)
        workfolder.check_workdir(workdir, limits, access.protected)
        policy.view(access)  # refuses what must not be shown
        if access.gpus:
            raise UsageError("Apptainer would show every GPU", next_step="use another backend for GPUs")
        if not command:
            raise UsageError("there is no command to run")
        owner = policy.free_uid() if os.geteuid() == 0 else None
        before = inplace.prepare(workdir, owner)
        try:
            with tempfile.TemporaryDirectory(prefix="novum-apptainer-") as folder:
                profile = Path(folder) / "seccomp.json"
                profile.write_text(json.dumps(_profile()))
                ending = run_foreign(
                    [*self.arguments(workdir, limits, access, profile, owner), *_payload(command, limits)],
                    limits,
                    stop=kill_group,
                    environment=dict(os.environ),
                    watched=workdir,
                    on_output=on_output,
                )
            _settle(ending, command, limits)
        finally:
            returned = inplace.clean(workdir, limits, owner, before)
        return outcome(ending, returned, self.name, approximations(limits))

    def arguments(
        self, workdir: Path, limits: Limits, access: Access, profile: Path, owner: int | None
    ) -> list[str]:
        """Apptainer's command line, up to the image."""
        shown = [f"{path}:{path}:ro" for path in access.readonly if not is_python(path)]
        binds = [f"{workdir}:/work", *(f"{workdir / p}:/work/{p}:ro" for p in access.protected), *shown]
        if any("," in bind or bind.count(":") > 2 for bind in binds):
            raise UsageError(
                "a path with a comma or colon cannot be shown in a container", next_step="rename the folder"
            )
        users = [] if owner is None else [f"--security=uid:{owner}", f"--security=gid:{owner}"]
        return [
            *(self._program, "exec", "--containall", "--no-home", "--cleanenv", "--no-eval", "--no-privs"),
            *("--net", "--network=none", "--hostname=sandbox", "--pwd=/work"),
            *(f"--security=seccomp:{profile}", *users),
            f"--memory={limits.memory_bytes}",
            f"--memory-swap={limits.memory_bytes}",
            f"--pids-limit={limits.tasks}",
            *(f"--bind={bind}" for bind in binds),
            *(f"--env={key}={value}" for key, value in policy.environment(access).items()),
            str(self._image),
        ]


def _payload(command: Sequence[str], limits: Limits) -> list[str]:
    """The command within limits of its own, for Apptainer has none of these."""
    return [
        *("prlimit", f"--nproc={limits.tasks}", f"--fsize={limits.file_bytes}", "--core=0", "--nofile=1024"),
        *([] if limits.cpu_s is None else [f"--cpu={math.ceil(limits.cpu_s)}"]),
        *("timeout", "-s", "KILL", str(math.ceil(limits.wall_s) + SPARE_S)),
        *(translated(command[0]), *command[1:]),
    ]


def _profile() -> dict[str, Any]:
    """novum's deny list in the form that container engines read."""
    refused = {
        "names": list(seccomp.FORBIDDEN),
        "action": "SCMP_ACT_ERRNO",
        "errnoRet": errno.EPERM,
    }
    absent = {"names": list(seccomp.ABSENT), "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS}
    return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [refused, absent]}


def _settle(ending: Ending, command: Sequence[str], limits: Limits) -> None:
    """Tell the payload's exit from Apptainer's, and name the limit that was held."""
    if ending.ended != "exit":
        return
    said = ending.stderr.decode(errors="replace")[-500:]
    if ending.code == ENGINE_FAILED and "FATAL:" in said:
        raise SandboxError("the container cannot be started", said)
    if ending.code in NEVER_STARTED and complained(ending):
        raise UsageError(f"the command {command[0]!r} cannot be started in the container", said)
    if ending.code == KILLED:
        ending.ended, ending.code = "memory", None
        ending.reason = f"it was killed, as more memory than its limit of {limits.memory_bytes} bytes is"
    elif ending.code == CPU_EXCEEDED and limits.cpu_s is not None:
        ending.ended, ending.code = "timeout", None
        ending.reason = f"one process used its CPU time of {limits.cpu_s:g} s"
    name_tasks(ending, limits)
