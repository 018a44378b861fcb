"""Runs of a template outside any study: its script, then its evaluator on the saved outputs, each in the sandbox."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from novum.experiment.environment import Environment
from novum.experiment.harvesting import INFO, left_behind, missing_outputs, take
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox
from novum.settings import Profile
from novum.template import Template

_OUT = "out"


class Tried(NamedTuple):
    """What a run left: how its script and its evaluator ended, and the folder with what they wrote."""

    outcome: Outcome
    evaluated: Outcome | None
    """None without an evaluator, or when the script failed."""
    saved: Path
    """What the script saved."""
    record: Path
    """What counts: the evaluator's final_info.json, or the script's own where there is no evaluator."""
    missing: str = ""
    """Which declared outputs the script did not leave, and why they were not taken; "" when it left all."""


@dataclass(frozen=True)
class Trial:
    """Runs programs of a template in the sandbox, each in a fresh folder below `scratch`."""

    template: Template
    sandbox: Sandbox
    environment: Environment
    limits: Limits
    scratch: Path

    def run(self, profile: Profile, seeds: tuple[int, ...]) -> Tried:
        """Run the script with `seeds`, then the evaluator on what it saved.

        Raises:
            SandboxError: the sandbox could not be set up.
        """
        template, saved = self.template, self.scratch / "saved"
        vector = template.argument_vector({}, profile, seeds)
        command = [template.script, f"--out_dir={_OUT}", *vector]
        outcome, left = self._program(command, "run", saved, inputs=None)
        if not outcome.ok or not template.evaluate:
            return Tried(outcome, None, saved, saved)
        missing = missing_outputs(template.outputs, saved, left)
        record = self.scratch / "evaluated"
        command = [template.evaluate, f"--out_dir={_OUT}"]
        evaluated, _ = self._program(command, "evaluate", record, inputs=saved)
        return Tried(outcome, evaluated, saved, record, missing)

    def _program(
        self, command: list[str], name: str, record: Path, inputs: Path | None
    ) -> tuple[Outcome, Sequence[str]]:
        """How a program ended, and what of its output was not taken."""
        work = self.scratch / name
        seen = self.template.run_contents() if inputs is None else self.template.contents()
        for file, content in seen.items():
            target = work / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        record.mkdir(parents=True, exist_ok=True)
        if inputs is not None:
            # What the run says of itself is no evidence.
            shutil.copytree(inputs, work / _OUT, ignore=shutil.ignore_patterns(INFO))
        access = Access(
            readonly=self.environment.readonly,
            protected=self.template.protected,
            environment=self.environment.variables,
        )
        outcome = self.sandbox.run([str(self.environment.python), *command], work, self.limits, access)
        return outcome, left_behind(outcome, take(work / _OUT, record, self.limits), _OUT)
