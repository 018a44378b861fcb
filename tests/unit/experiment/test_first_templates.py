"""Templates of the first AI Scientist run unchanged; its recorded runs are read as they are."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from novum.experiment.figures import draw_figures
from novum.experiment.metrics import read_metrics
from novum.records import Idea
from novum.stats import compare
from novum.template import Template

from .conftest import IDEA, SMALL, Lab, MakeLab, change, replacing, run_of

DATA = Path(os.environ.get("NOVUM_TEST_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
TRACES = sorted((DATA / "traces").glob("*/run_*/final_info.json"))

SCRIPT = """import argparse
import json
import os
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--out_dir", type=str, default="run_0")
args = parser.parse_args()
os.makedirs(args.out_dir, exist_ok=True)

def train(dataset, seed):
    rng = np.random.default_rng(seed)
    losses = [2.0 / (1 + step) for step in range(10)]
    return losses, losses[-1] + 0.01 * rng.normal()

all_results, final_infos = {}, {}
for dataset in ["shakespeare_char"]:
    finals = []
    for seed in range(3):
        losses, best = train(dataset, seed)
        all_results[f"{dataset}_{seed}_val_info"] = losses
        finals.append({"best_val_loss": best})
    means = {f"{k}_mean": float(np.mean([d[k] for d in finals])) for k in finals[0]}
    stderrs = {f"{k}_stderr": float(np.std([d[k] for d in finals]) / len(finals)) for k in finals[0]}
    final_infos[dataset] = {"means": means, "stderrs": stderrs, "final_info_dict": {"best_val_loss": [1.0]}}
with open(os.path.join(args.out_dir, "final_info.json"), "w") as f:
    json.dump(final_infos, f)
with open(os.path.join(args.out_dir, "all_results.npy"), "wb") as f:
    np.save(f, all_results)
"""
PLOT = """import json
import os
import matplotlib.pyplot as plt
import numpy as np

labels = {"run_0": "Baseline"}
for run in labels:
    results = np.load(os.path.join(run, "all_results.npy"), allow_pickle=True).item()
    plt.plot(results["shakespeare_char_0_val_info"], label=labels[run])
plt.legend()
plt.savefig("val_loss.png")
"""
BASELINE = {
    "shakespeare_char": {"means": {"best_val_loss_mean": 0.2}, "stderrs": {"best_val_loss_stderr": 0.01}}
}


@pytest.fixture
def old(make_lab: MakeLab) -> Lab:
    """A template in the shape that those of the first AI Scientist have: no declaration, one run in its folder."""
    lab = make_lab(
        {
            "experiment.py": SCRIPT,
            "plot.py": PLOT,
            "run_0/final_info.json": json.dumps(BASELINE),
            "prompt.json": json.dumps(
                {"system": "You are ambitious.", "task_description": "Lower the loss."}
            ),
            "seed_ideas.json": json.dumps([{"Name": "a", "Title": "A", "Experiment": "Train longer."}]),
            "template.toml": None,
            "evaluate.py": None,
            "held_out/points.json": None,
        }
    )
    lab.folder.write(lab.folder.idea, IDEA)
    return lab


LONGER = replacing(
    "    losses = [2.0 / (1 + step) for step in range(10)]",
    "    losses = [2.0 / (2 + step) for step in range(20)]",
)


def test_a_template_of_the_first_ai_scientist_runs_unchanged(old: Lab) -> None:
    """Failures A 31, A 33 and A 34: what it lacks is named and worked round; its place on the disk does not matter."""
    old.replies = lambda request: LONGER if request.json_schema is None else None
    results = old.run(change(edit="Train longer."))
    assert [r.status for r in results.runs] == ["ok", "ok"]
    found = results.by_key("run_1/shakespeare_char/best_val_loss")
    assert found is not None
    assert found.self_reported
    assert found.n == 1  # means alone: nothing is tested with the run's own spread
    (comparison,) = results.comparisons
    assert comparison.verdict == "not comparable"
    assert "lone seed" in comparison.reason


def test_its_plot_script_draws_from_copies_of_the_runs(old: Lab) -> None:
    """Failures A 33: its plots find the runs where they expect them."""
    old.capabilities = SMALL
    old.run(change(edit="Train longer."))
    drawn = draw_figures(old.tools)
    assert "val_loss" in {f.file for f in drawn}


def test_a_small_model_carries_out_the_idea_in_its_own_words(old: Lab) -> None:
    """Nothing is declared that could be picked, so the idea's plan is the change; no plan without a run."""
    old.capabilities = SMALL
    old.replies = lambda request: LONGER if request.json_schema is None else None
    idea = Idea(
        name="longer", title="Longer", hypothesis="Longer training lowers the loss.", plan="Train longer."
    )
    results = old.run(idea=idea)
    assert run_of(results, "run_1").change == "Train longer."
    assert len(results.runs) == 2


@pytest.mark.skipif(not TRACES, reason=f"no recorded runs of the first AI Scientist in {DATA / 'traces'}")
@pytest.mark.parametrize("path", TRACES, ids=lambda p: f"{p.parent.parent.name}/{p.parent.name}")
def test_its_recorded_runs_are_read(path: Path) -> None:
    """Failures A 3 and A 5: what its templates wrote is read, and its spreads are shown as its own word."""
    measured = read_metrics(path.parent, Template(name="old", title="Old"))
    assert measured.series
    assert all(math.isfinite(s.mean) for s in measured.series)
    assert all(s.values == () for s in measured.series)
    assert measured.parameters is None


@pytest.mark.skipif(not TRACES, reason=f"no recorded runs of the first AI Scientist in {DATA / 'traces'}")
def test_the_same_code_twice_is_not_read_as_an_effect() -> None:
    """Failures A 4: two runs of the same code differed by more than the gain that the paper claimed."""
    study = DATA / "traces" / "adaptive_dual_scale_denoising"
    one, two = (
        {
            (s.dataset, s.metric): s.mean
            for s in read_metrics(study / run, Template(name="old", title="Old")).series
        }
        for run in ("run_3", "run_4")
    )
    assert any(abs(one[key] - two[key]) > 0.1 for key in one)
    verdicts = {compare((two[k],), (one[k],), direction="minimize").verdict for k in one}
    assert verdicts == {"not comparable"}
