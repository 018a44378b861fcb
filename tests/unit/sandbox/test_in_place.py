"""The work folder itself as the work folder: what happens when the disk limit does not fit memory."""

from __future__ import annotations

import dataclasses
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sandboxes import BACKENDS, LIMITS, control_groups

from novum.errors import UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox, bubblewrap, cgroup, quota, workfolder
from novum.sandbox.bubblewrap import Bubblewrap
from novum.sandbox.confined import Job
from novum.sandbox.limits import machine
from novum.sandbox.namespaces import Namespaces
from novum.sandbox.policy import python_paths
from novum.sandbox.quota import Watched


def in_place(self: object, job: Job) -> Job:
    return dataclasses.replace(job, in_memory=False)


@pytest.fixture(params=BACKENDS)
def box(request: pytest.FixtureRequest) -> Sandbox:
    if request.param == "namespaces":
        return type("InPlace", (Namespaces,), {"prepared": in_place})(cgroup.find())
    program = bubblewrap.find()
    assert program
    return type("InPlace", (Bubblewrap,), {"prepared": in_place})(program, cgroup.find())


def python(box: Sandbox, work: Path, program: str, limits: Limits = LIMITS, **access: object) -> Outcome:
    shown = Access(readonly=python_paths(Path(sys.executable)), **access)  # type: ignore
    return box.run([sys.executable, "-B", "-c", program], work, limits, shown)


def test_a_limit_that_does_not_fit_memory_is_not_put_there() -> None:
    assert workfolder.fits_memory(LIMITS, 0)
    assert not workfolder.fits_memory(LIMITS.model_copy(update={"disk_bytes": machine().memory_bytes}), 0)
    assert not workfolder.fits_memory(LIMITS, machine().memory_bytes)


def test_results_stay_and_belong_to_the_caller(box: Sandbox, work: Path) -> None:
    (work / "input").write_text("input")
    program = (
        "import os; print(open('input').read()); os.mkdir('d', 0o700); open('d/new', 'w').write('x')\n"
        "os.unlink('input')"
    )
    outcome = python(box, work, program)
    assert (outcome.ok, outcome.stdout) == (True, "input\n"), outcome
    assert (work / "d/new").read_text() == "x"
    assert not (work / "input").exists()
    assert {path.stat().st_uid for path in (work, *work.rglob("*"))} == {os.geteuid()}


def test_what_is_no_plain_file_is_removed_and_the_callers_links_are_not(box: Sandbox, work: Path) -> None:
    (work / "mine").symlink_to("somewhere")
    program = (
        "import os; os.symlink('/etc/passwd', 'trap'); os.mkfifo('fifo'); open('a', 'w'); os.link('a', 'b')\n"
        "open('odd\\nname', 'w'); os.chmod('a', 0o777)\n"
        "for _ in range(600): os.mkdir('d'); os.chdir('d')"
    )
    outcome = python(box, work, program)
    assert outcome.ok or outcome.ended == "disk", outcome
    assert (work / "mine").readlink() == Path("somewhere")
    for name in ("trap", "fifo", "a", "b", "odd\nname"):
        assert not os.path.lexists(work / name), name
    assert len(outcome.refused_files) >= 5


def test_the_folder_is_as_open_as_before(box: Sandbox, work: Path) -> None:
    work.chmod(0o750)
    python(box, work, "import os; os.symlink('/etc/passwd', 'trap'); os.chmod('.', 0)")
    assert stat.S_IMODE(work.stat().st_mode) == 0o750
    assert not os.path.lexists(work / "trap")


@pytest.mark.parametrize("name", ["a\nb", "a\u00a0b", "\udcff", "x" * 255, "deep\nfolder/plain"])
def test_an_input_that_the_cleaning_would_remove_is_refused(box: Sandbox, work: Path, name: str) -> None:
    (work / name).parent.mkdir(exist_ok=True)
    (work / name).write_text("mine")
    with pytest.raises(UsageError, match="its name") as caught:
        python(box, work, "pass")
    assert caught.value.text.isascii()
    assert (work / name).read_text() == "mine"
    assert control_groups() == []


def test_a_socket_or_a_bottomless_folder_of_the_caller_is_refused(box: Sandbox, work: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "s"))
        with pytest.raises(UsageError, match="not a regular file"):
            python(box, work, "pass")
    (work / "s").unlink()
    folder = work
    for _ in range(300):
        folder = folder / "d"
        folder.mkdir()
    with pytest.raises(UsageError, match="deeper than 256 folders"):
        python(box, work, "pass")


def test_an_input_larger_than_the_limit_for_one_file_is_kept(box: Sandbox, work: Path) -> None:
    (work / "large").write_bytes(b"x" * (3 << 20))
    outcome = python(box, work, "pass", LIMITS.model_copy(update={"file_bytes": 1 << 20}))
    assert outcome.ok, outcome
    assert (work / "large").stat().st_size == 3 << 20


