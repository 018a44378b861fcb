"""Digits follow from the uncertainty, and every key has its expansion."""

from __future__ import annotations

import pytest

from novum.paper.numbers import (
    Fact,
    decimals,
    definitions,
    known_keys,
    number,
    numbers_tex,
    p_value,
    percent,
    spoken,
)

from .conftest import make_results


@pytest.mark.parametrize(
    ("value", "uncertainty", "places"),
    [
        (1234.56, 23.0, 0),
        (1234.56, 230.0, 0),
        (0.51234, 0.0123, 3),
        (0.51234, 0.0023, 4),
        (61.04, 1.99, 1),
        (15.0, 0.0, 0),
        (15.0, None, 0),
        (0.012345, None, 5),
        (1e-12, 1e-13, 6),
    ],
)
def test_two_digits_of_the_uncertainty(value: float, uncertainty: float | None, places: int) -> None:
    assert decimals(value, uncertainty) == places


def test_a_minus_is_a_minus_and_thousands_have_commas() -> None:
    assert number(-0.0511, 3) == "$-$0.051"
    assert number(-0.0001, 2) == "0.00"
    assert number(1480.4, 0) == "1480"
    assert number(123456.0, 0) == "123,456"


def test_percentages_are_whole_unless_they_are_small() -> None:
    assert percent(-0.1734, 0.03) == r"$-$17\,\%"
    assert percent(0.0123, 0.004) == r"1.2\,\%"


def test_p_values_never_read_as_zero() -> None:
    assert p_value(1e-9) == "$p < 0.001$"
    assert p_value(0.0123) == "$p = 0.012$"
    assert p_value(None) == "no test"


def test_every_result_and_comparison_can_be_named() -> None:
    results = make_results()
    keys = known_keys(results, [Fact("seeds", "5", "template")])

    assert {r.key for r in results.results} == keys["result"] == keys["resultpm"]
    assert {f"{c.a}|{c.b}" for c in results.comparisons} == keys["differencepm"] == keys["pvalue"]
    assert keys["config"] == {"seeds"}


def test_expansions_are_the_recorded_values() -> None:
    results = make_results()
    texts = {(d.macro, d.key): spoken(d.text) for d in definitions(results, ())}
    baseline = results.results[0]

    assert texts["result", baseline.key] == f"{baseline.mean:.0f} people"
    assert texts["resultvalue", baseline.key] == f"{baseline.mean:.0f}"
    made = results.comparisons[0]
    assert made.relative is not None
    assert texts["change", f"{made.a}|{made.b}"] == f"{100 * made.relative:.0f}%"
    assert texts["changeby", f"{made.a}|{made.b}"] == f"{abs(100 * made.relative):.0f}%"


def test_numbers_tex_is_the_same_for_the_same_results() -> None:
    facts = [Fact("seeds", "5", "template")]
    assert numbers_tex(make_results(), facts) == numbers_tex(make_results(), facts)
