"""`novum sandbox`, as a function in an app of its own."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from novum.cli.sandbox import sandbox

app = typer.Typer()
app.command()(sandbox)


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("options", "command", "code"),
    [
        ((), "exit 7", 7),
        (("--time", "0.3"), "sleep 20", 124),
        (("--memory", "96M"), "exec python3 -c 'x = bytearray(b\"1\") * (1 << 30)'", 137),
        (("--disk", "4M"), "exec dd if=/dev/zero of=x bs=1M count=9", 122),
        (
            ("--tasks", "20"),
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do sleep 9 & done; wait",
            123,
        ),
        ((), "kill -SEGV $$", 139),
    ],
)
@pytest.mark.parametrize("backend", ["namespaces", "bubblewrap"])
def test_exit_codes(work: Path, backend: str, options: tuple[str, ...], command: str, code: int) -> None:
    found, _, stderr = run("--workdir", work, "--backend", backend, *options, "--", "/bin/sh", "-c", command)
    assert found == code, stderr
    assert ("novum sandbox: stopped" in stderr) is (code not in (7,))


def test_options_of_the_command_are_its_own(work: Path) -> None:
    code, stdout, _ = run("--workdir", work, "--json", "--", "/bin/echo", "--time", "--json", "-x")
    assert json.loads(stdout)["stdout"] == "--time --json -x\n"
    assert code == 0


def test_files_are_kept_and_data_is_shown(work: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    (data / "x").write_text("x")
    code, _, stderr = run("--workdir", work, "--ro", data, "--", "/bin/cp", data / "x", "copy")
    assert (code, stderr) == (0, "")
    assert (work / "copy").read_text() == "x"


def test_no_command_is_an_error_of_use() -> None:
    code, _, stderr = run()
    assert code == 2
    assert "next:" in stderr


@pytest.mark.parametrize("text", ["lots", "-1G", "2GG", "", "1e9"])
def test_sizes_that_are_none(work: Path, text: str) -> None:
    code, _, stderr = run("--workdir", work, "--memory", text, "--", "/bin/true")
    assert code == 2, stderr
    assert "next:" in stderr


def test_the_policy_is_explained_with_what_is_asked_for(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    code, stdout, _ = run("--explain", "--memory", "3G", "--ro", tmp_path)
    assert code == 0
    for words in ("bubblewrap then namespaces", "memory 3.0 GiB", str(tmp_path), "Network\n  none", "ptrace"):
        assert words in stdout


def test_the_self_test_prints_its_table() -> None:
    code, stdout, _ = run("--self-test", "--backend", "namespaces", "--json")
    assert code == 0
    checks = json.loads(stdout)["namespaces"]
    assert len(checks) >= 12
    assert {check["ok"] for check in checks} == {True}


def test_no_sandbox_is_exit_78(work: Path) -> None:
    code, _, stderr = run("--workdir", work, "--backend", "outer", "--", "/bin/true")
    assert code == 78, stderr
    assert "outer: " in stderr


def test_unsafe_must_be_asked_for_and_confirmed(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOVUM_SANDBOX__BACKEND", "unsafe")
    assert run("--workdir", work, "--backend", "unsafe", "--", "/bin/touch", "ran")[0] == 2
    refused = CliRunner().invoke(
        app, ["--workdir", str(work), "--unsafe-no-sandbox", "--", "/bin/touch", "ran"], input="n\n"
    )
    assert refused.exit_code == 2
    assert os.listdir(work) == []
    assert run("--workdir", work, "--unsafe-no-sandbox", "--yes", "--", "/bin/touch", "ran")[0] == 0
    assert os.listdir(work) == ["ran"]


def test_the_interpreter_of_novum_is_there(work: Path) -> None:
    code, stdout, _ = run(
        "--workdir", work, "--json", "--", sys.executable, "-c", "import numpy; print(numpy.pi)"
    )
    assert (code, json.loads(stdout)["stdout"]) == (0, "3.141592653589793\n")


def test_a_reader_that_is_stuck_does_not_stop_the_clock(work: Path) -> None:
    # Nobody reads what novum passes on: it must hold the time limit all the same, and come to its end when read.
    command = [sys.executable, "-m", "novum", "sandbox", "--workdir", str(work), "--time", "1", "--"]
    script = (
        "touch begun; head -c 1000000 /dev/zero; touch ended; while true; do date +%s > now; sleep 0.1; done"
    )
    with subprocess.Popen([*command, "/bin/sh", "-c", script], stdout=subprocess.PIPE) as novum:
        deadline = time.monotonic() + 20
        while not (work / "now").exists() and time.monotonic() < deadline:
            time.sleep(0.05)  # files come back when the run has ended
        assert (work / "ended").exists()
        assert novum.poll() is None
        assert novum.stdout
        assert len(novum.stdout.read()) == 1_000_000
    assert novum.returncode == 124


def test_a_reader_that_goes_ends_the_run(work: Path) -> None:
    command = [sys.executable, "-m", "novum", "sandbox", "--workdir", str(work), "--", "/usr/bin/yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as novum:
        assert novum.stdout
        assert novum.stderr
        assert novum.stdout.readline() == "y\n"
        novum.stdout.close()
        assert novum.wait(20) != 0
        assert "Traceback" not in novum.stderr.read()


def test_an_interrupt_ends_the_run_and_says_so(work: Path) -> None:
    command = [sys.executable, "-m", "novum", "sandbox", "--workdir", str(work), "--"]
    script = "echo partial > result; echo begun; sleep 60"
    with subprocess.Popen(
        [*command, "/bin/sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as novum:
        assert novum.stdout
        assert novum.stderr
        assert novum.stdout.readline() == "begun\n"
        novum.send_signal(signal.SIGINT)
        assert novum.wait(10) == 130
        assert "interrupted" in novum.stderr.read()
    assert (work / "result").read_text() == "partial\n"


def test_a_relative_work_folder_and_the_current_one(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work.parent)
    assert run("--workdir", work.name, "--", "/bin/touch", "named")[0] == 0
    monkeypatch.chdir(work)
    assert run("--", "/bin/touch", "current")[0] == 0
    assert sorted(os.listdir(work)) == ["current", "named"]


def test_a_home_folder_is_never_the_work_folder(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work / "id_rsa").write_text("key")
    monkeypatch.setenv("HOME", str(work))
    monkeypatch.chdir(work)
    code, stdout, stderr = run("--json", "--", "/bin/ls")
    assert code == 0
    assert "id_rsa" not in json.loads(stdout)["stdout"]
    assert "not kept" in stderr
    for folder in (work, work.parent, Path("/"), Path("/tmp")):
        code, _, stderr = run("--workdir", folder, "--", "/bin/ls")
        assert code == 2
        assert "cannot be a work folder" in stderr


@pytest.mark.parametrize(
    "options",
    [("--tasks", "0"), ("--tasks", "-5"), ("--tasks", "99999999999"), ("--time", "nan"), ("--time", "0")],
)
def test_limits_that_cannot_be_kept(work: Path, options: tuple[str, str]) -> None:
    code, _, stderr = run("--workdir", work, *options, "--", "/bin/true")
    assert code == 2, stderr
    assert "next:" in stderr


def test_standard_input_does_not_reach_the_command(work: Path) -> None:
    command = [sys.executable, "-m", "novum", "sandbox", "--workdir", str(work), "--", "/bin/cat"]
    done = subprocess.run(command, input="typed", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("backend", ["namespaces", "bubblewrap"])
def test_a_caller_whose_files_are_closed_to_others(work: Path, backend: str) -> None:
    command = [sys.executable, "-m", "novum", "sandbox", "--workdir", str(work), "--backend", backend, "--"]
    program = "import os; os.makedirs('a/b'); open('a/b/c', 'w')"
    done = subprocess.run(
        [*command, sys.executable, "-c", program], umask=0o077, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert (work / "a/b").stat().st_mode & 0o077 == 0
    assert (work / "a/b/c").exists()


def test_twenty_at_once_from_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "novum", "sandbox", "--workdir"]
    started = []
    for i in range(20):
        (tmp_path / str(i)).mkdir()
        said = f"touch /tmp/mine-{i}; ls -d /tmp/mine-*; echo {i} > mine; sleep 1"
        line = [*command, str(tmp_path / str(i)), "--", "/bin/sh", "-c", said]
        started.append(subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    for i, process in enumerate(started):
        stdout, stderr = process.communicate(timeout=120)
        assert (process.returncode, stdout) == (0, f"/tmp/mine-{i}\n"), stderr
        assert (tmp_path / str(i) / "mine").read_text() == f"{i}\n"
    left = [Path("/tmp").glob(f"novum-stage-{p.pid}-*") for p in started]
    left += [Path("/sys/fs/cgroup").rglob(f"novum-{p.pid}-*") for p in started]
    assert [*itertools.chain(*left)] == []
