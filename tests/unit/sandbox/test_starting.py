"""From novum's process to the launcher's: what it is sent, as which user it starts, what is made for it."""

from __future__ import annotations

import errno
import marshal
import os
import subprocess
import threading
from pathlib import Path

import pytest
from sandboxes import LIMITS, Run

from novum.sandbox import Access, Sandbox, bubblewrap, launcher, policy, starting
from novum.sandbox.launcher.boot import PACKAGE
from novum.sandbox.open import open_sandbox
from novum.sandbox.policy import MADE_UP
from novum.sandbox.starting import _as_user

UID = 61_234


# -- what it is sent ------------------------------------------------------------------------------------


def test_the_launcher_is_sent_whole() -> None:
    with starting.new_file() as file:
        starting.write(file, {"mode": "none"})
        marshal.load(file)
        modules, specification = marshal.load(file), marshal.load(file)
    files = {path.stem for path in Path(launcher.__path__[0]).glob("*.py")} - {"__init__", "boot"}
    assert set(modules) == {PACKAGE, *(f"{PACKAGE}.{name}" for name in files)}
    assert specification == {"mode": "none"}


def test_a_launcher_imports_what_it_was_sent_and_closes_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    said = """
import os, sys
from . import other

def main(told):
    print(told, other.WORD, sys.argv[1] in os.listdir('/proc/self/fd'))
"""
    modules = {PACKAGE: "", f"{PACKAGE}.main": said, f"{PACKAGE}.other": "WORD = 'other'"}
    compiled = {name: marshal.dumps(compile(text, name, "exec")) for name, text in modules.items()}
    first, _ = starting._program()
    monkeypatch.setattr(starting, "_program", lambda: (first, marshal.dumps(compiled)))
    with starting.new_file() as file:
        starting.write(file, {"told": 7})
        command = starting.launcher_command(file.fileno())
        done = subprocess.run(command, env={}, pass_fds=[file.fileno()], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("{'told': 7} other False\n", "")


def test_nothing_of_the_launcher_is_in_the_room(python: Run) -> None:
    program = "import os; print([name for _, _, names in os.walk('/proc/self/root/run') for name in names])"
    assert python(program).stdout == "[]\n"


# -- as which user it starts ----------------------------------------------------------------------------


def test_what_is_started_as_another_user_cannot_become_root_again(as_root: None) -> None:
    said: list[str] = []

    def start() -> None:
        with _as_user(UID):
            show = ["/bin/grep", "-E", "^(Uid|Gid|Groups|CapEff|CapPrm):", "/proc/self/status"]
            said.append(subprocess.run(show, capture_output=True, text=True, check=True).stdout)
        said.append(Path("/proc/thread-self/status").read_text())

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    child = {line.split(":")[0]: line.split()[1:] for line in said[0].splitlines()}
    assert child == {
        "Uid": [str(UID)] * 4,
        "Gid": [str(UID)] * 4,
        "Groups": [],
        "CapPrm": ["0" * 16],
        "CapEff": ["0" * 16],
    }
    assert "Uid:\t0\t0\t0\t0\n" in said[1]
    assert "Gid:\t0\t0\t0\t0\n" in said[1]
    assert os.getresuid() == os.getresgid() == (0, 0, 0)


def test_the_thread_is_root_again_when_nothing_could_be_started(as_root: None) -> None:
    caught: list[object] = []

    def start() -> None:
        try:
            with _as_user(UID):
                subprocess.run(["/nowhere/at/all"])
        except OSError:
            caught.append(Path("/proc/thread-self/status").read_text())

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "Uid:\t0\t0\t0\t0\n" in str(caught[0])


# -- the folder in which root shows things to bubblewrap ------------------------------------------------


def test_only_old_folders_of_processes_that_are_gone_are_swept(tmp_path: Path) -> None:
    nobody = 1 << 30
    old = [Path(f"/tmp/{bubblewrap.STAGE}{pid}-{tmp_path.name}-old") for pid in (nobody, os.getpid())]
    young = Path(f"/tmp/{bubblewrap.STAGE}{nobody}-{tmp_path.name}-young")
    for folder in (*old, young):
        folder.mkdir()
    for folder in old:
        os.utime(folder, (0, 0))
    try:
        bubblewrap._sweep()
        assert [folder.exists() for folder in (*old, young)] == [False, True, True]
    finally:
        for folder in (old[1], young):
            folder.rmdir()


def test_a_run_comes_to_its_end_without_that_folder(as_root: None, cache: Path, work: Path) -> None:
    removed: list[Path] = []

    def remove() -> None:
        for folder in Path("/tmp").glob(f"{bubblewrap.STAGE}{os.getpid()}-*"):
            folder.rmdir()
            removed.append(folder)

    box = open_sandbox("bubblewrap", cache_dir=cache)
    later = threading.Timer(0.5, remove)  # in this thread's view nothing is mounted there
    later.start()
    outcome = box.run(["/bin/sh", "-c", "sleep 1; echo y > y"], work, LIMITS)
    later.join()
    assert removed
    assert outcome.ok
    assert (work / "y").read_text() == "y\n"


# -- what bubblewrap copies -----------------------------------------------------------------------------


CHANGE = """
import os
for attempt in (
    lambda: open('/etc/passwd', 'a'),
    lambda: os.chmod('/etc/passwd', 0o666),
    lambda: os.remove('/etc/passwd'),
    lambda: open('/etc/new', 'w'),
):
    try:
        attempt()
        print('changed')
    except OSError as error:
        print(error.errno)
"""


def test_the_files_of_etc_are_those_of_the_policy(python: Run) -> None:
    program = "import os\nfor e in os.scandir('/etc'):\n    if e.is_file(): print(e.name, e.stat().st_size)"
    sizes = dict(line.split() for line in python(program).stdout.splitlines())
    host = [path for path in map(Path, policy.SYSTEM) if path.parent == Path("/etc") and path.is_file()]
    assert sizes == {path.name: str(path.stat().st_size) for path in (*MADE_UP.iterdir(), *host)}


def test_the_files_of_etc_cannot_be_changed(python: Run) -> None:
    """The payload owns bubblewrap's copies."""
    refused = {str(number) for number in (errno.EROFS, errno.EPERM, errno.EACCES)}
    assert set(python(CHANGE).stdout.split()) <= refused


def test_small_files_of_etc_are_copied_and_nothing_else(tmp_path: Path) -> None:
    small, large, most, closed = (tmp_path / name for name in ("small", "large", "most", "closed"))
    sizes = {small: 10, large: policy.COPIED_BYTES + 1, most: policy.COPIED_BYTES, closed: 10}
    for path, size in sizes.items():
        path.write_bytes(bytes(size))
        path.chmod(0o640 if path == closed else 0o644)
    wanted = [(str(small), "/etc/small"), *((str(most), f"/etc/most{i}") for i in range(7))]
    others = [
        (str(large), "/etc/large"),
        (str(closed), "/etc/closed"),  # a copy would be open to the payload
        (str(tmp_path), "/etc/folder"),
        (str(small), "/etc/folder/small"),  # which is shown read-only
        (str(small), str(small)),
        *((str(most), f"/etc/too_much{i}") for i in range(3)),
    ]
    assert policy.copied([*wanted, *others]) == wanted


def test_a_file_of_etc_that_is_named_is_shown_by_either_backend(sandbox: Sandbox, work: Path) -> None:
    named = next(path for path in (Path("/etc/debian_version"), Path("/etc/os-release")) if path.is_file())
    outcome = sandbox.run(["/bin/cat", str(named)], work, LIMITS, Access(readonly=(named,)))
    assert outcome.stdout == named.read_text()


def test_what_is_roots_alone_needs_no_cover(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert not bubblewrap._is_open(str(file))
    file.touch()
    for mode, is_open in ((0o400, False), (0o600, False), (0o444, True), (0o440, True), (0o602, True)):
        file.chmod(mode)
        assert bubblewrap._is_open(str(file)) == is_open, oct(mode)
