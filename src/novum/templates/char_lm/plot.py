"""Figures from the `run_*` folders in the working folder: `learning_curves` and `bits_and_gap` (PDF, PNG).

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
    "learning_curves": "Training loss in bits per character over the steps: the mean over the seeds of each run, and their range.",
    "bits_and_gap": "Bits per character of held-out text against the generalisation gap, one point a seed; the dotted line is a trigram model.",
}


def read_runs(folder=Path(".")):
    """Every finished run, in the order of their numbers: {name: (values by metric, steps, bits [seed, step])}."""
    runs = {}
    for path in sorted(folder.glob("run_*"), key=lambda p: (len(p.name), p.name)):
        if (path / "final_info.json").is_file():
            (info,) = json.loads((path / "final_info.json").read_text()).values()
            rows = [json.loads(line) for line in (path / "series.jsonl").read_text().splitlines()]
            rows = [row for row in rows if row["name"] == "train_bits_per_character"]
            bits = [[row["value"] for row in rows if row["seed"] == seed] for seed in info["seeds"]]
            runs[path.name] = info["values"], sorted({row["step"] for row in rows}), np.array(bits)
    return runs


def read_labels(folder=Path(".")):
    """What the runs are called."""
    path = folder / "labels.json"
    return labels | json.loads(path.read_text()) if path.is_file() else labels


def save(figure, stem):
    figure.savefig(f"{stem}.pdf")
    figure.savefig(f"{stem}.png", dpi=150)
    plt.close(figure)


def plot_curves(runs, names):
    """Training bits over the steps: the mean over seeds, and the range of the seeds."""
    figure, axes = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    for name, (_, steps, bits) in runs.items():
        (drawn,) = axes.plot(steps, bits.mean(axis=0), label=names.get(name, name)[:40])
        axes.fill_between(steps, bits.min(axis=0), bits.max(axis=0), color=drawn.get_color(), alpha=0.2, lw=0)
    axes.set(xlabel="Step", ylabel="Training bits per character")
    axes.legend(frameon=False, fontsize=8)
    save(figure, "learning_curves")


def plot_outcomes(runs, names):
    """Held-out bits against the generalisation gap, one point a seed."""
    figure, axes = plt.subplots(figsize=(5.0, 3.6), layout="constrained")
    for name, (values, _, _) in runs.items():
        axes.scatter(values["generalisation_gap"], values["bits_per_character"], label=names.get(name, name)[:40], s=18)
    trigram = values["bits_per_character"][0] + values["gain_over_trigram"][0]
    axes.axhline(trigram, color="0.5", ls=":", lw=1.0)
    axes.set(xlabel="Generalisation gap (bits)", ylabel="Held-out bits per character")
    axes.legend(fontsize=8)  # framed: its dots are no points
    save(figure, "bits_and_gap")


if __name__ == "__main__":
    all_runs = read_runs()
    if all_runs:
        plot_curves(all_runs, read_labels())
        plot_outcomes(all_runs, read_labels())
        Path("captions.json").write_text(json.dumps(captions))
