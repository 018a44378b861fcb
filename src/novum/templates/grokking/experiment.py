"""Grokking: a small transformer learns the table of a group from a part of its entries (Power et al. 2022).

    python experiment.py --out_dir run_0 --seeds 0 1 2
    python evaluate.py --out_dir run_0

The first saves what the network predicts for every entry at every evaluation, weights at some of them (`outputs.npz`) and
curves (`series.jsonl`); the second computes the metrics from them (`final_info.json`). The functions from
`learning_rate` to `initialise` are what a study changes.
"""

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import network
import tasks


def learning_rate(step, params):
    """The learning rate of a step (from 0): a linear warm-up, then constant."""
    warmup = min(1.0, (step + 1) / params.warmup_steps)
    return params.learning_rate * warmup


def loss_function(logits, targets, params):
    """The training loss, a scalar. logits: [batch, symbols]; targets: [batch], whole numbers."""
    return functional.cross_entropy(logits, targets, label_smoothing=params.label_smoothing)


def weight_decay(step, params):
    """The weight decay (decoupled from the gradient) of a step."""
    return params.weight_decay


def modify_gradients(parameters, step, params):
    """Change the gradients of a step in place; parameters is a list of tensors with .grad."""
    if params.clip_norm > 0:
        torch.nn.utils.clip_grad_norm_(parameters, params.clip_norm)


def initialise(model, params):
    """Set the weights before training."""
    for weights in model.parameters():
        if weights.dim() > 1:
            nn.init.normal_(weights, std=params.init_scale * weights.shape[-1] ** -0.5)


def new_model(symbols, params):
    """A network, and what the evaluator needs to build it again."""
    config = {name: getattr(params, name) for name in ("width", "heads", "layers")}
    return network.Transformer(symbols, **config), config


def seed_everything(seed):
    """Every source of chance, so that a change of the code that uses another one repeats too."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def load_data(seed, params, device):
    """The whole data on the device, once: all entries as tokens, those shown, their results; and the number of symbols."""
    inputs, symbols = tasks.inputs(params.operation, params.modulus)
    shown, results = tasks.shown(params.operation, params.modulus, params.train_fraction, seed)
    return *(torch.tensor(array, device=device) for array in (inputs, shown, results)), symbols


def batches(count, size, generator, device):
    """Indices of training examples for ever: all of them, or shuffled batches of `size`."""
    while True:
        if size == 0 or size >= count:
            yield slice(None)
        else:
            yield from torch.randperm(count, generator=generator).to(device).split(size)


def evaluation_steps(params):
    """The steps after which the network is evaluated: every params.evaluate_every, and the last."""
    return sorted({*range(0, params.steps + 1, params.evaluate_every), params.steps})


def train(seed, params, device, series):
    """Train one network; returns its predictions at each evaluation, its weights at some, and its last attention."""
    seed_everything(seed)
    tokens, shown, results, symbols = load_data(seed, params, device)
    model = new_model(symbols, params)[0].to(device)
    initialise(model, params)
    weights = list(model.parameters())
    optimiser = torch.optim.AdamW(weights, lr=1e-3, betas=(0.9, 0.98), fused=True)
    order = batches(len(results), params.batch_size, torch.Generator().manual_seed(seed), device)
    evaluations, predictions, saved = evaluation_steps(params), [], []
    kept = tasks.kept(len(evaluations))
    for step in range(params.steps + 1):
        if step == evaluations[len(predictions)]:
            logits = network.predict(model, tokens)
            write_curves(series, seed, step, logits, weights, params)
            if len(predictions) in kept:
                saved.append({name: w.float().cpu().numpy().copy() for name, w in model.state_dict().items()})
            predictions.append(logits.argmax(axis=1).astype(np.int16))
        if step == params.steps:
            break
        for group in optimiser.param_groups:
            group["lr"], group["weight_decay"] = learning_rate(step, params), weight_decay(step, params)
        chosen = next(order)
        optimiser.zero_grad(set_to_none=True)
        loss_function(model(shown[chosen]), results[chosen], params).backward()
        modify_gradients(weights, step, params)
        optimiser.step()
    stacked = {f"weights.{name}": np.stack([one[name] for one in saved]) for name in saved[0]}
    return {"predictions": np.stack(predictions), "attention": network.mean_attention(model, tokens), **stacked}


def write_curves(series, seed, step, logits, weights, params):
    """Loss and accuracy on both parts of the table, and the norm of the weights, as lines of `series.jsonl`."""
    values = tasks.curves(logits, params.operation, params.modulus, params.train_fraction, seed)
    with torch.no_grad():
        values["weight_norm"] = torch.sqrt(sum((w**2).sum() for w in weights)).item()
    for name, value in values.items():
        series.write(json.dumps({"step": step, "name": name, "value": value, "seed": seed}) + "\n")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--operation", choices=tasks.OPERATIONS, default="addition")
    parser.add_argument("--modulus", type=int, default=31)
    parser.add_argument("--train_fraction", type=float, default=0.7)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--evaluate_every", type=int, default=25)
    parser.add_argument("--batch_size", type=int, default=0, help="0: the whole training set")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--learning_rate", type=float, default=0.003)
    parser.add_argument("--warmup_steps", type=int, default=10)
    parser.add_argument("--weight_decay", type=float, default=1.0)
    parser.add_argument("--label_smoothing", type=float, default=0.0)
    parser.add_argument("--clip_norm", type=float, default=0.0, help="0: gradients are not clipped")
    parser.add_argument("--init_scale", type=float, default=1.0)
    return parser.parse_args()


def main():
    """Train every seed and save the predictions and the weights."""
    params = arguments()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(1)  # networks this small gain nothing from more, and sums in one order give the same numbers
    params.out_dir.mkdir(parents=True, exist_ok=True)
    trained = []
    with (params.out_dir / "series.jsonl").open("w") as series:
        for seed in params.seeds:
            start = time.perf_counter()
            trained.append(train(seed, params, device, series))
            trained[-1]["seconds"] = time.perf_counter() - start
            print(f"seed {seed}: {trained[-1]['seconds']:.1f} s on {device}", flush=True)
    np.savez_compressed(
        params.out_dir / "outputs.npz",
        seeds=params.seeds,
        steps=evaluation_steps(params),
        config=json.dumps(new_model(1, params)[1]),
        operation=params.operation,
        modulus=params.modulus,
        train_fraction=params.train_fraction,
        **{name: np.stack([one[name] for one in trained]) for name in trained[0]},
    )


if __name__ == "__main__":
    main()
