"""What the code of a model cannot do to the machine, the study and the results, seen from the harness."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from pydantic import ValidationError

from novum.records import Idea

from .conftest import DECLARATION, FIT, Lab, MakeLab, change, replacing, run_of


def doing(lab: Lab, body: str) -> str:
    """Carry out one run whose code is `body`, and return what it said on both streams."""
    lab.replies = lambda request: replacing(FIT, body) if request.json_schema is None else None
    outcome = lab.run(change()).runs[-1].outcome
    return outcome.stdout + outcome.stderr


def running(mark: str) -> bool:
    """Whether some process has `mark` on its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


def test_a_run_sees_no_secret_of_the_environment(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures A 16 and B I 1: model-written code ran with the keys of the user."""
    monkeypatch.setenv("SOME_API_KEY", "very-secret-value")
    said = doing(lab, "    import os\n    print(sorted(os.environ.items()))\n    return [0.0, 1.9]")
    assert "PYTHONHASHSEED" in said
    assert "very-secret-value" not in said


def test_a_run_has_no_network(lab: Lab) -> None:
    """Failures A 16 and B I 1: it had the network of the user."""
    body = (
        "    import socket\n    socket.create_connection(('127.0.0.1', 80), timeout=2)\n    return [0.0, 1.9]"
    )
    said = doing(lab, body)
    assert "Error" in said
    assert {r.status for r in lab.run(change()).runs[1:]} == {"failed"}


def test_a_run_cannot_reach_the_study_or_its_template(lab: Lab) -> None:
    """Failures B I 1: it wrote anywhere that the user could."""
    target = lab.folder.root / "written_by_a_run"
    doing(lab, f"    Path({str(target)!r}).write_text('x')\n    return [0.0, 1.9]")
    assert not target.exists()


def test_what_a_run_starts_dies_with_it(make_lab: MakeLab) -> None:
    """Failures A 19, B I 2 and I 3: grandchildren lived on, and code that ignored signals was never stopped."""
    lab = make_lab({"template.toml": DECLARATION.replace("wall_s = 20.0", "wall_s = 1.5")})
    mark = f"mark-{uuid.uuid4()}"
    body = (
        "    import signal, subprocess, sys\n"
        "    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        "        signal.signal(number, signal.SIG_IGN)\n"
        f"    command = [sys.executable, '-c', 'import time; time.sleep(600)', '{mark}']\n"
        "    subprocess.Popen(command, start_new_session=True)\n"
        "    time.sleep(600)\n    return [0.0, 1.9]"
    )
    began = time.monotonic()
    lab.replies = lambda request: (
        (replacing(FIT, body) if request.step.endswith("/edit") else "no change")
        if request.json_schema is None
        else None
    )
    results = lab.run(change())
    assert run_of(results, "run_1_failed_1").outcome.ended == "timeout"
    assert time.monotonic() - began < 60
    assert not running(mark)


def test_other_processes_of_the_user_live_on(lab: Lab) -> None:
    """Failures B I 4: at its end a run killed every process with `python` in its name."""
    mark = f"mark-{uuid.uuid4()}"
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", mark])
    try:
        doing(lab, "    import os, signal\n    os.kill(-1, signal.SIGKILL)\n    return [0.0, 1.9]")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_an_import_that_is_not_there_is_told_with_what_is(lab: Lab) -> None:
    """Failures B 2.5: a prompt claimed that packages were installed which were not."""
    doing(lab, "    import xgboost\n    return [0.0, 1.9]")
    told = lab.told("experiment/run_1/edit")
    assert "imports xgboost, which is not there" in told
    assert "available beside the standard library: evaluate" in told
    assert not lab.events("edit_applied")


@pytest.mark.parametrize("name", [";touch x;", "../up", "a b", "$(id)", "", "A", "x" * 99])
def test_a_name_that_a_model_chose_is_a_plain_identifier(name: str) -> None:
    """Failures A 17 and B I 6: the name of an idea became part of a shell command."""
    with pytest.raises(ValidationError):
        Idea(name=name, title="T", hypothesis="H", plan="P")


def test_runs_are_never_deleted(lab: Lab) -> None:
    """Failures B I 5: the work folder was deleted at the end."""
    doing(lab, "    raise ValueError('first')")
    folders = {p.name for p in lab.folder.runs.iterdir()}
    assert "run_1_failed_1" in folders
    for name in ("run.json", "stdout.txt", "stderr.txt", "environment.json"):
        assert (lab.folder.run("run_1_failed_1") / name).is_file()
