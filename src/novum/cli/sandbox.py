"""`novum sandbox`: run any command in the sandbox, test it, or show what it allows."""

from __future__ import annotations

import contextlib
import json
import queue
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from novum.errors import NovumError, UsageError

if TYPE_CHECKING:
    from novum.records import Limits, Outcome
    from novum.sandbox import Access

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def sandbox(
    command: Annotated[list[str] | None, typer.Argument(help="What to run, after `--`.")] = None,
    workdir: Annotated[
        Path | None,
        typer.Option(
            help="The one folder that it can write; the current one by default.", show_default=False
        ),
    ] = None,
    backend: Annotated[
        str, typer.Option(help="`auto`, a backend by name, or `all` with --self-test.")
    ] = "auto",
    time: Annotated[float, typer.Option(help="Wall time in seconds.")] = 60.0,
    memory: Annotated[
        str | None,
        typer.Option(help="Memory of everything in it; 2G, or half of a small machine.", show_default=False),
    ] = None,
    disk: Annotated[str, typer.Option(help="What it may write, e.g. 1G.")] = "1G",
    tasks: Annotated[int, typer.Option(help="Processes and threads at once.")] = 256,
    ro: Annotated[list[Path] | None, typer.Option(help="A path to show, read-only. Can be repeated.")] = None,
    gpu: Annotated[
        list[int] | None, typer.Option(help="A GPU to give to it: N of /dev/nvidiaN. Can be repeated.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Test the backend and print the table.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the policy that would be in force.")
    ] = False,
    unsafe_no_sandbox: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run it with no sandbox at all; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer yes to what --unsafe-no-sandbox asks.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
) -> None:
    """Run a command in the sandbox.

    The command's exit code passes through. Else: 124 time, 137 memory, 122 disk or files, 123 tasks or output,
    78 no sandbox. Its standard input is empty.
    """
    from novum.records import Limits
    from novum.sandbox import Access

    try:
        if self_test:
            raise typer.Exit(_self_test(backend, as_json))
        size = _bytes(disk)
        limits = Limits(
            wall_s=time, memory_bytes=_memory(memory), disk_bytes=size, file_bytes=1 << 50, tasks=tasks
        )
        access = Access(readonly=_readonly(ro or []), gpus=tuple(gpu or ()))
        if explain:
            from novum.sandbox.explain import explain as explain_policy

            print(explain_policy(backend, limits, access))
            return
        name = _chosen(backend, unsafe_no_sandbox, yes)
        with _folder(workdir) as folder:
            raise typer.Exit(_run(command or [], folder, name, limits, access, as_json))
    except NovumError as error:
        print(error.text, file=sys.stderr)
        raise typer.Exit(error.exit_code) from None


def _run(
    command: list[str], workdir: Path, backend: str, limits: Limits, access: Access, as_json: bool
) -> int:
    from novum.sandbox.limits import exit_code
    from novum.sandbox.open import open_sandbox

    if not command:
        raise UsageError("there is no command to run", next_step="novum sandbox -- COMMAND...")
    box = open_sandbox(backend, allow_unsafe=backend == "unsafe")
    if as_json:
        outcome = box.run(command, workdir, limits, access)
        print(outcome.model_dump_json(indent=2))
    else:
        with _Relay() as relay:
            outcome = box.run(command, workdir, limits, access, relay)
        _tell(outcome)
    return exit_code(outcome)


class _Relay:
    """Passes output on in a thread of its own: a reader who is slow or stuck must not hold up the limits.

    What waits is bounded by the limit on output.
    """

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self._failed: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="novum-output", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()
        self._check()

    def __call__(self, stream: str, data: bytes) -> None:
        self._check()
        self._waiting.put((stream, data))

    def _check(self) -> None:
        """Raises what writing raised, as when the reader has gone: then the run need not go on."""
        if self._failed:
            raise self._failed

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            stream, data = item
            target = sys.stdout.buffer if stream == "stdout" else sys.stderr.buffer
            try:
                target.write(data)
                target.flush()
            except OSError as error:
                self._failed = error
                return


@contextlib.contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    """The work folder: the one that is named, else the current one, else (in a home folder) an empty one."""
    from novum.sandbox.workfolder import may_be_work

    current = Path.cwd()
    if named is not None or may_be_work(current):
        yield (named or current).absolute()
        return
    with tempfile.TemporaryDirectory(prefix="novum-sandbox-") as folder:
        print(
            f"novum sandbox: not in {current}, but in an empty folder, which is not kept (see --workdir)",
            file=sys.stderr,
        )
        yield Path(folder)


def _tell(outcome: Outcome) -> None:
    if outcome.ended != "exit":
        print(f"novum sandbox: {outcome.message}", file=sys.stderr)
    for refused in outcome.refused_files[:20]:
        print(f"novum sandbox: left behind: {refused}", file=sys.stderr)


def _readonly(named: list[Path]) -> tuple[Path, ...]:
    """What the user names, and the Python that novum runs on, so that `python` scripts can be tried."""
    from novum.sandbox.policy import python_paths

    return (*(path.absolute() for path in named), *python_paths(Path(sys.executable)))


def _chosen(backend: str, unsafe: bool, yes: bool) -> str:
    if backend == "unsafe" and not unsafe:
        raise UsageError("`unsafe` is no backend to choose", next_step="type --unsafe-no-sandbox")
    if not unsafe:
        return backend
    if not yes and not typer.confirm("Run it with all your rights, without any sandbox?", err=True):
        raise UsageError("it was not confirmed, so nothing was run")
    return "unsafe"


def _memory(text: str | None) -> int:
    from novum.sandbox.limits import machine

    return min(2 << 30, machine().memory_bytes // 2) if text is None else _bytes(text)


def _bytes(text: str) -> int:
    """`2G`, `512M`, `1.5GiB` or a number of bytes."""
    match = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if not match:
        raise UsageError(f"{text!r} is not a size", next_step="write it like 512M or 2G")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def _self_test(backend: str, as_json: bool) -> int:
    from novum.sandbox.open import BACKENDS, automatic, self_test
    from novum.sandbox.selftest import passed

    names = {"all": tuple(BACKENDS), "auto": automatic()}.get(backend, (backend,))
    tables = {name: self_test(name) for name in names}
    if as_json:
        print(json.dumps({name: [check._asdict() for check in checks] for name, checks in tables.items()}))
    else:
        _print_tables(tables)
    usable = [passed(checks) for checks in tables.values()]
    return 0 if (any(usable) if backend in ("all", "auto") else all(usable)) else 78


def _print_tables(tables: dict[str, list[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for name, checks in tables.items():
        table = Table("check", "result", "seen", title=name, title_justify="left")
        for check in checks:
            result = "ok" if check.ok else "FAILED" if check.needed else "not held (known)"
            table.add_row(check.name, result, check.detail)
        console.print(table)
