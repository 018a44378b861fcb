"""Sentences about results come from verified comparisons, and claims are judged by the record."""

from __future__ import annotations

import pytest

from novum.events import EventLog
from novum.paper.audit_checks import unbound_in
from novum.paper.claims import FoundClaim, claim_records, claims_in, judge, lacks_claim, result_sentences
from novum.paper.findings import ordered_results
from novum.paper.material import load_material
from novum.paper.numbers import known_keys
from novum.paper.text import tex_sentences
from novum.store import StudyFolder
from novum.template import Template

from .conftest import make_results

A, B = "run_1/town/peak_infected", "run_0/town/peak_infected"


def test_a_claim_that_the_results_support_is_supported_either_way_round() -> None:
    results = make_results()
    assert judge(FoundClaim(A, "better", B), results)[0]
    assert judge(FoundClaim(A, "lower", B), results)[0]
    assert judge(FoundClaim(B, "worse", A), results)[0]
    assert judge(FoundClaim(B, "higher", A), results)[0]


def test_a_claim_against_the_results_is_not_supported() -> None:
    results = make_results()
    assert not judge(FoundClaim(A, "worse", B), results)[0]
    assert not judge(FoundClaim(A, "higher", B), results)[0]
    assert not judge(FoundClaim("run_2/town/peak_infected", "better", B), results)[0]
    assert judge(FoundClaim("run_2/town/peak_infected", "no detectable difference", B), results)[0]
    assert not judge(FoundClaim("run_9/town/peak_infected", "better", B), results)[0]


def test_every_run_is_spoken_of_and_the_last_one_too(
    folder: StudyFolder, log: EventLog, template: Template
) -> None:
    material = load_material(folder, log, template)
    chosen = ordered_results(material, ["S2"])
    assert {s.run for s in chosen} == {"run_1", "run_2", "run_3", "run_4"}
    assert any("run~4" in s.tex and "error" in s.tex for s in chosen)


def test_rendered_sentences_hold_no_literal_number_and_only_known_keys(
    folder: StudyFolder, log: EventLog, template: Template
) -> None:
    material = load_material(folder, log, template)
    keys = known_keys(material.results, material.facts)
    for sentence in result_sentences(material):
        assert unbound_in(sentence.tex) == []
        for claim in claims_in(sentence.tex):
            assert claim.a in keys["result"]
            assert judge(claim, material.results)[0]


def test_the_same_results_give_the_same_sentences(
    folder: StudyFolder, log: EventLog, template: Template
) -> None:
    material = load_material(folder, log, template)
    assert result_sentences(material) == result_sentences(material)
    assert len({s.tex for s in result_sentences(material)}) == len(result_sentences(material))


def test_a_claim_stays_with_the_sentence_that_it_follows() -> None:
    tex = rf"It fell.\claim{{{A}}}{{better}}{{{B}}} Hatchett et~al. wrote on it. The end."
    parts = tex_sentences(tex)
    assert [len(claims_in(p)) for p in parts] == [1, 0, 0]
    record = claim_records("results", parts[0], make_results())[0]
    assert record.sentence == "It fell."
    assert record.supported


def test_a_claim_behind_a_space_stays_with_its_sentence_too() -> None:
    tex = rf"It fell. \claim{{{A}}}{{better}}{{{B}}} The end. \claim{{{A}}}{{lower}}{{{B}}}"
    assert [len(claims_in(p)) for p in tex_sentences(tex)] == [1, 1]


@pytest.mark.parametrize(
    "sentence",
    [
        r"Run~2 clearly outperforms the baseline in every respect.",
        r"The baseline is clearly inferior.",
        r"Our change lowers the peak.",
        r"In runs 1 and 3 the peak was higher, as one would expect.",
        r"Against run 1, run 3 is more effective.",
        rf"The peak was \result{{{A}}}, lower than before.",
        rf"It improved by \changeby{{{A}}}{{{B}}}.",
    ],
)
def test_a_comparison_in_words_or_by_key_needs_a_claim(sentence: str) -> None:
    assert lacks_claim(sentence)
    assert not lacks_claim(rf"{sentence}\claim{{{A}}}{{better}}{{{B}}}")


@pytest.mark.parametrize(
    "sentence",
    [
        r"A higher reproduction number makes a larger outbreak.",
        r"We ask whether run 2 outperforms the baseline.",
        r"The hypothesis is that our change lowers the peak.",
        r"Run 2 uses a lower rate than the baseline.",
        r"Run~1 is the first run beside the baseline.",
        rf"In run~1 the peak was \result{{{A}}}.",
        r"Others~\cite{a2020b}, in short: \worksummary{one run 2 is better than a baseline}.",
    ],
)
def test_what_compares_no_results_needs_none(sentence: str) -> None:
    assert not lacks_claim(sentence)
