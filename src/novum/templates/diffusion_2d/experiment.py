"""Diffusion models of points in the plane (Ho et al. 2020): small networks learn to take noise away step by step.

    python experiment.py --out_dir run_0 --seeds 0 1 2
    python evaluate.py --out_dir run_0

The first trains one network for each of four sets of points (circle, line, moons, dinosaur) and saves their averaged
weights (`checkpoint.npz`), curves (`series.jsonl`) and some drawn points for figures (`samples.npz`); the second
draws points from the checkpoint and computes the metrics (`final_info.json`). The functions from `noise_schedule`
to `ema_decay` are what a study changes.
"""

import argparse
import copy
import json
import random
import time
from pathlib import Path

import numpy as np
import torch

import network
import points


def noise_schedule(params):
    """The variance of the noise that each step adds, a tensor [params.diffusion_steps], each from 0 to 1."""
    steps = params.diffusion_steps
    if params.schedule == "cosine":
        angle = (torch.arange(steps + 1) / steps + 0.008) / 1.008 * torch.pi / 2
        left = torch.cos(angle) ** 2
        return (1.0 - left[1:] / left[:-1]).clamp(max=0.999)
    return torch.linspace(0.1 / steps, 20.0 / steps, steps).clamp(max=0.999)


def sampler(betas, params):
    """How points are drawn: a tensor [3, steps] for x <- keep x - remove noise(x) + add z, from the last step to the first.

    betas: the noise schedule, [steps]; z is new normal noise.
    """
    alphas = 1.0 - betas
    left = torch.cumprod(alphas, dim=0)
    before = torch.cat([torch.ones(1), left[:-1]])
    variance = betas if params.sampler_variance == "upper" else betas * (1.0 - before) / (1.0 - left)
    keep = alphas**-0.5
    add = variance.sqrt()
    add[0] = 0.0
    return torch.stack([keep, keep * betas / (1.0 - left).sqrt(), add])


def draw_times(sets, count, params, generator):
    """The steps of diffusion to train on, whole numbers [sets, count] below params.diffusion_steps."""
    return torch.randint(params.diffusion_steps, (sets, count), generator=generator, device=generator.device)


def loss_function(predicted, noise, times, params):
    """The loss of each set, [sets]. predicted, noise: [sets, batch, 2]; times: [sets, batch], whole numbers."""
    return ((predicted - noise) ** 2).mean(dim=(1, 2))


def learning_rate(step, params):
    """The learning rate of a training step (from 0): a short warm-up, then falling linearly to zero."""
    return params.learning_rate * min((step + 1) / 50, 1.0 - step / params.steps)


def ema_decay(step, params):
    """How much of the average of the weights is kept at a training step, from 0 to 1."""
    return min(params.ema_decay, (step + 1) / (step + 10))


def new_networks(params):
    """The networks of all sets with fresh weights, and what the evaluator needs to build them again."""
    names = ("width", "layers", "frequencies", "highest_frequency", "activation")
    config = {name: getattr(params, name) for name in names}
    return network.Denoisers(sets=len(points.SETS), **config), config


def seed_everything(seed):
    """Every source of chance, so that a change of the code that uses another one repeats too."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def train(seed, params, device, series):
    """Train the networks of one seed; returns the average of their weights over the steps."""
    seed_everything(seed)
    generator = torch.Generator(device=device).manual_seed(seed)
    drawn = points.draw(params.train_points, seed, points.TRAINING)
    data = torch.tensor(drawn, dtype=torch.float32, device=device)  # the whole data on the device, once
    left = torch.cumprod(1.0 - noise_schedule(params), dim=0).to(device)
    signal, spread = left.sqrt()[..., None], (1.0 - left).sqrt()[..., None]

    denoisers = new_networks(params)[0].to(device)
    averaged = copy.deepcopy(denoisers).requires_grad_(False)
    weights = list(denoisers.parameters())
    optimiser = torch.optim.AdamW(weights, lr=1e-3, weight_decay=params.weight_decay, fused=True)
    recent = torch.zeros(len(data), device=device)
    for step in range(params.steps):
        chosen = torch.randint(params.train_points, (params.batch_size,), generator=generator, device=device)
        times = draw_times(len(data), params.batch_size, params, generator)
        noise = torch.randn(len(data), params.batch_size, 2, generator=generator, device=device)
        noisy = signal[times] * data[:, chosen] + spread[times] * noise
        losses = loss_function(denoisers(noisy, times / params.diffusion_steps), noise, times, params)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, params)
        optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()  # each set has weights of its own, so the sum trains each on its own loss
        optimiser.step()
        torch._foreach_lerp_(list(averaged.parameters()), weights, 1.0 - ema_decay(step, params))
        recent += losses.detach()
        if (step + 1) % params.record_every == 0:
            write_curves(series, seed, step + 1, recent / params.record_every)
            recent.zero_()
    return averaged


def write_curves(series, seed, step, losses):
    """The mean loss of each set since the last record, as lines of `series.jsonl`."""
    for name, value in zip(points.SETS, losses.tolist(), strict=True):
        series.write(json.dumps({"step": step, "name": f"loss_{name}", "value": value, "seed": seed}) + "\n")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch_size", type=int, default=256)
    parser.add_argument("--train_points", type=int, default=8000)
    parser.add_argument("--diffusion_steps", type=int, default=100)
    parser.add_argument("--schedule", choices=("linear", "cosine"), default="linear")
    parser.add_argument("--sampler_variance", choices=("upper", "posterior"), default="posterior")
    parser.add_argument("--learning_rate", type=float, default=0.003)
    parser.add_argument("--weight_decay", type=float, default=0.0)
    parser.add_argument("--ema_decay", type=float, default=0.99)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--frequencies", type=int, default=8)
    parser.add_argument("--highest_frequency", type=float, default=12.0)
    parser.add_argument("--activation", choices=("gelu", "relu", "silu", "tanh"), default="gelu")
    parser.add_argument("--record_every", type=int, default=50)
    return parser.parse_args()


def main():
    """Train every seed; save the averaged weights, and points drawn with the first seed's."""
    params = arguments()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    params.out_dir.mkdir(parents=True, exist_ok=True)
    coefficients = sampler(noise_schedule(params), params)
    seconds, trained = [], []
    with (params.out_dir / "series.jsonl").open("w") as series:
        for seed in params.seeds:
            start = time.perf_counter()
            trained.append(train(seed, params, device, series))
            seconds.append(time.perf_counter() - start)
            print(f"seed {seed}: {seconds[-1]:.1f} s on {device}", flush=True)
    weights = [{name: w.float().cpu().numpy() for name, w in t.state_dict().items()} for t in trained]
    np.savez(
        params.out_dir / "checkpoint.npz",
        seeds=np.array(params.seeds),
        config=json.dumps(new_networks(params)[1]),
        coefficients=np.stack([coefficients.numpy()] * len(trained)),
        training_seconds=np.array(seconds),
        **{f"weights.{name}": np.stack([w[name] for w in weights]) for name in weights[0]},
    )
    drawn = network.sample(trained[0], coefficients, len(points.SETS), 1500, torch.Generator().manual_seed(0))
    np.savez(params.out_dir / "samples.npz", **dict(zip(points.SETS, drawn.cpu().numpy(), strict=True)))


if __name__ == "__main__":
    main()