def test_traps_are_removed_among_many_inputs(box: Sandbox, work: Path) -> None:
    for i in range(1500):
        (work / f"input{i}").touch()
    program = "import os\nfor i in range(300): os.symlink('/etc/passwd', f'trap{i}')"
    outcome = python(box, work, program, LIMITS.model_copy(update={"inodes": 400}))
    assert outcome.ok, outcome
    assert sum(name.startswith("input") for name in os.listdir(work)) == 1500
    assert not [name for name in os.listdir(work) if name.startswith("trap")]


def test_more_files_than_the_limit_leave_no_trap_behind(box: Sandbox, work: Path) -> None:
    program = (
        "import os\nfor i in range(4000): os.symlink('/etc/passwd', f'trap{i}'); open(f'{i}', 'w')\n"
        "import time; time.sleep(9)"
    )
    outcome = python(box, work, program, LIMITS.model_copy(update={"inodes": 1000}))
    assert outcome.ended == "disk", outcome
    assert not [name for name in os.listdir(work) if name.startswith("trap")]


def test_space_beyond_the_end_of_a_file_is_not_reserved(box: Sandbox, work: Path) -> None:
    program = (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nfd = os.open('x', os.O_RDWR | os.O_CREAT)\n"
        "print(libc.fallocate(fd, 1, ctypes.c_long(0), ctypes.c_long(200 << 20)), os.strerror(ctypes.get_errno()))\n"
        "os.posix_fallocate(fd, 0, 1 << 20)"  # the C library writes instead
    )
    outcome = python(box, work, program)
    assert outcome.stdout == "-1 Operation not supported\n", outcome
    assert outcome.ok, outcome
    assert (work / "x").stat().st_blocks * 512 <= 2 << 20


HIDE_IN_MAPPINGS = """
import mmap, os, time
held = []
for i in range(600):
    with open('x', 'wb') as f: f.write(bytes(1 << 20))
    fd = os.open('x', os.O_RDONLY)
    held.append(mmap.mmap(fd, 4096, prot=mmap.PROT_READ)); os.close(fd); os.unlink('x')
    time.sleep(0.01)
"""
HIDE_IN_MESSAGES = """
import os, socket, time
near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for i in range(9):
    with open('x', 'wb') as f: f.write(bytes(20 << 20))
    fd = os.open('x', os.O_RDONLY); os.unlink('x')
    socket.send_fds(near, [b'x'], [fd]); os.close(fd)
    time.sleep(0.2)
time.sleep(9)
"""
HIDE_IN_A_THREAD = """
import ctypes, os, threading, time
def hold():
    held = []
    for i in range(600):
        f = open('x', 'wb', buffering=0); os.unlink('x'); f.write(bytes(1 << 20)); held.append(f)
        time.sleep(0.01)
threading.Thread(target=hold).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
"""


@pytest.mark.parametrize("program", [HIDE_IN_MAPPINGS, HIDE_IN_MESSAGES, HIDE_IN_A_THREAD])
def test_files_without_a_name_are_watched_wherever_they_are_held(
    box: Sandbox, work: Path, program: str
) -> None:
    outcome = python(box, work, program, LIMITS.model_copy(update={"disk_bytes": 32 << 20}))
    assert outcome.ended == "disk", outcome
    assert "32.0 MiB" in outcome.message


HOLDER = """
import mmap, os, socket
def step(): print(flush=True); input()
shared = mmap.mmap(-1, 1 << 20); near, far = socket.socketpair(); step()
f = open('x', 'wb+'); f.write(bytes(4096)); f.flush(); os.unlink('x'); held = mmap.mmap(f.fileno(), 4096); step()
held.close(); socket.send_fds(near, [b'x'], [f.fileno()]); step()
socket.recv_fds(far, 1, 1); step()
"""


def test_a_holder_of_files_without_a_name_is_told_from_shared_memory(work: Path) -> None:
    # Others may fill the disk at the same time: only a run that can hold such files answers for that.
    folder, proc = os.open(work, os.O_RDONLY), os.open("/proc", os.O_RDONLY)
    command = [sys.executable, "-c", HOLDER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=work, **pipes) as child:  # type: ignore[call-overload]
        watched = Watched(folder, lambda: [str(child.pid)], proc, LIMITS)
        found = []
        for _ in range(4):
            child.stdout.readline()
            found.append(watched.may_hold_unseen())
            child.stdin.write(b"\n")
            child.stdin.flush()
    os.close(folder)
    os.close(proc)
    assert found == [False, True, True, False]


