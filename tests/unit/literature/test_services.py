"""The network sources against recorded traffic of the real services, served from the loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest

from novum.errors import SourceError, UsageError
from novum.literature import Source
from novum.literature.arxiv import Arxiv, parse_feed
from novum.literature.crossref import Crossref
from novum.literature.library import Library, open_library
from novum.literature.openalex import OpenAlex
from novum.literature.scripted import ScriptedSource
from novum.literature.semantic_scholar import SemanticScholar
from novum.literature.transport import Patience, Transport
from novum.records import Paper
from novum.settings import LiteratureSettings

from .loopback_source import Said, as_json, data_folder, recorded, serving

QUICK = Patience(timeout_s=2, retries=0, backoff_s=0.01)


def _always(said: Said) -> Callable[[str, int], Said]:
    return lambda path, number: said


# -- Semantic Scholar ----------------------------------------------------------------------------------


def test_semantic_scholar_a_recorded_search_gives_papers() -> None:
    body = recorded("semanticscholar", "test_search_paper.yaml")[0][2]
    with serving(_always(Said(body=body))) as server:
        found = SemanticScholar(Transport(QUICK), key="k", base_url=server.url).search("turing test", 50)
    assert len(found) == 50
    assert server.asked[0].startswith("/graph/v1/paper/search?query=turing+test&limit=50&fields=title%2C")
    assert server.headers[0]["x-api-key"] == "k"


def test_semantic_scholar_a_full_record_has_every_field() -> None:
    body = (data_folder("api", "semanticscholar") / "Paper.json").read_bytes()
    with serving(_always(Said(body=body))) as server:
        source = SemanticScholar(Transport(QUICK), base_url=server.url)
        paper = source.lookup("doi:10.1093/mind/lix.236.433")
    assert paper and paper.title == "Computing Machinery and Intelligence"
    assert (paper.year, paper.doi, paper.kind) == (1950, "10.1093/mind/lix.236.433", "article")
    assert paper.authors == ("A. Turing",) and paper.abstract and paper.citation_count == 10059
    assert set(paper.origin.values()) == {"semantic_scholar"}
    assert unquote(server.asked[0]).startswith("/graph/v1/paper/DOI:10.1093/mind/lix.236.433?")


def test_semantic_scholar_nothing_found_is_an_answer() -> None:
    body = recorded("semanticscholar", "test_empty_paginated_results.yaml")[0][2]
    with serving(_always(Said(body=body))) as server:
        assert SemanticScholar(Transport(QUICK), base_url=server.url).search("n0 r3sult") == []


def test_semantic_scholar_a_null_record_is_no_paper() -> None:
    body = (data_folder("api", "semanticscholar") / "PaperWithNullValues.json").read_bytes()
    with serving(_always(Said(body=body))) as server:
        assert SemanticScholar(Transport(QUICK), base_url=server.url).lookup("doi:10.1000/1") is None


@pytest.mark.parametrize(
    ("file", "error"),
    [("test_bad_query_parameters.yaml", "did not accept"), ("test_debug.yaml", None)],
)
def test_semantic_scholar_recorded_errors(file: str, error: str | None) -> None:
    for uri, status, body in recorded("semanticscholar", file):
        with serving(_always(Said(status=status, body=body))) as server:
            source = SemanticScholar(Transport(QUICK), base_url=server.url)
            if status == 200:
                source.search(uri)
                continue
            with pytest.raises(SourceError, match=error or "refused"):
                source.search("turing")


def test_the_observed_error_bodies_are_source_errors_or_not_there() -> None:
    observed = json.loads((data_folder("api") / "observed_error_bodies.json").read_text())
    for entry in observed:
        said = Said(status=entry["status"], body=as_json(entry["body"]))
        with serving(_always(said)) as server:
            sources: dict[str, Source] = {
                "semanticscholar": SemanticScholar(Transport(QUICK), base_url=server.url),
                "openalex": OpenAlex(Transport(QUICK), base_url=server.url),
                "crossref": Crossref(Transport(QUICK), base_url=server.url),
            }
            source = sources[entry["service"]]
            if entry["status"] == 404:
                assert source.lookup("doi:10.3982/ecta5771") is None
                continue
            with pytest.raises(SourceError, match=str(entry["status"])):
                source.search("anything")


# -- OpenAlex ------------------------------------------------------------------------------------------


def test_openalex_a_recorded_work_has_every_field() -> None:
    body = (data_folder("api", "openalex") / "work.json").read_bytes()
    with serving(_always(Said(body=body))) as server:
        source = OpenAlex(Transport(QUICK), key="k", contact="a@b.org", base_url=server.url)
        paper = source.lookup("doi:10.7717/peerj.4375")
    assert paper and paper.title.startswith("The state of OA")
    assert (paper.year, paper.venue, paper.kind, paper.retracted) == (2018, "PeerJ", "article", False)
    assert paper.authors[:2] == ("Heather Piwowar", "Jason Priem")
    assert paper.abstract.split()[:3] == ["Despite", "growing", "interest"]
    assert "mailto=a%40b.org" in server.asked[0] and "api_key=k" in server.asked[0]


def test_openalex_search_operators_in_a_query_are_taken_out() -> None:
    with serving(_always(Said(body=b'{"results": []}'))) as server:
        OpenAlex(Transport(QUICK), base_url=server.url).search('deep AND "learning" | (x):y, NOT! z')
    assert "search=deep+learning+x+y+z&" in server.asked[0]


# -- arXiv ---------------------------------------------------------------------------------------------


def _arxiv(name: str) -> Said:
    files = sorted(data_folder("api", "arxiv_py").glob(f"{name}*.json"))
    exchange = json.loads(files[0].read_text())
    return Said(status=exchange["status_code"], body=exchange["body"].encode())


def test_arxiv_a_recorded_search_gives_papers_with_abstracts() -> None:
    with serving(_always(_arxiv("q_testing_s0_m10_"))) as server:
        found = Arxiv(Transport(QUICK), base_url=server.url).search("testing the models", 10)
    assert len(found) == 10
    assert found[0].arxiv_id == "2202.12139" and found[0].year == 2022 and found[0].abstract
    assert "search_query=all%3Atesting+AND+all%3Amodels&" in server.asked[0]


def test_arxiv_every_recording_parses_or_is_a_clear_error() -> None:
    for file in sorted(data_folder("api", "arxiv_py").glob("*.json")):
        exchange = json.loads(file.read_text())
        if exchange["status_code"] == 200:
            for paper in parse_feed(exchange["body"].encode()):
                assert (
                    paper.title and paper.authors and paper.year and re.match(r"(arxiv|doi):\S+$", paper.id)
                )


def test_arxiv_an_unknown_id_is_not_there_and_a_malformed_one_is_an_error() -> None:
    with serving(_always(_arxiv("id_0000.0000"))) as server:
        assert Arxiv(Transport(QUICK), base_url=server.url).lookup("arxiv:0000.0000") is None
    with (
        serving(_always(_arxiv("id_abc"))) as server,
        pytest.raises(SourceError, match="incorrect"),
    ):
        Arxiv(Transport(QUICK), base_url=server.url).lookup("arxiv:abc")


def test_arxiv_an_old_id_with_its_archive_is_looked_up() -> None:
    with serving(_always(_arxiv("id_astro-ph_0601001"))) as server:
        paper = Arxiv(Transport(QUICK), base_url=server.url).lookup("arxiv:astro-ph/0601001")
    assert paper and paper.arxiv_id == "astro-ph/0601001"


def test_arxiv_entities_in_xml_are_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><feed>&b;</feed>'
    with serving(_always(Said(body=bomb))) as server, pytest.raises(SourceError, match="cannot be read"):
        Arxiv(Transport(QUICK), base_url=server.url).search("x1 y1")


# -- Crossref ------------------------------------------------------------------------------------------


def test_crossref_every_recorded_answer_gives_papers_or_a_clear_error() -> None:
    titled = 0
    for file in sorted(data_folder("api", "paperqa_lit").glob("*.yaml")):
        for uri, status, body in recorded("paperqa_lit", file.name):
            if "api.crossref.org/works" not in uri or "transform" in uri:
                continue
            with serving(_always(Said(status=status, body=body))) as server:
                source = Crossref(Transport(QUICK), base_url=server.url)
                if "query" in uri:
                    titled += sum(bool(p.title and p.doi) for p in source.search("x", 5))
                else:
                    found = source.lookup("doi:10.1000/1")
                    assert (found is None) == (status == 404)
    assert titled > 10


def test_crossref_a_retraction_is_told() -> None:
    item = {
        "DOI": "10.1000/X",
        "title": ["A <i>B</i> &amp; C"],
        "subtitle": ["D"],
        "author": [{"given": "Ann", "family": "Lee"}, {"name": "The Team"}, {"family": None}],
        "issued": {"date-parts": [[2020, 5]]},
        "updated-by": [{"type": "retraction", "DOI": "10.1000/Y"}],
        "type": "journal-article",
        "abstract": "<jats:p>We show.</jats:p>",
    }
    with serving(_always(Said(body=as_json({"message": item})))) as server:
        paper = Crossref(Transport(QUICK), base_url=server.url).lookup("doi:10.1000/x")
    assert paper == Paper(
        id="doi:10.1000/x",
        title="A B & C: D",
        authors=("Ann Lee", "The Team"),
        year=2020,
        doi="10.1000/x",
        kind="article",
        retracted=True,
        abstract="We show.",
        origin=paper.origin if paper else {},
    )


# -- bad input for each of them ------------------------------------------------------------------------

MAKERS: dict[str, Callable[[str], Source]] = {
    "semantic_scholar": lambda url: SemanticScholar(Transport(QUICK), base_url=url),
    "openalex": lambda url: OpenAlex(Transport(QUICK), base_url=url),
    "crossref": lambda url: Crossref(Transport(QUICK), base_url=url),
}
SPARSE: list[object] = [
    {"title": "Only a title", "display_name": "Only a title"},
    {"title": None, "display_name": None},
    {"title": "", "year": "soon", "authors": "no list", "author": 3, "authorships": [None, {"author": None}]},
    None,
    "text",
]


def _wrapped(entries: object) -> bytes:
    return as_json({"data": entries, "results": entries, "message": {"items": entries}})


@pytest.mark.parametrize("name", MAKERS)
def test_works_without_year_authors_venue_or_abstract_are_kept_and_those_without_title_dropped(
    name: str,
) -> None:
    with serving(_always(Said(body=_wrapped(SPARSE)))) as server:
        found = MAKERS[name](server.url).search("anything")
    assert [p.title for p in found] == ["Only a title"]
    assert (found[0].year, found[0].authors, found[0].venue, found[0].abstract) == (None, (), "", "")


SHAPES = (
    b"null",
    b"[]",
    b"3",
    b"{}",
    b'{"error": "internal error", "message": "try again"}',
    b'{"data": null, "results": {}, "message": []}',
)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_json_of_another_shape_is_no_answer(name: str, shape: bytes) -> None:
    """It was taken for "nothing found", which speaks for an idea's novelty."""
    with serving(_always(Said(body=shape))) as server:
        for asked in ("search", "lookup"):
            with pytest.raises(SourceError, match=rf"(?s){name} could not be asked.*cannot be read"):
                getattr(MAKERS[name](server.url), asked)("doi:10.1000/1")
        assert len(server.asked) == 2


