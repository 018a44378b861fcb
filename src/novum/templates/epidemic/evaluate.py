"""The metrics of a run, computed from its saved outputs. Protected: a study cannot change this file.

    python evaluate.py --out_dir run_0

reads `outputs.npz` (no pickles) and writes `final_info.json`. Outputs that no epidemic can have (people that
appear or vanish, counts below zero, somebody susceptible again) are refused, and seeds that are copies of each other.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np

DATASET = "town"
STATES = ("susceptible", "exposed", "infectious", "removed", "vaccinated")
ELDERS = 2


def load_outputs(out_dir):
    """The arrays of `outputs.npz`: seeds [seed], states [seed, day, group], contact_multiplier [seed, day]."""
    with np.load(Path(out_dir) / "outputs.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def check_outputs(outputs):
    """Raise ValueError when the outputs are not those of a closed town."""
    states = np.stack([outputs[name] for name in STATES])
    if not np.issubdtype(states.dtype, np.integer):
        raise ValueError("the states must be whole numbers of people")
    if (states < 0).any():
        raise ValueError("a state has fewer than zero people")
    people = states.sum(axis=0)
    if (people != people[:, :1, :]).any():
        raise ValueError("the number of people in a group changes over time")
    if len(set(people[:, 0].sum(axis=1).tolist())) > 1:
        raise ValueError("the seeds have towns of different size")
    if len({states[:, index].tobytes() for index in range(states.shape[1])}) < states.shape[1]:
        raise ValueError("two seeds have the same epidemic: the seed is not used")
    if (np.diff(outputs["susceptible"], axis=1) > 0).any():
        raise ValueError("people become susceptible again")
    lost = -np.diff(outputs["susceptible"] + outputs["vaccinated"], axis=1)
    if (lost != outputs["new_infections"]).any():
        raise ValueError("the new infections are not the people who left the susceptible state")
    multiplier = outputs["contact_multiplier"]
    if not (np.isfinite(multiplier).all() and (multiplier >= 0).all() and (multiplier <= 1).all()):
        raise ValueError("the contact multiplier leaves the range from 0 to 1")


def metrics(outputs):
    """The value of each metric for each seed: {name: [one per seed]}."""
    infectious = outputs["infectious"].sum(axis=2)
    people = sum(outputs[name][:, 0, :] for name in STATES)
    # Infected at the start, or later.
    ever = outputs["exposed"][:, 0, :] + outputs["infectious"][:, 0, :] + outputs["new_infections"].sum(axis=1)
    values = {
        "peak_infected": infectious.max(axis=1),
        "peak_day": infectious.argmax(axis=1),
        "attack_rate": ever.sum(axis=1) / people.sum(axis=1),
        "elder_attack_rate": ever[:, ELDERS] / people[:, ELDERS],
        "contact_loss": (1.0 - outputs["contact_multiplier"]).sum(axis=1),
    }
    return {name: [float(v) for v in array] for name, array in values.items()}


def standard_error(values):
    """Standard deviation (with n - 1) over the square root of n; needs two values or more."""
    return float(np.std(values, ddof=1)) / math.sqrt(len(values))


def write_final_info(out_dir):
    """Read the outputs in `out_dir`, check them, and write `final_info.json` there."""
    outputs = load_outputs(out_dir)
    check_outputs(outputs)
    values = metrics(outputs)
    town = sum(outputs[name][0, 0].sum() for name in STATES)
    info = {
        "means": {name: float(np.mean(v)) for name, v in values.items()},
        "stderrs": {name: standard_error(v) for name, v in values.items() if len(v) > 1},
        "final_info_dict": values,
        "values": values,
        "seeds": outputs["seeds"].tolist(),
        "data": {"population": int(town), "days": outputs["infectious"].shape[1] - 1},
    }
    (Path(out_dir) / "final_info.json").write_text(json.dumps({DATASET: info}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out_dir", type=Path, required=True)
    write_final_info(parser.parse_args().out_dir)
