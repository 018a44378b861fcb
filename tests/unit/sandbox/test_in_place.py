"""The work folder itself as the work folder: what happens when the disk limit does not fit memory."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest
from sandboxes import BACKENDS, LIMITS

from novum.errors import UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox, bubblewrap, cgroup, workfolder
from novum.sandbox.bubblewrap import Bubblewrap
from novum.sandbox.confined import Job
from novum.sandbox.limits import machine
from novum.sandbox.namespaces import Namespaces
from novum.sandbox.policy import python_paths


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
