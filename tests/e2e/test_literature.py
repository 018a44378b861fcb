"""Studies whose literature cannot be asked, and ideas that a user does not want."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from novum.literature.offline import OfflineIndex
from novum.literature.text import title_key
from novum.paper.audit_citations import references
from tests.e2e.conftest import SCIENTIST, Novum, events_of

pytestmark = pytest.mark.e2e

SERVICES = ("semantic_scholar", "openalex", "arxiv", "crossref", "web")


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port of the loopback that is taken and that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def words_of(pdf: Path) -> str:
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        return " ".join(" ".join(page.get_textpage().get_text_bounded() for page in document).split())


def test_with_every_source_down_a_study_ends_and_says_so(novum: Novum, dead_port: int) -> None:
    """An unreachable source made ideas novel, and papers cite what does not exist, in earlier systems."""
    addresses = "\n".join(f'{name} = "http://127.0.0.1:{dead_port}"' for name in SERVICES)
    (novum.folder / "novum.toml").write_text(
        f"[literature]\nsources = {json.dumps(SERVICES)}\ntimeout_s = 0.5\n[literature.base_urls]\n{addresses}\n"
    )
    cache = str(novum.folder / "cache")
    novum("run", "epidemic", "--model", SCIENTIST, "--profile", "quick", "--seed", "1", NOVUM_CACHE=cache)
    (study,) = novum.studies
    assert not any(e["search"]["answered"] for e in events_of(study, "search") if not e.get("instead"))
    idea = json.loads((study / "idea.json").read_text())
    assert idea["novelty"]["verdict"] == "unknown"

    index = OfflineIndex(None)
    cited = references((study / "paper" / "references.bib").read_text())
    assert len(cited) >= 10
    for key, paper in cited.items():
        assert paper is not None, key
        assert any(title_key(p.title) == title_key(paper.title) for p in index.search(paper.title, 3)), key

    text = words_of(study / "paper" / "paper.pdf")
    assert "No source of the literature could be asked" in text
    assert "is unknown" in text
    audit = json.loads((study / "paper" / "audit.json").read_text())
    assert audit["passes"]
    assert audit["novelty"] == "unknown"
    assert audit["searches"] == audit["searches_unanswered"] > 0
    assert {"literature", "novelty"} <= {f["kind"] for f in audit["findings"]}
    said = novum("check", study.name, NOVUM_CACHE=cache).stdout
    assert "were answered by no source" in said
    assert f"{len(cited)} of {len(cited)} references verified" in said
    replayed = json.loads(novum("replay", study.name, "--json", NOVUM_CACHE=cache).stdout)
    assert replayed["identical"], replayed


@pytest.fixture
def asking_nobody(novum: Novum) -> Novum:
    """A workspace without any source of the literature, where every verdict is `unknown`."""
    (novum.folder / "novum.toml").write_text("[literature]\nsources = []\n")
    return novum


def test_an_idea_that_is_not_known_to_be_new_is_dropped_for_another_within_bounds(
    asking_nobody: Novum,
) -> None:
    done = asking_nobody("run", "epidemic", "--model", SCIENTIST, "--on-unknown", "drop", expect=8)
    assert "3 ideas were proposed and none was taken" in done.stderr
    assert "--on-unknown keep" in done.stderr
    (study,) = asking_nobody.studies
    dropped = json.loads((study / "dropped_ideas.json").read_text())["ideas"]
    assert len({idea["name"] for idea in dropped}) == 3
    assert [e["title"] for e in events_of(study, "idea_dropped")] == [idea["title"] for idea in dropped]
    assert not events_of(study, "run_finished")


def test_a_person_is_asked_about_an_idea_that_is_not_known_to_be_new(asking_nobody: Novum) -> None:
    waiting = asking_nobody("run", "epidemic", "--model", SCIENTIST, "--on-unknown", "ask", expect=2)
    assert "the unknown idea must be approved" in waiting.stderr
    said = "no\nname the season\nno\n"
    done = asking_nobody("resume", "last", said=said, expect=8)
    assert "none was taken" in done.stderr
    (study,) = asking_nobody.studies
    answers = [(a["what"], a["approved"], a["comment"]) for a in events_of(study, "approval")]
    assert answers == [
        ("unknown idea", False, ""),
        ("unknown idea", False, "name the season"),
        ("unknown idea", False, ""),
    ]
    assert "ideate/idea_3/comment" in {c["step"] for c in events_of(study, "model_call")}


def test_the_users_own_idea_is_not_replaced(asking_nobody: Novum) -> None:
    (asking_nobody.folder / "mine.md").write_text(
        "# Waning Immunity\n\n## Hypothesis\nWaning immunity brings a second wave.\n\n## Plan\nSweep the duration.\n"
    )
    done = asking_nobody(
        "run", "epidemic", "--model", SCIENTIST, "--idea", "mine.md", "--on-unknown", "drop", expect=8
    )
    assert "your idea is not known to be new" in done.stderr


def test_a_choice_that_is_none_is_one_clear_error(novum: Novum) -> None:
    done = novum("run", "epidemic", "--model", SCIENTIST, "--on-known", "forget", expect=2)
    assert "--on-known cannot be 'forget'" in done.stderr
    assert "keep, drop, ask" in done.stderr
