"""The figures phase: one built-in figure per metric, which is always right, then those of the template.

The built-in figures are drawn by the harness from results.json. The template's plot script is code like any
other: it runs in the sandbox, sees copies of the runs, and what it leaves is taken as pictures only.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from novum.experiment.environment import environment_for
from novum.experiment.notes import run_title
from novum.experiment.results import BASELINE
from novum.records import Figure, Outcome, Result, Results
from novum.sandbox import Access
from novum.sandbox.harvest import harvest
from novum.template import Template
from novum.tools import Tools

_MOST_TEMPLATE_FIGURES = 4
_INK, _MUTED, _ACCENT = "#1b2a41", "#8d99ae", "#c1440e"


def draw_figures(tools: Tools) -> tuple[Figure, ...]:
    """Draw all figures of the study and write figures/figures.json."""
    results = tools.folder.read(tools.folder.results, Results)
    target = tools.folder.figures
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    figures = [
        _built_in(results, dataset, metric, target, tools.template)
        for dataset, metric in sorted({(r.dataset, r.metric) for r in results.results}, key=str)
    ]
    figures += _of_template(tools, results, target)
    for figure in figures:
        tools.log.note("figure", file=figure.file, source=figure.source)
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


# -- the template's ------------------------------------------------------------------------------------


def _of_template(tools: Tools, results: Results, target: Path) -> list[Figure]:
    if not tools.template.plot:
        tools.log.note("figure", file="", source="template", reason="the template has no plot script")
        return []
    with tempfile.TemporaryDirectory(prefix="novum-plot-") as scratch:
        work = Path(scratch) / "work"
        _lay_out(tools, results, work)
        outcome = _plot(tools, work)
        if not outcome.ok:
            tools.log.note(
                "figure", file="", source="template", reason=outcome.message or outcome.stderr[-400:]
            )
            return []
        harvest(
            work,
            target,
            wanted=lambda name: "/" not in name and name.endswith((".png", ".pdf", "captions.json")),
        )
    captions = _captions(target / "captions.json")
    stems = sorted(p.stem for p in target.glob("*.png") if not _is_built_in(p.stem, results))
    figures = []
    for stem in stems[:_MOST_TEMPLATE_FIGURES]:
        if not (target / f"{stem}.pdf").exists():
            _png_to_pdf(target / f"{stem}.png")
        caption = (
            captions.get(stem)
            or f"{stem.replace('_', ' ').capitalize()}, drawn by the template's plot script."
        )
        figures.append(Figure(file=stem, caption=caption, source="template"))
    return figures


def _lay_out(tools: Tools, results: Results, work: Path) -> None:
    """Copies of the good runs as the plot script expects them, and what they are called."""
    work.mkdir()
    for name, content in tools.template.contents().items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    labels = {}
    for run in results.runs:
        if run.status == "ok":
            shutil.copytree(tools.folder.run(run.name), work / run.name)
            labels[run.name] = "baseline" if run.name == BASELINE else run_title(run)
    (work / "labels.json").write_text(json.dumps(labels, indent=1), encoding="utf-8")


def _plot(tools: Tools, work: Path) -> Outcome:
    environment = environment_for(tools.template)
    access = Access(readonly=environment.readonly, environment=environment.variables)
    command = [str(environment.python), tools.template.plot]
    return tools.sandbox.run(command, work, tools.template.limits(tools.profile), access)


def _is_built_in(stem: str, results: Results) -> bool:
    return stem in {f"{_safe(r.dataset)}_{_safe(r.metric)}" for r in results.results}


def _captions(path: Path) -> dict[str, str]:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    path.unlink()
    if not isinstance(found, dict):
        return {}
    return {str(k): str(v)[:400] for k, v in found.items() if isinstance(v, str)}


def _png_to_pdf(path: Path) -> None:
    import numpy as np
    from matplotlib import image
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    picture = np.asarray(image.imread(path))
    height, width = picture.shape[:2]
    canvas = Canvas(figsize=(width / 160, height / 160))
    FigureCanvasAgg(canvas)
    axes = canvas.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(picture)
    canvas.savefig(
        path.with_suffix(".pdf"), dpi=160, metadata={"CreationDate": None, "Producer": None, "Creator": None}
    )
