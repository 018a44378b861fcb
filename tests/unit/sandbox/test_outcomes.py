"""How runs end, what they leave, and what is told of them, in each default backend."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest
from sandboxes import LIMITS, Run

from novum.records import Limits
from novum.sandbox import Access, Sandbox
from novum.sandbox.limits import exit_code
from novum.sandbox.policy import python_paths


def limits(**changes: object) -> Limits:
    return LIMITS.model_copy(update=changes)


# -- exit codes and signals -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 3, 42, 124, 137, 255])
def test_the_payloads_exit_code_passes_through(python: Run, code: int) -> None:
    outcome = python(f"raise SystemExit({code})")
    assert (outcome.ended, outcome.exit_code, exit_code(outcome)) == ("exit", code, code)
    assert outcome.ok is (code == 0)


def test_a_signal_is_named_and_is_not_an_exit_code(python: Run) -> None:
    outcome = python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert (outcome.ended, outcome.signal, outcome.exit_code, exit_code(outcome)) == ("signal", 11, None, 139)
    assert "SIGSEGV" in outcome.message


def test_sigpipe_is_not_ignored_as_python_would_leave_it(sandbox: Sandbox, work: Path) -> None:
    # `yes | head` runs for ever when SIGPIPE is ignored and its errors are not looked at.
    command = ["/bin/sh", "-c", "yes | head -n 1; grep SigIgn /proc/self/status"]
    outcome = sandbox.run(command, work, limits(wall_s=10))
    written, ignored = outcome.stdout.splitlines()
    assert written == "y"
    # Signals 32 and 33 are the C library's own: no program can set them, so they stay as they were inherited.
    assert int(ignored.split()[1], 16) & ~(1 << 31 | 1 << 32) == 0


# -- limits ---------------------------------------------------------------------------------------------


def test_wall_time_ends_the_run_and_says_so(python: Run) -> None:
    began = time.monotonic()
    outcome = python("print('begun', flush=True); import time; time.sleep(60)", limits=limits(wall_s=0.5))
    assert time.monotonic() - began < 3.5
    assert (outcome.ended, exit_code(outcome), outcome.stdout) == ("timeout", 124, "begun\n")
    assert "0.5 s" in outcome.message


def test_cpu_time_of_many_processes_ends_the_run(python: Run) -> None:
    program = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"
    outcome = python(program, limits=limits(cpu_s=1.0, wall_s=15))
    assert outcome.ended == "timeout"
    assert "CPU" in outcome.message
    assert outcome.cpu_s < 4


@pytest.mark.parametrize("megabytes", [96, 256])
def test_memory_is_stopped_near_its_limit(python: Run, megabytes: int) -> None:
    program = "blocks = []\nwhile True: blocks.append(bytearray(b'x') * (1 << 20))"
    outcome = python(program, limits=limits(memory_bytes=megabytes << 20))
    assert (outcome.ended, exit_code(outcome)) == ("memory", 137)
    assert f"{megabytes}.0 MiB" in outcome.message
    assert outcome.peak_memory_bytes < 1.6 * (megabytes << 20)


def test_memory_within_the_limit_is_left_alone(python: Run) -> None:
    assert python("x = bytearray(b'1') * (150 << 20)", limits=limits(memory_bytes=256 << 20)).ok


def test_files_in_the_work_folder_do_not_count_as_memory(python: Run) -> None:
    program = "open('big', 'wb').write(bytes(120 << 20)); x = bytearray(b'1') * (40 << 20)"
    outcome = python(program, limits=limits(memory_bytes=200 << 20, disk_bytes=150 << 20))
    assert outcome.ok, outcome


def test_disk_is_stopped_at_its_limit_and_what_was_written_is_there(python: Run, work: Path) -> None:
    program = "for i in range(100): open(f'{i}.bin', 'wb').write(bytes(1 << 20))"
    outcome = python(program, limits=limits(disk_bytes=16 << 20))
    assert (outcome.ended, exit_code(outcome)) == ("disk", 122)
    assert sum(path.stat().st_size for path in work.iterdir()) <= 1.1 * (16 << 20)
    assert (work / "3.bin").stat().st_size == 1 << 20


@pytest.mark.parametrize(
    "words", ["No space left on device", "File too large", "RuntimeError: can't start new thread"]
)
def test_words_alone_name_no_limit(sandbox: Sandbox, work: Path, words: str) -> None:
    outcome = sandbox.run(["/bin/sh", "-c", f'echo "{words}" >&2; exit 3'], work, LIMITS)
    assert (outcome.ended, outcome.exit_code, exit_code(outcome)) == ("exit", 3, 3), outcome


def test_a_full_temporary_folder_is_named(sandbox: Sandbox, work: Path) -> None:
    command = ["/bin/dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", "count=999"]
    outcome = sandbox.run(command, work, limits(memory_bytes=256 << 20))
    assert (outcome.ended, exit_code(outcome)) == ("disk", 122), outcome
    assert "/tmp" in outcome.message
    assert "64.0 MiB" in outcome.message


def test_a_program_that_clears_a_full_temporary_folder_is_no_failure_of_the_disk(
    sandbox: Sandbox, work: Path
) -> None:
    script = "dd if=/dev/zero of=/tmp/x bs=1M count=999; rm /tmp/x; head -c 9000 /dev/zero | tr '\\0' . >&2; exit 3"
    outcome = sandbox.run(["/bin/sh", "-c", script], work, limits(memory_bytes=256 << 20))
    assert (outcome.ended, outcome.exit_code) == ("exit", 3), outcome.message


def test_a_program_that_frees_the_disk_before_it_fails_is_named_too(python: Run) -> None:
    program = (
        "import os, sys\nf = open('x', 'wb', buffering=0)\nos.unlink('x')\n"
        "try:\n    while f.write(bytes(1 << 20)): pass\n"
        "except OSError as error: f.close(); sys.exit(str(error))"
    )
    outcome = python(program, limits=limits(disk_bytes=8 << 20))
    assert outcome.ended == "disk"
    assert "the limit is 8.0 MiB" in outcome.message


def test_the_number_of_files_is_stopped_at_its_limit(python: Run) -> None:
    outcome = python("for i in range(5000): open(f'{i}', 'w')", limits=limits(inodes=500))
    assert (outcome.ended, exit_code(outcome)) == ("disk", 122)


def test_one_file_can_be_limited(python: Run) -> None:
    outcome = python("open('x', 'wb').write(bytes(8 << 20))", limits=limits(file_bytes=1 << 20))
    assert outcome.ended == "disk"
    assert "one file" in outcome.message


def test_a_program_in_another_language_over_the_file_limit_is_named(sandbox: Sandbox, work: Path) -> None:
    outcome = sandbox.run(
        ["/bin/dd", "if=/dev/zero", "of=x", "bs=1M", "count=9"], work, limits(file_bytes=1 << 20)
    )
    assert (outcome.ended, outcome.signal) == ("disk", 25)


def test_tasks_are_stopped_at_their_limit(python: Run) -> None:
    program = (
        "import threading, time\nfor _ in range(99): threading.Thread(target=time.sleep, args=(9,)).start()"
    )
    outcome = python(program, limits=limits(tasks=30))
    assert (outcome.ended, exit_code(outcome)) == ("tasks", 123)
    assert "30" in outcome.message


def test_as_many_tasks_as_the_limit_are_left_alone(python: Run) -> None:
    program = (
        "import threading, time\nt = [threading.Thread(target=time.sleep, args=(0.3,)) for _ in range(29)]\n"
        "[x.start() for x in t]; [x.join() for x in t]"
    )
    outcome = python(program, limits=limits(tasks=30))
    assert outcome.ok, outcome
    assert outcome.peak_tasks == 30


def test_output_is_kept_up_to_its_limit(python: Run) -> None:
    outcome = python("while True: print('x' * 999)", limits=limits(output_bytes=100_000))
    assert (outcome.ended, exit_code(outcome)) == ("output", 123)
    assert 100_000 <= len(outcome.stdout) <= 100_000 + (1 << 17)


# -- streams --------------------------------------------------------------------------------------------


def test_both_streams_come_as_they_are_written(python: Run, sandbox: Sandbox, work: Path) -> None:
    came: list[tuple[str, bytes, float]] = []
    program = "import sys, time; print(1, flush=True); time.sleep(0.5); print(2, file=sys.stderr)"
    access = Access(readonly=python_paths(Path(sys.executable)))
    outcome = sandbox.run(
        [sys.executable, "-c", program],
        work,
        LIMITS,
        access,
        lambda stream, data: came.append((stream, data, time.monotonic())),
    )
    assert [(stream, data) for stream, data, _ in came] == [("stdout", b"1\n"), ("stderr", b"2\n")]
    assert came[1][2] - came[0][2] > 0.3
    assert (outcome.stdout, outcome.stderr) == ("1\n", "2\n")


def test_output_that_is_not_text_is_kept_readable(python: Run) -> None:
    assert python("import os; os.write(1, b'a\\xff\\xfeb')").stdout == "a��b"


def test_a_callback_that_fails_ends_the_run(sandbox: Sandbox, work: Path) -> None:
    def fail(stream: str, data: bytes) -> None:
        raise RuntimeError("the terminal is gone")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="terminal"):
        sandbox.run(["/bin/sh", "-c", "echo x; sleep 60"], work, LIMITS, None, fail)
    assert time.monotonic() - began < 5


def test_standard_input_is_empty(python: Run) -> None:
    assert python("import sys; print(repr(sys.stdin.read()))").stdout == "''\n"


# -- the work folder ------------------------------------------------------------------------------------


def test_new_changed_and_deleted_files_are_those_of_the_payload(python: Run, work: Path) -> None:
    for name in ("kept.txt", "changed.txt", "deleted.txt"):
        (work / name).write_text(name)
    (work / "deep/er").mkdir(parents=True)
    program = (
        "import os; os.unlink('deleted.txt'); open('changed.txt', 'a').write('!')\n"
        "os.makedirs('new/folder'); open('new/folder/a.txt', 'w').write('a'); os.rmdir('deep/er')"
    )
    outcome = python(program)
    assert outcome.files == ("changed.txt", "new/folder/a.txt")
    assert (work / "changed.txt").read_text() == "changed.txt!"
    assert (work / "new/folder/a.txt").read_text() == "a"
    assert not (work / "deleted.txt").exists()
    assert (work / "kept.txt").read_text() == "kept.txt"


def test_files_come_back_as_the_callers_own(python: Run, work: Path) -> None:
    (work / "mine").write_text("x")
    (work / "mine").chmod(0o600)
    python(
        "import os; open('a', 'w'); os.chmod('a', 0o411); os.mkdir('d', 0o700); open('d/b', 'w')\n"
        "open('mine', 'a').write('y'); open('open', 'w'); os.chmod('open', 0o777)"
    )
    for name in ("a", "d", "d/b"):
        assert (work / name).stat().st_uid == os.geteuid()
    modes = {name: (work / name).stat().st_mode & 0o7777 for name in ("a", "mine", "open")}
    assert modes == {
        "a": 0o611,
        "mine": 0o600,
        "open": 0o755,
    }  # never closed to us, never open to all, never wider
    assert (work / "d/b").read_text() == ""


def test_partial_results_of_a_stopped_run_are_there(python: Run, work: Path) -> None:
    program = "open('epoch_1.txt', 'w').write('done'); import time; time.sleep(60)"
    assert python(program, limits=limits(wall_s=1)).ended == "timeout"
    assert (work / "epoch_1.txt").read_text() == "done"


def test_links_of_the_caller_survive_and_links_of_the_payload_do_not(python: Run, work: Path) -> None:
    (work / "real.txt").write_text("real")
    (work / "link.txt").symlink_to("real.txt")
    outcome = python("import os; os.symlink('/etc/passwd', 'trap'); print(open('link.txt').read())")
    assert outcome.stdout == "real\n"
    assert (work / "link.txt").readlink() == Path("real.txt")
    assert not os.path.lexists(work / "trap")
    assert outcome.refused_files == ("trap: a link",)


def test_a_link_of_the_caller_is_never_written_through(python: Run, work: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (work / "data").symlink_to(outside)
    outcome = python("import os; os.unlink('data'); os.mkdir('data'); open('data/x', 'w').write('x')")
    assert outcome.ok, outcome
    assert list(outside.iterdir()) == []
    assert (work / "data/x").read_text() == "x"


def test_an_input_that_shares_its_content_by_hard_link_is_not_changed_elsewhere(
    python: Run, work: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.txt"
    shared.write_text("shared")
    os.link(shared, work / "shared.txt")
    assert python("open('shared.txt', 'w').write('changed')").ok
    assert shared.read_text() == "shared"
    assert (work / "shared.txt").read_text() == "changed"


def test_a_protected_file_can_be_read_and_not_changed(python: Run, work: Path) -> None:
    (work / "evaluate.py").write_text("honest")
    (work / "evaluate.py").chmod(0o600)
    program = "print(open('evaluate.py').read())\nopen('evaluate.py', 'w')"
    outcome = python(program, protected=("evaluate.py",))
    assert outcome.stdout == "honest\n"
    assert "Read-only file system" in outcome.stderr
    assert (work / "evaluate.py").read_text() == "honest"


def test_a_sparse_file_comes_back_without_taking_its_size(python: Run, work: Path) -> None:
    program = "f = open('sparse', 'wb'); f.seek(40 << 20); f.write(b'end')"
    assert python(program).ok
    status = (work / "sparse").stat()
    assert (status.st_size, status.st_blocks * 512 < 1 << 20) == ((40 << 20) + 3, True)
    assert (work / "sparse").read_bytes()[-3:] == b"end"


def test_an_input_folder_below_work_on_the_host_can_be_shown_too(sandbox: Sandbox, work: Path) -> None:
    # A checkout in /work has its interpreter there, where the work folder is inside.
    assert sandbox.run(["/bin/ls", "/work"], work, LIMITS).stdout == ""


# -- what a payload sees --------------------------------------------------------------------------------


def test_the_environment_is_what_the_policy_names(python: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    outcome = python("import os; print(sorted(os.environ))", environment={"SEED": "7"})
    assert outcome.stdout.strip() == str(["HOME", "LANG", "PATH", "SEED", "TMPDIR"])


def test_twenty_sandboxes_at_once_do_not_meet(sandbox: Sandbox, tmp_path: Path) -> None:
    program = (
        "import os, sys, time, socket; open('/tmp/mine' + sys.argv[1], 'x').write('x')\n"
        "s = socket.create_server(('127.0.0.1', 7777)); time.sleep(0.5)\n"
        "print(len([n for n in os.listdir('/proc') if n.isdigit()]), [n for n in os.listdir('/tmp') if 'mine' in n])"
    )
    access = Access(readonly=python_paths(Path(sys.executable)))
    results = []

    def one(folder: Path) -> None:
        folder.mkdir()
        outcome = sandbox.run([sys.executable, "-c", program, folder.name], folder, LIMITS, access)
        results.append((outcome.ended, outcome.stdout))

    threads = [threading.Thread(target=one, args=(tmp_path / str(i),)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(("exit", f"2 ['mine{i}']\n") for i in range(20))


def test_a_payload_can_open_its_own_streams_by_name(sandbox: Sandbox, work: Path) -> None:
    # Under root the pipes belong to another user, and `tee /dev/stderr` would fail.
    outcome = sandbox.run(["/bin/sh", "-c", "echo a > /dev/stdout; echo b | tee /dev/stderr"], work, LIMITS)
    assert (outcome.ok, outcome.stdout, outcome.stderr) == (True, "a\nb\n", "b\n")


def test_inputs_are_not_told_as_written(python: Run, work: Path) -> None:
    (work / "input").write_bytes(bytes(10 << 20))
    outcome = python("open('big', 'wb').write(bytes(1 << 25))", limits=limits(disk_bytes=4 << 20))
    assert outcome.message == "stopped (disk): it filled its disk space: 4.0 MiB, and the limit is 4.0 MiB"
    assert outcome.peak_disk_bytes == 4 << 20
    outcome = python("import os; os.remove('input'); open('new', 'wb').write(bytes(1 << 20))")
    assert outcome.peak_disk_bytes == 0


def test_a_protected_file_in_a_folder_holds_with_the_folders_that_lead_to_it(python: Run, work: Path) -> None:
    (work / "lib/deep").mkdir(parents=True)
    (work / "lib/deep/evaluate.py").write_text("honest")
    (work / "lib/other.txt").write_text("other")
    program = (
        "import os\n"
        "for old, new in (('lib', 'gone'), ('lib/deep', 'gone'), ('lib/deep', 'lib/gone')):\n"
        "    try: os.rename(old, new); print('moved', old)\n"
        "    except OSError: pass\n"
        "open('lib/deep/result.txt', 'w').write('beside it'); open('lib/other.txt', 'a').write('!')\n"
        "print(open('lib/deep/evaluate.py').read())"
    )
    outcome = python(program, protected=("lib/deep/evaluate.py",))
    assert outcome.stdout == "honest\n", outcome
    assert (work / "lib/deep/evaluate.py").read_text() == "honest"
    assert (work / "lib/deep/result.txt").read_text() == "beside it"
    assert (work / "lib/other.txt").read_text() == "other!"


def test_memory_in_the_buffers_of_sockets_counts(python: Run) -> None:
    program = (
        "import socket\nheld = []\nwhile True:\n    near, far = socket.socketpair(); held.append((near, far))\n"
        "    near.setblocking(False); near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)\n"
        "    try:\n        while True: near.send(bytes(1 << 16))\n    except BlockingIOError: pass"
    )
    outcome = python(program, limits=limits(memory_bytes=128 << 20))
    assert outcome.ended == "memory"


def test_a_flood_of_names_is_told_in_few_words(python: Run) -> None:
    outcome = python("import os\nfor i in range(5000): os.symlink('/etc/passwd', f'trap{i}')")
    assert outcome.ok
    assert len(outcome.refused_files) == 201
    assert outcome.refused_files[-1] == "... and 4800 more"
