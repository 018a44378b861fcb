"""Correction of p values for how many tests were made."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    Raises:
        ValueError: a value is not between 0 and 1.
    """
    if not all(0.0 <= p <= 1.0 for p in p_values):
        raise ValueError(f"p values are from 0 to 1, not {list(p_values)!r}")
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted
