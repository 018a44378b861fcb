"""Which processes that cannot be looked at hide files, and which are only about to begin or to end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from novum.records import Limits
from novum.sandbox import quota
from novum.sandbox.quota import Watched

RUNS, ENDS = 0x400000, 0x400004
"""The flags of a task that runs, and of one that ends (PF_EXITING)."""


class Proc:
    """A folder like /proc, whose processes may be closed to a look at their files."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._closed: set[str] = set()
        self.fd = os.open(folder, os.O_RDONLY)
        monkeypatch.setattr(quota, "_open_files", self._open_files)

    def put(self, task: str, state: str = "R", flags: int = RUNS, closed: bool = True) -> None:
        (self._folder / task).mkdir(parents=True)
        (self._folder / task / "stat").write_text(f"1 (x) {state} 1 1 1 0 -1 {flags} " + "0 " * 40)
        if closed:
            self._closed.add(task)

    def remove(self, task: str) -> None:
        (self._folder / task / "stat").unlink()
        (self._folder / task).rmdir()

    def pids(self) -> list[str]:
        return os.listdir(self._folder)

    def _open_files(self, task: str, proc: int) -> Iterator[tuple[str, os.stat_result]]:
        if task in self._closed:
            raise PermissionError
        yield from ()


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proc]:
    (tmp_path / "proc").mkdir()
    made = Proc(tmp_path / "proc", monkeypatch)
    yield made
    os.close(made.fd)


@pytest.fixture
def watched(proc: Proc, tmp_path: Path) -> Iterator[Watched]:
    """It has looked once, before the payload began, at a process that was closed."""
    work = tmp_path / "work"
    work.mkdir()
    fd = os.open(work, os.O_RDONLY)
    proc.put("2")
    yield Watched(fd, proc.pids, proc.fd, Limits(disk_bytes=1 << 20, inodes=100))
    os.close(fd)


def look(watched: Watched) -> bool:
    watched._next_walk = 0.0
    return watched.measure().hidden


def test_a_process_that_stays_closed_hides(watched: Watched) -> None:
    # The look before the payload began does not count: what becomes it was being made.
    assert [look(watched) for _ in range(3)] == [False, True, True]


def test_one_that_was_closed_for_a_moment_does_not(watched: Watched, proc: Proc) -> None:
    assert not look(watched)
    proc.remove("2")
    assert not look(watched)
    proc.put("3")
    assert not look(watched)


def test_closed_processes_that_follow_each_other_hide(watched: Watched, proc: Proc) -> None:
    assert not look(watched)
    proc.remove("2")
    proc.put("3")
    assert look(watched)


@pytest.mark.parametrize(("state", "flags"), [("R", ENDS), ("Z", ENDS), ("X", ENDS)])
def test_one_that_ends_hides_nothing_however_long_it_takes(
    watched: Watched, proc: Proc, state: str, flags: int
) -> None:
    proc.remove("2")
    proc.put("3", state, flags)
    assert [look(watched) for _ in range(3)] == [False] * 3


def test_one_whose_first_thread_is_over_hides_behind_another(watched: Watched, proc: Proc) -> None:
    proc.remove("2")
    proc.put("3", "Z", ENDS, closed=False)
    proc.put("3/task/4")
    assert [look(watched) for _ in range(2)] == [False, True]