EMPTY = {
    "semantic_scholar": [b'{"total": 0, "offset": 0}', b'{"total": 0, "data": []}'],
    "openalex": [b'{"meta": {"count": 0}, "results": []}'],
    "crossref": [b'{"status": "ok", "message": {"total-results": 0, "items": []}}'],
}


@pytest.mark.parametrize("name", MAKERS)
def test_an_empty_list_of_works_is_an_answer(name: str) -> None:
    for body in EMPTY[name]:
        with serving(_always(Said(body=body))) as server:
            assert MAKERS[name](server.url).search("anything") == []


@pytest.mark.parametrize("name", MAKERS)
def test_a_wrong_path_in_the_address_is_no_answer(name: str) -> None:
    with (
        serving(_always(Said(status=404, body=b"Not Found"))) as server,
        pytest.raises(SourceError, match="404"),
    ):
        MAKERS[name](server.url + "/wrong").search("anything")


@pytest.mark.parametrize(
    ("types", "venue", "journal", "kind"),
    [
        (None, "Nature", None, "article"),
        (["Review"], "", {"name": "Annual Review of Statistics"}, "article"),
        (None, "International Conference on Machine Learning", None, "inproceedings"),
        (None, "arXiv.org", {"name": "ArXiv"}, "misc"),
        (1, "", None, "misc"),
        (["Review", "Conference"], "Nature", None, "inproceedings"),
    ],
)
def test_semantic_scholar_a_work_in_a_journal_is_no_misc(
    types: object, venue: str, journal: object, kind: str
) -> None:
    entry = {"title": "T", "venue": venue, "journal": journal, "publicationTypes": types}
    with serving(_always(Said(body=as_json({"data": [entry]})))) as server:
        (found,) = MAKERS["semantic_scholar"](server.url).search("anything")
    assert found.kind == kind


