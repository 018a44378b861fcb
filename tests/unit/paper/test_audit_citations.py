"""The audit asks of each reference whether it is real, and tells "false" from "could not be asked"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from novum.errors import SourceError
from novum.events import EventLog
from novum.literature.bibtex import bibitem, entry
from novum.literature.library import Library
from novum.literature.scripted import ScriptedSource
from novum.literature.shipped import shipped_works
from novum.paper.audit_checks import Files
from novum.paper.audit_citations import check_citations, references
from novum.paper.audit_literature import Asked, check_support
from novum.paper.audit_records import CitationStatus, Finding
from novum.records import Novelty, Paper, Search
from novum.template import Template

MINE = Paper(
    id="doi:10.1234/mine",
    doi="10.1234/mine",
    title="A Study of {Waves} & Schools: the 50% Rule",
    authors=("Ann Lee", "Bo van der Chan"),
    year=2019,
    venue="Journal of Waves",
    kind="article",
)
DDPM = next(w.paper for w in shipped_works() if w.paper.arxiv_id == "2006.11239")
BOOK = next(w.paper for w in shipped_works() if w.paper.title == "Deep Learning" and w.paper.kind == "book")
TEMPLATE = Template(name="bare", title="Bare", declared=False)


def files(papers: dict[str, Paper], body: str = "", bib: str = "") -> Files:
    cited = body or " ".join(rf"So it is~\cite{{{key}}}." for key in papers)
    items = "\n".join(rf"\bibitem{{{key}}} {bibitem(paper)}" for key, paper in papers.items())
    tex = f"\\begin{{document}}\n%@ background/1 model\n{cited}\n\n%@ back/1 code\n{items}\n\\end{{document}}"
    bib = bib or "\n\n".join(entry(paper, key) for key, paper in papers.items())
    return Files(Path(), tex, "", bib + "\n", 1, 1, "")


Check = Callable[..., tuple[list[CitationStatus], list[Finding]]]


@pytest.fixture
def empty_log(tmp_path: Path) -> Iterator[EventLog]:
    with EventLog(tmp_path / "log.jsonl") as log:
        yield log


@pytest.fixture
def check(empty_log: EventLog) -> Check:
    def run(given: Files, *sources: ScriptedSource) -> tuple[list[CitationStatus], list[Finding]]:
        statuses, findings = check_citations(given, TEMPLATE, Library(sources), empty_log)
        return statuses, [f for f in findings if "fewer than" not in f.message]

    return run


DOWN = ScriptedSource(error=SourceError("no route"), name="far")


def test_a_reference_that_a_source_holds_is_verified_also_after_its_way_through_bibtex(check: Check) -> None:
    statuses, findings = check(files({"mine": MINE, "ddpm": DDPM}), ScriptedSource([MINE]))
    assert [(s.status, s.cited) for s in statuses] == [("verified", True)] * 2
    assert findings == []


@pytest.mark.parametrize(
    "changed", [{"title": "A Study of Boats"}, {"authors": ("Max Mustermann",)}, {"year": 1950}]
)
def test_another_title_author_or_year_than_the_sources_is_an_error(
    check: Check, changed: dict[str, object]
) -> None:
    statuses, findings = check(files({"mine": MINE.model_copy(update=changed)}), ScriptedSource([MINE]))
    assert statuses[0].status == "differs"
    assert [(f.kind, f.severity, f.where) for f in findings] == [("citation", "error", "mine")]


def test_a_reference_that_no_source_holds_is_an_error(check: Check) -> None:
    statuses, findings = check(files({"mine": MINE}), ScriptedSource([DDPM]))
    assert statuses[0].status == "not found"
    assert findings[0].severity == "error"


def test_a_retracted_work_is_an_error(check: Check) -> None:
    statuses, findings = check(
        files({"mine": MINE}), ScriptedSource([MINE.model_copy(update={"retracted": True})])
    )
    assert statuses[0].status == "retracted"
    assert findings[0].severity == "error"


@pytest.mark.parametrize("sources", [(), (DOWN,), (ScriptedSource([DDPM]), DOWN)])
def test_what_no_source_answers_is_marked_so_and_is_not_false(
    check: Check, sources: tuple[ScriptedSource, ...]
) -> None:
    statuses, findings = check(files({"mine": MINE, "ddpm": DDPM}), *sources)
    assert [s.status for s in statuses] == ["unverifiable", "verified"]
    assert [f.severity for f in findings] == ["warning"]


def test_a_work_that_a_source_gave_when_the_study_was_made_is_not_called_false_later(
    check: Check, empty_log: EventLog
) -> None:
    search = Search(query="waves", answered=True, sources=("far",)).model_dump(mode="json")
    empty_log.append("search", query="waves", limit=5, search=search, papers=[MINE.model_dump(mode="json")])
    statuses, _ = check(files({"mine": MINE}), ScriptedSource([DDPM]))
    assert statuses[0].status == "unverifiable"
    assert "gave it when the study was made" in statuses[0].note


def test_a_made_up_reference_of_a_template_does_not_verify_itself(empty_log: EventLog) -> None:
    template = TEMPLATE.model_copy(update={"references": (MINE,)})
    given = files({"mine": MINE, "ddpm": DDPM})
    for sources, why in (
        ((ScriptedSource([DDPM]),), "only the template declares it"),
        ((), "none is configured"),
    ):
        statuses, findings = check_citations(given, template, Library(sources), empty_log)
        assert [s.status for s in statuses] == ["unverifiable", "verified"]
        assert why in statuses[0].note
        assert {f.severity for f in findings} == {"warning"}
    statuses, _ = check_citations(given, template, Library([ScriptedSource([MINE])]), empty_log)
    assert [s.status for s in statuses] == ["verified", "verified"]


def test_keys_must_be_there_on_both_sides(check: Check) -> None:
    _, findings = check(files({"ddpm": DDPM}, body=r"So it is~\cite{ghost}."))
    assert {(f.where, f.message) for f in findings} == {
        ("ghost", "is cited but is not a reference"),
        ("ddpm", "is a reference that nothing cites"),
    }


def test_an_entry_that_cannot_be_read_is_an_error(check: Check) -> None:
    broken = "@misc{mine,\n  year = {2001},\n}"
    assert references(broken) == {"mine": None}
    _, findings = check(files({"mine": MINE}, bib=broken))
    assert "cannot be read" in findings[0].message


def test_a_method_credited_to_another_work_is_a_finding(check: Check) -> None:
    """The first published machine-written paper credited the LSTM to a textbook."""
    _, findings = check(files({"book": BOOK}, body=r"We use an LSTM~\cite{book}."))
    (found,) = findings
    assert found.severity == "error"
    assert (
        "credits LSTM to a work that did not introduce it (Long Short-Term Memory (1997) did)"
        in found.message
    )


# -- support and searches ------------------------------------------------------------------------------


def test_the_recorded_judgement_of_each_citing_sentence_is_told(empty_log: EventLog) -> None:
    given = files({"ddpm": DDPM, "book": BOOK}, body=r"Noise is removed~\cite{ddpm}. Books help~\cite{book}.")
    empty_log.append(
        "citation",
        step="s",
        key="ddpm",
        sentence="Noise is removed.",
        verdict="unrelated",
        by="model",
        note="",
    )
    support, findings = check_support(given, empty_log)
    assert [(s.key, s.verdict, s.by) for s in support] == [
        ("ddpm", "unrelated", "model"),
        ("book", "unknown", "nobody"),
    ]
    assert [(f.kind, f.severity, f.where) for f in findings] == [("support", "warning", "background/1")]


def test_what_could_not_be_asked_and_an_unknown_novelty_are_warnings(empty_log: EventLog) -> None:
    for query, answered, failures in (
        ("a", True, ("far: no route",)),
        ("b", False, ("far: no route", "near: busy")),
    ):
        search = Search(query=query, answered=answered, failures=failures).model_dump(mode="json")
        empty_log.append("search", query=query, limit=5, search=search, papers=[])
    empty_log.append(
        "search", query="b", limit=5, search={**search, "answered": True}, papers=[], instead=True
    )
    asked = Asked.of(empty_log)
    assert asked == (2, 1, {"far": 2, "near": 1})
    found = list(asked.findings(Novelty(verdict="unknown", reason="nobody answered")))
    assert [f.kind for f in found] == ["literature"] * 3 + ["novelty"]
    assert {f.severity for f in found} == {"warning"}
    assert list(Asked(2, 0, {}).findings(Novelty(verdict="novel", reason=""))) == []
