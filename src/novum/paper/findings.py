"""What the code says of the results: verified comparisons, the tally, limitations, the abstract's core."""

from __future__ import annotations

from collections.abc import Sequence

from novum.literature.tex import escape
from novum.paper.claims import Sentence, result_sentences
from novum.paper.compose import subjects
from novum.paper.costs import costly_winners
from novum.paper.document import Block
from novum.paper.figures import appendix_figures, body_figures
from novum.paper.material import DETECTED, Material, run_label
from novum.paper.text import sentence_list


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
        lead = (
            f"We begin with the primary metric, the {material.metric_label(material.primary)} "
            f"(Table~\\ref{{tab:results1}}{_figure_for(material, material.primary)})."
        )
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
        return (
            r"In all, \config{study/comparisons} differences from the baseline were computed, none of "
            r"which could be tested."
        )
    return (
        r"In all, \config{study/detected} of the \config{study/comparisons} comparisons with the baseline "
        r"showed a detectable difference "
        "after correction."
    )


_FOUND = {
    "better": "an improvement",
    "worse": "a deterioration",
    "higher": "a rise",
    "lower": "a fall",
    "none": "no detectable change",
}


def verdict_on(metric: str, material: Material) -> str:
    """What the comparisons with the baseline say about one metric, run by run; "" when there are none."""
    by: dict[str, list[str]] = {kind: [] for kind in _FOUND}
    for run in material.valid:
        for dataset, name in material.series:
            made = material.comparison(run.name, dataset, name)
            if name == metric and made is not None:
                by[made.verdict if made.verdict in DETECTED else "none"].append(run_label(run.name))
    parts = [
        f"{_FOUND[kind]} in {sentence_list(list(dict.fromkeys(runs)))}" for kind, runs in by.items() if runs
    ]
    return f"the {material.metric_label(metric)} showed {sentence_list(parts)}" if parts else ""


def verdict_on_hypothesis(material: Material) -> str:
    """What the comparisons say about the metrics that the hypothesis names, without judging it beyond them."""
    said = [text for metric in material.named if (text := verdict_on(metric, material))]
    if not said:
        return "No run beside the baseline gave a comparison, so the hypothesis remains untested."
    return f"Compared with the baseline, {sentence_list(said)}."


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
    own += _of_the_runs(material)
    return [Block(r"\paragraph{Limitations.} " + " ".join(own), "template")]


def _of_the_runs(material: Material) -> list[str]:
    """What is to be held against single runs: who measured, what was done of the plan, what a win cost."""
    said = []
    own_word = [r.metric for r in material.results.results if r.self_reported]
    if own_word and len(own_word) == len(material.results.results):
        said.append(
            "The metrics are those that the experiment reports about itself; no separate program has computed them."
        )
    elif own_word:
        names = [f"the {material.metric_label(m)}" for m in dict.fromkeys(own_word)]
        said.append(f"For {sentence_list(names)} only the word of the changed code stands.")
    for verdict, how in (("partly", "only in part"), ("not", "not at all")):
        runs = [run_label(r.name) for r in material.valid if r.implemented == verdict]
        if runs:
            said.append(
                f"In the opinion of a second reader of the code, {sentence_list(runs)} did {how} what was planned."
            )
    doubted = [rf"Figure~\ref{{fig:{f.file}}}" for f in material.figures if f.doubts]
    if doubted:
        said.append(f"Some of what {sentence_list(doubted)} shows is in no record of a run.")
    for name in costly_winners(material.results):
        label = run_label(name)
        said.append(
            f"What {label} won it won with more resources than the baseline; a control run, the baseline with its "
            f"size matched to {label}, is proposed."
        )
    return said


def ending(material: Material) -> str:
    """That the idea was given up, or settled before its plan's end; "" when the runs went as planned."""
    if material.results.ended == "abandoned":
        return "The idea was abandoned after these runs, and they are reported as a null result."
    if material.results.ended == "answered":
        return "The question was called answered before all planned runs were made."
    return ""


def closing(material: Material) -> Block:
    said = [
        r"We asked whether the following holds: \emph{\config{study/hypothesis}}.",
        verdict_on_hypothesis(material),
        tally(material),
        ending(material),
        "These statements hold for the experiment as it is described here, with the seeds and settings that are "
        "recorded.",
    ]
    return Block(" ".join(sentence for sentence in said if sentence))


def overview(material: Material) -> Block:
    """Every metric in turn, for the head of the discussion."""
    metrics = list(dict.fromkeys(m for _, m in material.series))
    said = [text for metric in metrics if (text := verdict_on(metric, material))]
    if not said:
        return Block("No run beside the baseline gave a comparison, so there is little to discuss.")
    caution = (
        "The metrics have to be read together, since a change may help on one and harm on another."
        if len(metrics) > 1
        else "It is the only metric of the experiment, so nothing is known of side effects."
    )
    return Block(f"Taken metric by metric and compared with the baseline, {'; '.join(said)}. {caution}")


def abstract_facts(material: Material) -> str:
    """Design, main findings and their bounds."""
    sentences = [
        s for s in result_sentences(material) if s.metric in material.named and s.comparison is not None
    ]
    detected = [s for s in sentences if s.comparison and s.comparison.verdict in DETECTED]
    main = max(detected or sentences, key=_size, default=None)
    runs = "one further run" if len(material.others) == 1 else r"\config{study/runs} further runs"
    seeds = r" of \config{study/seeds} seeds each" if len(material.baseline.seeds) > 1 else ""
    subject = escape(material.template.title[:1].lower() + material.template.title[1:])
    parts = [
        f"We test one hypothesis about {subject} with a baseline and {runs}{seeds}, changing "
        f"{sentence_list(subjects(material))}.",
        main.tex if main else "",
        tally(material),
        ending(material),
        "All runs, failed ones included, are reported with their provenance.",
    ]
    return " ".join(p for p in parts if p)


def _size(sentence: Sentence) -> float:
    return abs(sentence.comparison.relative or 0.0) if sentence.comparison else 0.0
