"""The shipped bibliography: complete, consistent, and true where published metadata can tell."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from novum.literature.attribution import misattributions
from novum.literature.bibtex import bibtex_key, bibtex_keys
from novum.literature.identity import grouped
from novum.literature.offline import OfflineIndex
from novum.literature.shipped import shipped_works
from novum.literature.text import name_key, title_key
from novum.records import Paper

from .loopback_source import data_folder

WORKS = list(shipped_works())
PAPERS = [work.paper for work in WORKS]

# Where we cite the journal version and the metadata has the earlier conference paper, or an arXiv version.
OTHER_VERSION = {
    "Latent Dirichlet Allocation",
    "A Neural Probabilistic Language Model",
    "MLE-bench: Evaluating Machine Learning Agents on Machine Learning Engineering",
}


def test_there_are_at_least_400_works_and_none_twice() -> None:
    assert len(PAPERS) >= 400
    assert len(grouped(PAPERS)) == len(PAPERS)
    assert len(set(bibtex_keys(PAPERS).values())) == len(PAPERS)


def test_every_work_has_what_a_reference_needs_and_a_summary() -> None:
    for paper in PAPERS:
        assert paper.title and paper.authors and paper.venue and paper.abstract, paper.title
        assert paper.year and 1750 < paper.year < 2027, paper.title
        assert paper.kind != "misc" or paper.arxiv_id, f"{paper.title}: a misc entry needs an arXiv id"
        assert set(paper.origin.values()) == {"bibliography"}


def test_there_is_enough_about_the_subjects_of_the_shipped_templates() -> None:
    topics = Counter(work.topics[0] for work in WORKS)
    assert topics["epidemic modelling"] >= 35
    assert min(topics.values()) >= 15


JOINT_CREDIT = {"Gillespie algorithm", "stochastic simulation algorithm", "universal approximation theorem"}
"""Introduced by two works, each of which may be cited for it."""


def test_a_method_is_introduced_by_one_work_but_for_joint_credits() -> None:
    introduced = Counter(method for paper in PAPERS for method in paper.introduces)
    assert {method for method, count in introduced.items() if count > 1} == JOINT_CREDIT


@pytest.mark.parametrize(
    "tex",
    [
        r"the Gillespie algorithm~\cite{gillespie1976general}",
        r"the Gillespie algorithm~\cite{gillespie1977exact}",
        r"the universal approximation theorem~\cite{hornik1989multilayer}",
        r"the universal approximation theorem~\cite{cybenko1989approximation}",
        r"random search~\cite{hornik1989multilayer}",
        r"a nearest neighbor classifier~\cite{hornik1989multilayer}",
        r"non-negative matrix factorization~\cite{hornik1989multilayer}",
    ],
)
def test_joint_credits_and_methods_older_than_our_works_are_no_finding(tex: str) -> None:
    assert misattributions(tex, {bibtex_key(paper): paper for paper in PAPERS}) == []


def test_an_index_holds_every_shipped_work_also_after_an_older_bibliography(tmp_path: Path) -> None:
    """A correction never reached an index that was there already: the older value was kept."""
    glue = next(p for p in PAPERS if p.title.startswith("GLUE"))
    wrong = glue.model_copy(
        update={
            "id": "doi:10.18653/v1/w18-5446",
            "doi": "10.18653/v1/w18-5446",
            "venue": "A Workshop",
            "introduces": ("GLUE", "everything"),
            "origin": {**glue.origin, "doi": "bibliography"},
            "abstract": "Imported.",
        }
    )
    wrong = wrong.model_copy(update={"origin": {**wrong.origin, "abstract": "import"}})
    path = tmp_path / "literature.db"
    OfflineIndex(path).close()
    older = OfflineIndex(tmp_path / "older.db", shipped=False)
    older.add([wrong, *(p for p in PAPERS if p.id != glue.id)])
    older.close()
    with closing(sqlite3.connect(tmp_path / "older.db")) as db, db:
        db.execute("INSERT INTO meta VALUES ('shipped', 'an older one')")
    index = OfflineIndex(tmp_path / "older.db")
    assert index.works == len(PAPERS) == OfflineIndex(path).works == index.stats().works
    found = index.lookup("arxiv:1804.07461")
    assert found is not None
    assert (found.doi, found.venue, found.introduces) == ("", glue.venue, ("GLUE",))
    assert found.abstract == "Imported."
    assert index.lookup("doi:10.18653/v1/w18-5446") is None
    assert not index.search("workshop everything GLUE", 1)[0].doi


def _published() -> dict[str, list[dict[str, Any]]]:
    by_title: dict[str, list[dict[str, Any]]] = defaultdict(list)
    wanted = {title_key(paper.title) for paper in PAPERS}
    file = data_folder("literature") / "all_metadata_noabstract.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for text in lines:
            entry = json.loads(text)
            if (key := title_key(entry["title"])) in wanted:
                by_title[key].append(entry)
    return by_title


def _agrees(paper: Paper, entry: dict[str, Any]) -> bool:
    ours, theirs = ({name_key(n) for n in names} for names in (paper.authors, entry["authors"]))
    return abs(int(entry["year"]) - (paper.year or 0)) <= 1 and len(ours & theirs) >= 0.7 * max(
        len(ours), len(theirs)
    )


def test_every_record_that_published_metadata_holds_agrees_with_it() -> None:
    published = _published()
    checked = [paper for paper in PAPERS if title_key(paper.title) in published]
    wrong = [
        paper.title
        for paper in checked
        if paper.title not in OTHER_VERSION
        and not any(_agrees(paper, entry) for entry in published[title_key(paper.title)])
    ]
    assert wrong == []
    assert len(checked) >= 180
