"""The offline index: search, look-up, merging, and what it does when its file cannot be used."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from novum.errors import SourceError
from novum.literature.offline import OfflineIndex
from novum.records import Paper

HO = Paper(
    id="doi:10.1234/ho",
    title="Denoising Diffusion Probabilistic Models",
    authors=("Jonathan Ho", "Ajay Jain"),
    year=2020,
    doi="10.1234/ho",
    abstract="High quality image synthesis.",
    origin={"title": "import"},
)


@pytest.fixture
def index() -> OfflineIndex:
    return OfflineIndex(None, shipped=False)


def test_shipped_bibliography_answers_denoising_diffusion_with_years_and_venues() -> None:
    found = OfflineIndex(None).search("denoising diffusion", 5)
    assert found[0].title == "Denoising Diffusion Probabilistic Models"
    assert len(found) == 5
    assert all(p.year and p.venue for p in found)
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


@pytest.mark.parametrize(
    "query", ["", "   ", "the of and", '"', 'AND OR NOT "x', "a* NEAR(b, c)", "col:umn -x ^y", "🙂"]
)
def test_no_query_breaks_the_search_syntax(index: OfflineIndex, query: str) -> None:
    index.add([HO])
    assert index.search(query) == []


def test_word_forms_and_accents_do_not_matter(index: OfflineIndex) -> None:
    index.add([HO.model_copy(update={"title": "Étude of Denoised Diffusions"})])
    assert index.search("etude denoising diffusion")


def test_a_title_word_counts_more_than_a_word_of_the_abstract(index: OfflineIndex) -> None:
    in_title = Paper(id="x:1", title="Superspreading events", abstract="About an outbreak of some size.")
    in_abstract = Paper(id="x:2", title="An outbreak of some size", abstract="Superspreading events.")
    index.add([in_abstract, in_title])
    assert [p.id for p in index.search("superspreading")] == ["x:1", "x:2"]


def test_the_same_work_from_another_source_is_merged_and_found_by_both_ids(index: OfflineIndex) -> None:
    arxiv = Paper(
        id="arxiv:2006.11239",
        arxiv_id="2006.11239",
        title="Denoising diffusion probabilistic models.",
        authors=("Ho, J.",),
        year=2020,
        abstract="We present quokka models.",
        origin={"abstract": "arxiv"},
    )
    assert index.add([HO, arxiv]) == (1, 1)
    assert index.stats().works == 1
    for paper_id in ("doi:10.1234/ho", "https://doi.org/10.1234/HO", "arXiv:2006.11239v3", "2006.11239"):
        assert index.lookup(paper_id), paper_id
    assert index.search("quokka"), "words of the merged abstract are in the index"
    assert not index.search("image synthesis"), "and those of the abstract it replaced are not"


def test_adding_the_same_works_again_changes_nothing(index: OfflineIndex) -> None:
    index.add([HO])
    assert index.add([HO]) == (0, 1)
    assert index.lookup(HO.id) == HO.model_copy(update={"origin": index.lookup(HO.id).origin})  # type: ignore[union-attr]


def test_limit_is_honoured_also_when_it_is_none_or_huge(index: OfflineIndex) -> None:
    index.add([Paper(id=f"x:{n}", title=f"Diffusion {n}") for n in range(30)])
    assert index.search("diffusion", 0) == []
    assert len(index.search("diffusion", 10_000)) == 30


def test_a_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "literature.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(SourceError, match=r"(?s)cannot be used.*next:.*deleted"):
        OfflineIndex(tmp_path / "literature.db")


def test_the_file_is_reused_and_processes_may_open_it_at_once(tmp_path: Path) -> None:
    opened: list[int] = []

    def open_it() -> None:
        index = OfflineIndex(tmp_path / "literature.db")
        opened.append(index.stats().works)
        index.close()

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    assert len(set(opened)) == 1 and opened[0] > 100


def test_searches_from_many_threads_agree(index: OfflineIndex) -> None:
    index.add([HO])
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(len(index.search("diffusion")))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 8
