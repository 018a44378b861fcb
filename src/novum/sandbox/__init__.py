"""The Sandbox port: run a command that nobody trusts.

`novum.sandbox.open.open_sandbox` returns a backend only after a self-test inside it has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import Field

from novum.records import Limits, Outcome, Record

__all__ = ["Access", "Limits", "Outcome", "Sandbox"]


class Access(Record):
    """What a command may see beside its work folder. Everything else is absent."""

    readonly: tuple[Path, ...] = ()
    """Files and folders outside the work folder, at the same path inside, read-only."""
    protected: tuple[str, ...] = ()
    """Names in the work folder that are read-only inside."""
    environment: dict[str, str] = Field(default_factory=dict)
    """The whole environment, beside PATH, HOME, TMPDIR and LANG, which the sandbox sets."""
    hosts: tuple[str, ...] = ()
    """`name:port` that it may reach through a proxy, which its environment names; none by default. For the
    installer of packages: nothing that a model wrote is ever given one."""
    gpus: tuple[int, ...] = ()
    """Numbers of the GPUs that are visible (/dev/nvidiaN); none by default."""
    gpu_memory_bytes: int | None = None
    """How much of their memory it may take, in all; watched, for the kernel bounds none of it."""


class Sandbox(Protocol):
    """A place to run untrusted commands. Thread-safe: every call is a sandbox of its own."""

    @property
    def name(self) -> str:
        """The backend: `bubblewrap`, `namespaces` ..."""

    @property
    def level(self) -> str:
        """What is enforced and how, in a few words, for the run's record and the paper's appendix."""

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: Callable[[str, bytes], None] | None = None,
    ) -> Outcome:
        """Run `command` with `workdir` as its working folder, which is the one place it can write that stays.

        `workdir` is at /work inside. Standard input is empty. `on_output` gets ("stdout" or "stderr", bytes) as
        they come. The whole process tree is dead when this returns.

        Raises:
            SandboxError: it could not be set up; the command never started.
            ContainmentError: a process may have outlived the sandbox.
            UsageError: the work folder or a limit is not usable.
        """
