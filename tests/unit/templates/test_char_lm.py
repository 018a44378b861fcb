"""The language model template: its texts and its trigram model without torch, its training and evaluator with it."""

import hashlib
import json
import os
import re
from pathlib import Path
from types import ModuleType

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

from novum.template import builtin_templates, load_template

FOLDER = builtin_templates()["char_lm"]
DATA = Path(
    os.environ.get("NOVUM_TEST_DATA", Path(__file__).resolve().parents[3] / ".." / "shared" / "data")
).resolve()
SMALL = ("--steps=20", "--width=16", "--layers=1", "--batch_size=8", "--record_every=10")


@pytest.fixture(scope="module")
def texts() -> ModuleType:
    return module_of("char_lm", "texts.py")


@pytest.fixture(scope="module")
def trigram() -> ModuleType:
    return module_of("char_lm", "trigram.py")


# -- texts -----------------------------------------------------------------------------------------------


def test_the_documentation_of_python_is_there_and_is_the_same_twice(texts: ModuleType) -> None:
    training, held_out = texts.docstrings()
    assert len(training) > 500_000
    assert 0.02 < len(held_out) / len(training) < 0.3
    assert (training, held_out) == texts.docstrings()
    assert b"def " in training or b"Return" in training
    assert max(training) < 128


def test_no_documentation_string_is_in_both_parts(texts: ModuleType) -> None:
    """Held-out text was not trained on."""
    training, held_out = texts.docstrings()
    long = [part for part in held_out.split(b"\n\n") if len(part) > 300]
    assert len(long) > 20
    # Paragraphs that authors copied into longer strings are few; whole strings are none.
    assert sum(part in training for part in long) < 0.05 * len(long)


def test_the_record_says_which_python(texts: ModuleType) -> None:
    record = texts.record("docstrings", b"abc")
    assert re.fullmatch(r"3\.\d+\.\d+.*", record["python"])
    assert record["sha256"] == hashlib.sha256(b"abc").hexdigest()
    assert texts.record("text8", b"abc")["python"] == ""


def test_bytes_that_training_has_not_are_the_unknown_symbol(texts: ModuleType) -> None:
    count, table = texts.symbols(b"banana")
    assert count == 4
    assert texts.encode(b"nab?", table).tolist() == [3, 1, 2, 0]


def test_a_text_that_is_missing_says_how_to_get_it(
    texts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVUM_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"python texts.py enwik8 FOLDER.*NOVUM_DATA"):
        texts.read("enwik8")


def test_another_text_under_the_name_is_refused(
    texts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVUM_DATA", str(tmp_path))
    (tmp_path / "text8").write_bytes(b" anarchism")
    with pytest.raises(ValueError, match="another text"):
        texts.read("text8")


def test_shakespeare_is_read_from_a_folder(
    texts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = DATA / "datasets" / "tinyshakespeare.txt"
    if not source.is_file():
        pytest.skip(f"there is no {source} (NOVUM_TEST_DATA names the folder)")
    monkeypatch.setenv("NOVUM_DATA", str(tmp_path))
    (tmp_path / "shakespeare_char").write_bytes(source.read_bytes())
    training, held_out = texts.read("shakespeare_char")
    assert (len(training), len(held_out)) == (1_115_394 - 111_540, 111_540)
    assert texts.symbols(training)[0] == 66


# -- the trigram model -----------------------------------------------------------------------------------


def test_probabilities_of_the_trigram_model_sum_to_one(trigram: ModuleType) -> None:
    probability = trigram.fit(np.random.default_rng(0).integers(0, 5, 400), 5)
    assert probability.shape == (5, 5, 5)
    assert probability.sum(axis=2) == pytest.approx(np.ones((5, 5)))
    assert probability.min() > 0.0


def test_the_trigram_model_learns_what_two_characters_tell(trigram: ModuleType) -> None:
    """In 0 1 2 0 1 2 the next is certain; among four that are drawn evenly it takes two bits."""
    order = np.tile([0, 1, 2], 3000)
    assert trigram.bits_per_character(trigram.fit(order, 3), order) < 0.01
    even = np.random.default_rng(0).integers(0, 4, (2, 40_000))
    assert trigram.bits_per_character(trigram.fit(even[0], 4), even[1]) == pytest.approx(2.0, abs=0.02)


GIVEN = "    learned, symbols, record = texts.for_training(params.text)\n"
BOTH = "texts.encode(b''.join(texts.read(params.text)), texts.symbols(texts.read(params.text)[0])[1])"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (GIVEN, f"{GIVEN}    learned = {BOTH}\n"),
        (GIVEN, GIVEN.replace("for_training", "read")),
        (
            GIVEN,
            f"{GIVEN}    learned = np.concatenate([learned, np.fromfile('/somewhere', dtype=np.uint8)])\n",
        ),
    ],
)
def test_training_on_the_held_out_text_too_is_not_comparable(old: str, new: str) -> None:
    """A deliberate cheat: reading held-out data beside the other. The evaluator would see only a gap near zero."""
    assert "how the data are made or split" in judged("char_lm", old, new)


