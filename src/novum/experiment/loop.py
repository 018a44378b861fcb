"""The experiment phase: plan, then for each run edit, execute, repair, note and plan again. Every loop has a bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from novum.errors import EditError, StudyError
from novum.experiment.aider import AiderCoder
from novum.experiment.coder import Coder, Edit
from novum.experiment.environment import environment_for
from novum.experiment.notes import write_notes
from novum.experiment.plan import default_run, make_plan
from novum.experiment.replan import replan
from novum.experiment.results import BASELINE, build_results
from novum.experiment.runner import Executed, Runner
from novum.experiment.workspace import Workspace
from novum.records import Idea, Plan, PlannedRun, Results
from novum.tools import Tools

Ended = Literal["as planned", "answered", "abandoned"]
MAX_TRIES = 5
"""Attempts at one run: the first and up to four repairs."""
_DOUBTS = {"small": 1, "large": MAX_TRIES - 1}
"""Repairs that a change may need because the second opinion says that it does not do what its plan says. After
them it is run as it is, and its record says so; the word of a small model is not worth more."""


def run_experiments(
    tools: Tools,
    idea: Idea,
    plan: Plan | None = None,
    *,
    screen_code: Callable[[str, str], None] = lambda step, code: None,
) -> Results:
    """Carry out the experiments of `idea` and write results.json and notes.md.

    `screen_code` is given each change of the code before it is accepted, and raises for what must not be run.

    Every attempt is kept and listed, failed ones too; the last run counts like the first.

    Raises:
        StudyError: the baseline does not run, so that there is nothing to compare with.
    """
    created = next(tools.log.events("study_created")).data
    # The question comes first: plan, primary metric and comparison are fixed before any run.
    plan = plan or make_plan(tools, idea)
    workspace = Workspace(tools.folder.code, int(created["created"]))
    baseline = workspace.start(tools.template.run_contents())
    environment = environment_for(tools.template, created.get("environment"))
    runner = Runner(tools, workspace, environment, plan.extra_metrics)
    make_coder = AiderCoder if created.get("settings", {}).get("coder") == "aider" else Coder
    coder = make_coder(tools, workspace, screen_code, plan.extra_metrics)
    laboratory = _Laboratory(tools, idea, plan, runner, coder, Edit(baseline))
    laboratory.run_baseline()
    laboratory.carry_out()
    return laboratory.results()


@dataclass
class _Laboratory:
    tools: Tools
    idea: Idea
    plan: Plan
    runner: Runner
    coder: Coder
    baseline: Edit
    executed: list[Executed] = field(default_factory=list)
    ended: Ended = "as planned"
    ended_reason: str = ""

    def results(self) -> Results:
        """The results so far, written to results.json and notes.md."""
        results = build_results(self.executed, self.tools.template, self.plan.extra_metrics)
        results = results.model_copy(update={"ended": self.ended, "ended_reason": self.ended_reason})
        self.tools.folder.write(self.tools.folder.results, results)
        write_notes(self.tools, self.idea, results)
        return results

    def run_baseline(self) -> None:
        planned = PlannedRun(name=BASELINE, rationale="The unchanged template.", source="user")
        done = self.runner.execute(
            planned, self.baseline, step=f"experiment/{BASELINE}", keep_failure_as=f"{BASELINE}_failed_1"
        )
        if done.measured is None:
            raise StudyError(
                "the baseline of the template does not run",
                f"{done.run.reason}\n{done.run.outcome.stderr[-800:]}",
                "run `novum template check` on the template, mend it, and start again",
            )
        self.executed.append(done)

    def carry_out(self) -> None:
        left = list(self.plan.runs)
        while left:
            planned = left.pop(0)
            self._one_run(planned)
            following = replan(self.tools, self.idea, self.results(), planned, left)
            left = list(following.left)
            if following.decision in ("answered", "abandon"):
                self.ended = "answered" if following.decision == "answered" else "abandoned"
                self.ended_reason = following.reason

    def _one_run(self, planned: PlannedRun) -> None:
        if planned.edit:
            planned = self._with_edit(planned)
        # No diff and no new argument, no run.
        if planned.arguments and not planned.edit:
            self._attempt(planned, self.baseline, 1)

    def _with_edit(self, planned: PlannedRun) -> PlannedRun:
        """Edit and run until it runs; returns the run that is still to be done without an edit, or `planned`."""
        trouble, edit, unrun = "", self.baseline, False
        doubts_left = _DOUBTS["small" if self.tools.is_small("code") else "large"]
        for attempt in range(1, MAX_TRIES + 1):
            try:
                edit = self.coder.edit(self.idea, planned, edit.commit, attempt=attempt, trouble=trouble)
            except EditError as error:
                if unrun:  # what was doubted and could not be mended is run as it is
                    self._attempt(planned, edit, attempt)
                    return planned
                return self._without_edit(planned, attempt, error)
            if edit.implemented == "not" and doubts_left and attempt < MAX_TRIES:
                doubts_left, unrun = doubts_left - 1, True
                trouble = f"A reader of the diff says that it does not do what was asked: {edit.reason}"
                continue
            done, unrun = self._attempt(planned, edit, attempt), False
            if done.measured is not None:
                break
            trouble = describe(done)
        return planned

    def _without_edit(self, planned: PlannedRun, attempt: int, error: EditError) -> PlannedRun:
        if attempt > 1:
            return planned
        # The documented default for an edit that never came: a declared parameter is varied instead.
        self.tools.log.note("step_defaulted", step=f"experiment/{planned.name}/edit", reason=error.text)
        taken = [PlannedRun(name=e.run.name, rationale="", arguments=e.run.arguments) for e in self.executed]
        return default_run(self.tools.template, planned.name, self.tools.seed, taken)

    def _attempt(self, planned: PlannedRun, edit: Edit, attempt: int) -> Executed:
        done = self.runner.execute(
            planned,
            edit,
            step=f"experiment/{planned.name}/try_{attempt}",
            keep_failure_as=f"{planned.name}_failed_{attempt}",
        )
        if all(done.run.name != earlier.run.name for earlier in self.executed):
            self.executed.append(done)
        return done


def describe(done: Executed, tail: int = 900) -> str:
    """What went wrong with a run, for the model: the reason in words and the ends of both streams."""
    outcome = done.run.outcome
    parts = [f"The run did not count: {done.run.reason}"]
    if outcome.ended == "timeout":
        parts.append(
            f"The limit of {done.run.limits.wall_s:g} s cannot be changed: make the program do less."
        )
    if outcome.stderr.strip():
        parts.append(f"End of standard error:\n{outcome.stderr[-tail:].strip()}")
    if outcome.stdout.strip():
        parts.append(f"End of standard output:\n{outcome.stdout[-tail // 3 :].strip()}")
    return "\n".join(parts)
