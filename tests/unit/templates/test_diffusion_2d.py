"""The diffusion template: its points and its estimator without torch, its training and its evaluator with it."""

import statistics
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from torches import (
    changed,
    copy_first_seed,
    copy_of,
    declared,
    evaluated,
    judged,
    module_of,
    parameters,
    program,
    refused,
    table,
    trained,
    values,
)

from novum.stats import compare
from novum.template import builtin_templates, load_template

FOLDER = builtin_templates()["diffusion_2d"]
SMALL = ("--steps=60", "--width=16", "--diffusion_steps=20", "--record_every=20")


@pytest.fixture(scope="module")
def points() -> ModuleType:
    return module_of("diffusion_2d", "points.py")


@pytest.fixture(scope="module")
def estimator() -> ModuleType:
    return module_of("diffusion_2d", "estimator.py")


# -- points ----------------------------------------------------------------------------------------------


def test_points_depend_on_the_seed_and_the_part_alone(points: ModuleType) -> None:
    """Held-out points are not those that were trained on."""
    first, again = points.draw(50, 3, points.TRAINING), points.draw(50, 3, points.TRAINING)
    assert (first == again).all()
    assert (first != points.draw(50, 3, points.HELD_OUT)).all()
    assert (first != points.draw(50, 4, points.TRAINING)).all()


def test_every_set_is_centred_and_about_one_wide(points: ModuleType) -> None:
    for name, drawn in zip(points.SETS, points.draw(5000, 0, points.TRAINING), strict=True):
        assert abs(drawn.mean(axis=0)).max() < 0.2, name
        assert drawn.std(axis=0).min() > 0.3, name
        assert drawn.std(axis=0).max() < 1.3, name


def test_the_dinosaurs_outline_is_closed_and_its_points_lie_on_it(points: ModuleType) -> None:
    outline = points.DINOSAUR
    assert (outline[0] == outline[-1]).all()
    drawn = points.draw(2000, 0, points.TRAINING)[points.SETS.index("dinosaur")] * 25.0 + [50.0, 27.0]
    start, piece = outline[:-1], np.diff(outline, axis=0)
    along = ((drawn[:, None] - start) * piece).sum(axis=2) / (piece**2).sum(axis=1)
    nearest = start + along.clip(0.0, 1.0)[..., None] * piece
    distance = np.linalg.norm(drawn[:, None] - nearest, axis=2).min(axis=1)
    assert np.quantile(distance, 0.99) < 3.0 * 0.03 * 25.0


# -- estimator -------------------------------------------------------------------------------------------


