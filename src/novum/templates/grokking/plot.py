"""Figures from the `run_*` folders in the working folder: `grokking_curves` and `weight_norm` (PDF, PNG).

`labels` names the runs, and `labels.json` where it is there; a run without a label is shown under its folder's name.
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

labels = {
    "run_0": "Baseline",
}
captions = {
    "grokking_curves": "Training and validation accuracy over the steps, one line a seed and one panel a run.",
    "weight_norm": "Norm of the weights over the steps: the mean over the seeds of each run, and their range.",
}


def read_runs(folder=Path(".")):
    """The curves of every run, in the order of their numbers: {name: {series: (steps, values [seed, step])}}."""
    runs = {}
    for path in sorted(folder.glob("run_*"), key=lambda p: (len(p.name), p.name)):
        if (path / "series.jsonl").is_file():
            rows = [json.loads(line) for line in (path / "series.jsonl").read_text().splitlines()]
            runs[path.name] = {name: curve(rows, name) for name in {row["name"] for row in rows}}
    return runs


def curve(rows, name):
    """Steps, and the values as an array [seed, step]."""
    mine = [row for row in rows if row["name"] == name]
    seeds = sorted({row["seed"] for row in mine})
    values = np.array([[row["value"] for row in mine if row["seed"] == seed] for seed in seeds])
    return [row["step"] for row in mine if row["seed"] == seeds[0]], values


def read_labels(folder=Path(".")):
    """What the runs are called."""
    path = folder / "labels.json"
    return labels | json.loads(path.read_text()) if path.is_file() else labels


def save(figure, stem):
    figure.tight_layout()
    figure.savefig(f"{stem}.pdf")
    figure.savefig(f"{stem}.png", dpi=150)
    plt.close(figure)


def plot_accuracy(runs, names):
    """Training and validation accuracy over the steps (logarithmic), one line a seed, one panel a run."""
    columns = min(3, len(runs))
    rows = -(-len(runs) // columns)
    size = (0.6 + 2.6 * columns, 0.4 + 2.3 * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, sharey=True)
    for panel in panels.flat[len(runs) :]:
        panel.axis("off")
    for panel, (name, series) in zip(panels.flat, runs.items(), strict=False):
        for part, colour in (("train", "tab:blue"), ("validation", "tab:orange")):
            steps, values = series[f"{part}_accuracy"]
            for number, line in enumerate(values):
                panel.plot(np.array(steps) + 1, line, color=colour, alpha=0.8, label=part if number == 0 else None)
        panel.set(xscale="log", xlabel="Step + 1")
        panel.set_title(names.get(name, name)[:36], fontsize=8)
    for row in panels:
        row[0].set(ylabel="Accuracy")
    panels[0][0].legend(frameon=False, fontsize=7)
    save(figure, "grokking_curves")


def plot_norm(runs, names):
    """The norm of the weights over the steps: the mean over seeds, and the range of the seeds."""
    figure, axes = plt.subplots(figsize=(4.6, 3.2))
    for name, series in runs.items():
        steps, values = series["weight_norm"]
        (line,) = axes.plot(steps, values.mean(axis=0), label=names.get(name, name)[:36])
        axes.fill_between(steps, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.2, lw=0)
    axes.set(xlabel="Step", ylabel="Norm of the weights")
    axes.legend(frameon=False)
    save(figure, "weight_norm")


if __name__ == "__main__":
    all_runs = read_runs()
    if all_runs:
        plot_accuracy(all_runs, read_labels())
        plot_norm(all_runs, read_labels())
        Path("captions.json").write_text(json.dumps(captions))
