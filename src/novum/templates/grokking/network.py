"""The transformer. Protected: the evaluator builds the same from saved weights."""

import itertools

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

    def attend(self, x, key_value):
        """Attention [batch, reader, position, head], and values [batch, position, head, width / heads].

        x is the stream where it is read, [batch, reader, width]; key_value: [batch, position, 2 * width].
        """
        k, v = key_value.unflatten(-1, (2, self.heads, -1)).unbind(2)
        q = self.query(x).unflatten(-1, (self.heads, -1))
        scores = (q[:, :, None] * k[:, None]).sum(-1)  # for three positions much faster than a product of matrices
        return (scores * q.shape[-1] ** -0.5).softmax(dim=2), v

    def forward(self, x, key_value):
        """The stream after the block, where x is: [batch, reader, width]."""
        attention, v = self.attend(x, key_value)
        x = x + self.out((attention[..., None] * v[:, None]).sum(2).flatten(2))
        return x + self.down(torch.relu(self.up(x)))


class Transformer(nn.Module):
    """Reads the three tokens `left`, `right`, `=`, and predicts the result at the last: [batch, 3] to [batch, symbols]."""

    def __init__(self, symbols, width, heads, layers):
        super().__init__()
        self.tokens = nn.Embedding(symbols + 1, width)
        self.positions = nn.Parameter(torch.zeros(3, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.unembed = nn.Linear(width, symbols, bias=False)

    def stages(self, tokens):
        """Each block with the stream before it and its keys and values; the last with the stream at the last position."""
        # What the first block reads depends on symbol and position alone: it is computed once a pair, then looked up.
        pairs = (self.tokens.weight + self.positions[:, None]).flatten(0, 1)
        chosen = tokens + len(self.tokens.weight) * torch.arange(3, device=tokens.device)
        key_value = functional.embedding(chosen, self.blocks[0].key_value(pairs))
        x = functional.embedding(chosen if len(self.blocks) > 1 else chosen[:, -1:], pairs)
        for block, following in itertools.pairwise(self.blocks):
            yield block, x, key_value
            x = block(x, key_value)
            key_value = following.key_value(x)
        yield self.blocks[-1], x[:, -1:], key_value

    def forward(self, tokens):
        *_, (block, x, key_value) = self.stages(tokens)
        return self.unembed(block(x, key_value)[:, 0])


@torch.no_grad()
def predict(model, tokens):
    """The logits of every entry, an array [n, symbols]; tokens: a tensor [n, 3]."""
    return torch.cat([model(part) for part in tokens.split(8192)]).float().cpu().numpy()


@torch.no_grad()
def mean_attention(model, tokens):
    """What each head looks at from the last position, the mean over all entries: an array [layer, head, 3]."""
    found = [block.attend(x[:, -1:], kv)[0].mean(dim=(0, 1)).T for block, x, kv in model.stages(tokens)]
    return torch.stack(found).float().cpu().numpy()
