import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from novum.stats import compare, hedges_g, holm, paired_t, welch

numbers = st.floats(min_value=-1e6, max_value=1e6)
samples = st.lists(numbers, min_size=2, max_size=8)
varied = samples.filter(lambda v: np.std(v) > 1e-3)


@given(varied, varied)
def test_welch_is_scipys(a: list[float], b: list[float]) -> None:
    mine, theirs = welch(a, b), reference.ttest_ind(a, b, equal_var=False)
    assert mine.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    interval = theirs.confidence_interval(0.95)
    assert mine.interval == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-6)


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8))
def test_the_paired_test_is_scipys(pairs: list[tuple[float, float]]) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    if np.std(np.subtract(a, b)) < 1e-3:
        return
    mine, theirs = paired_t(a, b), reference.ttest_rel(a, b)
    assert mine.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)


def test_welch_worked_by_hand() -> None:
    # Means 3 and 6, variances 2.5 and 10: t = -3 / sqrt(0.5 + 2), degrees = 2.5^2 / (0.5^2 / 4 + 2^2 / 4).
    result = welch([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 4.0, 6.0, 8.0, 10.0])
    assert result.t == pytest.approx(-3 / math.sqrt(2.5))
    assert result.degrees == pytest.approx(6.25 / 1.0625)


def test_the_paired_test_on_the_depression_scores_of_hollander_and_wolfe() -> None:
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    result = paired_t(before, after)
    assert result.t == pytest.approx(3.0354, abs=1e-4)
    assert result.p_value == pytest.approx(0.01618, abs=1e-5)


def test_hedges_g_is_cohens_d_with_the_small_sample_correction() -> None:
    a, b = [1.0, 2.0, 3.0, 4.0, 5.0], [3.0, 4.0, 5.0, 6.0, 7.0]
    d = -2.0 / math.sqrt(2.5)
    assert hedges_g(a, b) == pytest.approx(d * (1 - 3 / (4 * 8 - 1)), rel=2e-3)
    assert hedges_g([1.0, 1.0], [1.0, 1.0]) is None


def test_holm_on_a_textbook_case() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm([1.2])


@given(st.lists(st.floats(min_value=0, max_value=1), max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(new >= old for new, old in zip(adjusted, p, strict=True))
    order = sorted(range(len(p)), key=p.__getitem__)
    assert [adjusted[i] for i in order] == sorted(adjusted)


@pytest.mark.parametrize(
    ("direction", "verdict"), [("minimize", "better"), ("maximize", "worse"), ("none", "lower")]
)
def test_the_direction_decides_the_verdict(direction: str, verdict: str) -> None:
    made = compare([1.0, 1.1, 0.9], [2.0, 2.1, 1.9], direction=direction)  # type: ignore[arg-type]
    assert made.verdict == verdict
    assert made.difference == pytest.approx(-1.0)
    assert made.relative == pytest.approx(-0.5)
    assert made.high is not None
    assert made.high < 0
    assert made.test == "Welch"


def test_noise_is_not_read_as_effect_failures_a4() -> None:
    """Failures A4: two runs of the same code differed by more than the claimed gain (KL 1.034 and 0.862)."""
    lone = compare([0.862], [1.034], direction="minimize")
    assert lone.verdict == "not comparable"
    assert "lone seed" in lone.reason
    assert lone.p_value is None
    noisy = compare([0.862, 1.034, 0.95], [1.034, 0.862, 0.99], direction="minimize")
    assert noisy.verdict == "no detectable difference"


def test_a_run_whose_interval_is_invented_is_not_better_failures_a3() -> None:
    """Failures A3: "4543 +- 298" stood for 4340, 2280 and 7010, whose interval is +- 5891."""
    made = compare([4340.0, 2280.0, 7010.0], [6000.0, 5000.0, 7500.0], direction="minimize")
    assert made.verdict == "no detectable difference"


def test_constant_samples_are_compared_exactly_and_without_warnings() -> None:
    same = compare([15.0] * 5, [15.0] * 5, direction="minimize")
    assert (same.verdict, same.p_value, same.test) == ("no detectable difference", None, "exact")
    more = compare([24.0] * 5, [15.0] * 5, direction="minimize", paired=True)
    assert (more.verdict, more.difference, more.low, more.high) == ("worse", 9.0, 9.0, 9.0)
    assert more.effect_size is None


def test_rounding_is_not_a_difference_in_spread() -> None:
    a, b = [0.1 + 0.2, 0.3, 0.3], [0.3, 0.3, 0.3]
    assert compare(a, b, direction="minimize").p_value is None


@pytest.mark.parametrize("paired", [False, True])
def test_a_difference_of_rounding_is_no_effect(paired: bool) -> None:
    made = compare([4.0e-21, 1.0], [0.0, 1.0], direction="minimize", paired=paired)
    assert made.verdict == "no detectable difference"
    constant = compare([0.1 + 0.2] * 3, [0.3] * 3, direction="minimize", paired=paired)
    assert (constant.verdict, constant.difference) == ("no detectable difference", 0.0)


def test_pairing_finds_what_seeds_have_in_common() -> None:
    base = [10.0, 14.0, 8.0, 12.0]
    gain = [9.5, 13.4, 7.6, 11.5]
    assert compare(gain, base, direction="minimize").verdict == "no detectable difference"
    assert compare(gain, base, direction="minimize", paired=True).verdict == "better"


def test_a_zero_baseline_has_no_relative_change() -> None:
    assert compare([1.0, 2.0], [0.0, 0.0], direction="none").relative is None


def test_samples_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(ValueError, match="paired"):
        compare([1.0, 2.0], [1.0, 2.0, 3.0], direction="none", paired=True)


@given(samples, samples, st.sampled_from(["minimize", "maximize", "none"]), st.booleans())
def test_every_pair_of_samples_gets_a_verdict(
    a: list[float], b: list[float], direction: str, paired: bool
) -> None:
    size = min(len(a), len(b))
    made = compare(a[:size], b[:size], direction=direction, paired=paired)  # type: ignore[arg-type]
    if made.p_value is not None:
        assert 0.0 <= made.p_value <= 1.0
        assert (made.p_value < 0.05) == (made.verdict != "no detectable difference")
    assert made.low is not None
    assert made.high is not None
    slack = 1e-9 * max(map(abs, (made.difference, made.low, made.high)))
    assert made.low - slack <= made.difference <= made.high + slack
