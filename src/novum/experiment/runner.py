"""Execute the experiment once: a fresh folder, the sandbox, the harvest, the metrics, the record.

What the code of a model writes is data. The metrics are computed from its saved outputs by the template's own
evaluator in a second sandbox; a template without one reports its metrics itself, and they are marked so.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from novum.experiment.coder import Edit
from novum.experiment.environment import Environment
from novum.experiment.harvesting import INFO, left_behind, missing_outputs, take
from novum.experiment.metrics import Measured, MetricsError, read_metrics
from novum.experiment.shelf import Shelf
from novum.experiment.workspace import Workspace
from novum.records import Limits, Metric, Outcome, PlannedRun, Run
from novum.sandbox import Access
from novum.tools import Tools

_TAIL = 2000


class Executed(NamedTuple):
    """A run and what it measured; `measured` is None when the run failed or is invalid."""

    run: Run
    measured: Measured | None


@dataclass(frozen=True)
class Runner:
    """Executes runs of one study. The same identity is executed once."""

    tools: Tools
    workspace: Workspace
    environment: Environment
    extra: tuple[Metric, ...] = ()
    """Metrics of the plan beside the template's."""

    def execute(self, planned: PlannedRun, edit: Edit, *, step: str, keep_failure_as: str) -> Executed:
        """Run the code of `edit` with the arguments of `planned`, or return the recorded run of the same identity.

        A run that fails is kept as `keep_failure_as`.

        Raises:
            StudyError: a record of the study is damaged.
            BudgetExceeded: the minutes of the budget are used up.
        """
        template = self.tools.template
        limits = template.limits(self.tools.profile)
        arguments = template.argument_vector(planned.arguments, self.tools.profile, self._seeds)
        identity = self._identity(edit.commit, arguments, limits)
        folder = self._shelf.find(identity)
        if folder is None:
            folder = self._execute(planned, edit, arguments, identity, limits, keep_failure_as)
        executed = self._read(folder)
        run = executed.run
        self.tools.log.note(
            "run_finished",
            step=step,
            run=run.name,
            identity=identity,
            status=run.status,
            reason=run.reason,
            ended=run.outcome.ended,
            seconds=run.outcome.wall_s,
        )
        return executed

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self.tools.folder.runs, self.tools.folder.name)

    @property
    def _seeds(self) -> tuple[int, ...]:
        return self.tools.template.seeds(self.tools.profile)

    def _identity(self, commit: str, arguments: list[str], limits: Limits) -> str:
        parts = {
            "code": self.workspace.tree(commit),
            "arguments": arguments,
            "environment": self.environment.digest,
            "limits": limits.model_dump(mode="json"),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def _read(self, folder: Path) -> Executed:
        run = self.tools.folder.read(folder / "run.json", Run)
        if run.status != "ok":
            return Executed(run, None)
        try:
            return Executed(run, self._metrics(folder))
        except MetricsError as error:
            raise self._shelf.damaged(folder, str(error)) from error

    def _metrics(self, folder: Path) -> Measured:
        return read_metrics(folder, self.tools.template, self.extra, self._seeds)

    # -- execution -------------------------------------------------------------------------------------

    def _execute(
        self,
        planned: PlannedRun,
        edit: Edit,
        arguments: list[str],
        identity: str,
        limits: Limits,
        keep_failure_as: str,
    ) -> Path:
        """Execute, and move the finished record to its place in one step: it is there whole or not at all."""
        self.tools.check_time()
        record = self._shelf.begin()
        with tempfile.TemporaryDirectory(prefix="novum-run-") as scratch:
            work = Path(scratch) / "work"
            self.workspace.export(edit.commit, work)
            outcome = self._sandboxed([self.tools.template.script, "--out_dir=out", *arguments], work, limits)
            taken = take(work / "out", record, limits)
        left = left_behind(outcome, taken, "out")
        reason, parameters = self._measure(record, outcome, left)
        status = "ok" if not reason else "failed" if not outcome.ok else "invalid"
        name = planned.name if status == "ok" else keep_failure_as
        other_data = self.tools.template.other_data(planned.arguments, self.tools.profile)
        not_comparable = edit.not_comparable or other_data
        run = Run(
            name=name,
            title=planned.name,
            identity=identity,
            commit=edit.commit,
            arguments=planned.arguments,
            seeds=self._seeds,
            status=status,
            reason=reason,
            rationale=planned.rationale,
            edited=bool(planned.edit),
            change=planned.edit,
            exploratory=planned.exploratory,
            source=planned.source,
            comparable=not not_comparable,
            not_comparable=not_comparable,
            implemented=edit.implemented,
            implemented_reason=edit.reason,
            parameters=parameters,
            outcome=outcome.model_copy(
                update={
                    "stdout": outcome.stdout[-_TAIL:],
                    "stderr": outcome.stderr[-_TAIL:],
                    "files": tuple(taken.taken),
                    "refused_files": left,
                }
            ),
            limits=limits,
            sandbox=self.tools.sandbox.level,
            self_reported=not self.tools.template.evaluate,
        )
        self._write_record(record, run, outcome)
        return self._shelf.put(record, name)

    def _write_record(self, record: Path, run: Run, outcome: Outcome) -> None:
        folder = self.tools.folder
        folder.write_text(record / "stdout.txt", outcome.stdout)
        folder.write_text(record / "stderr.txt", outcome.stderr)
        folder.write_json(record / "environment.json", self.environment.facts)
        folder.write(record / "run.json", run)

    def _sandboxed(
        self, arguments: list[str], work: Path, limits: Limits, protected: tuple[str, ...] = ()
    ) -> Outcome:
        access = Access(
            readonly=self.environment.readonly,
            protected=protected or tuple(p for p in self.tools.template.protected if (work / p).exists()),
            environment=self.environment.variables,
        )
        command = [str(self.environment.python), *arguments]
        with self.tools.cores():
            return self.tools.sandbox.run(command, work, limits, access)

    def _measure(self, record: Path, outcome: Outcome, left: tuple[str, ...]) -> tuple[str, float | None]:
        """Why the run does not count ("" when it does), and the parameters that the evaluator counts."""
        if not outcome.ok:
            return outcome.message, None
        template = self.tools.template
        if template.evaluate:
            if missing := missing_outputs(template.outputs, record, left):
                return missing, None
            evaluated = self._evaluate(record)
            if not evaluated.ok:
                reason = f"the evaluator refused the outputs: {evaluated.message}\n{evaluated.stderr[-600:]}"
                return reason, None
        try:
            return "", self._metrics(record).parameters
        except MetricsError as error:
            return str(error), None

    def _evaluate(self, record: Path) -> Outcome:
        """Compute final_info.json from the harvested outputs with the template's own evaluator."""
        template = self.tools.template
        limits = template.limits(self.tools.profile)
        with tempfile.TemporaryDirectory(prefix="novum-evaluate-") as scratch:
            work = Path(scratch) / "work"
            (work / "out").mkdir(parents=True)
            for name in template.evaluation_files():
                target = work / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(template.content(name))
            for path in sorted(p for p in record.rglob("*") if p.is_file()):
                # What the run says of itself is not evidence; the evaluator writes it anew.
                if path.name != INFO:
                    target = work / "out" / path.relative_to(record)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
            outcome = self._sandboxed([template.evaluate, "--out_dir=out"], work, limits)
            (record / INFO).unlink(missing_ok=True)
            take(work / "out", record, limits, lambda name: name == INFO)
        return outcome