@pytest.mark.parametrize("name", MAKERS)
def test_ten_thousand_results_are_cut_to_the_limit(name: str) -> None:
    many = [{"title": f"Work {n}", "display_name": f"Work {n}"} for n in range(10_000)]
    with serving(_always(Said(body=_wrapped(many)))) as server:
        assert len(MAKERS[name](server.url).search("work", 7)) == 7


@pytest.mark.parametrize("name", MAKERS)
def test_titles_with_html_latex_and_unicode_become_plain(name: str) -> None:
    titles = [
        "<i>In vivo</i> &lt;p&gt; x",
        r"{GAN}s for $\alpha$-Schr\"odinger",
        "Ünïcode – 深度\u0000\nlearning",
    ]
    entries = [{"title": t, "display_name": t} for t in titles]
    with serving(_always(Said(body=_wrapped(entries)))) as server:
        found = [p.title for p in MAKERS[name](server.url).search("x")]
    assert found == ["In vivo x", "GANs for α-Schrödinger", "Ünïcode – 深度 learning"]


# -- a library over failing sources --------------------------------------------------------------------


def test_a_search_is_answered_when_one_source_is_and_names_the_failures() -> None:
    with serving(_always(Said(status=500))) as server:
        bad = Crossref(Transport(QUICK), base_url=server.url)
        good = ScriptedSource([Paper(id="x:1", title="Deep Learning")])
        result = Library([bad, good]).search("deep learning")
    assert [p.title for p in result.papers] == ["Deep Learning"]
    assert result.search.answered and result.search.sources == ("scripted",)
    assert result.search.failures[0].startswith("crossref: crossref could not be asked (HTTP 500")


