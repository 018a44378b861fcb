"""What every sandbox must do. A plug-in runs it in its own tests: `SandboxContract(make).check_all()`.

It needs nothing inside but /bin/sh.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from novum.errors import UsageError
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox

LIMITS = Limits(wall_s=10, memory_bytes=256 << 20, disk_bytes=32 << 20)


class SandboxContract:
    """The promises of the port, each a method that raises AssertionError when it is broken."""

    def __init__(self, make: Callable[[], Sandbox]) -> None:
        self._sandbox = make()

    def check_all(self) -> None:
        """Check every promise."""
        for name in dir(self):
            if name.startswith("check_") and name != "check_all":
                getattr(self, name)()

    def check_names_itself(self) -> None:
        """The name and the level are there, and the outcome carries the name."""
        assert self._sandbox.name and self._sandbox.level
        assert self._run("true").backend == self._sandbox.name

    def check_exit_code_and_streams(self) -> None:
        """They are the payload's own."""
        outcome = self._run("echo out; echo err >&2; exit 7")
        assert (outcome.ended, outcome.exit_code) == ("exit", 7), outcome
        assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")

    def check_work_folder_is_kept(self) -> None:
        """The payload starts in the work folder, reads what is there, and what it writes stays."""
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            (work / "input").write_text("input")
            outcome = self._run("cat input; echo result > output", work)
            assert outcome.stdout == "input", outcome
            assert (work / "output").read_text() == "result\n"
            assert "output" in outcome.files

    def check_time_is_limited(self) -> None:
        """The whole tree is dead soon after the limit, and the outcome says why."""
        began = time.monotonic()
        outcome = self._run("sleep 60 & sleep 60", limits=LIMITS.model_copy(update={"wall_s": 0.5}))
        assert outcome.ended == "timeout", outcome
        assert time.monotonic() - began < 5
        assert "0.5" in outcome.message

    def check_output_is_limited(self) -> None:
        """A flood ends the run."""
        outcome = self._run("yes", limits=LIMITS.model_copy(update={"output_bytes": 10_000}))
        assert outcome.ended == "output", outcome

    def check_environment_is_named(self) -> None:
        """What is named arrives."""
        assert self._run("echo $SEED", access=Access(environment={"SEED": "7"})).stdout == "7\n"

    def check_bad_input_is_an_error_of_use(self) -> None:
        """A work folder that is missing and a limit of zero."""
        for work, limits in (
            (Path("/no/such/folder"), LIMITS),
            (None, LIMITS.model_copy(update={"tasks": 0})),
        ):
            try:
                self._run("true", work, limits)
            except UsageError:
                continue
            raise AssertionError("bad input was taken")

    def _run(
        self, script: str, work: Path | None = None, limits: Limits = LIMITS, access: Access | None = None
    ) -> Outcome:
        if work is not None:
            return self._sandbox.run(["/bin/sh", "-c", script], work, limits, access)
        with tempfile.TemporaryDirectory() as folder:
            return self._sandbox.run(["/bin/sh", "-c", script], Path(folder), limits, access)
