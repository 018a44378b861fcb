"""The metrics of a run, computed from its checkpoint. Protected: a study cannot change this file.

    python evaluate.py --out_dir run_0

The network is rebuilt from `checkpoint.npz` (no pickles) and predicts held-out text here. A network whose predictions
change with characters that come later is refused, and so is one that fits the held-out text better than the text it
was to learn from (allowing for how hard a trigram model finds each).
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

import network
import texts
import trigram

CONFIG = {"context", "width", "layers", "heads", "lookback", "activation", "dropout"}
PROBES, PROBE = 16, 4096
LEAST_GAP = -0.15
BATCH = 16_384


def load_checkpoint(out_dir):
    """The arrays of `checkpoint.npz`, checked: finite numbers, one row for each seed, each seed with a network of its own."""
    with np.load(Path(out_dir) / "checkpoint.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    seeds = arrays["seeds"].tolist()
    if len(set(seeds)) != len(seeds) or not seeds:
        raise ValueError("seeds repeat, or there are none")
    for name, array in arrays.items():
        if name not in ("config", "text") and (len(array) != len(seeds) or not np.isfinite(array).all()):
            raise ValueError(f"{name} has not one row of finite numbers for each seed")
    if len({digest(arrays, index) for index in range(len(seeds))}) < len(seeds):
        raise ValueError("two seeds have the same network: the seed is not used")
    return arrays


def digest(arrays, index):
    """What tells the network of one seed from all others."""
    named = sorted((name, a[index]) for name, a in arrays.items() if name.startswith("weights."))
    return hashlib.sha256(b"".join(array.tobytes() for _, array in named)).digest()


def rebuild(arrays, index, symbols, device):
    """The network of one seed."""
    config = json.loads(str(arrays["config"]))
    if config.keys() != CONFIG:
        raise ValueError(f"config must have {', '.join(sorted(CONFIG))}")
    model = network.GPT(symbols=symbols, **config)
    weights = {name[8:]: torch.tensor(a[index]) for name, a in arrays.items() if name.startswith("weights.")}
    model.load_state_dict(weights, strict=True)
    return model.to(device).eval()


@torch.no_grad()
def check_causality(model, text, symbols, context):
    """Raise ValueError when a prediction changes with the characters after it."""
    generator = torch.Generator().manual_seed(0)
    starts = torch.randint(len(text) - context, (8, 1), generator=generator)
    tokens = text[starts + torch.arange(context)].long()
    before = model(tokens)
    for cut in torch.randint(1, context, (8,), generator=generator).tolist():
        changed = tokens.clone()
        changed[:, cut:] = torch.randint(symbols, changed[:, cut:].shape, generator=generator).to(tokens.device)
        if not torch.allclose(model(changed)[:, :cut], before[:, :cut], rtol=1e-3, atol=1e-2):
            raise ValueError(f"predictions for the first {cut} characters change with the characters after them")


@torch.no_grad()
def bits_per_character(model, text, context):
    """Mean of -log2 of the probability of each character; each has at least half a context before it."""
    half = max(1, context // 2)
    starts = torch.arange(0, len(text) - context, half)
    total, count = 0.0, 0
    for part in starts.split(max(1, BATCH // context)):
        windows = text[part[:, None] + torch.arange(context + 1)].long()
        logits = model(windows[:, :-1]).float()
        losses = functional.cross_entropy(logits.transpose(1, 2), windows[:, 1:], reduction="none")
        scored = losses[:, context - half :]
        total, count = total + scored.sum().item(), count + scored.numel()
    return total / count / math.log(2.0)


def write_final_info(out_dir):
    """Read the checkpoint in `out_dir` and write `final_info.json` there."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    arrays = load_checkpoint(out_dir)
    record = json.loads(str(arrays["text"]))
    training, held_out = texts.read(record["text"])
    if record != texts.record(record["text"], training):
        raise ValueError(f"the checkpoint was trained on another text: {record}")
    symbols, table = texts.symbols(training)
    learned, hidden = texts.encode(training, table), texts.encode(held_out, table)
    # Pieces of the training text that the trigram model has not seen tell how hard that text is.
    chosen = np.zeros(len(learned), dtype=bool)
    for start in np.linspace(0, len(learned) - PROBE, PROBES).astype(int):
        chosen[start : start + PROBE] = True
    probe, reference = learned[chosen], trigram.fit(learned[~chosen], symbols)
    hard = {name: trigram.bits_per_character(reference, text) for name, text in (("seen", probe), ("held out", hidden))}
    rows, parameters = [], []
    for index in range(len(arrays["seeds"])):
        model = rebuild(arrays, index, symbols, device)
        context = model.places.shape[0]
        on_device = torch.tensor(hidden, device=device)
        check_causality(model, on_device, symbols, context)
        bits = bits_per_character(model, on_device, context)
        seen = bits_per_character(model, torch.tensor(probe, device=device), context)
        gap = (bits - hard["held out"]) - (seen - hard["seen"])
        if gap < LEAST_GAP and bits < hard["held out"]:  # what knows less than a trigram model has seen nothing
            raise ValueError(f"it fits the held-out text better than its training text, by {-gap:.2f} bits: it has seen it")
        values = {"bits_per_character": bits, "generalisation_gap": gap, "gain_over_trigram": hard["held out"] - bits}
        rows.append(values | {"training_seconds": float(arrays["training_seconds"][index])})
        parameters.append(sum(w.numel() for w in model.parameters()))
    values = {name: [row[name] for row in rows] for name in rows[0]}
    n = len(rows)
    info = {
        "means": {name: float(np.mean(v)) for name, v in values.items()},
        "stderrs": {name: float(np.std(v, ddof=1)) / math.sqrt(n) for name, v in values.items() if n > 1},
        "final_info_dict": values,
        "values": values,
        "seeds": arrays["seeds"].tolist(),
        "parameters": parameters,
        "data": record,
    }
    (Path(out_dir) / "final_info.json").write_text(json.dumps({record["text"]: info}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out_dir", type=Path, required=True)
    write_final_info(parser.parse_args().out_dir)
