"""gVisor, where it is installed and these tests run as root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sandboxes import LIMITS

from novum.errors import SandboxError, UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, recorded, runsc
from novum.sandbox.open import lookup
from novum.sandbox.policy import own_python


@pytest.fixture
def box() -> runsc.Runsc:
    try:
        made = lookup("runsc").make()
    except SandboxError as error:
        pytest.skip(f"needs gVisor and root: {error.why}")
    assert isinstance(made, runsc.Runsc)
    return made


def run(box: runsc.Runsc, work: Path, program: str, **changes: float) -> Outcome:
    python, paths = own_python()
    limits: Limits = LIMITS.model_copy(update=changes)
    return box.run([str(python), "-c", program], work, limits, Access(readonly=paths))


def test_too_many_tasks_are_named(box: runsc.Runsc, work: Path) -> None:
    program = "import os, time\nfor _ in range(40):\n    if os.fork() == 0: time.sleep(20); os._exit(0)\ntime.sleep(20)"
    outcome = run(box, work, program, tasks=20)
    assert outcome.ended == "tasks"
    assert outcome.wall_s < 10
    assert recorded.DISK_WATCHED in outcome.approximate


def test_time_of_the_processor_is_limited(box: runsc.Runsc, work: Path) -> None:
    outcome = run(box, work, "while True: pass", cpu_s=2.0)
    assert outcome.ended == "timeout"
    assert "CPU time" in outcome.message


def test_a_command_that_does_not_exist_is_an_error_of_use(box: runsc.Runsc, work: Path) -> None:
    with pytest.raises(UsageError, match="cannot be started"):
        box.run(["/no/such/program"], work, LIMITS)


def test_any_exit_code_is_the_payloads_own_when_it_started(box: runsc.Runsc, work: Path) -> None:
    assert run(box, work, "raise SystemExit(128)").exit_code == 128


def test_nothing_outlives_a_killed_novum(box: runsc.Runsc, work: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom novum.records import Limits\n"
        "from novum.sandbox.open import lookup\n"
        "lookup('runsc').make().run(['/bin/sleep', '77'], Path(sys.argv[1]), Limits())"
    )
    with subprocess.Popen([sys.executable, "-c", program, work]) as novum:
        assert waits_until(lambda: sandboxes(novum.pid))
        ours = sandboxes(novum.pid)
        os.kill(novum.pid, signal.SIGKILL)
    assert waits_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in ours))


def sandboxes(novum: int) -> list[str]:
    """gVisor's kernels (`runsc-sandbox`) whose bundle that process made."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            parent = Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:
            continue
        if b"runsc-sandbox" in words and f"novum-{novum}-" in parent:
            found.append(pid)
    return found


def waits_until(condition: object, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False
