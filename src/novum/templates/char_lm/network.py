"""The language model: a GPT on characters. Protected: the evaluator builds the same from a checkpoint."""

import torch
from torch import nn
from torch.nn import functional

ACTIVATIONS = {
    "gelu": functional.gelu,
    "relu": functional.relu,
    "squared_relu": lambda x: functional.relu(x).square(),
    "silu": functional.silu,
}


def normalised(x):
    """`x` with a root mean square of one along its last dimension."""
    return functional.rms_norm(x, x.shape[-1:])


class Block(nn.Module):
    """Attention to the past and a feed-forward layer, both added to the stream."""

    def __init__(self, width, heads, activation, dropout):
        super().__init__()
        self.heads, self.activation = heads, ACTIVATIONS[activation]
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(normalised(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, length, width)))
        return x + self.dropout(self.down(self.activation(self.up(normalised(x)))))


class GPT(nn.Module):
    """Predict the next symbol at every place: tokens [batch, length] to logits [batch, length, symbols].

    The stream begins as the sum of the embeddings of the place, of the symbol there, and of the `lookback` symbols
    before it, each with a table of its own. `length` is at most `context`.
    """

    def __init__(self, symbols, context, width, layers, heads, lookback, activation, dropout):
        super().__init__()
        self.places = nn.Parameter(torch.zeros(context, width))
        self.tables = nn.ModuleList(nn.Embedding(symbols, width) for _ in range(1 + lookback))
        self.blocks = nn.ModuleList(Block(width, heads, activation, dropout) for _ in range(layers))
        self.logits = nn.Linear(width, symbols, bias=False)

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.places[:length].expand(len(tokens), -1, -1)
        for back, table in enumerate(self.tables):
            x = x + table(functional.pad(tokens, (back, 0))[:, :length])
        for block in self.blocks:
            x = block(x)
        return self.logits(normalised(x))
