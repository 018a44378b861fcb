"""Sentences of a small model: what a grammar cannot forbid is found, sentence by sentence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.paper.prose import Rules, Shape, content_stems, grammar, sentence_problems, sentences
from novum.paper.wording import parted, plainer

VOCABULARY = content_stems(
    "contact reduction epidemic town infection susceptible people immunity peak attack rate policy"
)
METRICS = content_stems("peak attack rate")
FREE = Rules(VOCABULARY, METRICS)
FRAMED = Rules(VOCABULARY, METRICS, framed=True)


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("The epidemic infected twice as many people as before in the town.", "twice"),
        ("The epidemic infected about forty people in the small town.", "forty"),
        ("This groundbreaking contact reduction saves the town from an epidemic.", "plain words"),
        ("Our results show that the contact reduction protects the town.", "results are stated"),
        ("We found that people in the town keep their contacts.", "results are stated"),
        ("The contact reduction lowered the pressure on the whole town.", "lowered"),
        ("A firm contact reduction gives a lower peak in the town.", "measured quantity"),
        ("The baseline is better for the people of the town.", "do not compare"),
        ("This section describes the epidemic in the closed town.", "about the text"),
        ("The NPI of the town acts on every infection there.", "NPI"),
        ("The neural networks of the town predict every single infection.", "nothing to do"),
        ("Amber basins of cedar keep their ember all along.", "nothing about the subject"),
        ("The contact reduction in the town is a matter of the.", "breaks off"),
        ("the contact reduction in the town is lower case here.", "capital"),
        ("The contact reduction the the town is doubled up here.", "twice in a row"),
        ("The elders'sate'syunch of the town is an epidemic there.", "not a word"),
        ("The town town-wide.", "words"),
    ],
)
def test_a_sentence_that_may_not_stand_is_named(sentence: str, word: str) -> None:
    assert any(word in problem for problem in sentence_problems(sentence, FREE))


@pytest.mark.parametrize(
    "sentence",
    [
        "A contact reduction leaves many people in the town susceptible.",
        "A firm contact reduction could give a lower peak once it ends.",
        "Whether a policy protects the town depends on when it begins.",
        "A possible explanation is that the baseline leaves fewer people immune.",
    ],
)
def test_a_sober_sentence_stands(sentence: str) -> None:
    assert sentence_problems(sentence, FREE) == []


def test_how_a_metric_changes_is_said_with_a_hedge_or_not_at_all() -> None:
    assert sentence_problems("It is known that a reduction gives a lower peak.", FRAMED)
    assert not sentence_problems("A possible explanation is that a reduction gives a lower peak.", FRAMED)
    assert not sentence_problems("It is known that people in a town stay susceptible for longer.", FRAMED)


def test_a_repeated_sentence_is_found_even_when_a_word_was_changed() -> None:
    said = "A contact reduction leaves many people in the town susceptible."
    rules = Rules(
        VOCABULARY, METRICS, seen=("A contact reduction leaves most people in the town susceptible.",)
    )
    assert any("repeats an earlier" in p for p in sentence_problems(said, rules))


def test_praise_is_made_plain_with_its_article() -> None:
    assert (
        plainer("It is an essential and significantly robust policy.") == "It is a useful and stable policy."
    )
    assert plainer("Crucial measures.") == "Useful measures."


def test_words_that_grew_together_are_parted() -> None:
    known = frozenset({"attack", "rate", "contact", "contacts", "reduction"})
    assert parted("a contact-reduction and a trade-off in theirtiming", known) == (
        "a contact reduction and a trade-off in their timing"
    )
    assert parted("theimpact on theattackrate of them", known) == "the impact on the attack rate of them"
    assert parted("therefore these theories of contacts", known) == "therefore these theories of contacts"


def test_the_grammar_has_no_digit_and_every_opening() -> None:
    openings = (("It remains open whether",), ("Further work could examine how", "One may ask how"))
    text = grammar(Shape(openings=openings))
    assert not re.search(r"[0-9]", re.sub(r"\{\d+,\d+\}|\bs\d+\b", "", text))
    assert all(f'"{o}"' in text for group in openings for o in group)
    assert grammar(Shape(4)).count("cap (sep tok)") == 4


@given(st.text(max_size=300))
def test_no_reply_breaks_the_check(text: str) -> None:
    for sentence in sentences(plainer(parted(text, VOCABULARY))):
        assert isinstance(sentence_problems(sentence, FREE), list)
