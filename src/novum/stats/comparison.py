"""The verdict on two samples of one metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from novum.records import Direction, Verdict
from novum.stats.intervals import checked, mean_of
from novum.stats.t_tests import MeanTest, hedges_g, paired_t, welch


class Compared(NamedTuple):
    """What a comparison of a with b found; the fields of `records.Comparison` that are statistics."""

    verdict: Verdict
    reason: str
    difference: float
    """mean(a) - mean(b), in the metric's unit."""
    relative: float | None
    """difference / |mean(b)|; None when mean(b) is zero."""
    low: float | None
    """Lower end of the interval of the difference."""
    high: float | None
    p_value: float | None
    effect_size: float | None
    """Hedges' g."""
    test: str


def compare(
    a: Sequence[float],
    b: Sequence[float],
    *,
    direction: Direction,
    paired: bool = False,
    alpha: float = 0.05,
) -> Compared:
    """Compare the values of `a` with those of `b`, one a seed.

    `paired` when `a[i]` and `b[i]` share their seed. A lone value on either side is not comparable: nothing
    tells its noise. Samples that do not vary at all are compared exactly, without a p value.

    Raises:
        ValueError: a sample is empty or not finite, or paired samples differ in length.
    """
    if paired and len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values cannot be paired")
    base = mean_of(checked(b))
    if min(len(a), len(b)) < 2:
        difference = mean_of(checked(a)) - base
        relative = difference / abs(base) if base else None
        reason = f"a lone seed tells nothing of the noise ({len(a)} and {len(b)} values)"
        return Compared("not comparable", reason, difference, relative, None, None, None, None, "")
    result = (paired_t if paired else welch)(a, b, 1.0 - alpha)
    verdict, reason = _verdict(result, direction, alpha, len(a), len(b))
    return Compared(
        verdict=verdict,
        reason=reason,
        difference=result.difference,
        relative=result.difference / abs(base) if base else None,
        low=result.interval.low,
        high=result.interval.high,
        p_value=result.p_value,
        effect_size=hedges_g(a, b),
        test=result.name if result.p_value is not None else "exact",
    )


def _verdict(result: MeanTest, direction: Direction, alpha: float, n_a: int, n_b: int) -> tuple[Verdict, str]:
    counts = f"{n_a} and {n_b} values"
    if result.p_value is None:
        if result.difference == 0.0:
            return "no detectable difference", f"all values are the same ({counts})"
        return _word(result.difference, direction), f"the difference is the same in every seed ({counts})"
    tested = f"{result.name} test, p = {result.p_value:.3g}, {counts}"
    if result.p_value >= alpha:
        return "no detectable difference", f"{tested}: not below {alpha:g}"
    return _word(result.difference, direction), tested


def _word(difference: float, direction: Direction) -> Verdict:
    if direction == "none":
        return "higher" if difference > 0 else "lower"
    return "better" if (difference < 0) == (direction == "minimize") else "worse"
