"""What a run does to the files that were in the work folder before it, in each default backend."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sandboxes import LIMITS, Run

from novum.sandbox import Sandbox

ODD = {
    "newline": b"a\nb",
    "no-break space": "a\u00a0b".encode(),
    "narrow no-break space": "11.03\u202fPM.png".encode(),
    "joined emoji": "\U0001f469\u200d\U0001f4bb.txt".encode(),
    "not UTF-8": b"caf\xe9.csv",
    "longest": b"x" * 255,
}
odd_names = pytest.mark.parametrize("name", ODD.values(), ids=ODD.keys())


@odd_names
def test_a_run_does_not_delete_inputs_with_odd_names(sandbox: Sandbox, work: Path, name: bytes) -> None:
    file, folder = os.path.join(os.fsencode(work), b"plain"), os.path.join(os.fsencode(work), name)
    Path(os.fsdecode(file)).write_text("plain")
    os.mkdir(folder)
    inner = [os.path.join(folder, part) for part in (b"plain", name)]
    for path in inner:
        Path(os.fsdecode(path)).write_text("inner")
    outcome = sandbox.run(["/bin/true"], work, LIMITS)
    assert outcome.ok, outcome
    assert [Path(os.fsdecode(path)).read_text() for path in inner] == ["inner", "inner"]
    assert outcome.files == ()


@odd_names
def test_an_input_with_an_odd_name_is_kept_or_deleted_as_the_payload_does(
    sandbox: Sandbox, work: Path, name: bytes
) -> None:
    first, second = (Path(os.fsdecode(name)), Path(os.fsdecode(name[:-2] + b"zz")))
    for path in (first, second):
        (work / path).write_text("input")
    untouched = sandbox.run(["/bin/true"], work, LIMITS)
    assert untouched.refused_files == ()
    deleted = sandbox.run(["/bin/rm", "--", str(second)], work, LIMITS)
    assert deleted.ok, deleted
    assert os.listdir(os.fsencode(work)) == [name]
    assert (work / first).read_text() == "input"


def test_a_change_of_an_input_with_an_odd_name_is_told_and_not_taken(python: Run, work: Path) -> None:
    (work / "a\nb").write_text("mine")
    outcome = python("open('a\\nb', 'w').write('changed'); open('c\\nd', 'w').write('new')")
    assert outcome.ok, outcome
    assert sorted(outcome.refused_files) == ["a\\nb: its name", "c\\nd: its name"]
    assert (work / "a\nb").read_text() == "mine"
    assert not (work / "c\nd").exists()


def test_an_input_that_cannot_come_back_is_kept_as_it_was(python: Run, work: Path) -> None:
    (work / "closed").mkdir()
    for name in ("closed/input", "linked"):
        (work / name).write_text("mine")
    outcome = python("import os; os.link('linked', 'again'); os.chmod('closed', 0)")
    assert outcome.ok, outcome
    assert {name: (work / name).read_text() for name in ("closed/input", "linked")} == {
        "closed/input": "mine",
        "linked": "mine",
    }
    assert not (work / "again").exists()


def test_an_input_that_became_something_else_is_gone(python: Run, work: Path) -> None:
    (work / "folder").mkdir()
    (work / "moved").mkdir()
    for name in ("pipe", "link", "folder/input", "moved/input"):
        (work / name).write_text("mine")
    program = (
        "import os, shutil\nfor name in ('pipe', 'link'): os.unlink(name)\n"
        "os.mkfifo('pipe'); os.symlink('/etc/passwd', 'link')\n"
        "shutil.rmtree('folder'); open('folder', 'w').write('a file now')\n"
        "os.rename('moved', 'elsewhere'); os.symlink('elsewhere', 'moved')"
    )
    outcome = python(program)
    assert outcome.ok, outcome
    assert not any(os.path.lexists(work / name) for name in ("pipe", "link", "moved/input"))
    assert (work / "folder").read_text() == "a file now"
    assert (work / "elsewhere/input").read_text() == "mine"


def test_folders_of_the_caller_do_not_count_against_what_comes_back(python: Run, work: Path) -> None:
    for i in range(2500):
        (work / f"d{i}").mkdir()
    outcome = python("open('result', 'w').write('x')", limits=LIMITS.model_copy(update={"inodes": 100}))
    assert outcome.files == ("result",), outcome
    assert (work / "result").read_text() == "x"
