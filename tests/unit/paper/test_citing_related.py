"""Related work, what a paper says of its own search, and the shelf of works behind it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from novum.errors import SourceError
from novum.events import EventLog
from novum.literature.library import Library
from novum.literature.offline import OfflineIndex
from novum.literature.scripted import ScriptedSource
from novum.literature.verify import verify_reference
from novum.llm import Request
from novum.llm.nonsense import random_model
from novum.paper import citing
from novum.paper.citations import FEWEST, cited_keys, gather, references_bib
from novum.paper.citing import cite_draft
from novum.paper.document import Block
from novum.paper.material import Material, load_material
from novum.paper.places import uncited
from novum.paper.works import shipped, summary_of
from novum.records import Idea, Novelty
from novum.store import StudyFolder
from novum.template import Template, builtin_templates, load_template
from novum.tools import Tools

from .citations import (
    CITING,
    EMPTY,
    NEED,
    OTHER,
    SHELF,
    WAVES,
    maker,
    noted,
    player,
    sections,
)
from .conftest import IDEA, shipped_library


@pytest.fixture
def tools(folder: StudyFolder, log: EventLog, template: Template) -> Callable[..., Tools]:
    return maker(folder, log, template)


# -- related work --------------------------------------------------------------------------------------

TOLD = "A model of a town shows that infection comes back when closures of schools end too soon."


def related_of(made: Tools, material: Material) -> str:
    cited, _ = cite_draft(made, material, EMPTY, sections())
    return "\n".join(b.tex for b in cited[-1].blocks)


@pytest.fixture
def material(folder: StudyFolder, log: EventLog, template: Template) -> Material:
    return load_material(folder, log, template)


def test_related_work_is_written_from_the_abstracts_of_the_picked_works(
    tools: Callable[..., Tools], material: Material
) -> None:
    made = tools(player(related={"works": [{"work": "W1", "sentence": TOLD}]}))
    assert rf"{TOLD[:-1]}~\cite{{lee2011second}}." in related_of(made, material)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("School closures that end too soon are followed by second waves of infection in a town.", "copies"),
        ("Second waves of infection came after school closures in 37 towns.", "number"),
        ("It is a landmark that everybody in the field should know by heart.", "not about"),
        (r"Second waves follow \textbf{school closures} that end too soon.", "plain text"),
    ],
)
def test_a_sentence_on_a_work_that_copies_counts_or_strays_is_left_out(
    tools: Callable[..., Tools], material: Material, sentence: str, why: str
) -> None:
    made = tools(player(related={"works": [{"work": "W1", "sentence": sentence}]}))
    assert sentence[:30] not in related_of(made, material)
    assert any(why in e.data["reason"] for e in made.log.events("sentence_dropped"))


def test_a_quick_study_of_a_small_model_names_works_and_records_that_it_does_no_more(
    tools: Callable[..., Tools], material: Material
) -> None:
    made = tools(player(), small=True, full=False)
    related_of(made, material)
    assert any("abstracts at most" in e["cut"] for e in noted(made, "cut"))
    assert citing.TOLD[("quick", True)] == 0


# -- what the paper says of its own search -------------------------------------------------------------


def with_verdict(material: Material, verdict: str, **fields: Any) -> Material:
    novelty = Novelty.model_validate({"verdict": verdict, "reason": "so it is", **fields})
    idea: Idea = IDEA.model_copy(update={"novelty": novelty})
    return dataclasses.replace(material, idea=idea)


def test_the_paper_says_that_no_source_could_be_asked(
    tools: Callable[..., Tools], material: Material
) -> None:
    made = tools(player(), source=ScriptedSource(error=SourceError("no route")))
    text = related_of(made, with_verdict(material, "unknown"))
    assert "No source of the literature could be asked" in text
    assert "answered before is unknown" in text


def test_the_paper_names_the_sources_and_the_work_that_has_the_idea(
    tools: Callable[..., Tools], material: Material
) -> None:
    made = tools(player())
    known = with_verdict(material, "known", nearest=(WAVES,), known_as=WAVES.id)
    text = related_of(made, known)
    assert "The literature was searched in scripted." in text
    assert r"has been asked before by Lee and Chan~\cite{lee2011second}" in text
    assert "no work asks the question" in related_of(made, with_verdict(material, "novel"))


def test_a_paper_that_calls_its_question_new_says_how_many_works_were_asked(
    tools: Callable[..., Tools], material: Material
) -> None:
    """The index that ships holds hundreds of works; that none of them asks the question says little."""
    index = OfflineIndex(None)
    search = Library([index]).search("second waves").search
    assert search.index_works == index.works > 400
    new = with_verdict(material, "novel", searches=(search,))
    text = related_of(tools(player(), source=index), new)
    assert r"index on this machine held \config{literature/index_works} works" in text
    assert f"{index.works}" in {f.value for f in new.facts if f.key == "literature/index_works"}
    elsewhere = with_verdict(material, "novel")
    assert "index_works" not in related_of(tools(player()), elsewhere)


def test_when_no_source_answers_citations_come_from_the_shipped_bibliography(
    tools: Callable[..., Tools], material: Material
) -> None:
    down = tools(player(), source=ScriptedSource(error=SourceError("no route")))
    shelf = gather(down, material)
    assert shelf.unanswered > 0
    assert len(shelf.candidates) >= 4
    for work in shelf.candidates:
        assert shipped_library().lookup(work.paper.id).paper is not None
    assert "@" in references_bib([w.key for w in shelf.works], shelf)


@pytest.mark.parametrize("name", sorted(builtin_templates()))
def test_every_shipped_template_has_ten_works_to_cite_all_of_them_in_the_offline_index(
    tools: Callable[..., Tools], material: Material, name: str
) -> None:
    made = tools(player(), source=ScriptedSource(error=SourceError("no route")))
    about = dataclasses.replace(material, template=load_template(name))
    shelf = gather(made, about)
    assert len(shelf.works) >= FEWEST
    for work in shelf.works:
        assert verify_reference(work.paper, shipped_library()).verdict == "verified", work.paper.title


def test_a_paper_on_grokking_cites_works_on_grokking_and_not_what_shares_everyday_words(
    tools: Callable[..., Tools], material: Material
) -> None:
    """Searches for "generalisation" and "learning" brought boosting and a games benchmark into the paper."""
    title = "Weight Decay and the Delay of Generalisation"
    idea = IDEA.model_copy(update={"title": title, "hypothesis": "A larger weight decay shortens the delay."})
    about = dataclasses.replace(material, template=load_template("grokking"), idea=idea)
    found = [w.paper.title for w in gather(tools(player(), source=OfflineIndex(None)), about).candidates]
    assert sum("grok" in t.lower() for t in found) >= 5
    assert not any(word in t for t in found for word in ("Boosting", "Arcade", "Gaussian Processes"))


@pytest.mark.parametrize("seed", range(4))
def test_random_replies_leave_a_draft_whose_every_key_is_on_the_shelf(
    tools: Callable[..., Tools], material: Material, seed: int
) -> None:
    model = random_model(seed)

    def play(request: Request) -> Any:
        text = model.complete(request).text
        try:
            return json.loads(text)
        except ValueError:
            return text

    made = tools(play, small=bool(seed % 2))
    cited, shelf = cite_draft(made, material, SHELF, sections(Block(f"{NEED} {CITING} {OTHER}", "model")))
    tex = " ".join(b.tex for s in cited for b in s.blocks)
    assert all(shelf.by_key(key) for key in cited_keys(tex))
    assert uncited(NEED) in uncited(tex)


def test_a_template_may_write_an_id_as_publishers_do() -> None:
    """Its work had no summary then, and was only named."""
    written = shipped("doi:10.1007/BF02551274")
    assert written is not None
    assert summary_of(written.model_copy(update={"id": "doi:10.1007/BF02551274", "origin": {}}))