def test_with_every_source_down_a_search_is_not_answered_and_nothing_is_raised() -> None:
    down = ScriptedSource(error=SourceError("no route"))
    library = Library([down])
    result = library.search("deep learning")
    assert (result.papers, result.search.answered) == ((), False)
    assert library.lookup("doi:10.1000/1") == (None, False, ("scripted: no route",))


def test_nothing_found_is_an_answered_search() -> None:
    result = Library([ScriptedSource()]).search("deep learning")
    assert (result.papers, result.search.answered, result.search.failures) == ((), True, ())


def test_a_bad_key_is_told_once_and_the_source_not_asked_again() -> None:
    with serving(_always(Said(status=403, body=b'{"message":"Forbidden"}'))) as server:
        library = Library([SemanticScholar(Transport(QUICK), key="bad", base_url=server.url)])
        first, second = library.search("a b"), library.search("c d")
        library.lookup("doi:10.1000/1")
    assert len(server.asked) == 1
    assert first.search.failures == second.search.failures
    assert "refused the API key" in first.search.failures[0]


def test_one_work_from_two_sources_is_one_and_ranks_above_what_only_one_has() -> None:
    shared = Paper(id="x:1", title="Deep learning", authors=("Y. LeCun",), year=2015, origin={"title": "a"})
    other = Paper(id="x:2", title="Deep nets", authors=("A. B",), origin={"title": "a"})
    again = Paper(id="doi:10.1038/nature14539", doi="10.1038/nature14539", title="Deep Learning", venue="Nature",
                  authors=("Yann LeCun",), year=2015, abstract="Allows models.", origin={"abstract": "b"})  # fmt: skip
    library = Library([ScriptedSource([other, shared], name="a"), ScriptedSource([again], name="b")])
    found = library.search("deep nets learning").papers
    assert [p.id for p in found] == ["doi:10.1038/nature14539", "x:2"]
    assert found[0].venue == "Nature" and found[0].origin["abstract"] == "b"


def test_an_empty_query_is_answered_with_nothing_and_asks_nobody() -> None:
    source = ScriptedSource()
    assert Library([source]).search("  ").search.answered
    assert source.queries == []


def test_an_unknown_source_in_the_settings_is_a_usage_error_that_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"(?s)'google'.*semantic_scholar.*novum.toml"):
        open_library(LiteratureSettings(sources=("google",)))
    with pytest.raises(UsageError, match=r"(?s)'web' has no address"):
        open_library(LiteratureSettings(sources=("web",)))
