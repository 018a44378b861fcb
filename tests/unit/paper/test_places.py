"""Where a citation stands in a sentence: the code inserts and removes it and touches nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.paper.document import Block, Section
from novum.paper.places import citable, places, uncited, with_citation, with_sentence, without_citation

SENTENCE = "The LSTM keeps a memory over long sequences, and dropout thins a network."


@pytest.mark.parametrize(
    ("after", "cited"),
    [
        ("", r"sequences, and dropout thins a network~\cite{k}."),
        ("The LSTM", r"The LSTM~\cite{k} keeps a memory"),
        ("dropout.", r"and dropout~\cite{k} thins"),
        ("words that are not there", r"thins a network~\cite{k}."),
        ("drop", r"thins a network~\cite{k}."),
        ("a", r"thins a network~\cite{k}."),
    ],
)
def test_a_citation_stands_where_it_was_said_or_before_the_full_stop(after: str, cited: str) -> None:
    assert cited in with_citation(SENTENCE, "k", after)


@pytest.mark.parametrize(
    ("sentence", "after"),
    [
        (r"The factor $x + y$ grows with age.", "x"),
        (r"As \emph{Kermack and McKendrick} wrote, it ends.", "Kermack"),
        (r"We use \textbf{waves} of infection.", r"\textbf"),
    ],
)
def test_no_citation_lands_in_a_formula_a_command_or_its_argument(sentence: str, after: str) -> None:
    assert with_citation(sentence, "k", after) == sentence[:-1] + r"~\cite{k}."


def test_a_second_work_joins_the_citation_that_stands_there() -> None:
    once = with_citation(SENTENCE, "a", "The LSTM")
    assert r"The LSTM~\cite{a} keeps" in once
    assert with_citation(r"It is known~\cite{a}.", "b") == r"It is known~\cite{a,b}."


@given(
    st.text(alphabet=st.characters(codec="ascii", exclude_characters="\\{}~"), max_size=120),
    st.text(alphabet="abc .,$", max_size=12),
)
def test_what_was_inserted_can_be_taken_out_again(sentence: str, after: str) -> None:
    cited = with_citation(sentence, "key2020word", after)
    assert cited.count(r"\cite{key2020word}") == 1
    assert without_citation(cited, "key2020word") == sentence
    assert uncited(cited) == " ".join(sentence.split())


def test_one_of_several_works_is_taken_out_and_the_others_stay() -> None:
    assert without_citation(r"So it is~\cite{a, b,c}.", "b") == r"So it is~\cite{a,c}."
    assert without_citation(r"So it is~\cite{a}.", "b") == r"So it is~\cite{a}."
    assert without_citation(r"So it is \cite{a}.", "a") == "So it is."
    assert uncited(r"So it is \cite{a} for \cite{b,c} all.") == "So it is for all."


def section(name: str, *blocks: Block) -> Section:
    return Section(name, name.title(), blocks)


def test_only_running_text_of_models_and_templates_without_results_may_be_cited() -> None:
    fine = "Epidemics end before everybody is infected."
    sections = [
        section("results", Block("Nothing here is to be cited at all.", "model")),
        section("discussion", Block("A model wrote this other sentence here.", "model")),
        section(
            "background",
            Block(rf"{fine} This has a work behind it already~\cite{{a}}.", "template"),
            Block(r"The peak was \result{run_1/town/peak} people on that day.", "model"),
            Block("The code wrote this sentence about all the runs.", "code"),
            Block(r"\begin{table}No running text stands in here at all.\end{table}", "model", prose=False),
            Block("Too short.", "model"),
        ),
    ]
    assert [p.sentence for p in citable(sections)] == [fine, "A model wrote this other sentence here."]
    assert citable(sections)[0].name == "background/1"


def test_a_sentence_is_replaced_in_its_own_paragraph_only() -> None:
    twice = "The same sentence stands in two paragraphs."
    sections = [section("background", Block(twice, "model"), Block(twice, "model"))]
    second = list(places(sections))[1]
    changed = with_sentence(sections, second, "Another.")
    assert [b.tex for b in changed[0].blocks] == [twice, "Another."]
