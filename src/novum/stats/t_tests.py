"""Two-sample tests of means, and the size of an effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from novum.stats.intervals import Interval, checked, mean_of, sd_of, t_quantile


class MeanTest(NamedTuple):
    """A test of mean(a) = mean(b). `p_value` is None when neither sample varies, so nothing can be tested."""

    name: str
    difference: float
    """mean(a) - mean(b)."""
    interval: Interval
    """Of the difference."""
    p_value: float | None
    """Two-sided."""
    t: float | None
    degrees: float | None


def welch(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> MeanTest:
    """Welch's t test of two independent samples (Welch 1947), each of two values or more.

    Raises:
        ValueError: a sample has fewer than two values, or one that is not finite.
    """
    first, second = _two_or_more(a), _two_or_more(b)
    difference = mean_of(first) - mean_of(second)
    # In units of the larger spread, so that tiny variances do not vanish when squared.
    scale = max(sd_of(first), sd_of(second))
    if _is_rounding(scale, (*first, *second)):
        return _untested("Welch", difference, (*first, *second))
    u = (sd_of(first) / scale) ** 2 / len(first)
    v = (sd_of(second) / scale) ** 2 / len(second)
    degrees = (u + v) ** 2 / (u**2 / (len(first) - 1) + v**2 / (len(second) - 1))
    return _t_test("Welch", difference, scale * math.sqrt(u + v), degrees, confidence)


def paired_t(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> MeanTest:
    """The paired t test: `a[i]` and `b[i]` share their seed.

    Raises:
        ValueError: fewer than two pairs, another number of values in each, or one that is not finite.
    """
    first, second = _two_or_more(a), _two_or_more(b)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} values cannot be paired")
    gaps = [x - y for x, y in zip(first, second, strict=True)]
    difference, sd = mean_of(gaps), sd_of(gaps)
    if _is_rounding(sd, (*first, *second)):
        return _untested("paired t", difference, (*first, *second))
    return _t_test("paired t", difference, sd / math.sqrt(len(gaps)), len(gaps) - 1, confidence)


def hedges_g(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Hedges' g: the difference of means over the pooled standard deviation, corrected for small samples.

    The correction is the exact one by gamma functions (Hedges 1981). None when neither sample varies.

    Raises:
        ValueError: a sample has fewer than two values, or one that is not finite.
    """
    first, second = _two_or_more(a), _two_or_more(b)
    scale = max(sd_of(first), sd_of(second))
    if _is_rounding(scale, (*first, *second)):
        return None
    degrees = len(first) + len(second) - 2
    squares = (len(first) - 1) * (sd_of(first) / scale) ** 2 + (len(second) - 1) * (
        sd_of(second) / scale
    ) ** 2
    pooled = scale * math.sqrt(squares / degrees)
    correction = math.exp(math.lgamma(degrees / 2) - math.lgamma((degrees - 1) / 2)) / math.sqrt(degrees / 2)
    return correction * (mean_of(first) - mean_of(second)) / pooled


def _t_test(name: str, difference: float, stderr: float, degrees: float, confidence: float) -> MeanTest:
    from scipy import special

    t = difference / stderr
    half = t_quantile(confidence, degrees) * stderr
    p = 2.0 * float(special.stdtr(degrees, -abs(t)))
    return MeanTest(name, difference, Interval(difference - half, difference + half), p, t, degrees)


def _untested(name: str, difference: float, values: Sequence[float]) -> MeanTest:
    """The result where nothing varies: the difference itself, or none when it too is no more than rounding."""
    exact = 0.0 if _is_rounding(abs(difference), values) else difference
    return MeanTest(name, exact, Interval(exact, exact), None, None, None)


def _is_rounding(sd: float, values: Sequence[float]) -> bool:
    """Whether a spread is no more than the rounding of the values, so that there is nothing to test."""
    return sd <= 4.0 * math.ulp(max(abs(v) for v in values))


def _two_or_more(values: Sequence[float]) -> list[float]:
    sample = checked(values)
    if len(sample) < 2:
        raise ValueError("a test needs two values or more in each sample")
    return sample
