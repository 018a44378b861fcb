"""A language model of characters: a small GPT (Radford et al. 2019) learns to predict the next character of a text.

    python experiment.py --out_dir run_0 --seeds 0 1 2
    python evaluate.py --out_dir run_0

The first trains one network for each seed and saves the weights (`checkpoint.npz`) and curves (`series.jsonl`); the
second lets them predict text that was held out (`final_info.json`). The functions from `learning_rate` to
`initialise` are what a study changes.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import network
import texts


def learning_rate(step, params):
    """The learning rate of a step (from 0): a short warm-up, then falling linearly to zero."""
    return params.learning_rate * min((step + 1) / params.warmup_steps, 1.0 - step / params.steps)


def window_length(step, params):
    """How many characters each window of a step has, from 1 to params.context."""
    return params.context


def draw_windows(text_length, length, step, params, generator):
    """Where the windows of a step begin, whole numbers [params.batch_size] from 0 to text_length - length - 1."""
    return torch.randint(text_length - length, (params.batch_size,), generator=generator, device=generator.device)


def loss_function(logits, targets, params):
    """The training loss, a scalar in nats. logits: [batch, length, symbols]; targets: [batch, length], whole numbers."""
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), label_smoothing=params.label_smoothing)


def modify_gradients(parameters, step, params):
    """Change the gradients of a step in place; parameters is a list of tensors with .grad."""
    if params.clip_norm > 0:
        nn.utils.clip_grad_norm_(parameters, params.clip_norm)


def initialise(model, params):
    """Set the weights before training; the last matrix of each branch begins at zero."""
    for name, weights in model.named_parameters():
        if name.endswith(("out.weight", "down.weight")):
            nn.init.zeros_(weights)
        elif name.startswith(("tables", "places", "logits")):
            nn.init.normal_(weights, std=params.init_scale * 0.1)
        else:
            nn.init.normal_(weights, std=params.init_scale * weights.shape[-1] ** -0.5)


def new_model(symbols, params):
    """A network, and what the evaluator needs to build it again."""
    names = ("context", "width", "layers", "heads", "lookback", "activation", "dropout")
    config = {name: getattr(params, name) for name in names}
    return network.GPT(symbols=symbols, **config), config


def optimiser_of(model, params):
    """AdamW with weight decay on the matrices of the blocks alone."""
    matrices = list(model.blocks.parameters())
    others = [weights for name, weights in model.named_parameters() if not name.startswith("blocks")]
    groups = [{"params": matrices, "weight_decay": params.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98), fused=True)


def seed_everything(seed):
    """Every source of chance, so that a change of the code that uses another one repeats too."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def train(seed, params, text, symbols, series):
    """Train one network on `text`, a tensor of symbols on the device."""
    seed_everything(seed)
    generator = torch.Generator(device=text.device).manual_seed(seed)
    model = new_model(symbols, params)[0]
    initialise(model, params)
    model.to(text.device).train()
    optimiser = optimiser_of(model, params)
    weights = list(model.parameters())
    recent = torch.zeros((), device=text.device)
    for step in range(params.steps):
        length = window_length(step, params)
        starts = draw_windows(len(text), length, step, params, generator)
        windows = text[starts[:, None] + torch.arange(length + 1, device=text.device)].long()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, params)
        optimiser.zero_grad(set_to_none=True)
        loss = loss_function(model(windows[:, :-1]), windows[:, 1:], params)
        loss.backward()
        modify_gradients(weights, step, params)
        optimiser.step()
        recent += loss.detach()
        if (step + 1) % params.record_every == 0:
            write_curve(series, seed, step + 1, recent.item() / params.record_every)
            recent.zero_()
    return model


def write_curve(series, seed, step, loss):
    """The mean training loss since the last record, in bits, as a line of `series.jsonl`."""
    row = {"step": step, "name": "train_bits_per_character", "value": loss / math.log(2.0), "seed": seed}
    series.write(json.dumps(row) + "\n")
    series.flush()


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--text", choices=("docstrings", "shakespeare_char", "enwik8", "text8"), default="docstrings")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--lookback", type=int, default=3)
    parser.add_argument("--activation", choices=("gelu", "relu", "squared_relu", "silu"), default="squared_relu")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--learning_rate", type=float, default=0.008)
    parser.add_argument("--warmup_steps", type=int, default=20)
    parser.add_argument("--weight_decay", type=float, default=0.1)
    parser.add_argument("--label_smoothing", type=float, default=0.0)
    parser.add_argument("--clip_norm", type=float, default=1.0, help="0: gradients are not clipped")
    parser.add_argument("--init_scale", type=float, default=1.0)
    parser.add_argument("--record_every", type=int, default=20)
    return parser.parse_args()


def main():
    """Train every seed and save the weights."""
    params = arguments()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    params.out_dir.mkdir(parents=True, exist_ok=True)
    learned, symbols, record = texts.for_training(params.text)
    text = torch.tensor(learned, device=device)  # the whole text on the device, once
    seconds, trained = [], []
    with (params.out_dir / "series.jsonl").open("w") as series:
        for seed in params.seeds:
            start = time.perf_counter()
            trained.append(train(seed, params, text, symbols, series))
            seconds.append(time.perf_counter() - start)
            print(f"seed {seed}: {seconds[-1]:.1f} s on {device}", flush=True)
    weights = [{name: w.float().cpu().numpy() for name, w in t.state_dict().items()} for t in trained]
    np.savez(
        params.out_dir / "checkpoint.npz",
        seeds=np.array(params.seeds),
        config=json.dumps(new_model(symbols, params)[1]),
        text=json.dumps(record),
        training_seconds=np.array(seconds),
        **{f"weights.{name}": np.stack([w[name] for w in weights]) for name in weights[0]},
    )


if __name__ == "__main__":
    main()
