"""The transformer. Protected: the evaluator builds the same from saved weights."""

import torch
from torch import nn
from torch.nn import functional


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

    def split(self, x, first):
        """Queries of the positions from `first`, keys and values of all: each [batch, head, position, width / heads]."""
        q = self.query(x[:, first:]).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = self.key_value(x).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return q, k, v

    def forward(self, x, first=0):
        """The stream after the block at the positions from `first`; x: [batch, position, width]."""
        mixed = functional.scaled_dot_product_attention(*self.split(x, first))
        x = x[:, first:] + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.down(torch.relu(self.up(x)))

    def attention(self, x):
        """What each head looks at from the last position, the mean over the batch: [head, position]."""
        q, k, _ = self.split(x, x.shape[1] - 1)
        return (q @ k.mT * q.shape[-1] ** -0.5).softmax(dim=-1).mean(dim=(0, 2))


class Transformer(nn.Module):
    """Reads the three tokens `left`, `right`, `=`, and predicts the result at the last: [batch, 3] to [batch, symbols]."""

    def __init__(self, symbols, width, heads, layers):
        super().__init__()
        self.tokens = nn.Embedding(symbols + 1, width)
        self.positions = nn.Parameter(torch.zeros(3, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.unembed = nn.Linear(width, symbols, bias=False)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions
        for block in self.blocks[:-1]:
            x = block(x)
        return self.unembed(self.blocks[-1](x, first=2)[:, 0])  # nothing else is read


@torch.no_grad()
def predict(model, tokens):
    """The logits of every entry, an array [n, symbols]; tokens: a tensor [n, 3]."""
    return torch.cat([model(part) for part in tokens.split(8192)]).float().cpu().numpy()


@torch.no_grad()
def mean_attention(model, tokens):
    """What each head looks at from the last position, the mean over all entries: an array [layer, head, 3]."""
    x, found = model.tokens(tokens) + model.positions, []
    for block in model.blocks:
        found.append(block.attention(x))
        x = block(x)
    return torch.stack(found).float().cpu().numpy()
