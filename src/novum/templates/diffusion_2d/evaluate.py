"""The metrics of a run, computed from its checkpoint. Protected: a study cannot change this file.

    python evaluate.py --out_dir run_0

The networks are rebuilt from `checkpoint.npz` (no pickles), points are drawn from them here, and compared with points
that were held out; so a run can hand in nothing but weights and the coefficients of its sampler. The held-out points,
and the noise from which points are drawn, follow from a digest of these: nobody knows them before they are final.
"""

import argparse
import hashlib
import json
import math
import time
from pathlib import Path

import numpy as np
import torch

import estimator
import network
import points

COUNT = 3000
CONFIG = {"width", "layers", "frequencies", "highest_frequency", "activation"}


def load_checkpoint(out_dir):
    """The arrays of `checkpoint.npz`, checked: finite numbers, one row for each seed."""
    with np.load(Path(out_dir) / "checkpoint.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    seeds = arrays["seeds"].tolist()
    if len(set(seeds)) != len(seeds) or not seeds:
        raise ValueError("seeds repeat, or there are none")
    for name, array in arrays.items():
        if name != "config" and (len(array) != len(seeds) or not np.isfinite(array).all()):
            raise ValueError(f"{name} has not one row of finite numbers for each seed")
    if len({digest(arrays, index, ("weights.",)) for index in range(len(seeds))}) < len(seeds):
        raise ValueError("two seeds have the same networks: the seed is not used")
    if arrays["coefficients"].shape[1] != 3 or not 1 <= arrays["coefficients"].shape[2] <= 10_000:
        raise ValueError("coefficients must be three numbers for each of 1 to 10,000 steps")
    return arrays


def digest(arrays, index, parts=("weights.", "coefficients")):
    """A whole number that follows from what a seed handed in, and from nothing else."""
    named = sorted((name, a[index]) for name, a in arrays.items() if name.startswith(parts))
    joined = b"".join(np.ascontiguousarray(array, dtype=np.float32).tobytes() for _, array in named)
    return int.from_bytes(hashlib.sha256(joined).digest()[:7])  # a seed that torch takes has fewer than 64 bits


def rebuild(arrays, index, device):
    """The networks of one seed."""
    config = json.loads(str(arrays["config"]))
    if config.keys() != CONFIG:
        raise ValueError(f"config must have {', '.join(sorted(CONFIG))}")
    denoisers = network.Denoisers(sets=len(points.SETS), **config)
    weights = {name[8:]: torch.tensor(a[index]) for name, a in arrays.items() if name.startswith("weights.")}
    denoisers.load_state_dict(weights, strict=True)
    return denoisers.to(device).eval()


def evaluate_seed(arrays, index, device):
    """The metrics of one seed, and its number of parameters."""
    chance = digest(arrays, index)
    denoisers = rebuild(arrays, index, device)
    coefficients = torch.tensor(arrays["coefficients"][index])
    start = time.perf_counter()
    generator = torch.Generator().manual_seed(chance)
    samples = network.sample(denoisers, coefficients, len(points.SETS), COUNT, generator).cpu().double().numpy()
    seconds = time.perf_counter() - start
    if not np.isfinite(samples).all():
        raise ValueError(f"seed {arrays['seeds'][index]} draws points that are not finite")
    held_out = points.draw(COUNT, chance, points.HELD_OUT)
    divergences = [estimator.kl_divergence(x, y) for x, y in zip(held_out, samples, strict=True)]
    values = {"kl": float(np.mean(divergences))}
    values |= {f"kl_{name}": value for name, value in zip(points.SETS, divergences, strict=True)}
    values["sampling_seconds"] = seconds
    values["training_seconds"] = float(arrays["training_seconds"][index])
    return values, sum(w.numel() for w in denoisers.parameters())


def write_final_info(out_dir):
    """Read the checkpoint in `out_dir` and write `final_info.json` there."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    arrays = load_checkpoint(out_dir)
    rows, parameters = zip(*(evaluate_seed(arrays, n, device) for n in range(len(arrays["seeds"]))), strict=True)
    values = {name: [row[name] for row in rows] for name in rows[0]}
    n = len(rows)
    info = {
        "means": {name: float(np.mean(v)) for name, v in values.items()},
        "stderrs": {name: float(np.std(v, ddof=1)) / math.sqrt(n) for name, v in values.items() if n > 1},
        "final_info_dict": values,
        "values": values,
        "seeds": arrays["seeds"].tolist(),
        "parameters": list(parameters),
        "data": {"sets": list(points.SETS), "held_out_points": COUNT},
    }
    (Path(out_dir) / "final_info.json").write_text(json.dumps({"points": info}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out_dir", type=Path, required=True)
    write_final_info(parser.parse_args().out_dir)
