"""The self-test: proof, inside a backend, that it holds what it promises, before anything else runs in it.

It also shows that a program starts and can write its results, so that "cannot start" never reads as "contained".
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from novum.errors import NovumError
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox, policy

PROBE = Path(__file__).resolve().parent / "inside.py"
LIMITS = Limits(
    wall_s=20, memory_bytes=256 << 20, disk_bytes=4 << 20, inodes=100, tasks=64, file_bytes=64 << 20
)
PAGES = 64 << 10
"""What rounding to whole pages may add."""
DISK_HOG = "open('filler', 'wb', buffering=0).write(bytes(16 << 20))"
MEMORY_HOG = "x = bytearray(1 << 30)"
OUTPUT_HOG = "while True: print('x' * 65536)"
TIME_HOG = """
import os, signal, time
for number in (1, 2, 15):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    os.fork()
time.sleep(60)
"""
SHORT_S = 0.7
OUTPUT_BYTES = 1 << 20
TRAPS = ("trap-link", "trap-fifo")


class Check(NamedTuple):
    """One promise, whether it held, and what was seen."""

    name: str
    ok: bool
    detail: str
    needed: bool = True
    """A degraded backend may fail a check that is not needed; the table shows it all the same."""


def check_backend(sandbox: Sandbox, waived: frozenset[str] = frozenset()) -> list[Check]:
    """Run the self-test in `sandbox`. Checks named in `waived` are shown but not needed."""
    try:
        with tempfile.TemporaryDirectory(prefix="novum-selftest-") as folder:
            checks = list(_checks(sandbox, Path(folder)))
    except (NovumError, OSError) as error:
        checks = [Check("starts a program", False, str(error).replace("\n", " "))]
    return [check._replace(needed=check.name not in waived) for check in checks]


def passed(checks: list[Check]) -> bool:
    """Whether everything that is needed held."""
    return all(check.ok for check in checks if check.needed)


def _checks(sandbox: Sandbox, folder: Path) -> Iterator[Check]:
    canary = secrets.token_hex(16)
    secret = folder / "secret.txt"
    secret.write_text(canary)
    folder.chmod(0o755)  # so that it is the sandbox that hides it, not its permissions
    work = folder / "work"
    work.mkdir()
    (work / "protected.txt").write_text("as it was")
    outcome = _run(sandbox, work, PROBE.read_text(), str(secret))
    yield Check("starts a program", outcome.ok, outcome.message if outcome.ok else _why(outcome))
    if not outcome.ok:
        return
    seen = json.loads(outcome.stdout)
    written = work / "result.txt"
    yield Check("keeps its results", written.is_file() and written.read_text() == "ok", "result.txt in /work")
    yield from _identity(seen)
    yield from _reach(seen, secret)
    protected = (work / "protected.txt").read_text() == "as it was"
    yield Check("protected files unchanged", protected and "protected" not in seen["wrote"], "protected.txt")
    left = [name for name in TRAPS if os.path.lexists(work / name)]
    yield Check("no traps in the results", not left, f"left: {left or 'nothing'}")
    yield from _bounds(seen)
    _run(sandbox, work, DISK_HOG)
    filler, most = work / "filler", LIMITS.disk_bytes
    filled = filler.stat().st_size if filler.exists() else 0
    yield Check("disk is bounded", filled <= most + PAGES, f"{filled} bytes under a limit of {most}")
    hog = _run(sandbox, work, MEMORY_HOG)
    yield Check("memory is bounded", not hog.ok, f"1 GiB under a limit of 256 MiB: {hog.message}")
    flood = _run(sandbox, work, OUTPUT_HOG, output_bytes=OUTPUT_BYTES)
    yield Check("output is bounded", flood.ended == "output", flood.message)
    yield _time(sandbox, work)


def _time(sandbox: Sandbox, work: Path) -> Check:
    """Children in sessions of their own that ignore signals are gone with the run."""
    mark = secrets.token_hex(16)
    late = _run(sandbox, work, TIME_HOG, mark, wall_s=SHORT_S)
    alive = [pid for pid in _processes() if mark.encode() in _command_line(pid)]
    held = late.ended == "timeout" and not alive
    return Check("time is bounded", held, f"{late.message}; left alive: {alive or 'nothing'}")


def _processes() -> list[str]:
    """Of the host; none where it has no /proc."""
    try:
        return [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _run(sandbox: Sandbox, work: Path, program: str, *arguments: str, **changes: float) -> Outcome:
    python, paths = policy.own_python()
    access = Access(readonly=paths, protected=("protected.txt",))
    limits = LIMITS.model_copy(update=changes)
    return sandbox.run([str(python), "-I", "-S", "-c", program, *arguments], work, limits, access)


def _why(outcome: Outcome) -> str:
    return f"{outcome.message}; {outcome.stderr.strip()[-300:]}"


def _identity(seen: dict[str, Any]) -> Iterator[Check]:
    status = {"CapAmb": "0", "CapEff": "?", "NoNewPrivs": "?", "Seccomp": "?", **seen["status"]}
    yield Check("not root", 0 not in seen["uids"], f"uids {seen['uids']}")
    empty = all(status.get(name, "?").strip("0") == "" for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"))
    yield Check("no capabilities", empty, f"CapEff {status['CapEff']}")
    yield Check("no new privileges", status["NoNewPrivs"] == "1", f"NoNewPrivs {status['NoNewPrivs']}")
    yield Check("system calls filtered", status["Seccomp"] == "2", f"Seccomp {status['Seccomp']}")
    yield Check("no namespaces of its own", not seen["unshared"], "unshare(CLONE_NEWUSER) is refused")


def _reach(seen: dict[str, Any], secret: Path) -> Iterator[Check]:
    yield Check("no network", not seen["connected"], f"routes {seen['routes'] or 'none'}")
    yield Check("host files unreadable", not seen["canary"], f"{secret.name} outside the sandbox")
    outside = [path for path in seen["wrote"] if path != "protected"]
    yield Check("host files unwritable", not outside, f"written: {outside or 'nothing'}")
    yield Check("kernel settings closed", not seen["settings"], f"writable: {seen['settings'] or 'nothing'}")
    foreign = sorted(set(seen["environment"]) - {*policy.ENVIRONMENT, "PWD", "LC_CTYPE"})
    yield Check("environment empty", not foreign, f"foreign: {foreign or 'nothing'}")
    yield Check("host processes hidden", seen["processes"] <= 4, f"{seen['processes']} processes in /proc")
    inherited = seen["inherited"]
    yield Check("no open files inherited", not inherited, f"open: {inherited or 'nothing'}")
    yield Check("devices closed", not seen["devices"], f"open: {seen['devices'] or 'nothing'}")


def _bounds(seen: dict[str, Any]) -> Iterator[Check]:
    yield Check("tasks are bounded", 0 < seen["nproc"] <= LIMITS.tasks + 8, f"RLIMIT_NPROC {seen['nproc']}")


def boot_id() -> str:
    """Names this boot of the kernel; what was true before may not be true after."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{os.uname().release} {os.uname().version}"
