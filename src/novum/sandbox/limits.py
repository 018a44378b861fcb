"""Limits: what is usable, what suits this machine, and what a limit means for an exit code."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from novum.errors import UsageError
from novum.records import Limits, Outcome

MIB = 1 << 20
SMALLEST_MEMORY = 32 * MIB
MOST = 1 << 62
"""More than the kernel's counters take."""
MANY_TASKS = 4_000_000
"""The kernel's own limit is 4,194,304."""
EXIT_CODES = {"timeout": 124, "memory": 137, "disk": 122, "tasks": 123, "output": 123, "sandbox_error": 78}


class Machine(NamedTuple):
    """What this machine has."""

    memory_bytes: int
    available_bytes: int
    cores: int


def machine() -> Machine:
    """Memory (as far as a control group does not cut it) and cores."""
    total = total_memory()
    return Machine(total, min(available_memory(), total), os.cpu_count() or 1)


def total_memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def available_memory() -> int:
    """Bytes that programs can still take without swapping; the free pages where /proc does not say."""
    found = _memory_info("MemAvailable:")
    if found is not None:
        return found
    pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")


def has_swap() -> bool:
    """Whether memory of a program can be where no count of its resident pages sees it."""
    return bool(_memory_info("SwapTotal:"))


def _memory_info(name: str) -> int | None:
    """A line of /proc/meminfo, in bytes."""
    with contextlib.suppress(OSError), Path("/proc/meminfo").open() as lines:
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return None


def most_tasks() -> int:
    """Processes and threads that this machine can have."""
    found = [MANY_TASKS]
    for name in ("pid_max", "threads-max"):
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path("/proc/sys/kernel", name).read_text()))
    return min(found)


def default_limits(wall_s: float) -> Limits:
    """Limits that suit this machine."""
    here = machine()
    return Limits(wall_s=wall_s, file_bytes=2 << 30).fitted(here.memory_bytes, here.cores)


def check_limits(limits: Limits) -> None:
    """Refuse limits that cannot be kept.

    Raises:
        UsageError: a limit is zero, negative, not finite, or more than the machine has.
    """
    for name in Limits.model_fields:
        value = getattr(limits, name)
        if value is not None and not 0 < value < MOST:  # which NaN is not either
            raise UsageError(
                f"the limit {name} = {value} is not usable",
                "every limit must be a positive, finite number that a machine can have",
                f"set {name} to what the experiment needs",
            )
    most = most_tasks()
    if limits.tasks > most:
        raise UsageError(
            f"the limit of {limits.tasks} tasks is above what this machine has ({most})",
            "a limit that is never reached protects nothing",
            "lower tasks (or --tasks)",
        )
    total = total_memory()
    if limits.memory_bytes > total:
        raise UsageError(
            f"the memory limit of {size(limits.memory_bytes)} is above what this machine has ({size(total)})",
            "a limit that is never reached protects nothing",
            "lower memory_bytes (or --memory)",
        )
    if limits.memory_bytes < SMALLEST_MEMORY:
        raise UsageError(
            f"the memory limit of {size(limits.memory_bytes)} is too small for any program",
            next_step=f"set memory_bytes (or --memory) to {size(SMALLEST_MEMORY)} or more",
        )


def exit_code(outcome: Outcome) -> int:
    """The exit code of `novum sandbox`: the payload's own, else 124 timeout, 137 memory, 122 disk, 123 tasks
    or output, 128 + signal, 78 no sandbox."""
    if outcome.ended == "exit":
        return outcome.exit_code or 0
    if outcome.ended == "signal":
        return 128 + (outcome.signal or 0)
    return EXIT_CODES[outcome.ended]


def size(count: float) -> str:
    """Bytes in words: `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
