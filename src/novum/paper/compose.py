"""What the code contributes to each section: facts of the template, the runs, statistics, verified results.

These paragraphs stand in every paper. They are what a section consists of when no model answers.
"""

from __future__ import annotations

from novum.literature.tex import escape
from novum.paper.citations import HOLM, MACHINES, WELCH, Citer, Shelf
from novum.paper.document import Block
from novum.paper.material import Material, run_label
from novum.paper.text import sentence_list


def subjects(material: Material) -> list[str]:
    """What the runs changed: labels of parameters, then edited code; LaTeX."""
    labels = [material.parameter_label(n) for run in material.others for n in run.arguments]
    edited = [material.edited_part(r) for r in material.others if r.edited or r.change]
    return list(dict.fromkeys([*(f"the {label}" for label in labels), *edited])) or ["the experiment"]


def measured(material: Material) -> list[str]:
    """Labels of the metrics, primary first; LaTeX."""
    return list(dict.fromkeys(f"the {material.metric_label(m)}" for _, m in material.series))


# -- introduction, background, method ------------------------------------------------------------------


def question(material: Material) -> Block:
    """What is asked, and what the study consists of."""
    runs = "one run" if len(material.others) == 1 else r"\config{study/runs} runs"
    text = (
        rf"We study one hypothesis, which was fixed before the first run: "
        rf"\emph{{\config{{study/hypothesis}}}}. To test it we "
        f"change {sentence_list(subjects(material))} and measure {sentence_list(measured(material))}. The "
        f"study consists of a "
        f"baseline, which is the unchanged experiment, and {runs} beside it. Every run is reported, whatever "
        f"came out "
        r"of it, and every number in this paper is tied to the run that produced it (Appendix~\ref{app:provenance})."
    )
    return Block(text)


def background(material: Material, citer: Citer) -> list[Block]:
    facts = material.template.paper.background
    if not facts:
        return [Block(_topic(material))]
    return [Block(" ".join(citer.cite(s) for s in facts), "template")]


def _topic(material: Material) -> str:
    template = material.template
    field = f" in {escape(template.domain)}" if template.domain else ""
    described = escape(" ".join(template.description.split()))
    return f"The subject is {escape(template.title[:1].lower() + template.title[1:])}{field}. {described}".strip()


def method(material: Material, citer: Citer) -> list[Block]:
    paper = material.template.paper
    blocks = [Block(citer.cite(p), "template") for p in paper.method] or [Block(_program(material))]
    if paper.equations:
        blocks.insert(min(2, len(blocks)), Block(paper.equations.strip(), "template", prose=False))
        if paper.equations_legend:
            blocks.insert(min(3, len(blocks)), Block(paper.equations_legend, "template"))
    return blocks


def _program(material: Material) -> str:
    """What can be said of a template that declares nothing about its method."""
    return (
        rf"The experiment is a program, \texttt{{{escape(material.template.script)}}}. The baseline is this program "
        r"as it is; for the other runs its settings or its code were changed as Table~\ref{tab:runs} lists. What it "
        r"computes is defined by its code, whose state in each run is recorded (Appendix~\ref{app:provenance})."
    )


# -- set-up --------------------------------------------------------------------------------------------


def setup(material: Material, citer: Citer) -> list[Block]:
    facts = material.template.paper.setup
    blocks = [Block(" ".join(citer.cite(s) for s in facts), "template")] if facts else []
    return [
        *blocks,
        *_settings(material),
        Block(_runs_text(material)),
        Block(_metrics_text(material)),
        Block(_statistics(material, citer)),
    ]


def _settings(material: Material) -> list[Block]:
    """What each thing that the runs change means."""
    described: dict[str, str] = {}
    for run in material.others:
        for name in run.arguments:
            parameter = material.template.parameter(name)
            if parameter and parameter.description:
                described[material.parameter_label(name)] = _clause(parameter.description)
        function = material.edited_function(run)
        if function and function.description:
            label = material.edited_part(run).removeprefix("the ")
            described[label] = f"a function of the code: {_clause(function.description)}"
    if not described:
        return []
    parts = [rf"\emph{{{label}}} ({meaning})" for label, meaning in described.items()]
    return [Block(f"The runs change {sentence_list(parts)}.")]


def _clause(description: str) -> str:
    """A description as part of a sentence; LaTeX."""
    words = description.strip().rstrip(".")
    return escape(words[:1].lower() + words[1:])


def _runs_text(material: Material) -> str:
    baseline = material.baseline
    seeds = (
        r"with the same \config{study/seeds} seeds"
        if len(baseline.seeds) > 1
        else "once, as the experiment sets its own seed"
    )
    text = (
        r"Table~\ref{tab:runs} lists all runs. Each was executed "
        + seeds
        + " in a sandbox without network access, "
        "from a recorded state of the code. A run that changes nothing is not made, and a run that fails is "
        "kept and listed. "
    )
    exploratory = [run_label(r.name) for r in material.others if r.exploratory]
    if exploratory:
        was, is_ = ("was", "is") if len(exploratory) == 1 else ("were", "are")
        text += (
            f"{_capital(sentence_list(exploratory))} {was} planned after earlier results had been seen and "
            f"{is_} exploratory. "
        )
    return text.strip()


def _metrics_text(material: Material) -> str:
    parts = []
    for name in dict.fromkeys(m for _, m in material.series):
        declared = material.template.metric(name)
        if declared is None or not declared.description:
            continue
        aim = {"minimize": "; lower is better", "maximize": "; higher is better", "none": ""}[
            declared.direction
        ]
        described = escape(declared.description.rstrip("."))
        parts.append(
            rf"\emph{{{material.metric_label(name)}}} ({described[:1].lower() + described[1:]}{aim})"
        )
    if not parts:
        return f"The metrics are {sentence_list(measured(material))}."
    return (
        f"The metrics are {sentence_list(parts)}. The primary metric is the "
        f"{material.metric_label(material.primary)}."
    )


def _statistics(material: Material, citer: Citer) -> str:
    tests = {c.test for c in material.results.comparisons if c.test}
    if not tests:
        return (
            "Each run gives one value of each metric, so nothing tells how much of a difference is chance. "
            "Differences "
            "are therefore shown and not tested, and no claim is made of them."
        )
    paired = any("paired" in t.lower() for t in tests)
    test = (
        "a paired $t$ test"
        if paired
        else citer.attach("Welch's $t$ test, which does not assume equal variances", WELCH)
    )
    holm = citer.attach(
        r"The $p$ values are corrected by Holm's method over all \config{study/comparisons} comparisons", HOLM
    )
    return (
        r"For each metric we report the mean over seeds with its 95\,\% interval from Student's $t$ "
        r"distribution. Each run is compared "
        f"with the baseline by {test}. {holm}; a difference counts as detected when the corrected $p$ value is below "
        r"\config{study/alpha}. A difference that is not detected is not evidence that there is none."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# -- how the paper was made ----------------------------------------------------------------------------


def statement(material: Material, shelf: Shelf) -> str:
    """The notice of authorship that stands on the first page of every paper."""
    models = (
        sentence_list([rf"\texttt{{{escape(m)}}}" for m in material.models])
        if material.models
        else "a language model"
    )
    machines = shelf.about(MACHINES)
    like = rf"~\cite{{{machines.key}}}" if machines else ""
    return (
        rf"\textbf{{Written by an AI system.}} The research in this paper was planned, carried out and "
        rf"written up by novum, an automated system{like}, "
        f"with {models}; no person has checked it. Numbers, tables and statements of "
        r"results were made by code from recorded runs."
    )