def test_the_divergence_of_two_normal_distributions(estimator: ModuleType) -> None:
    """Shifted by (1, 0) it is 1/2 nat; twice as wide it is 2 log 2 - 3/4 nats."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4000, 2))
    assert estimator.kl_divergence(x, y) == pytest.approx(0.0, abs=0.06)
    assert estimator.kl_divergence(x, y + np.array([1.0, 0.0])) == pytest.approx(0.5, abs=0.08)
    assert estimator.kl_divergence(x, 2.0 * y) == pytest.approx(2.0 * np.log(2.0) - 0.75, abs=0.08)


def test_distances_are_those_of_a_search_by_hand(estimator: ModuleType) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(7, 2)), rng.normal(size=(9, 2))
    by_hand = np.sort(np.linalg.norm(x[:, None] - y, axis=2), axis=1)[:, 2]
    assert estimator.distance_to_neighbour(x, y, 3) == pytest.approx(by_hand)


def test_equal_points_give_a_finite_divergence(estimator: ModuleType) -> None:
    assert np.isfinite(estimator.kl_divergence(np.zeros((20, 2)), np.ones((20, 2))))


DRAWN = "    drawn = points.draw(params.train_points, seed, points.TRAINING)\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (DRAWN, DRAWN.replace("TRAINING", "HELD_OUT")),
        (DRAWN, DRAWN.replace("params.train_points", "100_000")),
        (
            DRAWN,
            f"{DRAWN}    drawn = np.concatenate([drawn, points.draw(3000, seed, points.HELD_OUT)], axis=1)\n",
        ),
        ("data[:, chosen]", "torch.tensor(points.draw(256, step, 1)).float()"),
    ],
)
def test_training_on_other_points_is_not_comparable(old: str, new: str) -> None:
    """A deliberate cheat: reading held-out data, or more of it than a run is given."""
    assert "how the data are made or split" in judged("diffusion_2d", old, new)


def test_a_change_of_the_training_is_comparable() -> None:
    assert judged("diffusion_2d", "    add[0] = 0.0\n", "    add[:] = 0.0\n") == ""
    assert (
        judged(
            "diffusion_2d", "    return ((predicted - noise) ** 2)", "    return (predicted - noise).abs()"
        )
        == ""
    )
    assert judged("diffusion_2d", "1.0 - step / params.steps)", "1.0)") == ""


# -- training and evaluation -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(FOLDER, tmp_path_factory.mktemp("diffusion") / "run_0", *SMALL, seeds=(0, 1))


@pytest.mark.torch
def test_the_declared_metrics_and_the_parameters_are_the_evaluators(small: Path) -> None:
    found = evaluated(FOLDER, small)
    assert set(table(found)) == declared("diffusion_2d")
    assert all(len(per_seed) == 2 for per_seed in table(found).values())
    width, inputs = 16, 2 + 6 * 8
    count = 4 * ((inputs + 1) * width + 3 * (width + 1) * width + (width + 1) * 2)
    assert found["parameters"] == [count, count]


@pytest.mark.torch
def test_the_same_seed_gives_the_same_points(small: Path, tmp_path: Path) -> None:
    again = trained(FOLDER, tmp_path / "run_0", *SMALL, seeds=(1,))
    assert values(evaluated(FOLDER, again), "kl")[0] == values(evaluated(FOLDER, small), "kl")[1]


@pytest.mark.torch
@pytest.mark.parametrize("forged", ["nan", "another width", "repeated seeds", "pickle", "endless sampler"])
def test_forged_checkpoints_are_refused(small: Path, tmp_path: Path, forged: str) -> None:
    """A deliberate cheat: a checkpoint that no run can have made."""
    with np.load(small / "checkpoint.npz") as file:
        arrays = {name: file[name] for name in file.files}
    if forged == "nan":
        arrays["weights.outputs.bias"] = arrays["weights.outputs.bias"] * np.nan
    elif forged == "another width":
        arrays["weights.outputs.weight"] = arrays["weights.outputs.weight"][:, :, :8]
    elif forged == "repeated seeds":
        arrays["seeds"] = np.zeros_like(arrays["seeds"])
    elif forged == "pickle":
        arrays["weights.extra"] = np.array([{"a": 1}, {"b": 2}], dtype=object)
    else:
        arrays["coefficients"] = np.zeros((2, 3, 20_000))
    np.savez(tmp_path / "checkpoint.npz", **arrays)
    assert program(FOLDER, "evaluate.py", f"--out_dir={tmp_path}").returncode != 0
    assert not (tmp_path / "final_info.json").exists()


@pytest.mark.torch
def test_held_out_points_follow_from_what_is_handed_in(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: reading held-out data. The points that a run can draw are not the evaluator's."""
    code = copy_of(
        "diffusion_2d",
        tmp_path / "code",
        evaluate=(
            "    held_out = points.draw(COUNT, chance, points.HELD_OUT)\n",
            "    held_out = points.draw(COUNT, chance, points.HELD_OUT)\n    print(repr(held_out[0, 0].tolist()))\n",
        ),
    )

    def drawn(out: Path) -> list[str]:
        done = program(code, "evaluate.py", f"--out_dir={out}")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    module = module_of("diffusion_2d", "points.py")
    known = [repr(module.draw(3000, seed, module.HELD_OUT)[0, 0].tolist()) for seed in (0, 1)]
    first = drawn(small)
    assert len(set(first)) == 2
    assert not set(first) & set(known)
    assert drawn(small) == first

    def nudged(arrays: dict[str, Any]) -> None:
        arrays["weights.outputs.bias"][0] += 1e-4

    def tuned(arrays: dict[str, Any]) -> None:
        arrays["coefficients"][1] *= 1.0001

    after = drawn(changed(small, tmp_path / "nudged", nudged))
    assert (after[0] != first[0], after[1] == first[1]) == (True, True)
    after = drawn(changed(small, tmp_path / "tuned", tuned))
    assert (after[0] == first[0], after[1] != first[1]) == (True, True)


