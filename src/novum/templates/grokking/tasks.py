"""The tables that a network learns, and which entries it is shown. Protected: a study cannot change this file."""

import itertools

import numpy as np

OPERATIONS = ("addition", "subtraction", "division", "permutation")


def table(operation, modulus):
    """All pairs and their results: (left [n], right [n], result [n], number of symbols), whole numbers.

    The first three are modulo `modulus`, a prime; `permutation` composes the permutations of `modulus` things.
    """
    if operation == "permutation":
        elements = list(itertools.permutations(range(modulus)))
        index = {element: number for number, element in enumerate(elements)}
        pairs = list(itertools.product(range(len(elements)), repeat=2))
        result = [index[tuple(elements[a][i] for i in elements[b])] for a, b in pairs]
        left, right = np.array(pairs).T
        return left, right, np.array(result), len(elements)
    left, right = np.array(list(itertools.product(range(modulus), repeat=2))).T
    if operation == "division":
        left, right = left[right > 0], right[right > 0]
        inverse = np.array([pow(int(b), -1, modulus) if b else 0 for b in range(modulus)])
        result = left * inverse[right] % modulus
    else:
        result = (left + right if operation == "addition" else left - right) % modulus
    return left, right, result, modulus


def training_mask(size, fraction, seed):
    """Which of `size` entries are for training: a random `fraction` that depends on nothing but the seed."""
    chosen = np.random.default_rng([seed, 2022]).permutation(size)[: round(fraction * size)]
    mask = np.zeros(size, dtype=bool)
    mask[chosen] = True
    return mask
