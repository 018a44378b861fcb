"""Figures from the `run_*` folders in the working folder: `epidemic_curves` and `peak_and_attack_rate` (PDF, PNG).

`labels` names the runs in the legends; a run without a label is shown under its folder's name.
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

DATASET = "town"

labels = {
    "run_0": "Baseline",
}


def read_runs(folder=Path(".")):
    """Every finished run, in the order of their numbers: {name: (values by metric, curve rows)}."""
    runs = {}
    for path in sorted(folder.glob("run_*"), key=lambda p: (len(p.name), p.name)):
        info = path / "final_info.json"
        if info.is_file():
            values = json.loads(info.read_text())[DATASET]["values"]
            lines = (path / "series.jsonl").read_text().splitlines()
            runs[path.name] = values, [json.loads(line) for line in lines]
    return runs


def curves_by_seed(rows, name):
    """The series `name` as an array [seed, step]."""
    seeds = sorted({row["seed"] for row in rows})
    return np.array([[r["value"] for r in rows if r["name"] == name and r["seed"] == seed] for seed in seeds])


def save(figure, stem):
    figure.tight_layout()
    figure.savefig(f"{stem}.pdf")
    figure.savefig(f"{stem}.png", dpi=150)
    plt.close(figure)


def plot_curves(runs):
    """Infectious people over time: the mean over seeds, and the range of the seeds."""
    figure, axes = plt.subplots(figsize=(6.0, 3.6))
    for name, (_, rows) in runs.items():
        people = curves_by_seed(rows, "infectious")
        days = np.arange(people.shape[1])
        (line,) = axes.plot(days, people.mean(axis=0), label=labels.get(name, name))
        axes.fill_between(days, people.min(axis=0), people.max(axis=0), color=line.get_color(), alpha=0.2, lw=0)
    axes.set(xlabel="Day", ylabel="Infectious people")
    axes.legend(frameon=False)
    save(figure, "epidemic_curves")


def plot_outcomes(runs):
    """Attack rate against peak, one point a seed."""
    figure, axes = plt.subplots(figsize=(4.6, 3.6))
    for name, (values, _) in runs.items():
        axes.scatter(values["peak_infected"], values["attack_rate"], label=labels.get(name, name), s=18)
    axes.set(xlabel="Peak infectious people", ylabel="Attack rate")
    axes.legend()  # framed: its dots are no points
    save(figure, "peak_and_attack_rate")


if __name__ == "__main__":
    all_runs = read_runs()
    if all_runs:
        plot_curves(all_runs)
        plot_outcomes(all_runs)
