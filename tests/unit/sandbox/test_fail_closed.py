"""When a sandbox cannot be had, nothing runs, and the error says why and what to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import people
import pytest
from sandboxes import LIMITS, control_groups

from novum.errors import ContainmentError, NoSandbox, SandboxError, UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox, bubblewrap
from novum.sandbox import open as opening
from novum.sandbox.bubblewrap import Bubblewrap
from novum.sandbox.confined import Confined, Job
from novum.sandbox.namespaces import Namespaces
from novum.sandbox.open import BACKENDS, Backend, open_sandbox, self_test
from novum.sandbox.selftest import check_backend, passed
from novum.sandbox.supervise import Chain

HERE = Path(__file__).resolve().parent
NAMESPACES_FORBIDDEN = """
import ctypes, os, sys
from novum.sandbox.launcher import kernel, seccomp
# What a container's own filter or a hardened kernel does: no new namespaces, for anybody below.
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
kernel.install_filter(seccomp.program())
from novum.errors import NovumError
from novum.sandbox.open import open_sandbox
from pathlib import Path
try:
    open_sandbox(sys.argv[1], cache_dir=Path(sys.argv[2]))
except NovumError as error:
    print(error.text)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("backend", ["auto", "namespaces", "bubblewrap"])
def test_namespaces_forbidden_from_outside(backend: str, tmp_path: Path) -> None:
    program = [sys.executable, "-c", NAMESPACES_FORBIDDEN, backend, str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78, done.stderr
    for name in ("namespaces", "bubblewrap") if backend == "auto" else (backend,):
        assert f"{name}: " in done.stdout
    assert "next:" in done.stdout


def test_namespaces_forbidden_for_an_ordinary_user(tmp_path: Path, as_root: None) -> None:
    with people.settled() as folder:
        done = people.run_as_stranger(folder, "-c", NAMESPACES_FORBIDDEN, "auto", "/tmp/none", timeout=60)
    assert done.returncode == 78, done.stderr


class Leaky:
    """A sandbox that is none, with a program's results made up so that a single check fails."""

    name = "leaky"
    level = "leaky"

    def __init__(self, inner: Sandbox, **changes: object) -> None:
        self._inner = inner
        self._changes = changes
        self.runs = 0

    def run(
        self,
        command: list[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: object = None,
    ) -> Outcome:
        self.runs += 1
        outcome = self._inner.run(command, workdir, limits, access)
        if not outcome.stdout.startswith("{"):
            return outcome
        seen = json.loads(outcome.stdout) | self._changes
        return outcome.model_copy(update={"stdout": json.dumps(seen)})


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("not root", {"uids": [0]}),
        ("no network", {"connected": True}),
        ("host files unreadable", {"canary": True}),
        ("host files unwritable", {"wrote": ["/etc/novum"]}),
        ("kernel settings closed", {"settings": ["kernel/core_pattern"]}),
        ("environment empty", {"environment": ["OPENAI_API_KEY"]}),
        ("host processes hidden", {"processes": 100}),
        ("devices closed", {"devices": ["/dev/mem"]}),
        ("tasks are bounded", {"nproc": -1}),
        ("no namespaces of its own", {"unshared": True}),
    ],
)
def test_one_failed_check_is_enough(
    sandbox: Sandbox, check: str, changes: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky = Leaky(sandbox, **changes)
    monkeypatch.setitem(BACKENDS, "leaky", Backend(lambda: leaky, lambda: "1", "mend the leak"))
    with pytest.raises(NoSandbox) as caught:
        open_sandbox("leaky", cache_dir=tmp_path)
    assert caught.value.exit_code == 78
    assert f"leaky: failed the check {check!r}" in caught.value.why
    assert caught.value.next_step == "for leaky: mend the leak"
    before = leaky.runs
    with pytest.raises(NoSandbox):
        open_sandbox("leaky", cache_dir=tmp_path)
    assert leaky.runs > before, "a failure must never be remembered"


def test_a_self_test_that_passed_is_remembered_and_only_for_the_same(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Leaky(sandbox)
    version = ["1"]
    monkeypatch.setitem(BACKENDS, "counted", Backend(lambda: counted, lambda: version[0], ""))
    for _ in range(3):
        open_sandbox("counted", cache_dir=tmp_path)
    once = counted.runs
    version[0] = "2"
    open_sandbox("counted", cache_dir=tmp_path)
    assert counted.runs == 2 * once > 0
    monkeypatch.setattr(opening, "boot_id", lambda: "another boot")
    open_sandbox("counted", cache_dir=tmp_path)
    assert counted.runs == 3 * once


@pytest.mark.parametrize("content", ["", "{", "null", "7", '["x"]', '{"a": 1}'])
def test_a_memory_that_is_damaged_costs_only_time(sandbox: Sandbox, tmp_path: Path, content: str) -> None:
    (tmp_path / "sandbox-selftest.json").write_text(content)
    assert open_sandbox(sandbox.name, cache_dir=tmp_path).name == sandbox.name


def test_a_memory_that_others_can_write_does_not_count(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Leaky(sandbox)
    monkeypatch.setitem(BACKENDS, "counted", Backend(lambda: counted, lambda: "1", ""))
    open_sandbox("counted", cache_dir=tmp_path)
    once = counted.runs
    (tmp_path / "sandbox-selftest.json").chmod(0o666)
    open_sandbox("counted", cache_dir=tmp_path)
    assert counted.runs == 2 * once


def test_a_cache_that_cannot_be_written_costs_only_time(sandbox: Sandbox) -> None:
    assert open_sandbox(sandbox.name, cache_dir=Path("/proc/nowhere")).name == sandbox.name


def test_no_such_backend(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sandbox backend 'chroot'"):
        open_sandbox("chroot", cache_dir=tmp_path)


def test_unsafe_takes_a_flag_and_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOVUM_SANDBOX__BACKEND", "unsafe")
    with pytest.raises(UsageError, match="command line"):
        open_sandbox("unsafe")
    assert open_sandbox("unsafe", allow_unsafe=True).level.startswith("none")


def test_allowing_the_unsafe_does_not_choose_it(tmp_path: Path) -> None:
    assert open_sandbox("auto", allow_unsafe=True, cache_dir=tmp_path).name == "bubblewrap"


# -- bubblewrap -----------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "bwrap"
    path.write_text("#!/bin/sh\necho bubblewrap 0.11.0\nexec /usr/bin/touch /tmp/novum-broken-bwrap-ran\n")
    path.chmod(0o755)
    yield path


def test_a_bubblewrap_on_the_path_is_never_used(
    program: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    (tmp_path / "work").mkdir()
    found = bubblewrap.find()
    assert found is not None
    assert found.stat().st_uid == 0
    outcome = open_sandbox("bubblewrap", cache_dir=tmp_path).run(
        ["/bin/echo", "x"], tmp_path / "work", LIMITS
    )
    assert outcome.stdout == "x\n"


def test_a_bubblewrap_that_others_can_change_is_not_taken(
    program: Path, monkeypatch: pytest.MonkeyPatch, as_root: None
) -> None:
    monkeypatch.setattr(bubblewrap, "PLACES", (program,))
    program.chmod(0o777)
    assert bubblewrap.find() is None
    program.chmod(0o755)
    assert bubblewrap.find() == program


def test_a_broken_bubblewrap_never_runs_the_payload(program: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    sandbox = bubblewrap.Bubblewrap(program, None)
    with pytest.raises(SandboxError):
        sandbox.run(["/bin/touch", "ran"], tmp_path / "work", LIMITS)
    assert list((tmp_path / "work").iterdir()) == []
    assert not passed(check_backend(sandbox))


@pytest.mark.parametrize(
    ("says", "version"),
    [("bubblewrap 0.8.0", (0, 8, 0)), ("bwrap", ()), ("", ()), ("bubblewrap 0.8.0-rc1", ())],
)
def test_versions_of_bubblewrap(tmp_path: Path, says: str, version: tuple[int, ...]) -> None:
    path = tmp_path / "bwrap"
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    assert bubblewrap.version(path) == version


def test_an_old_bubblewrap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "OLDEST", (99, 0, 0))
    (check,) = self_test("bubblewrap")
    assert not check.ok
    assert "too old" in check.detail


# -- the launcher ---------------------------------------------------------------------------------------


def test_a_launcher_that_dies_is_no_result_of_the_payload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novum.sandbox.namespaces.launcher_command", lambda fd: ["/bin/false"])
    with pytest.raises(SandboxError, match="cannot be built"):
        Namespaces(None).run(["/bin/true"], tmp_path, LIMITS)


def test_a_launcher_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novum.sandbox.namespaces.launcher_command", lambda fd: ["/bin/sleep", "60"])
    monkeypatch.setattr("novum.sandbox.supervise.START_S", 0.2)
    with pytest.raises(SandboxError, match="not ready in time"):
        Namespaces(None).run(["/bin/true"], tmp_path, LIMITS)


def _without_landlock(kind: type[Confined]) -> type[Confined]:
    def chain(self: Confined, job: Job, sent: int, fill: Callable[[int], None]) -> Chain:
        chain = kind.chain(self, job, sent, fill)
        return chain._replace(specification=chain.specification | {"landlock": False})

    return type("WithoutLandlock", (kind,), {"chain": chain})


@pytest.mark.parametrize("backend", ["namespaces", "bubblewrap"])
def test_process_one_takes_no_signal_from_inside_where_no_landlock_keeps_it_out(
    backend: str, tmp_path: Path
) -> None:
    program = bubblewrap.find()
    assert program
    if backend == "namespaces":
        box = _without_landlock(Namespaces)(None)
    else:
        box = _without_landlock(Bubblewrap)(program, None)  # type: ignore[call-arg]
    numbers = " ".join(str(number) for number in range(1, 65) if number not in (32, 33))
    script = f"for number in {numbers}; do kill -$number 1; done; sleep 0.2; echo alive"
    assert box.run(["/bin/sh", "-c", script], tmp_path, LIMITS).stdout == "alive\n"  # type: ignore[attr-defined]


def test_processes_that_outlive_their_sandbox_stop_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novum.sandbox.supervise._ends", lambda process, seconds: False)
    with pytest.raises(ContainmentError, match="FAILED_CONTAINMENT"):
        Namespaces(None).run(["/bin/true"], tmp_path, LIMITS)


def test_a_payload_that_prints_a_launchers_words_is_not_believed(sandbox: Sandbox, tmp_path: Path) -> None:
    outcome = sandbox.run(["/bin/sh", "-c", "echo exit 0 0; exit 9"], tmp_path, LIMITS)
    assert outcome.exit_code == 9


# -- the end of novum -----------------------------------------------------------------------------------

HARNESS = """
import sys
from pathlib import Path
from novum.records import Limits
from novum.sandbox.open import lookup
shell = "echo started; while true; do sleep 0.05; done & setsid sh -c 'while true; do sleep 0.05; done' & sleep 1000"
lookup(sys.argv[1]).make().run(["/bin/sh", "-c", shell, sys.argv[3]], Path(sys.argv[2]), Limits(wall_s=900), None,
                        lambda stream, data: print(data.decode(), flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_everything_dies_with_novum(sandbox: Sandbox, tmp_path: Path, number: int) -> None:
    marker = f"marker-{os.urandom(8).hex()}"
    program = [sys.executable, "-c", HARNESS, sandbox.name, str(tmp_path), marker]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as harness:
        assert harness.stdout
        assert harness.stdout.readline() == "started\n"
        before = _of(harness.pid)
        assert len(before) >= 3
        harness.send_signal(number)
        try:
            harness.wait(10)
        finally:
            harness.kill()
    deadline = time.monotonic() + 3
    while (alive := [pid for pid in before if _alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert alive == []


def test_everything_dies_with_the_launcher(sandbox: Sandbox, tmp_path: Path) -> None:
    program = [sys.executable, "-c", HARNESS, sandbox.name, str(tmp_path), "marker"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as harness:
        assert harness.stdout
        harness.stdout.readline()
        before = _of(harness.pid)
        launcher = next(pid for pid in before if _parent(pid) == harness.pid)
        os.kill(launcher, signal.SIGKILL)
        harness.wait(10)
    assert [pid for pid in before if _alive(pid)] == []


def test_no_control_group_and_no_descriptor_is_left(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.run(["/bin/true"], tmp_path, LIMITS)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        sandbox.run(["/bin/true"], tmp_path, LIMITS)
    with pytest.raises(UsageError):
        sandbox.run(["/work/none"], tmp_path, LIMITS)
    with pytest.raises(UsageError):
        sandbox.run(["/bin/true"], tmp_path, LIMITS, Access(gpus=(99,)))
    assert len(os.listdir("/proc/self/fd")) == before
    assert control_groups() == []


def _of(root: int) -> list[int]:
    parents = {pid: _parent(pid) for pid in map(int, filter(str.isdigit, os.listdir("/proc")))}
    found: list[int] = []
    level = {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        found += level
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
