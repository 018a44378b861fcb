"""Bad input: each one clear error of the tree, before anything runs."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sandboxes import LIMITS

from novum.errors import UsageError
from novum.records import Limits
from novum.sandbox import Access, Sandbox
from novum.sandbox.limits import check_limits, default_limits, machine, size
from novum.sandbox.policy import python_paths, view


def refused(
    sandbox: Sandbox, work: Path, message: str, *command: str, access: Access | None = None
) -> UsageError:
    with pytest.raises(UsageError, match=message) as caught:
        sandbox.run(command or ["/bin/true"], work, LIMITS, access)
    assert caught.value.next_step
    return caught.value


def test_a_work_folder_that_is_missing(sandbox: Sandbox, tmp_path: Path) -> None:
    refused(sandbox, tmp_path / "missing", "cannot be used")


def test_a_work_folder_that_is_a_link(sandbox: Sandbox, work: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(work)
    refused(sandbox, tmp_path / "link", "symbolic link")


def test_a_work_folder_that_is_a_file(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(sandbox, tmp_path / "file", "not a folder")


def test_a_work_folder_on_a_full_disk(sandbox: Sandbox, work: Path) -> None:
    limits = LIMITS.model_copy(update={"disk_bytes": 1 << 60})
    with pytest.raises(UsageError, match="too full"):
        sandbox.run(["/bin/true"], work, limits)


@pytest.mark.parametrize("name", ["missing.txt", "../outside", "/etc/passwd", "", ".", "a//b"])
def test_a_protected_name_that_is_not_in_the_work_folder(sandbox: Sandbox, work: Path, name: str) -> None:
    refused(sandbox, work, "protected", access=Access(protected=(name,)))


def test_a_protected_name_that_is_a_link(sandbox: Sandbox, work: Path) -> None:
    (work / "link").symlink_to("/etc/passwd")
    refused(sandbox, work, "protected", access=Access(protected=("link",)))


def test_a_command_that_does_not_exist(sandbox: Sandbox, work: Path) -> None:
    refused(sandbox, work, "does not exist in the sandbox", "no-such-program")
    refused(sandbox, work, "cannot be started", "/work/no-such-program")


def test_no_command(sandbox: Sandbox, work: Path) -> None:
    with pytest.raises(UsageError, match="no command"):
        sandbox.run([], work, LIMITS)


def test_a_program_of_another_architecture(sandbox: Sandbox, work: Path) -> None:
    header = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, 0x15, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)
    )
    (work / "foreign").write_bytes(header)
    (work / "foreign").chmod(0o755)
    refused(sandbox, work, "cannot be started", "/work/foreign")


def test_a_script_without_an_interpreter_line(sandbox: Sandbox, work: Path) -> None:
    (work / "script").write_text("echo hello\n")
    (work / "script").chmod(0o755)
    refused(sandbox, work, "cannot be started", "./script")


@pytest.mark.parametrize(
    "name", ["with space", "with\nnewline", "ünïcödé", "-rf", "$(x)", "a'b\"c", "back\\slash"]
)
def test_work_folders_with_odd_names(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert sandbox.run(["/bin/sh", "-c", "echo x > result"], folder, LIMITS).ok
    assert (folder / "result").read_text() == "x\n"


def test_a_work_folder_200_levels_deep(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d"] * 200)
    folder.mkdir(parents=True)
    assert sandbox.run(
        ["/bin/sh", "-c", "mkdir -p " + "e/" * 200 + "; echo x > " + "e/" * 200 + "f"], folder, LIMITS
    ).ok
    assert folder.joinpath(*["e"] * 200, "f").read_text() == "x\n"


def test_read_only_data_with_an_odd_name(sandbox: Sandbox, work: Path, tmp_path: Path) -> None:
    data = tmp_path / "data of\nmine"
    data.mkdir()
    data.chmod(0o755)
    (data / "x").write_text("x")
    outcome = sandbox.run(["/bin/cat", str(data / "x")], work, LIMITS, Access(readonly=(data,)))
    assert outcome.stdout == "x"


@pytest.mark.parametrize(
    "path", ["/", "/proc", "/proc/1", "/sys", "/dev", "/tmp", "/work", "relative", "/usr/../root"]
)
def test_what_must_never_be_shown(path: str) -> None:
    with pytest.raises(UsageError):
        view(Access(readonly=(Path(path),)))


def test_data_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="cannot be shown"):
        view(Access(readonly=(Path("/no/such/data"),)))


def test_a_gpu_that_does_not_exist(sandbox: Sandbox, work: Path) -> None:
    refused(sandbox, work, "no GPU", access=Access(gpus=(99,)))


def test_a_command_that_is_too_long(sandbox: Sandbox, work: Path) -> None:
    with pytest.raises(UsageError, match="too long"):
        sandbox.run(["/bin/echo", "x" * 3_000_000], work, LIMITS)


@pytest.mark.parametrize("count", [9_000, 13_000, 20_000, 60_000])
def test_a_long_command_is_an_ordinary_one(sandbox: Sandbox, work: Path, count: int) -> None:
    names = [f"image{i:07}.png" for i in range(count)]  # 16 bytes each with what ends it
    outcome = sandbox.run(["/bin/sh", "-c", "echo $#", "sh", *names], work, LIMITS)
    assert outcome.stdout == f"{count}\n", outcome


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["\ud800"], {}),
        ([], {"A=B": "x"}),
        ([], {"A": "x\0y"}),
        ([], {"A\0": "x"}),
        ([], {"A": "\ud800"}),
    ],
)
def test_what_no_program_can_be_given_is_no_exit_code(
    sandbox: Sandbox, work: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    access = Access.model_construct(environment=environment)
    error = refused(sandbox, work, "cannot be started", "/bin/echo", *arguments, access=access)
    assert "arguments" in error.why


@pytest.mark.parametrize("name", sorted(Limits.model_fields))
@pytest.mark.parametrize("value", [0, -1])
def test_limits_of_zero_or_less(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=name):
        check_limits(Limits.model_validate({name: value}))


@pytest.mark.parametrize("name", ["wall_s", "cpu_s"])
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_limits_without_an_end(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=name):
        check_limits(Limits.model_validate({name: value}))


def test_a_memory_limit_above_the_machine() -> None:
    with pytest.raises(UsageError, match="above what this machine has"):
        check_limits(Limits(memory_bytes=machine().memory_bytes * 2))


def test_a_memory_limit_that_no_program_can_live_in() -> None:
    with pytest.raises(UsageError, match="too small"):
        check_limits(Limits(memory_bytes=1 << 20))


def test_the_default_limits_suit_this_machine() -> None:
    limits = default_limits(60)
    check_limits(limits)
    assert limits.memory_bytes <= machine().memory_bytes / 2
    assert limits.tasks > 256


def test_sizes_in_words() -> None:
    assert [size(n) for n in (0, 1023, 1536, 5 << 20, 3 << 30)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5.0 MiB",
        "3.0 GiB",
    ]


def test_a_python_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="no Python"):
        python_paths(Path("/no/such/python"))


def test_a_virtual_environment_shows_itself_and_its_base(tmp_path: Path) -> None:
    base, venv = tmp_path / "base", tmp_path / "venv"
    for folder in (base, venv):
        (folder / "bin").mkdir(parents=True)
    (base / "bin/python3").touch()
    (venv / "bin/python").symlink_to(base / "bin/python3")
    (venv / "pyvenv.cfg").write_text(f"home = {base}/bin\nversion = 3.11\n")
    assert set(python_paths(venv / "bin/python")) == {venv, base}


def test_a_base_reached_through_a_link_is_shown_by_both_names(tmp_path: Path) -> None:
    real, venv = tmp_path / "cpython-3.11.7", tmp_path / "venv"
    for folder in (real, venv):
        (folder / "bin").mkdir(parents=True)
    (real / "bin/python3").touch()
    (tmp_path / "cpython-3.11").symlink_to(real)
    (venv / "bin/python").symlink_to(tmp_path / "cpython-3.11/bin/python3")
    (venv / "pyvenv.cfg").write_text(f"home = {tmp_path}/cpython-3.11/bin\n")
    assert set(python_paths(venv / "bin/python")) == {venv, tmp_path / "cpython-3.11", real}


def test_a_broken_virtual_environment_is_named(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    (tmp_path / "pyvenv.cfg").write_text("version = 3.11\n")
    with pytest.raises(UsageError, match="names no home"):
        python_paths(tmp_path / "bin/python")


def test_a_folder_of_another_user(sandbox: Sandbox) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may use any folder")
    refused(sandbox, Path("/usr/share"), "another user")


def test_more_tasks_than_the_machine_can_have() -> None:
    with pytest.raises(UsageError, match="above what this machine has"):
        check_limits(Limits(tasks=10_000_000))


@pytest.mark.parametrize("name", sorted(Limits.model_fields))
def test_limits_beyond_all_machines(name: str) -> None:
    with pytest.raises(UsageError):
        check_limits(Limits.model_validate({name: 10**30}))


@pytest.mark.parametrize("target", ["/", "/proc", "/proc/1", "/sys", "/dev", "/tmp", "/dev/shm"])
def test_a_link_to_what_must_never_be_shown(tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(UsageError, match="cannot be shown"):
        view(Access(readonly=(tmp_path / "link",)))


@pytest.mark.parametrize("kind", ["socket", "fifo"])
@pytest.mark.parametrize("place", [".", "a/b c"])
def test_a_way_out_inside_a_read_only_folder(tmp_path: Path, kind: str, place: str) -> None:
    data = tmp_path / "data"
    folder = data / place
    folder.mkdir(parents=True)
    for parent in (data, folder):
        parent.chmod(0o755)
    view(Access(readonly=(data,)))
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "fifo":
            os.mkfifo(folder / "out")
        else:
            listener.bind(str(folder / "out"))
        with pytest.raises(UsageError, match="out") as caught:
            view(Access(readonly=(data,)))
        assert caught.value.next_step
        (tmp_path / "link").symlink_to(data)
        with pytest.raises(UsageError, match="out"):
            view(Access(readonly=(tmp_path / "link",)))


def test_a_socket_in_a_large_folder_is_found_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novum.sandbox.policy.LOOKED_AT", 5)
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    for i in range(20):
        (data / f"{i}").touch()
    data.chmod(0o755)
    view(Access(readonly=(data,)))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(data / "deep/out"))
        with pytest.raises(UsageError, match="deep/out"):
            view(Access(readonly=(data,)))


def test_a_socket_in_a_protected_folder(sandbox: Sandbox, work: Path) -> None:
    (work / "kept").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "kept/out"))
        refused(sandbox, work, "out", access=Access(protected=("kept",)))


def test_looking_for_ways_out_passes_over_programs(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").touch()
    (tmp_path / "lib/python3.11/site-packages").mkdir(parents=True)
    os.mkfifo(tmp_path / "lib/python3.11/never")  # nobody looks there: it would take too long
    tmp_path.chmod(0o755)
    view(Access(readonly=(tmp_path,)))


@pytest.mark.parametrize("kind", ["socket", "fifo"])
def test_read_only_data_that_is_a_way_out(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "fifo":
        os.mkfifo(path, 0o666)
    else:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    path.chmod(0o666)
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        view(Access(readonly=(path,)))


def test_a_python_in_the_home_folder_does_not_show_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to("/usr/bin/python3")
    assert python_paths(tmp_path / "bin/python3") == (tmp_path / "bin/python3",)


WITHOUT_PROC = """
import sys
from novum.sandbox.launcher import kernel
kernel.unshare(kernel.NEWNS)
kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
kernel.mount("none", sys.argv[1], "tmpfs", 0, sys.argv[2])
from novum.cli import main
sys.argv = ["novum", "sandbox", "--workdir", sys.argv[3], "--backend", sys.argv[4], "--", "/bin/touch", "ran"]
main()
"""


@pytest.mark.parametrize(
    ("place", "options", "backend"),
    [("/proc", "size=1m", "auto"), ("/tmp", "size=4k,nr_inodes=1", "bubblewrap")],
    ids=["without-proc", "temporary-folder-full"],
)
def test_a_machine_without_what_is_needed_is_refused(
    place: str, options: str, backend: str, as_root: None
) -> None:
    if Path(__file__).is_relative_to(place):
        pytest.skip(f"these files lie below {place}, which this test hides")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        work = Path(folder) / "work"
        work.mkdir()
        environment = {"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": folder, "HOME": "/root"}
        program = [sys.executable, "-c", WITHOUT_PROC, place, options, str(work), backend]
        done = subprocess.run(program, capture_output=True, text=True, env=environment, timeout=60)
        assert done.returncode == 78, done.stderr
        assert "no sandbox is available" in done.stderr
        assert "Traceback" not in done.stderr
        assert list(work.iterdir()) == []
