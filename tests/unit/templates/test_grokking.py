"""The grokking template: its tables, its split and its evaluator without torch, its training with it."""

import importlib.util
import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from torches import copy_of, evaluated, trained
from torches import values as per_seed

from novum.template import builtin_templates, load_template

FOLDER = builtin_templates()["grokking"]


@pytest.fixture(scope="module")
def tasks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("grokking_tasks", FOLDER / "tasks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def evaluate(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", str(FOLDER / "evaluate.py"), f"--out_dir={folder}"]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_tables_are_those_of_their_operations(tasks: ModuleType) -> None:
    for operation in ("addition", "subtraction", "division"):
        left, right, result, symbols = tasks.table(operation, 7)
        assert symbols == 7
        assert len(left) == (42 if operation == "division" else 49)
        back = {"addition": result - right, "subtraction": result + right, "division": result * right}[
            operation
        ]
        assert (back % 7 == left).all()


def test_permutations_compose_to_a_group(tasks: ModuleType) -> None:
    left, right, result, symbols = tasks.table("permutation", 3)
    assert symbols == 6
    product = {(a, b): c for a, b, c in zip(left, right, result, strict=True)}
    for a, b, c in itertools.product(range(6), repeat=3):
        assert product[product[a, b], c] == product[a, product[b, c]]
    assert sorted(product[0, x] for x in range(6)) == list(range(6))
    assert any(product[a, b] != product[b, a] for a, b in itertools.product(range(6), repeat=2))


def test_the_split_depends_on_the_seed_alone(tasks: ModuleType) -> None:
    first, again, other = (tasks.training_mask(100, 0.6, seed) for seed in (1, 1, 2))
    assert first.sum() == 60
    assert (first == again).all()
    assert (first != other).any()


@pytest.fixture
def outputs(tasks: ModuleType) -> dict[str, np.ndarray]:
    """A run that is right about the shown entries from step 10 and about the others from step 40, dips apart."""
    _, _, result, symbols = tasks.table("addition", 11)
    steps = np.arange(0, 70, 10)
    predictions = np.repeat(((result + 1) % symbols)[None], len(steps), axis=0)
    known = tasks.training_mask(len(result), 0.6, 5)
    predictions[1:, known] = result[known]
    predictions[4:, ~known] = result[~known]
    logits = np.zeros((len(result), symbols))
    logits[np.arange(len(result)), result] = 3.0
    return {
        "seeds": np.array([5]),
        "steps": steps,
        "operation": np.array("addition"),
        "modulus": np.array(11),
        "train_fraction": np.array(0.6),
        "predictions": predictions[None],
        "logits": logits[None],
        "weights.tokens": np.zeros((1, 12, 8)),
        "seconds": np.array([1.0]),
    }


def values(folder: Path) -> dict[str, list[float]]:
    info = json.loads((folder / "final_info.json").read_text())
    return dict(info["addition"]["values"])


def test_metrics_of_a_run_made_by_hand(tmp_path: Path, outputs: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "outputs.npz", **outputs)
    assert evaluate(tmp_path).returncode == 0
    found = values(tmp_path)
    assert found["steps_to_train"] == [10.0]
    assert found["steps_to_validation"] == [40.0]
    assert found["delay"] == [4.0]
    assert found["validation_loss"] == [pytest.approx(np.log(np.exp(3) + 10) - 3)]


def test_a_level_that_is_lost_again_does_not_count(tmp_path: Path, outputs: dict[str, np.ndarray]) -> None:
    outputs["predictions"][0, 5] = (outputs["predictions"][0, 5] + 1) % 11
    np.savez(tmp_path / "outputs.npz", **outputs)
    assert evaluate(tmp_path).returncode == 0
    assert values(tmp_path)["steps_to_validation"] == [60.0]


def test_a_level_that_is_never_reached_counts_twice_the_steps(
    tmp_path: Path, outputs: dict[str, np.ndarray], tasks: ModuleType
) -> None:
    unknown = ~tasks.training_mask(121, 0.6, 5)
    outputs["predictions"][0, :, unknown] = 0
    outputs["logits"][0, unknown] = np.eye(11)[0]
    np.savez(tmp_path / "outputs.npz", **outputs)
    assert evaluate(tmp_path).returncode == 0
    assert values(tmp_path)["steps_to_validation"] == [120.0]


@pytest.mark.parametrize("forged", ["nan", "other logits", "fewer entries", "repeated seeds", "pickle"])
def test_forged_outputs_are_refused(tmp_path: Path, outputs: dict[str, np.ndarray], forged: str) -> None:
    """A deliberate cheat: outputs that no run can have."""
    if forged == "nan":
        outputs["logits"] = outputs["logits"] * np.nan
    elif forged == "other logits":
        outputs["logits"] = -outputs["logits"]
    elif forged == "fewer entries":
        outputs["predictions"] = outputs["predictions"][:, :, :50]
    elif forged == "repeated seeds":
        for name in ("seeds", "predictions", "logits"):
            outputs[name] = np.repeat(outputs[name], 2, axis=0)
    else:
        outputs["predictions"] = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "outputs.npz", **outputs)
    assert evaluate(tmp_path).returncode != 0
    assert not (tmp_path / "final_info.json").exists()


def test_what_a_run_says_of_itself_is_overwritten(tmp_path: Path, outputs: dict[str, np.ndarray]) -> None:
    """A deliberate cheat: a forged final_info.json."""
    (tmp_path / "final_info.json").write_text('{"addition": {"means": {"delay": 0}}}')
    np.savez(tmp_path / "outputs.npz", **outputs)
    assert evaluate(tmp_path).returncode == 0
    assert values(tmp_path)["delay"] == [4.0]


def test_the_declared_metrics_are_those_of_the_evaluator(
    tmp_path: Path, outputs: dict[str, np.ndarray]
) -> None:
    np.savez(tmp_path / "outputs.npz", **outputs)
    assert evaluate(tmp_path).returncode == 0
    assert set(values(tmp_path)) == {m.name for m in load_template("grokking").metrics}


def test_parameters_are_counted_by_the_evaluator(tmp_path: Path, outputs: dict[str, np.ndarray]) -> None:
    """A deliberate cheat: more parameters than the run says."""
    np.savez(tmp_path / "outputs.npz", **outputs, parameters=np.array([1]))
    assert evaluate(tmp_path).returncode == 0
    assert json.loads((tmp_path / "final_info.json").read_text())["addition"]["parameters"] == [96]


SMALL = ("--modulus=7", "--steps=20", "--evaluate_every=10", "--width=16")


@pytest.mark.torch
def test_a_metric_replaced_at_run_time_changes_nothing(tmp_path: Path) -> None:
    """A deliberate cheat: code of the run replaces the split that the evaluator measures with, in its own process."""
    cheat = (
        "    mask = tasks.training_mask(len(result), params.train_fraction, seed)\n",
        "    mask = tasks.training_mask(len(result), params.train_fraction, seed)\n"
        "    import evaluate\n    evaluate.first_to_stay = lambda steps, accuracy: 1.0\n",
    )
    code = copy_of("grokking", tmp_path / "code", experiment=cheat)
    cheating = evaluated(FOLDER, trained(code, tmp_path / "run_1", *SMALL))
    honest = evaluated(FOLDER, trained(FOLDER, tmp_path / "run_0", *SMALL))
    assert cheating["values"] == honest["values"]


@pytest.mark.torch
def test_the_network_learns_late_in_every_seed(tmp_path: Path) -> None:
    """Validation reaches 99% at four times the step at which training does, or later, and stays."""
    profile = load_template("grokking").profile("quick").arguments
    arguments = [f"--{name}={value}" for name, value in profile.items()]
    found = evaluated(FOLDER, trained(FOLDER, tmp_path / "run_0", *arguments, seeds=(0, 1, 2)))
    assert max(per_seed(found, "steps_to_validation")) < int(profile["steps"])
    assert min(per_seed(found, "delay")) >= 4.0
    assert min(per_seed(found, "validation_accuracy")) >= 0.99
