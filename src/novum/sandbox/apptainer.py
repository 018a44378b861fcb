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
from novum.records import Limits
from novum.sandbox import Access, policy
from novum.sandbox.ending import Ending, OnOutput
from novum.sandbox.engine import Engine, name_limits, payload, refuse_unstarted, shown
from novum.sandbox.foreign import run_foreign
from novum.sandbox.launcher import seccomp
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


class Apptainer(Engine):
    """Apptainer with one image."""

    def __init__(self, program: str, image: Path) -> None:
        self._program = program
        self._image = image

    @property
    def level(self) -> str:
        """What is enforced, and how."""
        return f"container: apptainer, image {self._image.name}; disk watched, approximate"

    def refuse(self, workdir: Path, access: Access) -> None:
        """It shows all GPUs or none, and a comma or colon would end the path of a bind."""
        if access.gpus:
            raise UsageError("Apptainer would show every GPU", next_step="use another backend for GPUs")
        if any(mark in str(p) for p in (workdir, *access.readonly, *access.protected) for mark in ",:"):
            raise UsageError(
                "a path with a comma or colon cannot be shown in a container", next_step="rename the folder"
            )

    def contain(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access,
        owner: int | None,
        on_output: OnOutput | None,
    ) -> Ending:
        """See `Engine.contain`."""
        with tempfile.TemporaryDirectory(prefix="novum-apptainer-") as folder:
            profile = Path(folder) / "seccomp.json"
            profile.write_text(json.dumps(_profile()))
            ending = run_foreign(
                [*self.arguments(workdir, limits, access, profile, owner), *_limited(command, limits)],
                limits,
                stop=kill_group,
                environment=dict(os.environ),
                watched=workdir,
                on_output=on_output,
            )
        _settle(ending, command, limits)
        return ending

    def arguments(
        self, workdir: Path, limits: Limits, access: Access, profile: Path, owner: int | None
    ) -> list[str]:
        """Apptainer's command line, up to the image."""
        binds = [f"{workdir}:/work", *(f"{workdir / p}:/work/{p}:ro" for p in access.protected)]
        binds += [f"{path}:{path}:ro" for path in shown(access)]
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


def _limited(command: Sequence[str], limits: Limits) -> list[str]:
    """The payload within limits of its own, for Apptainer has none of these."""
    return [
        *("prlimit", f"--nproc={limits.tasks}", f"--fsize={limits.file_bytes}", "--core=0", "--nofile=1024"),
        *([] if limits.cpu_s is None else [f"--cpu={math.ceil(limits.cpu_s)}"]),
        *payload(command, limits),
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
    refuse_unstarted(ending, command)
    if ending.code == KILLED:
        ending.ended, ending.code = "memory", None
        ending.reason = f"it was killed, as more memory than its limit of {limits.memory_bytes} bytes is"
    name_limits(ending, limits)
