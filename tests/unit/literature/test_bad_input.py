"""Every source against every kind of bad answer, over HTTP: a clear error or what is left of the records."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from novum.cli import app
from novum.errors import SourceError
from novum.literature import Source
from novum.literature.arxiv import Arxiv
from novum.literature.build import parse_json
from novum.literature.crossref import Crossref
from novum.literature.errors import SourceAuthError
from novum.literature.openalex import OpenAlex
from novum.literature.semantic_scholar import SemanticScholar
from novum.literature.transport import Patience, Question, Transport
from novum.literature.web import WebSearch

from .loopback_source import Said, as_json, serving

QUICK = Patience(timeout_s=0.4, retries=0, backoff_s=0.01)
SOURCES: dict[str, Callable[[str], Source]] = {
    "semantic_scholar": lambda url: SemanticScholar(Transport(QUICK), key="k", base_url=url),
    "openalex": lambda url: OpenAlex(Transport(QUICK), key="k", base_url=url),
    "arxiv": lambda url: Arxiv(Transport(QUICK), base_url=url),
    "crossref": lambda url: Crossref(Transport(QUICK), base_url=url),
    "web": lambda url: WebSearch(Transport(QUICK), base_url=url),
}
FAILURES = {
    "429": Said(status=429, body=b'{"message": "Too Many Requests"}'),
    "429 with Retry-After": Said(status=429, headers={"Retry-After": "3600"}),
    "500": Said(status=500, body=b"oops"),
    "an HTML page": Said(body=b"<!DOCTYPE html><html><body>Maintenance</body></html>"),
    "half an answer": Said(body=b'{"data": [{"title": "Half of a rec'),
    "a hang": Said(hang_s=3),
    "a reset": Said(reset=True),
    "a connection cut": Said(body=b"x" * 5000, cut=100),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_a_source_error_that_names_the_source(name: str, failure: str) -> None:
    with serving(lambda path, number: FAILURES[failure]) as server:
        with pytest.raises(SourceError, match=name):
            SOURCES[name](server.url).search("denoising diffusion")
        assert len(server.asked) == 1


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("status", [401, 403])
def test_a_bad_key_is_one_error_at_once(name: str, status: int) -> None:
    with serving(lambda path, number: Said(status=status, body=b'{"message": "Forbidden"}')) as server:
        with pytest.raises(SourceAuthError, match=f"{name} refused"):
            SOURCES[name](server.url).search("denoising diffusion")
        assert len(server.asked) == 1


def test_retry_after_is_waited_for_over_http() -> None:
    said = [Said(status=429, headers={"Retry-After": "1"}), Said(body=as_json({"fine": 1}))]
    with serving(lambda path, number: said[number - 1]) as server:
        began = time.monotonic()
        question = Question("svc", f"{server.url}/q", interval_s=0)
        assert Transport(Patience(timeout_s=2)).ask(question, parse_json) == {"fine": 1}
        assert 1 <= time.monotonic() - began < 3


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_answered_with_nothing_and_asks_nobody(name: str, query: str) -> None:
    with serving(lambda path, number: Said()) as server:
        assert SOURCES[name](server.url).search(query) == []
        assert server.asked == []


FEED = '<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>'


def feed(*titles: str) -> Said:
    return Said(body=FEED.format("".join(f"<entry><title>{t}</title></entry>" for t in titles)).encode())


def test_arxiv_an_entry_with_only_a_title_is_kept_and_one_without_is_dropped() -> None:
    with serving(lambda path, number: feed("Only a title", "")) as server:
        (found,) = SOURCES["arxiv"](server.url).search("anything else")
    assert (found.title, found.year, found.authors, found.abstract) == ("Only a title", None, (), "")


def test_arxiv_titles_with_html_latex_and_unicode_become_plain() -> None:
    titles = ["&lt;i&gt;In vivo&lt;/i&gt; x", r"{GAN}s for $\alpha$-Schr\"odinger", "Ünïcode –\n深度"]
    with serving(lambda path, number: feed(*titles)) as server:
        found = [p.title for p in SOURCES["arxiv"](server.url).search("anything else")]
    assert found == ["In vivo x", "GANs for α-Schrödinger", "Ünïcode – 深度"]


def test_arxiv_ten_thousand_entries_are_cut_to_the_limit() -> None:
    with serving(lambda path, number: feed(*(f"Work {n}" for n in range(10_000)))) as server:
        assert len(SOURCES["arxiv"](server.url).search("anything else", 7)) == 7


def test_the_web_gives_pages_without_content_or_address_and_ten_thousand_of_them() -> None:
    pages = [
        {"title": "Only a title"},
        {"url": "https://x.example"},
        None,
        {"title": "Page", "content": None},
    ]
    pages += [{"title": f"Page {n}", "url": f"https://x.example/{n}"} for n in range(10_000)]
    with serving(lambda path, number: Said(body=as_json({"results": pages}))) as server:
        found = SOURCES["web"](server.url).search("anything else", 5)
    assert [p.title for p in found] == ["Only a title", "Page", "Page 0", "Page 1", "Page 2"]


def test_on_the_command_line_a_bad_key_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with serving(lambda path, number: Said(status=403, body=b'{"message": "Forbidden"}')) as server:
        (tmp_path / "novum.toml").write_text(
            '[literature]\nsources = ["semantic_scholar"]\nsemantic_scholar_key = "s3cret"\n'
            f'[literature.base_urls]\nsemantic_scholar = "{server.url}"\n'
        )
        result = CliRunner().invoke(app, ["literature", "search", "denoising diffusion", "--json"])
        assert len(server.asked) == 1
    assert result.exit_code == 6
    assert result.stderr.count("semantic_scholar refused the API key") == 1
    assert "s3cret" not in result.output
    assert json.loads(result.stdout)["search"]["answered"] is False


def test_the_web_with_every_engine_blocked_could_not_be_asked() -> None:
    blocked = as_json({"results": [], "unresponsive_engines": [["brave", "too many requests"]]})
    with serving(lambda path, number: Said(body=blocked)) as server:
        with pytest.raises(SourceError, match=r"(?s)web could not be asked.*brave"):
            SOURCES["web"](server.url).search("anything else")
        server.asked.clear()


@pytest.mark.parametrize("silent", [{"unresponsive_engines": []}, {}])
def test_the_web_that_finds_nothing_is_an_answer(silent: dict[str, list[str]]) -> None:
    with serving(lambda path, number: Said(body=as_json({"results": [], **silent}))) as server:
        assert SOURCES["web"](server.url).search("anything else") == []
