"""The effective policy in words, for `novum sandbox --explain`."""

from __future__ import annotations

from novum.records import Limits
from novum.sandbox import Access, policy
from novum.sandbox.launcher import seccomp
from novum.sandbox.limits import size
from novum.sandbox.open import BACKENDS, automatic, lookup


def explain(backend: str, limits: Limits, access: Access) -> str:
    """What a command may do in `backend`; `auto` names the two that are tried.

    Raises:
        UsageError: there is no such backend, or `access` names what cannot be shown.
    """
    name = " then ".join(automatic()) if backend == "auto" else backend
    if backend != "auto":
        lookup(backend)
    view = policy.view(access)
    environment = policy.environment(access)
    sections = {
        "Backend": [name, f"all backends: {', '.join(BACKENDS)}"],
        "Files, read-only": [dest if source == dest else f"{dest} (made up)" for source, dest in view.binds],
        "Files, writable": [
            f"/work  the work folder, {size(limits.disk_bytes)} and {limits.inodes} files more than it holds",
            f"/tmp, /dev/shm  in memory, {size(limits.memory_bytes / 4)} each at most, gone at the end",
        ],
        "Files, protected in /work": [*access.protected] or ["none"],
        "Everything else": ["absent: home folders, other users' files, sockets, devices, host processes"],
        "Network": ["none; an own loopback interface"],
        "User": [
            "a uid that nobody has (under root) or the caller's own; no capabilities, no new privileges"
        ],
        "GPUs": [*policy.gpu_devices(access)] or ["none"],
        "Environment": [f"{key}={value}" for key, value in environment.items()],
        "Limits": _limits(limits),
        "System calls refused": [", ".join((*seccomp.FORBIDDEN, *seccomp.ABSENT))],
    }
    return "\n".join(
        f"{title}\n" + "\n".join(f"  {line}" for line in lines) for title, lines in sections.items()
    )


def _limits(limits: Limits) -> list[str]:
    lines = [f"wall time {limits.wall_s:g} s, then everything is killed"]
    if limits.cpu_s is not None:
        lines.append(f"CPU time {limits.cpu_s:g} s")
    return [
        *lines,
        f"memory {size(limits.memory_bytes)} for the whole tree",
        f"tasks {limits.tasks} (processes and threads)",
        f"one file {size(limits.file_bytes)}",
        f"output {size(limits.output_bytes)}, both streams together",
    ]
