"""The grokking template: its tables and metrics without torch, its training and its evaluator with it."""

import itertools
import json
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
    refused,
    trained,
)
from torches import values as per_seed

from novum.template import builtin_templates, load_template

FOLDER = builtin_templates()["grokking"]
TASK = ("addition", 11, 0.6, 5)


@pytest.fixture(scope="module")
def tasks() -> ModuleType:
    return module_of("grokking", "tasks.py")


# -- tables and what a run is given ----------------------------------------------------------------------


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


def test_a_composition_is_that_of_the_permutations_themselves(tasks: ModuleType) -> None:
    elements = list(itertools.permutations(range(4)))
    for a, b, c in list(zip(*tasks.table("permutation", 4)[:3], strict=True))[::17]:
        assert elements[c] == tuple(elements[a][i] for i in elements[b])


def test_the_split_depends_on_the_seed_alone(tasks: ModuleType) -> None:
    first, again, other = (tasks.training_mask(100, 0.6, seed) for seed in (1, 1, 2))
    assert first.sum() == 60
    assert (first == again).all()
    assert (first != other).any()


def test_a_run_is_given_the_results_of_the_shown_entries_alone(tasks: ModuleType) -> None:
    """Held-out data: no function that the run calls returns the results of the others."""
    tokens, symbols = tasks.inputs("addition", 11)
    shown, results = tasks.shown(*TASK)
    known = tasks.training_mask(121, 0.6, 5)
    assert tokens.shape == (121, 3)
    assert (tokens[:, 2] == symbols).all()
    assert (shown == tokens[known]).all()
    assert (results == shown[:, :2].sum(axis=1) % 11).all()


def test_the_first_and_the_last_evaluation_keep_their_weights(tasks: ModuleType) -> None:
    assert tasks.kept(3).tolist() == [0, 1, 2]
    assert tasks.kept(81).tolist() == list(range(0, 81, 5))
    assert tasks.kept(202)[[0, -1]].tolist() == [0, 201]


# -- metrics ---------------------------------------------------------------------------------------------


@pytest.fixture
def history(tasks: ModuleType) -> dict[str, Any]:
    """A run that is right about the shown entries from step 10 and about the others from step 40."""
    _, _, result, symbols = tasks.table("addition", 11)
    known = tasks.training_mask(len(result), 0.6, 5)
    steps = np.arange(0, 70, 10)
    predictions = np.repeat(((result + 1) % symbols)[None], len(steps), axis=0)
    predictions[1:, known] = result[known]
    predictions[4:, ~known] = result[~known]
    logits = np.zeros((len(result), symbols))
    logits[np.arange(len(result)), result] = 3.0
    return {"steps": steps, "predictions": predictions, "logits": logits}


def test_metrics_of_a_run_made_by_hand(tasks: ModuleType, history: dict[str, Any]) -> None:
    found = tasks.metrics(*history.values(), *TASK)
    assert found["steps_to_train"] == 10.0
    assert found["steps_to_validation"] == 40.0
    assert found["delay"] == 4.0
    assert found["validation_accuracy"] == 1.0
    assert found["validation_loss"] == pytest.approx(np.log(np.exp(3) + 10) - 3)
    assert found["train_loss"] == pytest.approx(np.log(np.exp(3) + 10) - 3)


def test_a_level_that_is_lost_again_does_not_count(tasks: ModuleType, history: dict[str, Any]) -> None:
    history["predictions"][5] = (history["predictions"][5] + 1) % 11
    assert tasks.metrics(*history.values(), *TASK)["steps_to_validation"] == 60.0


def test_a_level_that_is_never_reached_counts_twice_the_steps(
    tasks: ModuleType, history: dict[str, Any]
) -> None:
    history["predictions"][:, ~tasks.training_mask(121, 0.6, 5)] = 0
    assert tasks.metrics(*history.values(), *TASK)["steps_to_validation"] == 120.0


def test_the_declared_metrics_are_those_of_the_evaluator(tasks: ModuleType, history: dict[str, Any]) -> None:
    assert set(tasks.metrics(*history.values(), *TASK)) == declared("grokking")


def test_another_table_or_split_is_declared_as_other_data() -> None:
    template = load_template("grokking")
    assert "operation" in template.other_data({"operation": "division"})
    assert "train_fraction" in template.other_data({"train_fraction": 0.8})
    assert template.other_data({"weight_decay": 0.5}) == ""
    assert template.other_data({"train_fraction": 0.5}, "full") == ""  # which is the profile's own
    assert "train_fraction" in template.other_data({"train_fraction": 0.7}, "full")