@pytest.mark.torch
def test_training_one_network_under_every_seed_is_refused(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat, and an accident: the seed is not used, so that three seeds are one (failures B S6)."""
    assert "the seed is not used" in refused(FOLDER, changed(small, tmp_path, copy_first_seed))


@pytest.mark.torch
def test_the_evaluator_tells_seeds_and_data(small: Path, points: ModuleType) -> None:
    found = evaluated(FOLDER, small)
    assert found["seeds"] == [0, 1]
    assert found["data"] == {"sets": list(points.SETS), "held_out_points": 3000}


@pytest.mark.torch
def test_a_change_that_draws_from_other_sources_of_chance_repeats(tmp_path: Path) -> None:
    """Every random source is seeded: an edit may use `random` or numpy's global state."""
    noisy = (
        "    return min(params.ema_decay,",
        "    return random.random() * np.random.rand() * min(params.ema_decay,",
    )
    code = copy_of("diffusion_2d", tmp_path / "code", experiment=noisy)
    first, again = (trained(code, tmp_path / name, *SMALL, seeds=(3,)) for name in ("run_0", "run_1"))
    with np.load(first / "checkpoint.npz") as one, np.load(again / "checkpoint.npz") as other:
        assert (one["weights.outputs.weight"] == other["weights.outputs.weight"]).all()


@pytest.mark.torch
def test_what_a_run_says_of_itself_is_overwritten(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: a forged final_info.json, and points for the figures that no network drew."""
    (tmp_path / "checkpoint.npz").write_bytes((small / "checkpoint.npz").read_bytes())
    (tmp_path / "final_info.json").write_text('{"points": {"means": {"kl": 0.0}}}')
    np.savez(tmp_path / "samples.npz", circle=np.zeros((9, 2)))
    assert values(evaluated(FOLDER, tmp_path), "kl") == values(evaluated(FOLDER, small), "kl")


@pytest.mark.torch
def test_a_metric_replaced_at_run_time_changes_nothing(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: code of the run replaces the estimator in its own process."""
    cheat = (
        "import network\nimport points\n",
        "import network\nimport points\nimport estimator\nestimator.kl_divergence = lambda x, y: -9.0\n",
    )
    code = copy_of("diffusion_2d", tmp_path / "code", experiment=cheat)
    out = trained(code, tmp_path / "run_1", *SMALL, seeds=(0, 1))
    assert values(evaluated(FOLDER, out), "kl") == values(evaluated(FOLDER, small), "kl")


@pytest.mark.torch
def test_a_larger_network_is_counted(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: more parameters."""
    out = trained(FOLDER, tmp_path / "run_1", *SMALL, "--width=24")
    more, less = (parameters(evaluated(FOLDER, run)) for run in (out, small))
    assert more[0] > 1.5 * less[0]


@pytest.mark.torch
def test_training_lowers_the_divergence_on_every_set(tmp_path: Path, points: ModuleType) -> None:
    """The whole quick training is better than a tenth of it by more than the interval of their difference."""
    profile = load_template("diffusion_2d").profile("quick").arguments
    common = [f"--{name}={value}" for name, value in profile.items() if name != "steps"]
    steps = int(profile["steps"])
    seeds = (0, 1, 2)
    found = [
        evaluated(FOLDER, trained(FOLDER, tmp_path / f"run_{n}", *common, f"--steps={n}", seeds=seeds))
        for n in (steps, steps // 10)
    ]
    for name in points.SETS:
        whole, tenth = (values(one, f"kl_{name}") for one in found)
        made = compare(whole, tenth, direction="minimize")
        assert made.verdict == "better", (name, whole, tenth, made)
        assert statistics.fmean(whole) < statistics.fmean(tenth)
