"""`template check`: every clause of a template's contract, the last of them by a short trial run in the sandbox."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from novum.experiment.environment import Environment, environment_for
from novum.experiment.metrics import MetricsError, read_metrics
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox
from novum.sandbox.harvest import harvest
from novum.template import Clause, Template, read_template, template_folder
from novum.template.clauses import Findings

TRIAL_S = 10.0
_OUT = "out"


def check_template(
    path_or_name: str | Path, sandbox: Sandbox | None, *, trial_s: float = TRIAL_S
) -> tuple[list[Clause], tuple[str, ...]]:
    """Hold a template to its contract: its clauses, and notes about what is missing and worked round.

    Without a sandbox, or when a clause is broken already, nothing is run.

    Raises:
        TemplateError: there is no such template.
        SandboxError: the sandbox could not be set up.
    """
    template, clauses = read_template(template_folder(path_or_name))
    if template is None:
        return clauses, ()
    if sandbox is not None and all(clause.ok for clause in clauses):
        findings = Findings(clauses=list(clauses), notes=list(template.notes))
        _trial(template, sandbox, trial_s, findings)
        return findings.clauses, tuple(findings.notes)
    return clauses, template.notes


def _trial(template: Template, sandbox: Sandbox, trial_s: float, findings: Findings) -> None:
    limits = template.limits("quick")
    limits = limits.model_copy(update={"wall_s": min(limits.wall_s, trial_s)})
    bench = _Bench(template, sandbox, environment_for(template), limits)
    seeds = template.seeds("quick")
    with tempfile.TemporaryDirectory(prefix="novum-check-") as scratch:
        record = Path(scratch) / "record"
        vector = template.argument_vector({}, "quick", seeds)
        outcome = bench.run([template.script, f"--out_dir={_OUT}", *vector], Path(scratch) / "run", record)
        if outcome.ended == "timeout" and limits.wall_s >= trial_s:
            findings.kept(
                f"the script starts (it was stopped after {trial_s:g} s, before it ended)", template.script
            )
            findings.note("the trial run did not end; `novum template baseline` runs it whole")
            return
        findings.judge(
            outcome.ok,
            "the script runs in the sandbox with the quick profile",
            template.script,
            f"it ended with: {outcome.message or outcome.ended}; {_last_lines(outcome)}",
            _line_of_traceback(outcome.stderr, template.script),
        )
        if outcome.ok and template.evaluate:
            record = _evaluated(bench, record, Path(scratch), findings)
        if outcome.ok and record.exists():
            _judge_outputs(template, record, len(seeds), findings)


@dataclass(frozen=True)
class _Bench:
    """Runs programs of a template in the sandbox, each in a folder of its own."""

    template: Template
    sandbox: Sandbox
    environment: Environment
    limits: Limits

    def run(self, command: list[str], work: Path, record: Path, inputs: Path | None = None) -> Outcome:
        """Run `command` with the template's files (and `inputs` as its outputs so far); harvest to `record`."""
        for name, content in self.template.contents().items():
            target = work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if inputs is not None:
            shutil.copytree(inputs, work / _OUT, ignore=shutil.ignore_patterns("final_info.json"))
        access = Access(
            readonly=self.environment.readonly,
            protected=self.template.protected,
            environment=self.environment.variables,
        )
        outcome = self.sandbox.run([str(self.environment.python), *command], work, self.limits, access)
        if (work / _OUT).is_dir():
            harvest(work / _OUT, record)
        return outcome


def _evaluated(bench: _Bench, record: Path, scratch: Path, findings: Findings) -> Path:
    """The record of the declared evaluator, which gets the saved outputs and nothing else of the run."""
    template = bench.template
    for name in template.outputs:
        findings.judge(
            (record / name).is_file(),
            "the script saves the declared outputs",
            template.script,
            f"write {name} into --out_dir, or correct experiment.outputs in template.toml",
        )
    evaluated = scratch / "evaluated"
    outcome = bench.run(
        [template.evaluate, f"--out_dir={_OUT}"], scratch / "evaluate", evaluated, inputs=record
    )
    findings.judge(
        outcome.ok,
        "the evaluator computes the metrics from the saved outputs alone",
        template.evaluate,
        f"it ended with: {outcome.message or outcome.ended}; {_last_lines(outcome)}",
        _line_of_traceback(outcome.stderr, template.evaluate),
    )
    return evaluated if outcome.ok else scratch / "none"


def _judge_outputs(template: Template, out: Path, seeds: int, findings: Findings) -> None:
    writer = template.evaluate or template.script
    try:
        measured = read_metrics(out, template)
    except MetricsError as error:
        findings.broken(
            "final_info.json has the contract's shape and the declared metrics", writer, str(error)
        )
        return
    findings.kept("final_info.json has the contract's shape and the declared metrics", writer)
    counts = {len(series.values) for series in measured.series}
    if counts == {0}:
        findings.note(
            'final_info.json has no "values" for each seed: nothing can be tested, only means are shown'
        )
    elif template.seeds_argument:
        findings.judge(
            counts == {seeds},
            "there is one value for each seed",
            writer,
            f"the run had {seeds} seeds but lists of {sorted(counts)} values",
        )
    if template.series:
        _judge_series(out / template.series, writer, findings)


def _judge_series(path: Path, writer: str, findings: Findings) -> None:
    clause = "the series file has step, name and value in each line"
    if not path.is_file():
        findings.broken(clause, writer, f"write {path.name} into --out_dir, or remove experiment.series")
        return
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            complete = {"step", "name", "value"} <= json.loads(line).keys()
        except (ValueError, AttributeError):
            complete = False
        if not complete:
            findings.broken(clause, path.name, f"mend what {writer} writes there", line=number)
            return
    findings.kept(clause, path.name)


def _last_lines(outcome: Outcome, count: int = 3) -> str:
    return " / ".join(line.strip() for line in outcome.stderr.strip().splitlines()[-count:])


def _line_of_traceback(stderr: str, script: str) -> int | None:
    """The innermost line of `script` in a traceback."""
    line = None
    for text in stderr.splitlines():
        before, found, after = text.partition(f'{script}", line ')
        digits = after.split(",")[0]
        if found and before.strip().startswith("File") and digits.isdigit():
            line = int(digits)
    return line
