"""Figures from the `run_*` folders in the working folder: `drawn_points` and `training_loss` (PDF, PNG).

`labels` names the runs, and `labels.json` where it is there; a run without a label is shown under its folder's name.
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import points

labels = {
    "run_0": "Baseline",
}
captions = {
    "drawn_points": "Points drawn by the network of the first seed of each run (rows), for each set of points (columns); "
    "the grey points are held out.",
    "training_loss": "Training loss of each set of points over the steps: the mean over the seeds of each run.",
}


def run_folders(folder=Path(".")):
    """Every run that has curves, in the order of their numbers."""
    found = sorted(folder.glob("run_*"), key=lambda p: (len(p.name), p.name))
    return [path for path in found if (path / "series.jsonl").is_file()]


def read_labels(folder=Path(".")):
    """What the runs are called."""
    path = folder / "labels.json"
    return labels | json.loads(path.read_text()) if path.is_file() else labels


def save(figure, stem):
    figure.savefig(f"{stem}.pdf")
    figure.savefig(f"{stem}.png", dpi=150)
    plt.close(figure)


def plot_points(folders, names):
    """A row of panels for each run, a column for each set."""
    held_out = points.draw(1500, 0, points.HELD_OUT)
    size = (1.7 * len(points.SETS), 0.3 + 1.6 * len(folders))
    figure, panels = plt.subplots(len(folders), len(points.SETS), figsize=size, squeeze=False, layout="constrained")
    for row, folder in zip(panels, folders, strict=True):
        with np.load(folder / "samples.npz", allow_pickle=False) as drawn:
            for panel, name, real in zip(row, points.SETS, held_out, strict=True):
                panel.scatter(*real.T, s=0.6, color="0.75", lw=0, rasterized=True)
                panel.scatter(*drawn[name].T, s=0.9, color="tab:blue", lw=0, rasterized=True)
                panel.set(xlim=(-2.3, 2.3), ylim=(-2.0, 2.0), xticks=[], yticks=[], aspect="equal")
        row[0].set_ylabel(names.get(folder.name, folder.name)[:28], fontsize=8)
    for panel, name in zip(panels[0], points.SETS, strict=True):
        panel.set_title(name.capitalize(), fontsize=9)
    save(figure, "drawn_points")


def plot_loss(folders, names):
    """Mean over seeds, one panel for each set."""
    figure, panels = plt.subplots(1, len(points.SETS), figsize=(9.0, 2.6), sharey=True, layout="constrained")
    for folder in folders:
        rows = [json.loads(line) for line in (folder / "series.jsonl").read_text().splitlines()]
        for panel, name in zip(panels, points.SETS, strict=True):
            mine = [row for row in rows if row["name"] == f"loss_{name}"]
            steps = sorted({row["step"] for row in mine})
            means = [np.mean([row["value"] for row in mine if row["step"] == step]) for step in steps]
            panel.plot(steps, means, lw=1.0, label=names.get(folder.name, folder.name)[:28])
            panel.set(xlabel="Step", title=name.capitalize())
    panels[0].set_ylabel("Loss")
    panels[-1].legend(frameon=False, fontsize=7)
    save(figure, "training_loss")


if __name__ == "__main__":
    runs = run_folders()
    if runs:
        plot_points(runs, read_labels())
        plot_loss(runs, read_labels())
        Path("captions.json").write_text(json.dumps(captions))
