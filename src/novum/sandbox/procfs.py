"""What /proc tells of the processes of a run, read below an open folder: their memory, and who descends from whom."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")
_CHUNK = 1 << 16
MOST_MAPPINGS_BYTES = 16 << 20
"""What is read of the lists of mappings in one look: some 20,000 of them."""
_EXITING = 0x4
"""The flag of a task that ends."""
_MANY_ADDRESSES = 1 << 33
"""Bytes of address space from which on the page tables are asked for: they are up to 1/512 of it."""


class Files(NamedTuple):
    """File systems of the run in memory, whose files are counted by themselves."""

    devices: frozenset[int]
    bytes: int
    """What those of them hold that count as memory."""


def read(path: str, folder: int, most: int = _CHUNK) -> str:
    """The text of a file of /proc, at most so many bytes of it; empty when its process is gone."""
    found = bytearray()
    try:
        fd = os.open(path, os.O_RDONLY, dir_fd=folder)
    except OSError:
        return ""
    try:
        while len(found) < most and (chunk := os.read(fd, min(_CHUNK, most - len(found)))):
            found += chunk
    except OSError:
        return ""
    finally:
        os.close(fd)
    return found.decode(errors="replace")


def stat(pid: str, proc: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, from the state on."""
    return read(f"{pid}/stat", proc).rpartition(")")[2].split()


class Processor:
    """The processor time of processes that come and go: the kernel forgets that of one which nobody waits for."""

    def __init__(self) -> None:
        self._there: dict[tuple[str, str], int] = {}
        self._gone = 0

    def count(self, processes: dict[str, list[str]]) -> int:
        """Clock ticks of all processes so far, each as it was seen last; `processes` are those of now, with fields."""
        there = {(pid, fields[19]): sum(map(int, fields[11:13])) for pid, fields in processes.items()}
        self._gone += sum(used for process, used in self._there.items() if process not in there)
        self._there = there
        return self._gone + sum(there.values())


def ticks(fields: list[str]) -> int:
    """Clock ticks of processor time of a process and of the children that it has reaped."""
    return sum(map(int, fields[11:15]))


def descendants(root: str, proc: int) -> list[str]:
    """The processes below `root`, which adopts the orphans among them."""
    parents = {}
    for pid in os.listdir(proc):
        if pid.isdigit() and (fields := stat(pid, proc)):
            parents[pid] = fields[1]
    found: list[str] = []
    level = {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        found += level
    return found


def live_task(pid: str, proc: int) -> str:
    """A folder below `proc` that shows what the process has: a first thread that has ended shows nothing any more."""
    try:
        fd = os.open(f"{pid}/task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=proc)
    except OSError:
        return pid
    try:
        tasks = [f"{pid}/task/{name}" for name in os.listdir(fd) if name != pid]
    except OSError:
        return pid
    finally:
        os.close(fd)
    return next((task for task in tasks if not is_dead(stat(task, proc))), pid)


def is_dead(fields: list[str]) -> bool:
    """Whether it is over, and has no memory of its own."""
    return fields[:1] != [] and fields[0] in "ZX"


def is_over(fields: list[str]) -> bool:
    """Whether it does nothing any more, or is gone. Giving back what it has may still take it seconds."""
    return not fields or is_dead(fields) or bool(int(fields[6]) & _EXITING)


def resident(fields: list[str]) -> int:
    """Bytes of memory that a process has mapped, shared ones counted in full."""
    return int(fields[21]) * _PAGE


def beside(pid: str, fields: list[str], proc: int, swap: bool) -> int:
    """Bytes that no count of resident pages holds: page tables, where they can be many, and what is in the swap."""
    if not swap and int(fields[20]) <= _MANY_ADDRESSES:
        return 0
    sizes = _sizes(read(f"{pid}/status", proc).splitlines())
    return sizes.get("VmPTE:", 0) + sizes.get("VmSwap:", 0)


def exact_memory(processes: dict[str, int], files: Files, most: int, proc: int) -> int:
    """Memory of `processes` (each with its resident bytes), where a shared page counts once.

    Files of the run's own file systems count apart, whether they are mapped or not. How much of the shared memory is
    of such files costs more to ask for, so that is done only when without it the sum is above `most`.
    """
    anonymous = shared = 0
    for pid, whole in processes.items():
        text = read(f"{pid}/smaps_rollup", proc)
        if not text and stat(pid, proc):  # a process that hides counts in full
            anonymous += whole
        sizes = _sizes(text.splitlines()[1:])
        anonymous += sizes.get("Pss_Anon:", 0)
        shared += sizes.get("Pss_Shmem:", 0)
    total = anonymous + shared + files.bytes
    if total <= most or not shared:
        return total
    return total - min(_mapped_files(processes, files.devices, proc), shared)


def _mapped_files(processes: Iterable[str], devices: frozenset[int], proc: int) -> int:
    """Bytes of files on `devices` that are mapped, each page once. It errs downwards, so that memory errs upwards."""
    names = {f"{os.major(device):02x}:{os.minor(device):02x}" for device in devices}
    left = MOST_MAPPINGS_BYTES
    total = 0
    for pid in processes:
        text = read(f"{pid}/smaps", proc, left)
        left -= len(text)
        whole, _, _ = text.rpartition("\n")
        total += sum(_of_files(whole.splitlines(), names))
    return total


def _of_files(lines: Iterable[str], names: set[str]) -> Iterator[int]:
    """The pages of each mapping of those devices that are the file's and not copies of its own."""
    ours = False
    mapped = 0
    for line in lines:
        words = line.split()
        if not words[0].endswith(
            ":"
        ):  # the head of a mapping: addresses, rights, offset, device, inode, path
            ours = len(words) > 3 and words[3] in names
        elif ours and words[0] == "Pss:":
            mapped = int(words[1]) * 1024
        elif ours and words[0] == "Anonymous:":
            yield max(mapped - int(words[1]) * 1024, 0)


def _sizes(lines: Iterable[str]) -> dict[str, int]:
    """`Name: N kB` in bytes."""
    rows = (line.split() for line in lines)
    return {row[0]: int(row[1]) * 1024 for row in rows if len(row) == 3 and row[1].isdigit()}
