"""Grokking: a small transformer learns the table of a group from a part of its entries (Power et al. 2022).

    python experiment.py --out_dir run_0 --seeds 0 1 2
    python evaluate.py --out_dir run_0

The first saves what the network predicts for every entry at every evaluation, its last weights (`outputs.npz`) and
curves (`series.jsonl`); the second computes the metrics from the predictions (`final_info.json`). The functions from
`learning_rate` to `initialise` are what a study changes.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

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


class Block(nn.Module):
    """Attention and a feed-forward layer, both added to the stream; no normalisation."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x, first=0):
        """The stream after the block at the positions from `first`; x: [batch, position, width]."""
        kept = x[:, first:]
        q = self.query(kept).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = self.key_value(x).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        x = kept + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.down(torch.relu(self.up(x)))


class Transformer(nn.Module):
    """Reads the three tokens `left`, `right`, `=`, and predicts the result at the last."""

    def __init__(self, symbols, params):
        super().__init__()
        self.tokens = nn.Embedding(symbols + 1, params.width)
        self.positions = nn.Parameter(torch.zeros(3, params.width))
        self.blocks = nn.ModuleList(Block(params.width, params.heads) for _ in range(params.layers))
        self.unembed = nn.Linear(params.width, symbols, bias=False)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions
        for block in self.blocks[:-1]:
            x = block(x)
        return self.unembed(self.blocks[-1](x, first=2)[:, 0])  # nothing else is read


def batches(count, size, generator, device):
    """Indices of training examples for ever: all of them, or shuffled batches of `size`."""
    while True:
        if size == 0 or size >= count:
            yield slice(None)
        else:
            yield from torch.randperm(count, generator=generator).to(device).split(size)


def train(seed, params, device, series):
    """Train one network; returns its predictions at each evaluation, its last logits, and the steps."""
    torch.manual_seed(seed)
    left, right, result, symbols = tasks.table(params.operation, params.modulus)
    mask = tasks.training_mask(len(result), params.train_fraction, seed)
    tokens = torch.tensor(np.stack([left, right, np.full_like(left, symbols)], axis=1), device=device)
    targets = torch.tensor(result, device=device)
    known = torch.tensor(mask, device=device)
    train_tokens, train_targets = tokens[known], targets[known]  # the whole data on the device, once

    model = Transformer(symbols, params).to(device)
    initialise(model, params)
    weights = list(model.parameters())
    optimiser = torch.optim.AdamW(weights, lr=1e-3, betas=(0.9, 0.98), fused=True)
    order = batches(len(train_targets), params.batch_size, torch.Generator().manual_seed(seed), device)
    steps, predictions = [], []
    for step in range(params.steps + 1):
        if step % params.evaluate_every == 0:
            logits = evaluate_all(model, tokens)
            steps.append(step)
            predictions.append(logits.argmax(dim=1).to(torch.int16).cpu().numpy())
            write_curves(series, seed, step, logits, targets, known, weights)
        if step == params.steps:
            return np.array(steps), np.stack(predictions), logits.float().cpu().numpy(), model
        for group in optimiser.param_groups:
            group["lr"], group["weight_decay"] = learning_rate(step, params), weight_decay(step, params)
        chosen = next(order)
        optimiser.zero_grad(set_to_none=True)
        loss_function(model(train_tokens[chosen]), train_targets[chosen], params).backward()
        modify_gradients(weights, step, params)
        optimiser.step()


@torch.no_grad()
def evaluate_all(model, tokens):
    """The logits of every entry of the table."""
    return torch.cat([model(part) for part in tokens.split(8192)])


@torch.no_grad()
def write_curves(series, seed, step, logits, targets, known, weights):
    """Loss and accuracy on both parts of the table, and the norm of the weights, as lines of `series.jsonl`."""
    right = logits.argmax(dim=1) == targets
    values = {"weight_norm": torch.sqrt(sum((w**2).sum() for w in weights))}
    for name, part in (("train", known), ("validation", ~known)):
        values[f"{name}_accuracy"] = right[part].float().mean()
        values[f"{name}_loss"] = functional.cross_entropy(logits[part], targets[part])
    for name, value in values.items():
        series.write(json.dumps({"step": step, "name": name, "value": float(value), "seed": seed}) + "\n")


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
    found = {"predictions": [], "logits": [], "seconds": []}
    trained = []
    with (params.out_dir / "series.jsonl").open("w") as series:
        for seed in params.seeds:
            start = time.perf_counter()
            steps, predictions, logits, model = train(seed, params, device, series)
            found["predictions"].append(predictions)
            found["logits"].append(logits)
            trained.append({name: w.float().cpu().numpy() for name, w in model.state_dict().items()})
            found["seconds"].append(time.perf_counter() - start)
            print(f"seed {seed}: {found['seconds'][-1]:.1f} s on {device}", flush=True)
    np.savez_compressed(
        params.out_dir / "outputs.npz",
        seeds=params.seeds,
        steps=steps,
        operation=params.operation,
        modulus=params.modulus,
        train_fraction=params.train_fraction,
        **{name: np.array(values) for name, values in found.items()},
        **{f"weights.{name}": np.stack([weights[name] for weights in trained]) for name in trained[0]},
    )


if __name__ == "__main__":
    main()