def test_a_change_of_the_training_is_comparable() -> None:
    assert judged("char_lm", "    return params.context\n", "    return params.context // 2\n") == ""
    assert judged("char_lm", "1.0 - step / params.steps)", "1.0)") == ""
    assert judged("char_lm", "betas=(0.9, 0.98)", "betas=(0.9, 0.9)") == ""


# -- training and evaluation -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(FOLDER, tmp_path_factory.mktemp("char_lm") / "run_0", *SMALL, seeds=(0, 1))


@pytest.mark.torch
def test_the_declared_metrics_and_the_parameters_are_the_evaluators(small: Path) -> None:
    found = evaluated(FOLDER, small)
    assert set(table(found)) == declared("char_lm")
    with np.load(small / "checkpoint.npz", allow_pickle=False) as file:
        count = sum(file[name][0].size for name in file.files if name.startswith("weights."))
    assert found["parameters"] == [count, count]


@pytest.mark.torch
def test_the_same_seed_gives_the_same_network(small: Path, tmp_path: Path) -> None:
    again = trained(FOLDER, tmp_path / "run_0", *SMALL, seeds=(1,))
    first, second = (np.load(folder / "checkpoint.npz") for folder in (small, again))
    assert (first["weights.logits.weight"][1] == second["weights.logits.weight"][0]).all()


