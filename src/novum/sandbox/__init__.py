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
    gpus: tuple[int, ...] = ()
    """Indices of the GPUs that are visible; none by default."""


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
