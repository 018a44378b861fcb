r"""Numbers by key: what `\result{...}`, `\change{...}{...}` and `\config{...}` stand for.

A paper names results; `numbers.tex` says what they are. It is made from results.json and the study's
configuration alone, and each number links to its row in the provenance appendix. Digits follow from the
uncertainty: two significant digits of the half-width of the 95% interval.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from novum.literature.tex import escape
from novum.records import Comparison, Result, Results

RESULT_MACROS = ("result", "resultpm", "resultvalue", "resultcell")
PAIR_MACROS = ("change", "changeby", "difference", "differencepm", "pvalue", "verdict")
BOUND_MACROS = (*RESULT_MACROS, *PAIR_MACROS, "config")
"""Every macro whose expansion the code makes. A number inside one of them is bound."""
KEYED: Mapping[str, int] = {
    **dict.fromkeys((*RESULT_MACROS, "config", "cite", "ref", "eqref", "label"), 1),
    **dict.fromkeys(PAIR_MACROS, 2),
    "claim": 3,
}
"""Every macro that prose gives keys, and how many: each in braces, at once, without options or spaces."""
KEYED_MACRO = re.compile(
    r"\\(?:" + "|".join(rf"{name}(?:\{{[^{{}}]*\}}){{{count}}}" for name, count in KEYED.items()) + ")"
)
_NO_UNIT = frozenset({"", "fraction", "1", "ratio"})
_MOST_DECIMALS = 6


class Fact(NamedTuple):
    r"""One value that `\config{key}` stands for, and where it comes from."""

    key: str
    value: str
    source: str


class Defined(NamedTuple):
    """One macro's expansion for one key. `anchor` names the row that it links to."""

    macro: str
    key: str
    text: str
    anchor: str


# -- digits --------------------------------------------------------------------------------------------


def decimals(value: float, uncertainty: float | None) -> int:
    """Decimal places to show: two significant digits of the uncertainty, four of the value without one."""
    if uncertainty is not None and uncertainty > 0 and math.isfinite(uncertainty):
        places = 1 - math.floor(math.log10(uncertainty))
    elif value == int(value) or not math.isfinite(value):
        places = 0
    else:
        places = 3 - math.floor(math.log10(abs(value)))
    return min(max(places, 0), _MOST_DECIMALS)


def number(value: float, places: int) -> str:
    """`value` in LaTeX for text, with a true minus sign and commas from 10,000 on."""
    rounded = round(value, places)
    text = f"{abs(rounded):,.{places}f}" if abs(rounded) >= 10_000 else f"{abs(rounded):.{places}f}"
    return rf"$-${text}" if rounded < 0 else text


def half_width(low: float | None, high: float | None) -> float | None:
    """Half the width of an interval, or None when there is none."""
    return None if low is None or high is None else (high - low) / 2


def percent(share: float, uncertainty: float | None = None) -> str:
    """A share as a percentage; whole percents unless both it and its uncertainty are smaller."""
    size = abs(100 * share)
    small = size < 2 and (uncertainty is None or 100 * uncertainty < 2)
    return rf"{number(100 * share, 1 if small else 0)}\,\%"


def p_value(p: float | None) -> str:
    """`p = ...` or `p < 0.001`, in mathematics."""
    if p is None:
        return "no test"
    if p < 0.001:
        return "$p < 0.001$"
    return f"$p = {p:.{2 if p >= 0.1 else 3}f}$"


def _unit(unit: str) -> str:
    return "" if unit in _NO_UNIT else f" {escape(unit)}"


# -- what the keys stand for -----------------------------------------------------------------------------


def _of_result(result: Result, anchor: str) -> list[Defined]:
    half = half_width(result.low, result.high)
    places = decimals(result.mean, half)
    mean, unit = number(result.mean, places), _unit(result.unit)
    interval, cell = "", mean
    if result.low is not None and result.high is not None and half is not None:
        interval = rf" (95\,\% interval {number(result.low, places)} to {number(result.high, places)})"
        cell = rf"{mean} $\pm$ {number(half, places)}"
    texts = {
        "result": mean + unit,
        "resultpm": mean + unit + interval,
        "resultvalue": mean,
        "resultcell": cell,
    }
    return [Defined(macro, result.key, text, anchor) for macro, text in texts.items()]


def _of_comparison(made: Comparison, unit: str, anchor: str) -> list[Defined]:
    half = half_width(made.low, made.high)
    places = decimals(made.difference, half)
    difference = number(made.difference, places) + _unit(unit)
    interval = ""
    if made.low is not None and made.high is not None:
        interval = rf" (95\,\% interval {number(made.low, places)} to {number(made.high, places)})"
    p = made.p_adjusted if made.p_adjusted is not None else made.p_value
    texts = {
        "difference": difference,
        "differencepm": difference + interval,
        "pvalue": p_value(p),
        "verdict": escape(made.verdict),
    }
    if made.relative is not None:
        base = abs(made.difference / made.relative) if made.relative else 0.0
        spread = half / base if half is not None and base else None
        texts["change"] = percent(made.relative, spread)
        texts["changeby"] = percent(abs(made.relative), spread)
    return [Defined(macro, pair_key(made.a, made.b), text, anchor) for macro, text in texts.items()]


def pair_key(a: str, b: str) -> str:
    """The key of a macro with two arguments."""
    return f"{a}|{b}"


def result_anchor(position: int) -> str:
    return f"novum.result.{position}"


def comparison_anchor(position: int) -> str:
    return f"novum.comparison.{position}"


def config_anchor(position: int) -> str:
    return f"novum.config.{position}"


def definitions(results: Results, facts: Iterable[Fact]) -> list[Defined]:
    """Every key that a paper may name, in a stable order."""
    units = {r.key: r.unit for r in results.results}
    defined: list[Defined] = []
    for position, result in enumerate(results.results):
        defined += _of_result(result, result_anchor(position))
    for position, made in enumerate(results.comparisons):
        defined += _of_comparison(made, units.get(made.a, ""), comparison_anchor(position))
    for position, fact in enumerate(facts):
        defined.append(Defined("config", fact.key, fact.value, config_anchor(position)))
    return defined


def numbers_tex(results: Results, facts: Iterable[Fact]) -> str:
    """The whole of numbers.tex."""
    lines = ["% Made by novum from results.json and the study's configuration. Not to be edited."]
    lines += [
        rf"\novumdefine{{{d.macro}}}{{{d.key}}}{{\novumlink{{{d.anchor}}}{{{d.text}}}}}"
        for d in definitions(results, facts)
    ]
    return "\n".join(lines) + "\n"


def known_keys(results: Results, facts: Iterable[Fact]) -> Mapping[str, frozenset[str]]:
    """Macro name to the keys (pairs as `a|b`) for which it is defined."""
    keys: dict[str, set[str]] = {macro: set() for macro in BOUND_MACROS}
    for defined in definitions(results, facts):
        keys[defined.macro].add(defined.key)
    return {macro: frozenset(found) for macro, found in keys.items()}


def spoken(text: str) -> str:
    """A LaTeX expansion as plain text, for prompts and logs."""
    for tex, plain in (
        (r"\,\%", "%"),
        (r"\%", "%"),
        (r"$\pm$", "+/-"),
        ("$-$", "-"),
        ("$", ""),
        (r"\_", "_"),
    ):
        text = text.replace(tex, plain)
    return text
