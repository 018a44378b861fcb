"""notes.md, the experiment journal: written from records. A model adds interpretation, never a number."""

from __future__ import annotations

from novum.experiment.fairness import resources
from novum.experiment.replan import controls_proposed, without_numbers
from novum.records import Comparison, Idea, Result, Results, Run
from novum.tools import Tools


def write_notes(tools: Tools, idea: Idea, results: Results) -> None:
    """Write the journal of all runs so far."""
    replanned = {e.data["after"]: e.data for e in tools.log.events("replanned")}
    lines = [f"# {idea.title}", "", f"Hypothesis: {idea.hypothesis}", ""]
    for run in results.runs:
        lines += _run_lines(run, results)
        said = replanned.get(run.name)
        if said:
            lines += [f"Interpretation (by the model): {said['interpretation'] or 'none'}", ""]
            lines += [f"Decision after this run: {said['decision']} ({without_numbers(said['reason'])})", ""]
    lines += _ending(results)
    tools.folder.write_text(tools.folder.notes, "\n".join(lines).rstrip() + "\n")


def _ending(results: Results) -> list[str]:
    """What the runs leave to do, and how an idea ended that was settled or given up before its plan's end."""
    lines = [line for control in controls_proposed(results) for line in (f"Proposed: {control}", "")]
    if results.ended == "abandoned":
        lines += [f"The idea was abandoned; what is here is a null result: {results.ended_reason}", ""]
    elif results.ended == "answered":
        lines += [f"The question was called answered before the plan's end: {results.ended_reason}", ""]
    return lines


def _run_lines(run: Run, results: Results) -> list[str]:
    lines = [f"## {run.name}: {run_title(run)}", ""]
    lines += [f"- why: {run.rationale}", f"- commit: {run.commit}", f"- seeds: {list(run.seeds)}"]
    lines += [f"- status: {run.status}" + (f" ({run.reason.splitlines()[0]})" if run.reason else "")]
    lines += [f"- used: {_used(run)}"]
    if run.implemented:
        lines.append(f"- second opinion on the change: {run.implemented} {run.implemented_reason}")
    if run.exploratory:
        lines.append("- exploratory: planned after earlier results were seen")
    for result in (r for r in results.results if r.run == run.name):
        lines.append(f"- {result_line(result)}{_verdict(results, result)}")
    return [*lines, ""]


def _used(run: Run) -> str:
    return ", ".join(
        f"{name} not controlled" if used is None else _amount(name, used)
        for name, used in resources(run).items()
    )


def _amount(name: str, used: float) -> str:
    if name == "peak memory":
        return f"{used / 2**20:.0f} MiB of memory"
    return f"{used:.0f} parameters" if name == "parameters" else f"{used:.1f} s"


def run_title(run: Run) -> str:
    """What sets the run apart, in one line."""
    settings = ", ".join(f"{name} = {value}" for name, value in run.arguments.items())
    return "; ".join(part for part in (settings, run.change) if part) or "baseline"


def result_line(result: Result) -> str:
    """One result with its unit and interval."""
    unit = f" {result.unit}" if result.unit else ""
    interval = (
        f" (95% interval {result.low:.5g} to {result.high:.5g}, n = {result.n})"
        if result.low is not None and result.high is not None
        else ""
    )
    return f"{result.dataset}/{result.metric} = {result.mean:.5g}{unit}{interval}"


_VERDICTS = {
    "no detectable difference": "no detectable difference from the baseline",
    "not comparable": "not comparable with the baseline",
}


def _verdict(results: Results, result: Result) -> str:
    made: Comparison | None = next((c for c in results.comparisons if c.a == result.key), None)
    if made is None:
        return ""
    floor = f"; noise floor {made.noise_floor:.3g}" if made.noise_floor is not None else ""
    verdict = _VERDICTS.get(made.verdict, f"{made.verdict} than the baseline")
    return f": {verdict} ({made.reason}{floor})"
