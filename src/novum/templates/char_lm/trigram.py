"""A trigram model: what the last two characters alone tell. Protected: a study cannot change this file."""

import numpy as np

STRENGTH = 5.0
MOST = 10_000_000


def counts(text, symbols, order):
    """How often each sequence of `order` symbols occurs, [symbols] * order."""
    codes = np.zeros(len(text) - order + 1, dtype=np.int64)
    for place in range(order):
        codes = codes * symbols + text[place : len(text) - order + 1 + place]
    return np.bincount(codes, minlength=symbols**order).reshape((symbols,) * order)


def fit(text, symbols):
    """The probability of the next symbol after every two, [symbols, symbols, symbols].

    Each order is smoothed towards the next lower one, as if that had been seen STRENGTH times, and the lowest
    towards all symbols alike.
    """
    text = text[:MOST].astype(np.int64)
    probability = np.full(symbols, 1.0 / symbols)
    for order in (1, 2, 3):
        seen = counts(text, symbols, order)
        probability = (seen + STRENGTH * probability) / (seen.sum(axis=-1, keepdims=True) + STRENGTH)
    return probability


def bits_per_character(probability, text):
    """Mean of -log2 of the probability of each symbol of `text` from the third on."""
    text = text.astype(np.int64)
    return float(-np.log2(probability[text[:-2], text[1:-1], text[2:]]).mean())
