"""The record of a run: how it ended, what it used, and which of its limits were not exact."""

from __future__ import annotations

from novum.records import Limits, Outcome
from novum.sandbox.ending import Ending
from novum.sandbox.workfolder import Returned

DISK_WATCHED = "disk and files: the folder is watched; a run is stopped at 1.0 to 1.6 of the limit"
FILES_WATCHED = "files: counted every 20 to 100 ms"
MEMORY_WATCHED = "memory: its processes are watched; a run is stopped at 1.0 to 1.6 of the limit"
MEMORY_COUNTED = (
    "memory: counted by the control group and looked at every 20 to 100 ms; the kernel stops a run at this limit and "
    "that of its work folder, which is in memory, together"
)
CPU_COUNTED = "CPU time: counted every 20 to 100 ms, on all cores"
CPU_WATCHED = (
    "CPU time: counted every 20 to 100 ms, on all cores; what a process that nobody waits for used after the last look "
    "is missed"
)
CPU_BY_PROCESS = "CPU time: held for each process, not for all together"
GPU_WATCHED = "GPU memory: asked for every 100 ms, and other programs on the same GPU count"


def approximate(limits: Limits, *, in_memory: bool, grouped: bool, gpus: bool) -> tuple[str, ...]:
    """The limits that a run in one of novum's own backends can pass, each with by how much.

    `in_memory` says that the work folder is a copy in memory, `grouped` that there is a control group, `gpus` that
    the memory of GPUs has a limit.
    """
    found = {
        MEMORY_WATCHED: not grouped,
        MEMORY_COUNTED: grouped and in_memory,
        DISK_WATCHED: not in_memory,
        CPU_COUNTED: grouped and limits.cpu_s is not None,
        CPU_WATCHED: not grouped and limits.cpu_s is not None,
        GPU_WATCHED: gpus,
    }
    return tuple(words for words, holds in found.items() if holds)


def outcome(
    ending: Ending, returned: Returned, backend: str, approximations: tuple[str, ...] = ()
) -> Outcome:
    """The record of a run."""
    return Outcome(
        ended=ending.ended,
        exit_code=ending.code,
        signal=ending.signal,
        message=_message(ending),
        stdout=ending.stdout.decode(errors="replace"),
        stderr=ending.stderr.decode(errors="replace"),
        wall_s=round(ending.wall_s, 3),
        cpu_s=round(ending.peak.cpu_s, 3),
        peak_memory_bytes=ending.peak.memory_bytes,
        peak_disk_bytes=ending.peak.disk_bytes,
        peak_tasks=ending.peak.tasks,
        peak_gpu_bytes=ending.peak.gpu_bytes,
        files=returned.files,
        refused_files=returned.refused,
        backend=backend,
        approximate=approximations,
    )


def _message(ending: Ending) -> str:
    if ending.ended == "exit":
        return f"exit code {ending.code}"
    return f"stopped ({ending.ended}): {ending.reason}"
