"""Summaries of one sample: mean, spread and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Interval(NamedTuple):
    """An interval of confidence, ends included."""

    low: float
    high: float


class Summary(NamedTuple):
    """One sample. What needs two values (`sd`, `stderr`, `low`, `high`) is None for a lone value."""

    n: int
    mean: float
    sd: float | None
    """Standard deviation with n - 1."""
    stderr: float | None
    """sd / sqrt(n)."""
    low: float | None
    """Lower end of the t interval of the mean."""
    high: float | None


def summarise(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """Mean, standard deviation (n - 1), standard error and t interval of `values`.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    sample = checked(values)
    n, mean = len(sample), mean_of(sample)
    if n == 1:
        return Summary(1, mean, None, None, None, None)
    sd = sd_of(sample)
    stderr = sd / math.sqrt(n)
    half = t_quantile(confidence, n - 1) * stderr
    return Summary(n, mean, sd, stderr, mean - half, mean + half)


def bootstrap_interval(
    values: Sequence[float], confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval | None:
    """Studentised bootstrap interval of the mean; None for fewer than three values.

    The plain percentile interval is far too short for few seeds (it cannot even leave the range of the data).
    Each resample is therefore divided by its own standard error, and t quantiles are taken of that
    (Efron and Tibshirani 1993, section 12.5). Resamples without spread have no such ratio and are left out.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    import numpy as np

    sample = np.array(checked(values))
    n = len(sample)
    if n < 3:
        return None
    mean, stderr = mean_of(sample.tolist()), sd_of(sample.tolist()) / math.sqrt(n)
    if stderr == 0.0:
        return Interval(mean, mean)
    drawn = np.random.default_rng(seed).choice(sample, size=(resamples, n))
    errors = drawn.std(axis=1, ddof=1) / math.sqrt(n)
    usable = errors > 1e-12 * stderr
    ratios = (drawn.mean(axis=1)[usable] - mean) / errors[usable]
    tail = (1.0 - confidence) / 2.0
    lower, upper = np.quantile(ratios, [tail, 1.0 - tail])
    return Interval(float(mean - upper * stderr), float(mean - lower * stderr))


def noise_floor(values: Sequence[float], seeds: int | None = None, confidence: float = 0.95) -> float | None:
    """The smallest difference of two means that chance alone rarely exceeds, from the baseline's seeds.

    It is the half-width of the t interval of the difference of two means of `seeds` values each (default: as
    many as there are), when both spread as `values` do. None for a lone value.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    sample = checked(values)
    if len(sample) < 2:
        return None
    count = seeds or len(sample)
    return (
        t_quantile(confidence, 2 * count - 2) * sd_of(sample) * math.sqrt(2.0 / count) if count > 1 else None
    )


def checked(values: Sequence[float]) -> list[float]:
    """`values` as floats.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    sample = [float(v) for v in values]
    if not sample:
        raise ValueError("a sample needs at least one value")
    if not all(math.isfinite(v) for v in sample):
        raise ValueError(f"a sample needs finite values, not {sample!r}")
    return sample


def mean_of(sample: Sequence[float]) -> float:
    """The mean; exactly the common value of a constant sample."""
    if is_constant(sample):
        return sample[0]
    return math.fsum(v / len(sample) for v in sample)


def sd_of(sample: Sequence[float]) -> float:
    """Standard deviation with n - 1; exactly 0 for a constant sample."""
    if is_constant(sample):
        return 0.0
    mean = mean_of(sample)
    scale = max(abs(v - mean) for v in sample)
    if scale == 0.0:  # the values differ by less than the mean can tell
        return 0.0
    # Scaled, so that squares neither overflow nor vanish.
    return scale * math.sqrt(math.fsum(((v - mean) / scale) ** 2 for v in sample) / (len(sample) - 1))


def is_constant(sample: Sequence[float]) -> bool:
    """Whether all values are the same."""
    return all(v == sample[0] for v in sample)


def t_quantile(confidence: float, degrees: float) -> float:
    """The t value that bounds the middle `confidence` of Student's distribution."""
    from scipy import special

    return float(special.stdtrit(degrees, 0.5 + confidence / 2.0))