LOADED = "    tokens, shown, results, symbols = load_data(seed, params, device)\n"
SHOWN = "tasks.shown(params.operation, params.modulus, params.train_fraction, seed)"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SHOWN, SHOWN.replace("params.train_fraction", "1.0")),
        (SHOWN, SHOWN.replace("seed", "0")),
        (LOADED, f"{LOADED}    shown, results = tokens, tokens[:, :2].sum(dim=1) % symbols\n"),
        (LOADED, f"{LOADED}    known = torch.tensor(tasks.table(params.operation, params.modulus)[2])\n"),
    ],
)
def test_training_on_entries_that_are_not_shown_is_not_comparable(old: str, new: str) -> None:
    """A deliberate cheat: reading held-out data. The harness sees it in the code; no evaluator can."""
    assert "how the data are made or split" in judged("grokking", old, new)


def test_a_change_of_the_training_is_comparable() -> None:
    assert judged("grokking", "    return params.weight_decay\n", "    return 0.5\n") == ""
    assert judged("grokking", "    warmup = min(1.0,", "    warmup = 0.5 * min(1.0,") == ""
    assert judged("grokking", "betas=(0.9, 0.98)", "betas=(0.9, 0.9)") == ""


# -- training and evaluation -----------------------------------------------------------------------------

SMALL = ("--modulus=7", "--steps=20", "--evaluate_every=10", "--width=16")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(FOLDER, tmp_path_factory.mktemp("grokking") / "run_0", *SMALL, seeds=(0, 1))


@pytest.mark.torch
def test_the_evaluator_counts_parameters_and_tells_seeds_and_data(small: Path) -> None:
    found = evaluated(FOLDER, small)
    width, symbols = 16, 7
    block = 4 * width * width + 2 * (4 * width * width) + 5 * width
    count = (symbols + 1) * width + 3 * width + block + symbols * width
    assert found["parameters"] == [count, count]
    assert found["seeds"] == [0, 1]
    assert found["data"] == {"operation": "addition", "modulus": 7, "train_fraction": 0.7}


@pytest.mark.torch
def test_the_last_attention_of_each_head_is_saved(small: Path) -> None:
    with np.load(small / "outputs.npz", allow_pickle=False) as file:
        attention = file["attention"]
    assert attention.shape == (2, 1, 4, 3)
    assert attention.sum(axis=-1) == pytest.approx(np.ones((2, 1, 4)), abs=1e-5)
    assert attention.min() > 0.0
    assert attention.std() > 1e-3


@pytest.mark.torch
def test_the_evaluation_after_the_last_step_is_made(tmp_path: Path) -> None:
    out = trained(FOLDER, tmp_path / "run_0", *SMALL, "--steps=25")
    with np.load(out / "outputs.npz", allow_pickle=False) as file:
        assert file["steps"].tolist() == [0, 10, 20, 25]
    evaluated(FOLDER, out)


def _one_hot(arrays: dict[str, Any]) -> None:
    """The last predictions are the table itself."""
    left, right = np.divmod(np.arange(49), 7)
    arrays["predictions"][:, -1] = (left + right) % 7


def _early(arrays: dict[str, Any]) -> None:
    """The network knew it all along, says the run."""
    arrays["predictions"][:, 1] = (np.divmod(np.arange(49), 7)[0] + np.arange(49) % 7) % 7


def _fewer_entries(arrays: dict[str, Any]) -> None:
    arrays["predictions"] = arrays["predictions"][:, :, :20]


def _fewer_checkpoints(arrays: dict[str, Any]) -> None:
    arrays |= {name: a[:, :2] for name, a in arrays.items() if name.startswith("weights.")}


def _not_finite(arrays: dict[str, Any]) -> None:
    arrays["weights.positions"] = arrays["weights.positions"] * np.nan


def _repeated_seeds(arrays: dict[str, Any]) -> None:
    arrays["seeds"] = np.zeros_like(arrays["seeds"])


def _pickle(arrays: dict[str, Any]) -> None:
    arrays["weights.extra"] = np.array([{"a": 1}, {"b": 2}], dtype=object)


def _another_network(arrays: dict[str, Any]) -> None:
    arrays["config"] = np.array(json.dumps({"width": 16, "heads": 4, "layers": 2}))


@pytest.mark.torch
@pytest.mark.parametrize(
    ("forged", "told"),
    [
        (_one_hot, "the predictions of step 20 are not those of the weights"),
        (_early, "the predictions of step 10 are not those of the weights"),
        (_fewer_entries, "not one prediction for each entry"),
        (_fewer_checkpoints, "not all weights are there"),
        (_not_finite, "finite numbers"),
        (_repeated_seeds, "seeds repeat"),
        (copy_first_seed, "the seed is not used"),
        (_pickle, "allow_pickle=False"),
        (_another_network, "Missing key"),
    ],
)
def test_forged_outputs_are_refused(small: Path, tmp_path: Path, forged: Any, told: str) -> None:
    """A deliberate cheat: outputs that no run can have."""
    assert told in refused(FOLDER, changed(small, tmp_path / "out", forged))


