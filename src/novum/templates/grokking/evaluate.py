"""The metrics of a run, computed from its outputs. Protected: a study cannot change this file.

    python evaluate.py --out_dir run_0

`outputs.npz` (no pickles) holds the predictions for all entries at every evaluation, and the weights at some of them, the
last included. The network is rebuilt from these weights and predicts here: outputs whose predictions are others are
refused, and parameters are counted where they are used. The table and the split are made anew from the seed. A step
to 99% is the first evaluation with that accuracy after which it never falls below 94% again (networks trained so
have short dips); a run that never gets there counts with twice its number of steps.
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import torch

import network
import tasks

COMMON = {"operation", "modulus", "train_fraction", "steps", "config"}
CONFIG = {"width", "heads", "layers"}
TOLERANCE = 0.01  # of the predictions: another machine may decide a near tie otherwise


def load_outputs(out_dir):
    """The arrays of `outputs.npz`, checked: finite numbers, one row for each seed, each seed with weights of its own."""
    with np.load(Path(out_dir) / "outputs.npz", allow_pickle=False) as file:
        outputs = {name: file[name] for name in file.files}
    seeds = outputs["seeds"].tolist()
    if len(set(seeds)) != len(seeds) or not seeds:
        raise ValueError("seeds repeat, or there are none")
    for name, array in outputs.items():
        if name not in COMMON and (len(array) != len(seeds) or not np.isfinite(array).all()):
            raise ValueError(f"{name} has not one row of finite numbers for each seed")
    if len({digest(outputs, index) for index in range(len(seeds))}) < len(seeds):
        raise ValueError("two seeds have the same weights: the seed is not used")
    if (np.diff(outputs["steps"]) <= 0).any():
        raise ValueError("the evaluations are not in order")
    return outputs


def digest(outputs, index):
    """What tells the weights of one seed from all others."""
    named = sorted((name, a[index]) for name, a in outputs.items() if name.startswith("weights."))
    return hashlib.sha256(b"".join(array.tobytes() for _, array in named)).digest()


def rebuild(outputs, index, row, symbols):
    """The network of one seed with the weights that it saved as number `row`."""
    config = json.loads(str(outputs["config"]))
    if config.keys() != CONFIG:
        raise ValueError(f"config must have {', '.join(sorted(CONFIG))}")
    model = network.Transformer(symbols, **config)
    weights = {name[8:]: torch.tensor(a[index, row]) for name, a in outputs.items() if name.startswith("weights.")}
    model.load_state_dict(weights, strict=True)
    return model.eval()


def evaluate_seed(outputs, index, task):
    """The metrics of one seed, and its number of parameters."""
    steps, predictions = outputs["steps"], outputs["predictions"][index].copy()
    inputs, symbols = tasks.inputs(*task[:2])
    tokens, kept = torch.tensor(inputs), tasks.kept(len(steps))
    saved = {a.shape[1] for name, a in outputs.items() if name.startswith("weights.")}
    if predictions.shape != (len(steps), len(tokens)) or saved != {len(kept)}:
        raise ValueError("there is not one prediction for each entry and evaluation, or not all weights are there")
    for row, evaluation in enumerate(kept):
        model = rebuild(outputs, index, row, symbols)
        logits = network.predict(model, tokens)
        found = logits.argmax(axis=1)
        if not np.isfinite(logits).all() or (found != predictions[evaluation]).mean() > TOLERANCE:
            raise ValueError(f"the predictions of step {steps[evaluation]} are not those of the weights at that step")
        predictions[evaluation] = found
    metrics = tasks.metrics(steps, predictions, logits, *task, int(outputs["seeds"][index]))
    return metrics, sum(w.numel() for w in model.parameters())


def write_final_info(out_dir):
    """Read the outputs in `out_dir` and write `final_info.json` there."""
    outputs = load_outputs(out_dir)
    task = str(outputs["operation"]), int(outputs["modulus"]), float(outputs["train_fraction"])
    n = len(outputs["seeds"])
    rows, parameters = zip(*(evaluate_seed(outputs, index, task) for index in range(n)), strict=True)
    values = {name: [row[name] for row in rows] for name in rows[0]}
    info = {
        "means": {name: float(np.mean(v)) for name, v in values.items()},
        "stderrs": {name: float(np.std(v, ddof=1)) / math.sqrt(n) for name, v in values.items() if n > 1},
        "final_info_dict": values,
        "values": values,
        "seeds": outputs["seeds"].tolist(),
        "parameters": list(parameters),
        "data": dict(zip(("operation", "modulus", "train_fraction"), task, strict=True)),
    }
    (Path(out_dir) / "final_info.json").write_text(json.dumps({task[0]: info}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out_dir", type=Path, required=True)
    write_final_info(parser.parse_args().out_dir)
