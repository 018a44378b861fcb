"""Run every probe in one backend and judge each from outside. Also a program: `python suite.py BACKEND [NAME...]`.

It needs only novum's sandbox, so that it can run as a user who cannot read the tester's home.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from novum.errors import NovumError, SandboxError
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox, cgroup
from novum.sandbox.confined import Job
from novum.sandbox.namespaces import Namespaces
from novum.sandbox.open import lookup
from novum.sandbox.plain import Plain
from novum.sandbox.policy import own_python
from novum.sandbox.unsafe import Unsafe

PROBES = Path(__file__).resolve().parent / "probes"
HARM = 42
UNAVAILABLE = 3
"""The exit code of this program when the backend cannot be had here."""
LIMITS = Limits(
    wall_s=30,
    memory_bytes=192 << 20,
    disk_bytes=32 << 20,
    inodes=1000,
    tasks=50,
    output_bytes=1 << 20,
    file_bytes=1 << 40,
)
EXACT_BYTES = 1.1 * LIMITS.disk_bytes + (4 << 20)
WATCHED_BYTES = 1.6 * LIMITS.disk_bytes + (64 << 20)
"""What a watcher that looks every 20 ms may let pass on a disk that takes 3 GB a second."""
PROTECTED = ("protected.txt", "frozen", "nest/deep/kept.txt")
SHORT_S = 1.5
"""The wall limit of probes that only it can end."""
SLACK_S = 3.0
LARGE = 400 << 20
"""Bytes of files that some probes of memory have beside them: as input, or as a limit of their own."""
LARGE_INPUT = ("memory_behind_inputs",)
LARGE_DISK = ("memory_behind_files", "memory_behind_mapped_files", "files_are_no_memory")


class Row(NamedTuple):
    """One probe in one backend."""

    probe: str
    verdict: str
    """`contained`, `harm`, or `broken` when the probe did not do its work."""
    ended: str
    detail: str
    seconds: float = 0.0


def names() -> list[str]:
    """All probes."""
    return sorted(path.stem for path in PROBES.glob("*.py") if path.stem != "probe")


def run_all(sandbox: Sandbox, chosen: list[str]) -> list[Row]:
    """The verdict on each probe."""
    with _host() as facts:
        return [_run(sandbox, name, facts) for name in chosen]


def _run(sandbox: Sandbox, name: str, facts: dict[str, Any]) -> Row:
    token = secrets.token_hex(8)
    most = WATCHED_BYTES if isinstance(sandbox, Plain | InPlace | Unsafe) else EXACT_BYTES
    most += LARGE if name in (*LARGE_INPUT, *LARGE_DISK) else 0
    limits = _limits(name)
    with tempfile.TemporaryDirectory(prefix="novum-work-") as folder:
        work = Path(folder)
        _furnish(work, name, facts)
        began = time.monotonic()
        outcome = _start(sandbox, name, token, work, limits, facts)
        if isinstance(outcome, Row):
            return outcome
        took = time.monotonic() - began
        problems = [*_left_on_host(name, work, facts, most), *_still_alive(token)]
        if took > limits.wall_s + SLACK_S:
            problems.append(f"came back after {took:.1f} s")
    return _judge(name, outcome, problems)._replace(seconds=round(took, 2))


def _limits(name: str) -> Limits:
    if name in LARGE_DISK:
        return LIMITS.model_copy(update={"disk_bytes": LARGE})
    return LIMITS.model_copy(update={"wall_s": SHORT_S}) if "timeout" in _expected(name) else LIMITS


def _start(
    sandbox: Sandbox, name: str, token: str, work: Path, limits: Limits, facts: dict[str, Any]
) -> Outcome | Row:
    python, paths = own_python()
    access = Access(readonly=(*paths, Path(facts["data"])), protected=_protected(name))
    try:
        return sandbox.run([str(python), "-B", f"{name}.py", token], work, limits, access)
    except NovumError as error:
        return Row(name, "broken", "not started", error.text)


def _protected(name: str) -> tuple[str, ...]:
    """Without root bubblewrap gives up the copy in memory for a protected file in a folder, so one probe has that."""
    return PROTECTED if "by_folder" in name else PROTECTED[:2]


def _judge(name: str, outcome: Outcome, problems: list[str]) -> Row:
    expected = _expected(name)
    said = f"{outcome.stdout.strip()[-200:]} {outcome.stderr.strip()[-200:]}".strip()
    if (outcome.ended == "exit" and outcome.exit_code == HARM) or problems:
        return Row(name, "harm", outcome.ended, f"{'; '.join(problems)} {said}".strip())
    clean = outcome.ended != "exit" or outcome.exit_code == 0
    if outcome.ended in expected and clean:
        return Row(
            name, "contained", outcome.ended, outcome.message if outcome.ended != "exit" else said[:120]
        )
    return Row(name, "broken", outcome.ended, f"expected {expected}, {outcome.message}: {said}")


def _expected(name: str) -> list[str]:
    first = (PROBES / f"{name}.py").read_text().splitlines()[0]
    return first.removeprefix("# ends:").split() if first.startswith("# ends:") else ["exit"]


def _furnish(work: Path, name: str, facts: dict[str, Any]) -> None:
    for source in ("probe", name):
        shutil.copy(PROBES / f"{source}.py", work)
    (work / "facts.json").write_text(json.dumps(facts))
    (work / "protected.txt").write_text("as it was")
    if name in LARGE_INPUT:
        (work / "large").write_bytes(bytes(LARGE))
    for folder in ("frozen", "inputs"):
        (work / folder).mkdir()
        (work / folder / "inner.txt").write_text("as it was")
    (work / "input.txt").write_text("as it was")
    (work / "nest/deep").mkdir(parents=True)
    for file in ("nest/deep/kept.txt", "nest/own.txt"):
        (work / file).write_text("as it was")


def _left_on_host(name: str, work: Path, facts: dict[str, Any], most_bytes: float) -> Iterator[str]:
    """What must not be there after a run."""
    if sorted(os.listdir(facts["outside"])) != ["secret.txt"]:
        yield f"something was left outside: {os.listdir(facts['outside'])}"
    if Path(facts["secret"]).read_text() != facts["canary"]:
        yield "the secret was changed"
    if any(
        _text(work / path) != "as it was"
        for path in (*_protected(name), "frozen/inner.txt")
        if path != "frozen"
    ):
        yield "a protected file was changed"
    if not (work / "frozen").is_dir() or os.listdir(work / "frozen") != ["inner.txt"]:
        yield "a protected folder was changed"
    blocks = 0
    for base, folders, files in os.walk(work):
        for entry in (*folders, *files):
            status = os.lstat(os.path.join(base, entry))
            blocks += status.st_blocks * 512
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)) or not entry.isprintable():
                yield f"the work folder holds {entry!r}, mode {status.st_mode:o}"
            if status.st_mode & 0o6000 or status.st_uid != os.geteuid():
                yield f"{entry!r} has mode {status.st_mode:o} and owner {status.st_uid}"
    if blocks > most_bytes:
        yield f"{blocks} bytes in the work folder"


def _text(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def _still_alive(token: str) -> Iterator[str]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if token.encode() in command:
            yield f"process {pid} is still alive"


@contextmanager
def _host() -> Iterator[dict[str, Any]]:
    """A host with secrets, services and a victim, and what a probe is told of it."""
    with ExitStack() as stack:
        outside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="novum-outside-")))
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="novum-data-")))
        outside.chmod(0o777)  # open to all, so that only a sandbox can protect it
        data.chmod(0o777)
        canary, marker = secrets.token_hex(12), secrets.token_hex(12)
        secret = outside / "secret.txt"
        secret.write_text(canary)
        (data / "numbers.txt").write_text("1 2 3")
        for path in (secret, data / "numbers.txt"):
            path.chmod(0o666)
        os.environ["NOVUM_PROBE_SECRET"] = canary
        leaked = os.open(secret, os.O_RDWR)
        os.set_inheritable(leaked, True)
        stack.callback(os.close, leaked)
        victim = stack.enter_context(
            subprocess.Popen(["/bin/sleep", "1000", marker][:2], env={"MARKER": marker})
        )
        stack.callback(victim.kill)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = stack.enter_context(_listener("\0" + marker))
        assert abstract
        services = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="novum-run-")))
        services.chmod(0o777)
        stack.enter_context(_listener(str(services / "service.sock")))
        (services / "service.sock").chmod(0o777)
        yield {
            "canary": canary,
            "marker": canary,
            "secret": str(secret),
            "outside": str(outside),
            "data": str(data),
            "home": str(Path.home()),
            "port": tcp.getsockname()[1],
            "abstract": marker,
            "socket": str(services / "service.sock"),
            "victim_pid": victim.pid,
            "harness_pid": os.getpid(),
            "harness": str(Path(sys.modules["novum"].__file__ or "").parent),
            "hostname": os.uname().nodename,
            "shm_key": stack.enter_context(_segment()),
            "tasks": LIMITS.tasks,
            "memory": LIMITS.memory_bytes,
            "disk": LIMITS.disk_bytes,
            "inodes": LIMITS.inodes,
        }


@contextmanager
def _listener(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        yield listener


@contextmanager
def _segment() -> Iterator[int]:
    """A System V segment that everyone may use."""
    libc = ctypes.CDLL(None)
    key = secrets.randbelow(1 << 30) + 1
    handle = libc.shmget(key, 4096, 0o1666)
    try:
        yield key
    finally:
        libc.shmctl(handle, 0, None)


class InPlace(Namespaces):
    """The default backend as it works when the disk limit does not fit memory."""

    def prepared(self, job: Job) -> Job:
        return dataclasses.replace(job, in_memory=False)


def main() -> None:
    """Print the rows as JSON."""
    backend, *chosen = sys.argv[1:]
    try:
        sandbox = InPlace(cgroup.find()) if backend == "in-place" else lookup(backend).make()
    except SandboxError as error:
        print(error.what, file=sys.stderr)
        raise SystemExit(UNAVAILABLE) from None
    print(json.dumps(run_all(sandbox, chosen or names())))


if __name__ == "__main__":
    main()
