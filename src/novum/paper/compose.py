"""What the code contributes to each section: facts of the template, the runs, statistics, verified results.

These paragraphs stand in every paper. They are what a section consists of when no model answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from novum.literature.tex import escape
from novum.paper.citations import HOLM, MACHINES, WELCH, Citer, Shelf
from novum.paper.claims import Sentence, result_sentences, run_phrase
from novum.paper.document import Block
from novum.paper.material import DETECTED, Material, run_label
from novum.records import Figure, Run

BODY_FIGURES = 3


def sentence_list(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def subjects(material: Material) -> list[str]:
    """What the runs changed: labels of parameters, then edited code; LaTeX."""
    labels = [material.parameter_label(n) for run in material.others for n in run.arguments]
    edited = ["the code of the experiment"] if any(r.change for r in material.others) else []
    return list(dict.fromkeys([*(f"the {label}" for label in labels), *edited])) or ["the experiment"]


def measured(material: Material) -> list[str]:
    """Labels of the metrics, primary first; LaTeX."""
    return list(dict.fromkeys(f"the {material.metric_label(m)}" for _, m in material.series))


# -- introduction, background, method ------------------------------------------------------------------


def question(material: Material) -> Block:
    """What is asked, and what the study consists of."""
    runs = "one run" if len(material.others) == 1 else r"\config{study/runs} runs"
    text = (
        rf"We study one hypothesis, which was fixed before the first run: \emph{{\config{{study/hypothesis}}}}. To test it we "
        f"change {sentence_list(subjects(material))} and measure {sentence_list(measured(material))}. The study consists of a "
        f"baseline, which is the unchanged experiment, and {runs} beside it. Every run is reported, whatever came out "
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
    blocks = [Block(citer.cite(p), "template") for p in paper.method] or [Block(_topic(material))]
    if paper.equations:
        blocks.insert(min(2, len(blocks)), Block(paper.equations.strip(), "template", prose=False))
        if paper.equations_legend:
            blocks.insert(min(3, len(blocks)), Block(paper.equations_legend, "template"))
    return blocks


# -- set-up --------------------------------------------------------------------------------------------


def setup(material: Material, citer: Citer) -> list[Block]:
    facts = material.template.paper.setup
    blocks = [Block(" ".join(citer.cite(s) for s in facts), "template")] if facts else []
    return [
        *blocks,
        Block(_runs_text(material)),
        Block(_metrics_text(material)),
        Block(_statistics(material, citer)),
    ]


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
        "from a recorded state of the code. A run that changes nothing is not made, and a run that fails is kept and listed. "
    )
    if any(run.exploratory for run in material.others):
        named = [run_label(r.name) for r in material.others if r.exploratory]
        text += f"{_capital(sentence_list(named))} {'was' if len(named) == 1 else 'were'} planned after earlier results had been seen and {'is' if len(named) == 1 else 'are'} exploratory. "
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
    return f"The metrics are {sentence_list(parts)}. The primary metric is the {material.metric_label(material.primary)}."


def _statistics(material: Material, citer: Citer) -> str:
    tests = {c.test for c in material.results.comparisons if c.test}
    if not tests:
        return (
            "Each run gives one value of each metric, so nothing tells how much of a difference is chance. Differences "
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
        r"For each metric we report the mean over seeds with its 95\,\% interval from Student's $t$ distribution. Each run is compared "
        f"with the baseline by {test}. {holm}; a difference counts as detected when the corrected $p$ value is below "
        r"\config{study/alpha}. A difference that is not detected is not evidence that there is none."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# -- results -------------------------------------------------------------------------------------------


def ordered_results(material: Material, chosen: Sequence[str]) -> list[Sentence]:
    """The sentences to print: those chosen, in that order, then those that a paper must not leave out.

    Every run is spoken of: by its sentence about the primary metric, or by the one that it has no results.
    """
    available = {s.id: s for s in result_sentences(material)}
    picked = [available[i] for i in dict.fromkeys(chosen) if i in available]
    must = [s for s in available.values() if s.primary and s not in picked]
    return [*(s for s in picked if s.primary), *must, *(s for s in picked if not s.primary)]


def result_paragraphs(material: Material, sentences: Sequence[Sentence]) -> list[Block]:
    """The primary metric first, then the other metrics one paragraph each, then runs without results."""
    primary = [s for s in sentences if s.metric == material.primary]
    without = [s for s in sentences if not s.metric]
    blocks = []
    if primary:
        lead = f"We begin with the primary metric, the {material.metric_label(material.primary)} (Table~\\ref{{tab:results1}}{_figure_for(material, material.primary)})."
        blocks.append(Block(" ".join([lead, *(s.tex for s in primary)])))
    for metric in dict.fromkeys(s.metric for s in sentences if s.metric not in ("", material.primary)):
        lead = (
            f"The next metric is the {material.metric_label(metric)}{_figure_for(material, metric, ' (%s)')}."
        )
        if not blocks:
            lead = f"We begin with the {material.metric_label(metric)}."
        blocks.append(Block(" ".join([lead, *(s.tex for s in sentences if s.metric == metric)])))
    if without:
        blocks.append(Block(" ".join(s.tex for s in without)))
    return blocks or [Block("No run beside the baseline has results, so there is nothing to compare.")]


def _figure_for(material: Material, metric: str, form: str = ", %s") -> str:
    shown = body_figures(material) + appendix_figures(material)
    figure = next((f for f in shown if metric in f.metrics), None)
    return form.replace("%s", rf"Figure~\ref{{fig:{figure.file}}}") if figure else ""


def tally(material: Material) -> str:
    """One neutral sentence on how many comparisons were detected."""
    if not any(c.p_value is not None for c in material.results.comparisons):
        return r"In all, \config{study/comparisons} differences from the baseline were computed, none of which could be tested."
    return (
        r"In all, \config{study/detected} of the \config{study/comparisons} comparisons with the baseline showed a detectable difference "
        "after correction."
    )


# -- figures -------------------------------------------------------------------------------------------


def body_figures(material: Material) -> list[Figure]:
    """The primary metric's figure, then the template's, up to three."""
    first = [f for f in material.figures if material.primary in f.metrics][:1]
    others = [f for f in material.figures if f.source == "template"]
    rest = [f for f in material.figures if f not in first and f not in others]
    return [*first, *others, *rest][:BODY_FIGURES]


def appendix_figures(material: Material) -> list[Figure]:
    shown = body_figures(material)
    return [f for f in material.figures if f not in shown]


def figure_float(figure: Figure, width: str = "0.62") -> str:
    return "\n".join(
        (
            r"\begin{figure}[t]",
            r"\centering",
            rf"\includegraphics[width={width}\linewidth,height=0.34\textheight,keepaspectratio]{{figures/{figure.file}}}",
            rf"\caption{{{escape(figure.caption)}}}\label{{fig:{figure.file}}}",
            r"\end{figure}",
        )
    )


# -- discussion, conclusion, abstract --------------------------------------------------------------------


def verdict_on_hypothesis(material: Material) -> str:
    """What the primary comparisons say, without judging the hypothesis beyond them."""
    by = {"better": [], "worse": [], "higher": [], "lower": [], "none": []}  # type: dict[str, list[str]]
    for run in material.valid:
        for dataset, metric in material.series:
            made = material.comparison(run.name, dataset, metric)
            if metric == material.primary and made is not None:
                by[made.verdict if made.verdict in DETECTED else "none"].append(run_label(run.name))
    label = material.metric_label(material.primary)
    words = {
        "better": "an improvement of",
        "worse": "a deterioration of",
        "higher": "a rise of",
        "lower": "a fall of",
        "none": "no detectable change of",
    }
    parts = [f"{words[k]} the {label} in {sentence_list(list(dict.fromkeys(v)))}" for k, v in by.items() if v]
    if not parts:
        return "No run beside the baseline gave a comparison on the primary metric, so the hypothesis remains untested."
    return f"On the primary metric the comparisons with the baseline show {sentence_list(parts)}."


def limitations(material: Material) -> list[Block]:
    own = list(material.template.paper.limitations)
    seeds = len(material.baseline.seeds)
    own.append(
        r"Each run rests on \config{study/seeds} seeds, so small effects cannot be told from chance."
        if seeds > 1
        else "Each run rests on one seed, so nothing is known of how much the values vary."
    )
    own.append(
        "Only the values listed in Table~\\ref{tab:runs} were tried; nothing is known of the values between them."
    )
    if any(r.self_reported for r in material.results.results):
        own.append(
            "The metrics are those that the experiment reports about itself; no separate program has computed them."
        )
    return [Block(r"\paragraph{Limitations.} " + " ".join(own), "template")]


def closing(material: Material) -> Block:
    return Block(
        f"We asked whether the following holds: \\emph{{\\config{{study/hypothesis}}}}. {verdict_on_hypothesis(material)} {tally(material)} "
        "These statements hold for the experiment as it is described here, with the seeds and settings that are recorded."
    )


def abstract_facts(material: Material) -> str:
    """Design, main findings and their bounds."""
    sentences = [
        s for s in result_sentences(material) if s.metric == material.primary and s.comparison is not None
    ]
    detected = [s for s in sentences if s.comparison and s.comparison.verdict in DETECTED]
    main = max(detected or sentences, key=_size, default=None)
    runs = "one further run" if len(material.others) == 1 else r"\config{study/runs} further runs"
    parts = [
        f"We test one hypothesis about {escape(material.template.title[:1].lower() + material.template.title[1:])} with a baseline and {runs} "
        rf"of \config{{study/seeds}} seeds each, changing {sentence_list(subjects(material))}."
        if len(material.baseline.seeds) > 1
        else f"We test one hypothesis about {escape(material.template.title[:1].lower() + material.template.title[1:])} with a baseline and {runs}, "
        f"changing {sentence_list(subjects(material))}.",
        main.tex if main else "",
        tally(material),
        "All runs, failed ones included, are reported with their provenance.",
    ]
    return " ".join(p for p in parts if p)


def _size(sentence: Sentence) -> float:
    return abs(sentence.comparison.relative or 0.0) if sentence.comparison else 0.0


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
        rf"\textbf{{Written by an AI system.}} The research in this paper was planned, carried out and written up by novum, an automated system{like}, "
        f"with {models}; no person has checked it. Numbers, tables and statements of "
        r"results were made by code from recorded runs."
    )


def run_summary(run: Run, material: Material) -> str:
    """A run in a few words, for lists."""
    phrase = run_phrase(run, material).removeprefix("With ")
    return f"{_capital(run_label(run.name))}: {phrase}"
