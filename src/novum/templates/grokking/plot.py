"""Figures from the `run_*` folders in the working folder: `grokking_curves` and `weight_norm` (PDF, PNG).

`labels` names the runs; a run without a label is shown under its folder's name.
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


def save(figure, stem):
    figure.tight_layout()
    figure.savefig(f"{stem}.pdf")
    figure.savefig(f"{stem}.png", dpi=150)
    plt.close(figure)


def plot_accuracy(runs):
    """Training and validation accuracy over the steps (logarithmic), one line a seed, one panel a run."""
    figure, panels = plt.subplots(1, len(runs), figsize=(1.0 + 3.4 * len(runs), 3.2), squeeze=False, sharey=True)
    for panel, (name, series) in zip(panels[0], runs.items(), strict=True):
        for part, colour in (("train", "tab:blue"), ("validation", "tab:orange")):
            steps, values = series[f"{part}_accuracy"]
            for number, line in enumerate(values):
                panel.plot(np.array(steps) + 1, line, color=colour, alpha=0.8, label=part if number == 0 else None)
        panel.set(xscale="log", xlabel="Step + 1", title=labels.get(name, name))
    panels[0][0].set(ylabel="Accuracy")
    panels[0][0].legend(frameon=False)
    save(figure, "grokking_curves")


def plot_norm(runs):
    """The norm of the weights over the steps: the mean over seeds, and the range of the seeds."""
    figure, axes = plt.subplots(figsize=(4.6, 3.2))
    for name, series in runs.items():
        steps, values = series["weight_norm"]
        (line,) = axes.plot(steps, values.mean(axis=0), label=labels.get(name, name))
        axes.fill_between(steps, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.2, lw=0)
    axes.set(xlabel="Step", ylabel="Norm of the weights")
    axes.legend(frameon=False)
    save(figure, "weight_norm")


if __name__ == "__main__":
    all_runs = read_runs()
    if all_runs:
        plot_accuracy(all_runs)
        plot_norm(all_runs)