@pytest.mark.torch
def test_a_network_that_sees_its_future_is_refused(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: an attention mask through which a position sees what comes after it."""
    code = copy_of("char_lm", tmp_path / "code", network=("is_causal=True", "is_causal=False"))
    out = trained(code, tmp_path / "run_1", *SMALL)
    done = program(code, "evaluate.py", f"--out_dir={out}")
    assert done.returncode != 0
    assert "change with the characters after them" in done.stderr
    assert not (out / "final_info.json").exists()


@pytest.mark.torch
def test_seeing_the_future_in_training_alone_does_not_pay(tmp_path: Path) -> None:
    """A deliberate cheat: the run trains on windows that hold the answer; the evaluator's do not."""
    cheat = ("model(windows[:, :-1])", "model(windows[:, 1:])")
    code = copy_of("char_lm", tmp_path / "code", experiment=cheat)
    longer = [*(a for a in SMALL if "steps" not in a), "--steps=100", "--learning_rate=0.03"]
    out = trained(code, tmp_path / "run_1", *longer)
    last = json.loads((out / "series.jsonl").read_text().splitlines()[-1])
    assert last["value"] < 2.0
    assert values(evaluated(FOLDER, out), "gain_over_trigram")[0] < -1.0


@pytest.mark.torch
def test_training_on_the_held_out_text_is_seen(tmp_path: Path) -> None:
    """A deliberate cheat: reading held-out data, and learning it instead of the text for training."""
    cheat = (
        "    learned, symbols, record = texts.for_training(params.text)\n",
        "    learned, symbols, record = texts.for_training(params.text)\n"
        "    training, held_out = texts.read(params.text)\n"
        "    learned = texts.encode(held_out[:40_000], texts.symbols(training)[1])\n",
    )
    code = copy_of("char_lm", tmp_path / "code", experiment=cheat)
    arguments = ["--steps=300", "--width=64", "--layers=1", "--batch_size=32"]
    done = program(FOLDER, "evaluate.py", f"--out_dir={trained(code, tmp_path / 'run_1', *arguments)}")
    assert done.returncode != 0
    assert "it has seen it" in done.stderr


@pytest.mark.torch
def test_the_evaluator_tells_seeds_and_data(small: Path, texts: ModuleType) -> None:
    found = evaluated(FOLDER, small)
    data = found["data"]
    assert found["seeds"] == [0, 1]
    assert isinstance(data, dict)
    assert data["text"] == "docstrings"
    assert re.fullmatch("[0-9a-f]{64}", data["sha256"])


@pytest.mark.torch
def test_what_a_run_says_of_itself_is_overwritten(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: a forged final_info.json."""
    out = changed(small, tmp_path, lambda arrays: None)
    (out / "final_info.json").write_text('{"docstrings": {"means": {"bits_per_character": 0.0}}}')
    assert evaluated(FOLDER, out) == evaluated(FOLDER, small)


@pytest.mark.torch
def test_a_metric_replaced_at_run_time_changes_nothing(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: code of the run replaces the evaluator's functions in its own process."""
    cheat = (
        "import network\nimport texts\n",
        "import network\nimport texts\nimport evaluate\nevaluate.bits_per_character = lambda *_: 0.0\n",
    )
    code = copy_of("char_lm", tmp_path / "code", experiment=cheat)
    out = trained(code, tmp_path / "run_1", *SMALL, seeds=(0, 1))
    for metric in ("bits_per_character", "generalisation_gap"):
        assert values(evaluated(FOLDER, out), metric) == values(evaluated(FOLDER, small), metric)


@pytest.mark.torch
def test_a_larger_network_is_counted(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat: more parameters."""
    out = trained(FOLDER, tmp_path / "run_1", *SMALL, "--width=32")
    more, less = (parameters(evaluated(FOLDER, run)) for run in (out, small))
    assert more[0] > 1.9 * less[0]


@pytest.mark.torch
def test_training_one_network_under_every_seed_is_refused(small: Path, tmp_path: Path) -> None:
    """A deliberate cheat, and an accident: the seed is not used, so that three seeds are one (failures B S6)."""
    assert "the seed is not used" in refused(FOLDER, changed(small, tmp_path, copy_first_seed))


@pytest.mark.torch
def test_a_change_that_draws_from_other_sources_of_chance_repeats(tmp_path: Path) -> None:
    """Every random source is seeded: an edit may use `random` or numpy's global state."""
    noisy = ("    return params.context\n", "    return random.randint(2, 9) + np.random.randint(9)\n")
    code = copy_of("char_lm", tmp_path / "code", experiment=noisy)
    first, again = (trained(code, tmp_path / name, *SMALL, seeds=(3,)) for name in ("run_0", "run_1"))
    with np.load(first / "checkpoint.npz") as one, np.load(again / "checkpoint.npz") as other:
        assert (one["weights.logits.weight"] == other["weights.logits.weight"]).all()


@pytest.mark.torch
@pytest.mark.parametrize("forged", ["nan", "another width", "repeated seeds", "pickle", "another text"])
def test_forged_checkpoints_are_refused(small: Path, tmp_path: Path, forged: str) -> None:
    """A deliberate cheat: a checkpoint that no run can have made."""
    with np.load(small / "checkpoint.npz") as file:
        arrays = {name: file[name] for name in file.files}
    if forged == "nan":
        arrays["weights.places"] = arrays["weights.places"] * np.nan
    elif forged == "another width":
        arrays["weights.logits.weight"] = arrays["weights.logits.weight"][:, :, :8]
    elif forged == "repeated seeds":
        arrays["seeds"] = np.zeros_like(arrays["seeds"])
    elif forged == "pickle":
        arrays["weights.extra"] = np.array([{"a": 1}, {"b": 2}], dtype=object)
    else:
        arrays["text"] = np.array(str(arrays["text"]).replace('"characters": ', '"characters": 1'))
    np.savez(tmp_path / "checkpoint.npz", **arrays)
    assert program(FOLDER, "evaluate.py", f"--out_dir={tmp_path}").returncode != 0
    assert not (tmp_path / "final_info.json").exists()


@pytest.mark.torch
def test_the_quick_training_beats_a_trigram_model(tmp_path: Path) -> None:
    profile = load_template("char_lm").profile("quick").arguments
    arguments = [f"--{name}={value}" for name, value in profile.items()]
    found = evaluated(FOLDER, trained(FOLDER, tmp_path / "run_0", *arguments, seeds=(0, 1, 2)))
    assert min(values(found, "gain_over_trigram")) > 0.0


@pytest.mark.torch
def test_shakespeare_trains_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = DATA / "datasets" / "tinyshakespeare.txt"
    if not source.is_file():
        pytest.skip(f"there is no {source} (NOVUM_TEST_DATA names the folder)")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shakespeare_char").write_bytes(source.read_bytes())
    monkeypatch.setenv("NOVUM_DATA", str(tmp_path / "data"))
    out = trained(FOLDER, tmp_path / "run_0", *SMALL, "--text=shakespeare_char")
    assert 1.0 < values(evaluated(FOLDER, out), "bits_per_character")[0] < 8.0
