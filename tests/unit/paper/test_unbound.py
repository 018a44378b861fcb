"""Literal numbers in prose are found; what is structural or bound is let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.literature.tex import escape
from novum.paper.unbound import declared_phrases, unbound_numbers
from novum.template import load_template


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("The peak fell by 12\\% in every run.", ["12\\%"]),
        ("An accuracy of 0.95 was reached.", ["0.95"]),
        ("It took 1,200 steps and 3.5e-4 of rate.", ["1,200", "3.5e-4"]),
        ("It took 1{,}200 steps.", ["1{,}200"]),
        ("It is 10x as fast.", ["10"]),
        ("Nearly half of the town, twice as many.", ["half", "twice"]),
        ("We used three seeds.", ["three"]),
        ("We ran twenty-one simulations.", ["twenty-one"]),
        ("There were 2000 people.", ["2000"]),
        ("with $p = 0.03$ in all", ["0.03"]),
        ("with $n = 5$ seeds", ["5"]),
        ("a level of $\\alpha = .05$", [".05"]),
        ("in \\textbf{0.87} of cases", ["0.87"]),
        ("About ½ of them, ５ in all.", ["0.5", "5"]),
        ("A loss of -3.2 was seen.", ["-3.2"]),
        ("The peak fell from 1902 to 1650.", ["1902", "1650"]),
        ("It came to 1902, after 1650; the peak (1902) was late.", ["1902", "1650", "1902"]),
        ("Between 1902 and 1650 people fell ill, 1700 of them early.", ["1902", "1650", "1700"]),
        ("In 1902 of the towns it was seen, in 1650 people.", ["1902", "1650"]),
        (
            r"An accuracy of \texttt{0.93} and \texttt{acc=0.93}, \texttt{twelve} days.",
            ["0.93", "0.93", "twelve"],
        ),
        (r"As was seen\cite[42 percent fewer]{nobody2031}.", ["42", "percent"]),
        (r"As \result{run_1/a/b} {42} and \worktitle{a}{17} show.", ["42", "17"]),
    ],
)
def test_a_typed_number_is_found(prose: str, found: list[str]) -> None:
    assert unbound_numbers(prose) == found


@pytest.mark.parametrize(
    "prose",
    [
        "The peak fell by \\change{run_1/town/peak}{run_0/town/peak}, to \\resultpm{run_1/town/peak}.",
        "With \\config{seeds} seeds~\\cite{welch1947generalization,holm1979simple}.",
        "As Table~\\ref{tab:results1}, Figure 3 and Section 2.1 show, run~2 and Run 3 differ.",
        "Failed attempt~1 at run~2 ended with an error.",
        "Pandemics of 1918 (1957, 1968) and the one in 2009 are known since 2010.",
        "A 95\\,\\% interval and a 95\\% confidence interval are given.",
        "SARS-CoV-2, COVID-19, H1N1, $R_0$ and R0 are names.",
        "The town has three age groups (children, adults and elders).",
        "There are two reasons: noise and bias.",
        "One of the runs is the baseline; no one knows.",
        "The difference from zero matters, a first and a second wave.",
        "$1 - e^{-\\lambda}$ and $x^2$ with $S_{t+1}$",
        "\\begin{align} x &= 1 - y \\\\ z &= 2x \\end{align}",
        "See \\worktitle{The 1918 influenza pandemic in 43 cities} and \\worksummary{shows 17 effects}.",
        "A 2D lattice is used.",
        "Kermack and McKendrick (1927) and Holm (1979), as others said (Ferguson et~al., 2006; Holm, 1979a).",
        "In 1918, 1957 and 1968 it spread; until 1920, in early 1921, since the year 1950.",
        "The 1918 pandemic, the 1957 influenza pandemic and the outbreak of 2014 differed.",
        r"The metric \texttt{acc\_top5} of \texttt{run\_\allowbreak{}1} on \texttt{enwik8}, by \texttt{gpt-4.1-mini}.",
        "% a comment with 42",
    ],
)
def test_what_is_structural_or_bound_is_let_through(prose: str) -> None:
    assert unbound_numbers(prose) == []


def test_a_count_is_structural_only_when_as_many_things_are_listed() -> None:
    assert unbound_numbers("There are three groups (children and adults).") == ["three"]


def test_a_number_inside_a_keys_macro_does_not_hide_the_one_beside_it() -> None:
    assert unbound_numbers(r"\result{run_1/a/b} of 40") == ["40"]


_WORDS = st.sampled_from(
    ["the", "peak", "of", "a", "town", "rose", "over", "time", "ended", "quietly", "run"]
)


@given(
    before=st.lists(_WORDS, min_size=1, max_size=8),
    value=st.decimals(min_value="0.01", max_value="9999.99", places=2, allow_nan=False),
    after=st.lists(_WORDS, min_size=1, max_size=8),
)
def test_any_decimal_is_found_wherever_it_stands(before: list[str], value: object, after: list[str]) -> None:
    sentence = f"{' '.join(before)} {value} {' '.join(after)}."
    assert unbound_numbers(sentence) == [str(value)]


@given(st.text(max_size=200))
def test_no_text_breaks_the_search(text: str) -> None:
    assert all(isinstance(found, str) for found in unbound_numbers(text))


def test_what_the_template_calls_its_metrics_may_hold_a_number() -> None:
    """A paper on steps to 99% accuracy had a finding wherever it named its own metric."""
    template = load_template("grokking")
    declared = declared_phrases(template)
    described = template.metrics[0].description.rstrip(".")
    assert "99" in described
    said = escape(f"{described[0].lower()}{described[1:]}; lower is better")
    assert unbound_numbers(said)
    assert unbound_numbers(said, declared) == []
    assert unbound_numbers(f"{said}, which 99 of them reached", declared) == ["99"]
