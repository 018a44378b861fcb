"""The room that root builds for bubblewrap: what is in it, and whom it obeys."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sandboxes import LIMITS, Run

from novum.errors import SandboxError
from novum.sandbox import Access
from novum.sandbox.launcher import kernel
from novum.sandbox.open import open_sandbox

BUILD = """
import os, sys
from novum.sandbox.launcher import kernel, room
root, work, source, dest = sys.argv[1:]
kernel.unshare(kernel.NEWNS)
room.detach_from_host()
place = room.Room({"binds": [(source, dest)], "copies": [], "devices": [], "links": {}, "store": "folder", "work": work,
    "tmp_bytes": 1 << 20, "shm_bytes": 1 << 20}, root)
place.build()
place.close()
print(sorted(os.listdir(root)), len(os.listdir("/proc/self/fd")) - 1, os.listdir(root + dest))
"""


def _build(*arguments: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BUILD, *map(str, arguments)], capture_output=True, text=True)


def test_it_holds_what_is_named_and_leaves_nothing_open(tmp_path: Path, work: Path, as_root: None) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/numbers.txt").touch()
    done = _build(tmp_path / "root", work, tmp_path / "data", "/some/where")
    assert done.stdout == "['dev', 'proc', 'some', 'tmp', 'work'] 3 ['numbers.txt']\n", done.stderr
    assert list((tmp_path / "root").iterdir()) == []  # it was in a mount namespace of its own


def test_it_follows_no_link_of_the_work_folder(tmp_path: Path, work: Path, as_root: None) -> None:
    # A folder of the host may lie below /work. To make one there must not make one outside.
    for name in ("root", "data", "outside"):
        (tmp_path / name).mkdir()
    (work / "link").symlink_to(tmp_path / "outside")
    done = _build(tmp_path / "root", work, tmp_path / "data", "/work/link/data")
    assert done.returncode == 1
    assert "/work/link is a link" in done.stderr
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_room_that_cannot_be_built_is_an_error_of_the_sandbox(
    work: Path, as_root: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = open_sandbox("bubblewrap")

    def refuse(*_: object) -> None:
        raise OSError("no mount is possible here")

    monkeypatch.setattr(kernel, "mount", refuse)
    with pytest.raises(SandboxError, match="no mount is possible here"):
        sandbox.run(["/bin/true"], work, LIMITS, Access())
    assert list(Path("/tmp").glob(f"novum-stage-{os.getpid()}-*")) == []


def test_the_callers_umask_closes_no_room_and_stays(python: Run, work: Path) -> None:
    before = os.umask(0o077)
    try:
        outcome = python("import os; open('made', 'w').close(); print(len(os.listdir('/etc')) > 3)")
        seen: list[int] = []
        other = threading.Thread(target=lambda: seen.append(os.umask(0o077)))
        other.start()
        other.join()
    finally:
        os.umask(before)
    assert outcome.stdout == "True\n", outcome
    assert seen == [0o077]
    assert (work / "made").stat().st_mode & 0o777 == 0o600
