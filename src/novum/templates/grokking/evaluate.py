"""The metrics of a run, computed from its saved predictions. Protected: a study cannot change this file.

    python evaluate.py --out_dir run_0

The table and the split are made anew from the arguments and the seed, so predictions are all that counts. A step
to 99% is the first evaluation with that accuracy after which it never falls below 94% again (networks trained so
have short dips); a run that never gets there counts with twice its number of steps.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np

import tasks

LEVEL = 0.99
DIP = 0.05


def load_outputs(out_dir):
    """The arrays of `outputs.npz`; no pickles."""
    with np.load(Path(out_dir) / "outputs.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def first_to_stay(steps, accuracy):
    """The first step at which the accuracy is LEVEL and never falls below LEVEL - DIP again."""
    for position, step in enumerate(steps):
        if accuracy[position] >= LEVEL and (accuracy[position:] >= LEVEL - DIP).all():
            return float(step)
    return 2.0 * float(steps[-1])


def evaluate_seed(seed, predictions, logits, outputs):
    """The metrics of one seed."""
    _, _, result, symbols = tasks.table(str(outputs["operation"]), int(outputs["modulus"]))
    known = tasks.training_mask(len(result), float(outputs["train_fraction"]), int(seed))
    steps = outputs["steps"]
    if predictions.shape != (len(steps), len(result)) or logits.shape != (len(result), symbols):
        raise ValueError("the predictions are not one for each entry of the table and each evaluation")
    if not np.isfinite(logits).all():
        raise ValueError("the logits are not finite")
    if (logits.argmax(axis=1) != predictions[-1]).mean() > 0.001:
        raise ValueError("the last predictions are not those of the last logits")
    right = predictions == result
    shifted = logits.astype(float) - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(result)), result]
    steps_train = first_to_stay(steps, right[:, known].mean(axis=1))
    steps_validation = first_to_stay(steps, right[:, ~known].mean(axis=1))
    return {
        "steps_to_train": steps_train,
        "steps_to_validation": steps_validation,
        "delay": steps_validation / max(steps_train, 1.0),
        "validation_accuracy": float(right[-1, ~known].mean()),
        "validation_loss": float(losses[~known].mean()),
        "train_loss": float(losses[known].mean()),
    }


def write_final_info(out_dir):
    """Read the outputs in `out_dir` and write `final_info.json` there."""
    outputs = load_outputs(out_dir)
    if len(set(outputs["seeds"].tolist())) != len(outputs["seeds"]) or (np.diff(outputs["steps"]) <= 0).any():
        raise ValueError("seeds repeat, or evaluations are not in order")
    rows = [
        evaluate_seed(seed, predictions, logits, outputs)
        for seed, predictions, logits in zip(
            outputs["seeds"], outputs["predictions"], outputs["logits"], strict=True
        )
    ]
    values = {name: [row[name] for row in rows] for name in rows[0]}
    n = len(rows)
    parameters = sum(a[0].size for name, a in outputs.items() if name.startswith("weights."))
    info = {
        "means": {name: float(np.mean(v)) for name, v in values.items()},
        "stderrs": {name: float(np.std(v, ddof=1)) / math.sqrt(n) for name, v in values.items() if n > 1},
        "final_info_dict": values,
        "values": values,
        "seeds": outputs["seeds"].tolist(),
        "parameters": [parameters] * n,
    }
    (Path(out_dir) / "final_info.json").write_text(json.dumps({str(outputs["operation"]): info}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out_dir", type=Path, required=True)
    write_final_info(parser.parse_args().out_dir)
