"""Pure helpers of novelty and of the audit: similarity, verification of references, who introduced what."""

from __future__ import annotations

import pytest

from novum.errors import SourceError
from novum.literature.attribution import misattributions
from novum.literature.library import Library
from novum.literature.offline import OfflineIndex
from novum.literature.scripted import ScriptedSource
from novum.literature.shipped import shipped_works
from novum.literature.similarity import similarity
from novum.literature.verify import verify_reference
from novum.records import Paper

WORKS = {work.paper.title: work.paper for work in shipped_works()}
LSTM = WORKS["Long Short-Term Memory"]
BOOK = next(p for p in WORKS.values() if p.title == "Deep Learning" and p.kind == "book")
DDPM = WORKS["Denoising Diffusion Probabilistic Models"]


# -- similarity ----------------------------------------------------------------------------------------


def test_similarity_is_one_for_the_same_words_and_zero_for_none() -> None:
    paper = Paper(id="x:1", title="Grokking circuits", abstract="weights decay")
    assert similarity("decaying weight grokking circuit", paper) == pytest.approx(1)
    assert similarity("volcanic sediment", paper) == 0
    assert similarity("", paper) == similarity("the of", paper) == 0


def test_everyday_words_say_little() -> None:
    everyday = Paper(id="x:1", title="A novel method improves performance on new data")
    specific = Paper(id="x:2", title="Quokka gait in marsupial treadmill trials")
    text = "a novel method improves performance of quokka gait on a treadmill"
    assert similarity(text, specific) > similarity(text, everyday)


# -- verification --------------------------------------------------------------------------------------


def test_a_shipped_reference_is_verified_with_no_network() -> None:
    verdict = verify_reference(DDPM, Library([OfflineIndex(None)]))
    assert verdict.verdict == "verified"


def test_a_reference_that_nobody_holds_is_not_found() -> None:
    made_up = Paper(
        id="doi:10.9999/nope", title="Attention Is Nothing You Need", authors=("No Body",), year=2031
    )
    assert verify_reference(made_up, Library([OfflineIndex(None)])).verdict == "not found"


def test_a_real_id_under_a_wrong_title_author_or_year_differs() -> None:
    library = Library([OfflineIndex(None)])
    for change in ({"title": "Optimal Control of Boats"}, {"authors": ("Max Mustermann",)}, {"year": 1999}):
        verdict = verify_reference(DDPM.model_copy(update=change), library)
        assert verdict.verdict == "differs", change
        assert str(next(iter(change))).rstrip("s") in verdict.reason


def test_when_a_source_fails_what_is_not_found_is_unverifiable_and_never_false() -> None:
    down = ScriptedSource(error=SourceError("no route"))
    unknown = Paper(id="doi:10.9999/x", title="Perhaps It Exists", authors=("A. B",))
    assert verify_reference(unknown, Library([down])).verdict == "unverifiable"
    assert verify_reference(unknown, Library([OfflineIndex(None), down])).verdict == "unverifiable"
    assert verify_reference(DDPM, Library([OfflineIndex(None), down])).verdict == "verified"


def test_a_retracted_work_is_told() -> None:
    source = ScriptedSource([DDPM.model_copy(update={"retracted": True})])
    assert verify_reference(DDPM, Library([source])).verdict == "retracted"


def test_a_work_with_another_id_is_found_by_its_title() -> None:
    typed = Paper(id="web:https://example.org", title="Denoising diffusion probabilistic models",
                  authors=("Ho, J.", "Jain, A.", "Abbeel, P."), year=2021)  # fmt: skip
    assert verify_reference(typed, Library([OfflineIndex(None)])).verdict == "verified"


# -- who introduced what -------------------------------------------------------------------------------


CITED = {"book": BOOK, "lstm": LSTM, "ddpm": DDPM}


@pytest.mark.parametrize(
    "tex",
    [r"We use an LSTM \cite{book}.", r"LSTMs~\citep[see][p.~3]{book}", r"an LSTM network \citet{book,ddpm}",
     r"We use dropout. The long short-term memory \cite{ddpm}"],
)  # fmt: skip
def test_a_method_credited_to_another_work_is_found(tex: str) -> None:
    findings = misattributions(tex, CITED)
    assert len(findings) == 1
    assert findings[0].introduced_by == LSTM


@pytest.mark.parametrize(
    "tex",
    [r"We use an LSTM \cite{lstm}.", r"LSTM \cite{book,lstm}", r"Neural networks \cite{book} and the LSTM.",
     r"Beside the LSTM, textbooks describe many other recurrent networks \cite{book}.", r"LSTM \cite{unknown}",
     r"The LSTM is old. Textbooks \cite{book} say so."],
)  # fmt: skip
def test_a_right_credit_or_a_mere_mention_is_no_finding(tex: str) -> None:
    assert misattributions(tex, CITED) == []
