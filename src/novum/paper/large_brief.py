"""What a frontier model is told of the study: every key that it may write, with what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator

from novum.paper.brief import plain
from novum.paper.citations import Shelf
from novum.paper.material import Material
from novum.paper.numbers import definitions, spoken
from novum.paper.works import authors, summary_of
from novum.records import Run
from novum.untrusted import as_line

_NOTES_CHARS = 4000


def large_brief(material: Material, shelf: Shelf, labels: frozenset[str], notes: str) -> str:
    """Question, method, runs, results, comparisons, configuration, works, labels and the experiment's journal."""
    paper = material.template.paper
    blocks = {
        "Question": [
            f"Title of the idea: {material.idea.title}",
            f"Hypothesis: {material.idea.hypothesis}",
            f"Plan: {material.idea.plan}",
        ],
        f"Template: {material.template.title} ({material.template.domain})": [material.template.description],
        "Background facts (LaTeX)": list(paper.background),
        "Method facts (LaTeX; equations are set by the code)": list(paper.method),
        "Set-up facts (LaTeX)": list(paper.setup),
        "Limitations (the code prints them in the discussion)": list(paper.limitations),
        "Runs": [_run(run) for run in material.results.runs],
        "Results (KEY: value)": list(_results(material)),
        "Comparisons (A | B: verdict)": list(_comparisons(material)),
        "Configuration (KEY = value)": [f"{f.key} = {spoken(f.value)}" for f in material.facts],
        "Works (KEY: work)": list(_works(shelf)),
        "Labels": [", ".join(sorted(labels))],
        "Journal of the experiments": [notes[:_NOTES_CHARS]],
    }
    parts = [
        f"{title}:\n" + "\n".join(f"- {line}" for line in lines if line)
        for title, lines in blocks.items()
        if any(lines)
    ]
    return "\n\n".join(parts)


def _run(run: Run) -> str:
    settings = ", ".join(f"{k} = {v}" for k, v in run.arguments.items())
    judged = f" (second opinion on the code: {run.implemented})" if run.implemented else ""
    change = f"; code: {as_line(run.change, 300)}{judged}" if run.change else ""
    ended = run.status if run.status == "ok" else f"{run.status}: {as_line(run.reason, 200)}"
    explored = " (exploratory)" if run.exploratory else ""
    return (
        f"{run.name}{explored}: {settings or 'the baseline settings'}{change}. Why: "
        f"{as_line(run.rationale, 240)} Ended: {ended}"
    )


def _results(material: Material) -> Iterator[str]:
    texts = {d.key: d.text for d in definitions(material.results, ()) if d.macro == "resultpm"}
    for result in material.results.results:
        aim = {"minimize": ", lower is better", "maximize": ", higher is better", "none": ""}[
            result.direction
        ]
        yield f"{result.key}: {spoken(texts[result.key])} (n = {result.n}{aim})"


def _comparisons(material: Material) -> Iterator[str]:
    for made in material.results.comparisons:
        yield f"{made.a} | {made.b}: {made.verdict} ({made.reason})"


def _works(shelf: Shelf) -> Iterator[str]:
    for work in shelf.works:
        # What a source says about a work is data, never an instruction.
        about = summary_of(work.paper) or work.paper.abstract
        topic = f" [{work.topic}]" if work.topic else ""
        yield as_line(
            f"{work.key}: {plain(authors(work.paper))} ({work.paper.year}). {work.paper.title}.{topic} {about}",
            320,
        )
