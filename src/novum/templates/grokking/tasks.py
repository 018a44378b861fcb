"""The tables that a network learns, which entries it is shown, and what is measured. Protected: a study cannot change it.

`experiment.py` gets its data from `inputs` and `shown`, and the curves of the other entries from `curves`: the results
of entries that are not shown never reach it.
"""

import itertools

import numpy as np

OPERATIONS = ("addition", "subtraction", "division", "permutation")
LEVEL, DIP = 0.99, 0.05
KEPT = 16


def table(operation, modulus):
    """All pairs and their results: (left [n], right [n], result [n], number of symbols), whole numbers.

    The first three are modulo `modulus`, a prime; `permutation` composes the permutations of `modulus` things.
    """
    if operation == "permutation":
        elements = np.array(list(itertools.permutations(range(modulus))))
        digits = modulus ** np.arange(modulus)[::-1]
        left, right = np.divmod(np.arange(len(elements) ** 2), len(elements))
        composed = np.take_along_axis(elements[left], elements[right], axis=1)
        return left, right, np.searchsorted(elements @ digits, composed @ digits), len(elements)
    left, right = np.divmod(np.arange(modulus**2), modulus)
    if operation == "division":
        left, right = left[right > 0], right[right > 0]
        inverse = np.array([pow(b, -1, modulus) if b else 0 for b in range(modulus)])
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


# -- what a run is given ---------------------------------------------------------------------------------


def inputs(operation, modulus):
    """Every entry as the tokens `left`, `right`, `=`: ([n, 3], number of symbols)."""
    left, right, _, symbols = table(operation, modulus)
    return np.stack([left, right, np.full_like(left, symbols)], axis=1), symbols


def shown(operation, modulus, fraction, seed):
    """The entries for training: (tokens [m, 3], results [m])."""
    result = table(operation, modulus)[2]
    known = training_mask(len(result), fraction, seed)
    return inputs(operation, modulus)[0][known], result[known]


def kept(evaluations):
    """The evaluations, by number, of which a run saves the weights: the first, the last and others evenly between."""
    return np.unique(np.linspace(0, evaluations - 1, KEPT + 1).round().astype(int))


# -- what is measured ------------------------------------------------------------------------------------


def curves(logits, operation, modulus, fraction, seed):
    """Accuracy and loss in nats of both parts of the table, from the logits of all entries, [n, symbols]."""
    result = table(operation, modulus)[2]
    known = training_mask(len(result), fraction, seed)
    right = logits.argmax(axis=1) == result
    shifted = logits.astype(float) - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(result)), result]
    found = {}
    for name, part in (("train", known), ("validation", ~known)):
        found |= {f"{name}_accuracy": float(right[part].mean()), f"{name}_loss": float(losses[part].mean())}
    return found


def first_to_stay(steps, accuracy):
    """The first step with an accuracy of LEVEL that never falls below LEVEL - DIP again; twice the last without one."""
    for position, step in enumerate(steps):
        if accuracy[position] >= LEVEL and (accuracy[position:] >= LEVEL - DIP).all():
            return float(step)
    return 2.0 * float(steps[-1])


def metrics(steps, predictions, logits, operation, modulus, fraction, seed):
    """The metrics of a seed, from predictions [evaluation, n] at the steps and the last logits, [n, symbols]."""
    result = table(operation, modulus)[2]
    known = training_mask(len(result), fraction, seed)
    right = predictions == result
    to_train, to_validation = (first_to_stay(steps, right[:, part].mean(axis=1)) for part in (known, ~known))
    last = curves(logits, operation, modulus, fraction, seed)
    return {
        "steps_to_train": to_train,
        "steps_to_validation": to_validation,
        "delay": to_validation / max(to_train, 1.0),
        **{name: last[name] for name in ("validation_accuracy", "validation_loss", "train_loss")},
    }