@pytest.mark.torch
def test_what_a_run_says_of_itself_is_overwritten(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: a forged final_info.json, and a number of parameters by the run's own word."""
    out = changed(small, tmp_path, lambda arrays: arrays.update(parameters=np.array([1, 1])))
    (out / "final_info.json").write_text('{"addition": {"means": {"delay": 0}}}')
    assert evaluated(FOLDER, out) == evaluated(FOLDER, small)


@pytest.mark.torch
def test_a_metric_replaced_at_run_time_changes_nothing(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: code of the run replaces what measures, in its own process."""
    cheat = (
        "import network\nimport tasks\n",
        "import network\nimport tasks\ntasks.first_to_stay = lambda steps, accuracy: 1.0\n",
    )
    code = copy_of("grokking", tmp_path / "code", experiment=cheat)
    cheating = evaluated(FOLDER, trained(code, tmp_path / "run_1", *SMALL, seeds=(0, 1)))
    assert cheating["values"] == evaluated(FOLDER, small)["values"]


@pytest.mark.torch
def test_a_network_replaced_at_run_time_is_refused(tmp_path: Path) -> None:
    """A deliberate cheat: the run's own network writes the table down instead of learning it."""
    cheat = (
        "import network\nimport tasks\n",
        "import network\nimport tasks\n"
        "network.predict = lambda model, tokens: np.eye(7)[tokens[:, :2].sum(dim=1).numpy() % 7]\n",
    )
    code = copy_of("grokking", tmp_path / "code", experiment=cheat)
    assert "not those of the weights" in refused(FOLDER, trained(code, tmp_path / "run_1", *SMALL))


@pytest.mark.torch
def test_training_one_network_under_every_seed_is_refused(tmp_path: Path) -> None:
    """A deliberate cheat, and an accident: the seed is not used, so that three seeds are one (failures B S6)."""
    cheat = ("train(seed, params, device, series)", "train(0, params, device, series)")
    code = copy_of("grokking", tmp_path / "code")
    script = code / "experiment.py"
    script.write_text(
        script.read_text().replace(f"trained.append({cheat[0]})", f"trained.append({cheat[1]})")
    )
    out = trained(code, tmp_path / "run_1", *SMALL, seeds=(0, 1))
    assert "the seed is not used" in refused(FOLDER, out)


@pytest.mark.torch
def test_a_larger_network_is_counted(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: more parameters."""
    out = trained(FOLDER, tmp_path / "run_1", *SMALL, "--width=32")
    more, less = (parameters(evaluated(FOLDER, run)) for run in (out, small))
    assert more[0] > 2 * less[0]


@pytest.mark.torch
def test_a_network_of_two_layers_is_trained_and_rebuilt(small: Path, tmp_path: Path) -> None:
    out = trained(FOLDER, tmp_path / "run_1", *SMALL, "--layers=2")
    assert parameters(evaluated(FOLDER, out))[0] > parameters(evaluated(FOLDER, small))[0]
    with np.load(out / "outputs.npz") as file:
        attention = file["attention"]
    assert attention.shape[1] == 2
    assert np.allclose(attention.sum(axis=-1), 1.0, atol=1e-5)


@pytest.mark.torch
def test_a_change_that_draws_from_other_sources_of_chance_repeats(tmp_path: Path) -> None:
    """Every random source is seeded: an edit may use `random` or numpy's global state."""
    noisy = (
        "            nn.init.normal_(weights, std=params.init_scale * weights.shape[-1] ** -0.5)",
        "            nn.init.normal_(weights, std=random.random() + np.random.rand())",
    )
    code = copy_of("grokking", tmp_path / "code", experiment=noisy)
    first, again = (trained(code, tmp_path / name, *SMALL, seeds=(3,)) for name in ("run_0", "run_1"))
    with np.load(first / "outputs.npz") as one, np.load(again / "outputs.npz") as other:
        assert (one["weights.positions"] == other["weights.positions"]).all()
        assert (one["weights.tokens.weight"] == other["weights.tokens.weight"]).all()


@pytest.mark.torch
def test_the_network_learns_late_in_every_seed(tmp_path: Path) -> None:
    """Validation reaches 99% at four times the step at which training does, or later, and stays."""
    profile = load_template("grokking").profile("quick").arguments
    arguments = [f"--{name}={value}" for name, value in profile.items()]
    found = evaluated(FOLDER, trained(FOLDER, tmp_path / "run_0", *arguments, seeds=(0, 1, 2)))
    assert max(per_seed(found, "steps_to_validation")) < int(profile["steps"])
    assert min(per_seed(found, "delay")) >= 4.0
    assert min(per_seed(found, "validation_accuracy")) >= 0.99