def test_the_disk_keeps_a_floor(work: Path) -> None:
    fs = os.statvfs(work)
    free = fs.f_bavail * fs.f_frsize
    folder, proc = os.open(work, os.O_RDONLY), os.open("/proc", os.O_RDONLY)
    try:
        assert Watched(folder, list, proc, LIMITS).measure().reason == ""
        tight = LIMITS.model_copy(update={"disk_bytes": free - 1})
        assert Watched(folder, list, proc, tight).measure().reason == ""  # what was granted can be used
        assert quota.floor(1000, 900, 100) == 1000 // 32
        assert quota.floor(1000, 20, 10) == 10
        assert quota.floor(1000, 10, 20) == 0
    finally:
        os.close(folder)
        os.close(proc)


def test_a_walk_ends_when_it_is_clear_that_there_is_too_much(work: Path) -> None:
    folder, proc = os.open(work, os.O_RDONLY), os.open("/proc", os.O_RDONLY)
    try:
        watched = Watched(folder, list, proc, LIMITS.model_copy(update={"inodes": 10}))
        for i in range(500):
            (work / f"{i}").touch()
        assert 10 < watched.measure().inodes < 20
    finally:
        os.close(folder)
        os.close(proc)


def test_the_disk_is_watched(box: Sandbox, work: Path) -> None:
    program = "import time\nfor i in range(500): open(f'{i}', 'wb').write(bytes(1 << 20)); time.sleep(0.01)"
    outcome = python(box, work, program, LIMITS.model_copy(update={"disk_bytes": 32 << 20}))
    assert outcome.ended == "disk"
    assert sum(path.stat().st_size for path in work.iterdir()) < 1.6 * (32 << 20)


def test_unlinked_files_are_watched(box: Sandbox, work: Path) -> None:
    program = (
        "import os, time; f = open('x', 'wb', buffering=0); os.unlink('x')\n"
        "for i in range(500): f.write(bytes(1 << 20)); time.sleep(0.01)"
    )
    limits = LIMITS.model_copy(update={"disk_bytes": 32 << 20})
    assert python(box, work, program, limits).ended == "disk"


def test_the_number_of_files_is_watched(box: Sandbox, work: Path) -> None:
    program = "import time\nfor i in range(9000): open(f'{i}', 'w')\ntime.sleep(9)"
    outcome = python(box, work, program, LIMITS.model_copy(update={"inodes": 1000}))
    assert outcome.ended == "disk"


def test_a_hard_link_to_elsewhere_is_refused(box: Sandbox, work: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("shared")
    os.link(tmp_path / "shared", work / "shared")
    with pytest.raises(UsageError, match="hard link"):
        python(box, work, "open('shared', 'w').write('changed')")
    assert (tmp_path / "shared").read_text() == "shared"


def test_protected_files_hold(box: Sandbox, work: Path) -> None:
    (work / "evaluate.py").write_text("honest")
    outcome = python(box, work, "open('evaluate.py', 'w')", protected=("evaluate.py",))
    assert "Read-only file system" in outcome.stderr
    assert (work / "evaluate.py").read_text() == "honest"


def test_a_path_that_no_call_can_name_is_removed(box: Sandbox, work: Path) -> None:
    program = (
        "import os\nfor _ in range(60): os.mkdir('n' * 250); os.chdir('n' * 250)\nos.symlink('/', 'trap')"
    )
    outcome = python(box, work, program)
    assert outcome.ended in ("exit", "disk"), outcome
    assert outcome.refused_files
    levels = [base.count("/") for base, _, _ in os.walk(work)]
    assert max(levels) - min(levels) < 20


def test_a_folder_that_cannot_be_looked_into_is_removed(box: Sandbox, work: Path) -> None:
    program = (
        "import os; os.makedirs('closed/inner'); os.symlink('/etc/passwd', 'closed/trap')\n"
        "os.chmod('closed/inner', 0); os.chmod('closed', 0o111)"
    )
    python(box, work, program)
    assert not os.path.lexists(work / "closed/trap")


def test_what_was_there_keeps_its_owner_and_its_permissions(box: Sandbox, work: Path, as_root: None) -> None:
    (work / "theirs").write_text("x")
    (work / "theirs").chmod(0o600)
    os.chown(work / "theirs", 4321, 4322)
    assert python(box, work, "open('theirs', 'a').write('y'); open('new', 'w')").ok
    status = (work / "theirs").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (4321, 4322, 0o600)
    assert (work / "new").stat().st_uid == 0


def test_files_below_a_held_folder_are_watched_too(box: Sandbox, work: Path) -> None:
    (work / "lib").mkdir()
    (work / "lib/kept.txt").write_text("kept")
    program = (
        "import time\nfor i in range(500): open(f'lib/{i}', 'wb').write(bytes(1 << 20)); time.sleep(0.01)"
    )
    changed = LIMITS.model_copy(update={"disk_bytes": 32 << 20})
    outcome = python(box, work, program, changed, protected=("lib/kept.txt",))
    assert outcome.ended == "disk"
