"""`template check`: every clause of a template's contract, the last of them by a short trial run in the sandbox."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from novum.experiment.environment import environment_for
from novum.experiment.metrics import MetricsError, read_metrics
from novum.experiment.trial import Trial, Tried
from novum.records import Outcome
from novum.sandbox import Sandbox
from novum.template import Clause, Template, read_template, template_folder
from novum.template.clauses import Findings

TRIAL_S = 10.0


def check_template(
    path_or_name: str | Path, sandbox: Sandbox | None, *, trial_s: float = TRIAL_S
) -> tuple[list[Clause], tuple[str, ...]]:
    """Hold a template to its contract: its clauses, and notes about what is missing and worked round.

    Without a sandbox, or when a clause is broken already, nothing is run.

    Raises:
        TemplateError: there is no such template.
        SandboxError: the sandbox could not be set up.
        MissingTool: what it requires is not installed.
    """
    template, clauses = read_template(template_folder(path_or_name))
    if template is None:
        return clauses, ()
    if sandbox is not None and all(clause.ok for clause in clauses):
        findings = Findings(clauses=list(clauses), notes=list(template.notes))
        _try(template, sandbox, trial_s, findings)
        return findings.clauses, tuple(findings.notes)
    return clauses, template.notes


def _try(template: Template, sandbox: Sandbox, trial_s: float, findings: Findings) -> None:
    limits = template.limits("quick")
    limits = limits.model_copy(update={"wall_s": min(limits.wall_s, trial_s)})
    seeds = template.seeds("quick")
    with tempfile.TemporaryDirectory(prefix="novum-check-") as scratch:
        trial = Trial(template, sandbox, environment_for(template), limits, Path(scratch))
        tried = trial.run("quick", seeds)
        if tried.outcome.ended == "timeout" and limits.wall_s >= trial_s:
            findings.kept(
                f"the script starts (it was stopped after {trial_s:g} s, before it ended)", template.script
            )
            findings.note("the trial run did not end; `novum template baseline` runs it whole")
            return
        _judge_end(
            "the script runs in the sandbox with the quick profile", template.script, tried.outcome, findings
        )
        if tried.evaluated is not None:
            _judge_evaluation(template, tried, findings)
        if tried.outcome.ok and (tried.evaluated is None or tried.evaluated.ok):
            _judge_outputs(template, tried.record, seeds, findings)


def _judge_end(clause: str, program: str, outcome: Outcome, findings: Findings) -> None:
    findings.judge(
        outcome.ok,
        clause,
        program,
        f"it ended with: {outcome.message or outcome.ended}; {_last_lines(outcome)}",
        _line_of_traceback(outcome.stderr, program),
    )


def _judge_evaluation(template: Template, tried: Tried, findings: Findings) -> None:
    if template.outputs:
        findings.judge(
            not tried.missing,
            "the script saves the declared outputs",
            template.script,
            f"write them into --out_dir, or correct experiment.outputs in template.toml: {tried.missing}",
        )
    clause = "the evaluator computes the metrics from the saved outputs alone"
    if tried.evaluated is not None:
        _judge_end(clause, template.evaluate, tried.evaluated, findings)


def _judge_outputs(template: Template, out: Path, seeds: Sequence[int], findings: Findings) -> None:
    writer = template.evaluate or template.script
    try:
        measured = read_metrics(out, template)
    except MetricsError as error:
        findings.broken(
            "final_info.json has the contract's shape and the declared metrics", writer, str(error)
        )
        return
    findings.kept("final_info.json has the contract's shape and the declared metrics", writer)
    if not any(series.values for series in measured.series):
        findings.note(
            'final_info.json has no "values" for each seed: nothing can be tested, only means are shown'
        )
    elif template.seeds_argument:
        _judge_seeds(template, out, seeds, findings)
    if template.series:
        _judge_series(out / template.series, writer, findings)


def _judge_seeds(template: Template, out: Path, seeds: Sequence[int], findings: Findings) -> None:
    clause, writer = "there is one value for each seed", template.evaluate or template.script
    try:
        read_metrics(out, template, seeds=seeds)
    except MetricsError as error:
        findings.broken(clause, writer, str(error))
    else:
        findings.kept(clause, writer)


def _judge_series(path: Path, writer: str, findings: Findings) -> None:
    clause = "the series file has step, name and value in each line"
    if not path.is_file():
        findings.broken(clause, writer, f"write {path.name} into --out_dir, or remove experiment.series")
        return
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            complete = {"step", "name", "value"} <= json.loads(line).keys()
        except (ValueError, AttributeError, RecursionError):
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
