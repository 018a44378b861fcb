"""The figures phase: the built-in figures, which are always right, then those of the template's plot script.

The built-in figures are drawn by the harness: one for each metric from results.json, and the recorded curves.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from novum.experiment.curves import draw_curves
from novum.experiment.plotting import template_figures
from novum.experiment.results import BASELINE
from novum.records import Figure, Result, Results
from novum.template import Template
from novum.tools import Tools

_INK, _MUTED, _ACCENT = "#1b2a41", "#8d99ae", "#c1440e"


def draw_figures(
    tools: Tools, *, screen_code: Callable[[str, str], None] = lambda step, code: None
) -> tuple[Figure, ...]:
    """Draw all figures of the study and write figures/figures.json.

    `screen_code` is given a plot script of the model before it runs, and raises for what must not be run.
    """
    results = tools.folder.read(tools.folder.results, Results)
    target = tools.folder.figures
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    figures = [
        _built_in(results, dataset, metric, target, tools.template)
        for dataset, metric in sorted({(r.dataset, r.metric) for r in results.results}, key=str)
    ]
    good = [run for run in results.runs if run.status == "ok"]
    figures += draw_curves(tools.folder, good, tools.template.series, target)
    figures += template_figures(tools, results, target, frozenset(f.file for f in figures), screen_code)
    for figure in figures:
        tools.log.note("figure", file=figure.file, source=figure.source, doubts=figure.doubts)
    tools.folder.write_json(target / "figures.json", [f.model_dump(mode="json") for f in figures])
    return tuple(figures)


# -- built in ------------------------------------------------------------------------------------------


def _built_in(results: Results, dataset: str, metric: str, target: Path, template: Template) -> Figure:
    shown = [r for r in results.results if (r.dataset, r.metric) == (dataset, metric)]
    stem = f"{_safe(dataset)}_{_safe(metric)}"
    _draw(shown, target / stem, _axis_label(metric, template))
    seeds = max(r.n for r in shown)
    spread = "points are seeds, bars the mean with its 95% interval" if seeds > 1 else "one value a run"
    return Figure(
        file=stem,
        caption=f"{_label(metric, template).capitalize()} of every run; {spread}. "
        "The dashed line is the baseline's mean.",
        source="built-in",
        metrics=(metric,),
    )


def _draw(shown: list[Result], stem: Path, label: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(4.8, 0.9 + 0.42 * len(shown)), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.subplots()
    for row, result in enumerate(shown):
        colour = _MUTED if result.run == BASELINE else _ACCENT
        axes.plot(result.values, [row] * len(result.values), "o", color=colour, alpha=0.45, markersize=4)
        if result.low is not None and result.high is not None:
            axes.plot([result.low, result.high], [row, row], color=_INK, linewidth=1.6)
        axes.plot([result.mean], [row], "|", color=_INK, markersize=13, markeredgewidth=2.2)
        if result.run == BASELINE:
            axes.axvline(result.mean, color=_MUTED, linestyle="--", linewidth=0.9, zorder=0)
    axes.set_yticks(range(len(shown)), [r.run.replace("_", " ") for r in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#e6e8ec", linewidth=0.6)
    axes.set_axisbelow(True)
    # No dates and no versions in the files: the same results give the same bytes.
    canvas.savefig(
        stem.with_suffix(".pdf"), metadata={"CreationDate": None, "Producer": None, "Creator": None}
    )
    canvas.savefig(stem.with_suffix(".png"), dpi=160, metadata={"Software": None})


def _label(metric: str, template: Template) -> str:
    found = template.metric(metric)
    return found.title if found else metric.replace("_", " ")


def _axis_label(metric: str, template: Template) -> str:
    found = template.metric(metric)
    unit = f" ({found.unit})" if found and found.unit else ""
    return f"{_label(metric, template)}{unit}"


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)
