"""The curves that runs write to their series file, drawn by the harness: one panel a name, one line a run."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from novum.errors import UsageError
from novum.records import Figure, Run
from novum.sandbox.harvest import read_bytes
from novum.stats.intervals import mean_of
from novum.store import StudyFolder

MOST_PANELS = 4
STEM = "recorded_curves"
_MOST_BYTES = 64 << 20
_COLOURS = ("#8d99ae", "#c1440e", "#1b6ca8", "#2a7f4f", "#7b4fa3", "#b8860b")

Curve = dict[float, list[float]]
"""Step to the values of all seeds."""


def read_series(path: Path) -> dict[str, Curve]:
    """The curves of one run by name; lines that are not {step, name, value} are passed over."""
    try:
        lines = read_bytes(path, _MOST_BYTES).decode(errors="replace").splitlines()
    except UsageError:
        return {}
    curves: dict[str, Curve] = {}
    for line in lines:
        try:
            row = json.loads(line)
            step, value = float(row["step"]), float(row["value"])
            name = str(row["name"])[:60]
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            continue
        if math.isfinite(step) and math.isfinite(value):
            curves.setdefault(name, {}).setdefault(step, []).append(value)
    return curves


def draw_curves(folder: StudyFolder, runs: Sequence[Run], series: str, target: Path) -> list[Figure]:
    """One figure with a panel for each of the first few series that more than one step was written of."""
    read = {run.name: read_series(folder.run(run.name) / series) for run in runs} if series else {}
    names = [n for n, curve in next(iter(read.values()), {}).items() if len(curve) > 1][:MOST_PANELS]
    if not names:
        return []
    _draw(read, names, target / STEM)
    shown = [name.replace("_", " ") for name in names if not any(c.isdigit() for c in name)]
    listed = f" ({', '.join(shown)})" if shown else ""
    caption = (
        f"Curves that the runs recorded{listed}, against the step at which they were recorded: the mean over the "
        "seeds, and between the smallest and the largest of them."
    )
    return [Figure(file=STEM, caption=caption, source="built-in")]


def _draw(read: dict[str, dict[str, Curve]], names: Sequence[str], stem: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    columns = min(len(names), 2)
    rows = math.ceil(len(names) / columns)
    canvas = Canvas(figsize=(3.2 * columns, 2.4 * rows + 0.4), layout="constrained")
    FigureCanvasAgg(canvas)
    panels = canvas.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        for position, (run, curves) in enumerate(read.items()):
            curve = sorted(curves.get(name, {}).items())
            colour = _COLOURS[position % len(_COLOURS)]
            steps = [step for step, _ in curve]
            means = [mean_of(values) for _, values in curve]
            axes.plot(steps, means, color=colour, linewidth=1.2, label=run.replace("_", " "))
            lows, highs = [min(v) for _, v in curve], [max(v) for _, v in curve]
            axes.fill_between(steps, lows, highs, color=colour, alpha=0.15, linewidth=0)
        axes.set_xlabel("step")
        axes.set_ylabel(name.replace("_", " "))
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(
        handles, labels, loc="outside upper center", ncols=min(len(labels), 4), frameon=False, fontsize=8
    )
    canvas.savefig(
        stem.with_suffix(".pdf"), metadata={"CreationDate": None, "Producer": None, "Creator": None}
    )
    canvas.savefig(stem.with_suffix(".png"), dpi=160, metadata={"Software": None})
