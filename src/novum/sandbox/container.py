"""The container backend: docker or podman, when a person names it, or where nothing else exists (macOS).

Covered: what the engine's namespaces, its default filter and its limits cover. Not covered: bugs of the engine,
and (docker) its daemon, which runs as root. Disk use is watched, and so approximate. A command that names a Python
of the host gets the image's own, for the host's does not run in an image. A container is ended by novum; when novum was
killed, by the program `timeout` of the image, `SPARE_S` after the limit.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from novum.errors import SandboxError, UsageError
from novum.records import Limits
from novum.sandbox import Access, policy
from novum.sandbox.ending import Ending, OnOutput
from novum.sandbox.engine import Engine, name_limits, payload, refuse_unstarted, shown
from novum.sandbox.foreign import run_foreign
from novum.sandbox.limits import MIB

ENGINES = ("podman", "docker")
IMAGE = "novum-sandbox"
RECIPE = Path(__file__).resolve().parent / "Containerfile"
ENGINE_FAILED = 125
ANSWER_S = 30.0


def find(argument: str = "") -> tuple[str, str]:
    """The engine's program and the image, from `ENGINE`, `ENGINE:IMAGE`, `IMAGE` or nothing.

    Raises:
        SandboxError: the engine is not installed, does not answer, or lacks the image.
    """
    engine, _, image = argument.partition(":")
    if engine not in ENGINES:
        engine, image = "", argument
    program = next((path for name in ENGINES if engine in ("", name) and (path := shutil.which(name))), None)
    if program is None:
        raise SandboxError(
            "no container engine is installed", f"neither of {', '.join(ENGINES)} is on the PATH"
        )
    image = image or IMAGE
    if _ask(program, "image", "inspect", image).returncode != 0:
        raise SandboxError(
            f"{program} does not answer, or has no image {image!r}", f"the recipe of the image is {RECIPE}"
        )
    return program, image


class Container(Engine):
    """docker or podman."""

    def __init__(self, program: str, image: str) -> None:
        self._program = program
        self._image = image

    @property
    def level(self) -> str:
        """What is enforced, and how."""
        return f"container: {Path(self._program).name}, image {self._image}; disk watched, approximate"

    def refuse(self, workdir: Path, access: Access) -> None:
        """A comma would end a mount's path."""
        if any("," in str(path) for path in (workdir, *access.readonly, *access.protected)):
            raise UsageError(
                "a path with a comma cannot be shown in a container", next_step="rename the folder"
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
        name = f"novum-{secrets.token_hex(8)}"
        try:
            ending = run_foreign(
                self.arguments(command, workdir, limits, access, name, owner),
                limits,
                stop=lambda process: self._stop(process, name),
                environment=dict(os.environ),
                watched=workdir,
                on_output=on_output,
            )
            self._settle(ending, command, name, limits)
        finally:
            _ask(self._program, "rm", "--force", name)
        return ending

    def arguments(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access,
        name: str,
        owner: int | None,
    ) -> list[str]:
        """The engine's command line."""
        starter, *rest = payload(command, limits)
        uid = owner or os.geteuid()
        small = limits.memory_bytes // 4
        mounts = [f"type=bind,source={workdir},target=/work"]
        mounts += [f"type=bind,source={workdir / p},target=/work/{p},readonly" for p in access.protected]
        mounts += [f"type=bind,source={p},target={p},readonly" for p in shown(access)]
        environment = [f"--env={key}={value}" for key, value in policy.environment(access).items()]
        keep = ["--userns=keep-id"] if Path(self._program).name == "podman" and owner is None else []
        return [
            *(self._program, "run", f"--name={name}", "--network=none", "--read-only", "--cap-drop=ALL"),
            *(
                "--security-opt=no-new-privileges",
                "--ipc=private",
                "--hostname=sandbox",
                f"--user={uid}:{uid}",
            ),
            *(
                f"--memory={limits.memory_bytes}",
                f"--memory-swap={limits.memory_bytes}",
                f"--pids-limit={limits.tasks}",
            ),
            *(
                f"--ulimit=nproc={limits.tasks}:{limits.tasks}",
                "--ulimit=core=0:0",
                "--ulimit=nofile=1024:1024",
            ),
            f"--ulimit=fsize={limits.file_bytes}:{limits.file_bytes}",
            *([] if limits.cpu_s is None else [f"--ulimit=cpu={math.ceil(limits.cpu_s)}"]),
            *(f"--tmpfs=/tmp:size={min(small, 1024 * MIB)},mode=1777", f"--shm-size={min(small, 512 * MIB)}"),
            *(f"--mount={mount}" for mount in mounts),
            *(f"--gpus=device={index}" for index in access.gpus),
            *environment,
            *keep,
            *("--workdir=/work", "--pull=never", f"--entrypoint={starter}", self._image, *rest),
        ]

    def _stop(self, process: subprocess.Popen[bytes], name: str) -> None:
        _ask(self._program, "kill", name)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()

    def _settle(self, ending: Ending, command: Sequence[str], name: str, limits: Limits) -> None:
        """Tell the payload's exit from the engine's, and name the limit that the engine held."""
        state = self._state(name)
        started = str(state.get("StartedAt") or "0001-")
        failed = ending.code == ENGINE_FAILED and state.get("ExitCode") != ENGINE_FAILED
        if started.startswith("0001-") or failed:
            raise SandboxError(
                "the container cannot be started", ending.stderr.decode(errors="replace")[-500:]
            )
        refuse_unstarted(ending, command, str(state.get("Error") or ""))
        if state.get("OOMKilled"):
            ending.ended = "memory"
            ending.reason = f"it used more memory than its limit of {limits.memory_bytes} bytes"
        name_limits(ending, limits)

    def _state(self, name: str) -> dict[str, Any]:
        done = _ask(self._program, "inspect", "--format={{json .State}}", name)
        try:
            state: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            return {}
        return state


def _ask(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [program, *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
