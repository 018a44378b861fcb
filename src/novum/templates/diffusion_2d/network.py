"""The denoisers, and how points are drawn from them. Protected: the evaluator builds the same from a checkpoint.

One small network for each set of points; all of them are trained side by side, in batched products.
"""

import math

import torch
from torch import nn
from torch.nn import functional

ACTIVATIONS = {"gelu": functional.gelu, "relu": functional.relu, "silu": functional.silu, "tanh": torch.tanh}


def sinusoids(values, count, lowest, highest):
    """Sines and cosines of `values` [..., n] at `count` angular frequencies spaced evenly in scale: [..., 2 n count]."""
    frequencies = torch.logspace(math.log10(lowest), math.log10(highest), count, device=values.device)
    angles = (values[..., None] * frequencies).flatten(-2)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Layers(nn.Module):
    """One linear layer for each set: [set, batch, inputs] to [set, batch, outputs]."""

    def __init__(self, sets, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(sets, inputs, outputs).uniform_(-1.0, 1.0) * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(sets, 1, outputs))

    def forward(self, x):
        return torch.baddbmm(self.bias, x, self.weight)


class Denoisers(nn.Module):
    """Predict the noise in points [set, batch, 2] at the times [set, batch], from 0 to 1."""

    def __init__(self, sets, width, layers, frequencies, highest_frequency, activation):
        super().__init__()
        self.frequencies, self.highest = frequencies, highest_frequency
        self.activation = ACTIVATIONS[activation]
        self.inputs = Layers(sets, 2 + 6 * frequencies, width)
        self.hidden = nn.ModuleList(Layers(sets, width, width) for _ in range(layers))
        self.outputs = Layers(sets, width, 2)

    def forward(self, x, times):
        place = sinusoids(x, self.frequencies, 0.5, self.highest)
        time = sinusoids(times[..., None], self.frequencies, 1.0, 100.0)
        h = self.inputs(torch.cat([x, place, time], dim=-1))
        for layer in self.hidden:
            h = h + layer(self.activation(h))
        return self.outputs(self.activation(h))


@torch.no_grad()
def sample(network, coefficients, sets, count, generator):
    """`count` points of each set, [set, point, 2].

    coefficients: [3, steps], for every step what is kept of a point, how much of the predicted noise is taken away,
    and how much new noise is added, so that any sampler that is linear in these can be written down. The noise is
    drawn on the CPU: the same generator gives the same points on every device.
    """
    device = next(network.parameters()).device
    x = torch.randn(sets, count, 2, generator=generator).to(device)
    steps = coefficients.shape[1]
    for step in reversed(range(steps)):
        keep, remove, add = coefficients[:, step].tolist()
        x = keep * x - remove * network(x, torch.full((sets, count), step / steps, device=device))
        if add:
            x = x + add * torch.randn(sets, count, 2, generator=generator).to(device)
    return x
