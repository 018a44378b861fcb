"""notes.md, the experiment journal: written from records. A model adds interpretation, never a number."""

from __future__ import annotations

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
            lines += [f"Decision after this run: {said['decision']}", ""]
    tools.folder.write_text(tools.folder.notes, "\n".join(lines).rstrip() + "\n")


def _run_lines(run: Run, results: Results) -> list[str]:
    lines = [f"## {run.name}: {run_title(run)}", ""]
    lines += [f"- why: {run.rationale}", f"- commit: {run.commit}", f"- seeds: {list(run.seeds)}"]
    lines += [f"- status: {run.status}" + (f" ({run.reason.splitlines()[0]})" if run.reason else "")]
    if run.exploratory:
        lines.append("- exploratory: planned after earlier results were seen")
    for result in (r for r in results.results if r.run == run.name):
        lines.append(f"- {result_line(result)}{_verdict(results, result)}")
    return [*lines, ""]


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
    return f": {_VERDICTS.get(made.verdict, f'{made.verdict} than the baseline')} ({made.reason})"
