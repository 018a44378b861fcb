"""`novum literature`: what a user sees, with no network."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from novum.cli import app


@pytest.fixture(autouse=True)
def fresh_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOVUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def novum(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["literature", *arguments])


def test_a_fresh_install_finds_denoising_diffusion_with_years_and_venues() -> None:
    began = time.monotonic()
    result = novum("search", "denoising diffusion", "--json")
    assert time.monotonic() - began < 2, "0.5 s on an idle machine, as docs/literature.md says"
    found = json.loads(result.stdout)
    assert found["search"]["answered"] is True
    assert found["papers"][0]["title"] == "Denoising Diffusion Probabilistic Models"
    assert all(paper["year"] and paper["venue"] for paper in found["papers"])


def test_search_shows_a_table_and_nothing_found_is_no_error() -> None:
    shown = novum("search", "superspreading")
    assert "2005" in shown.stdout and "Nature" in shown.stdout and "doi:10.1038/nature04153" in shown.stdout
    nothing = novum("search", "xyzzy")
    assert nothing.exit_code == 0 and "nothing found" in nothing.stderr


def test_with_no_source_to_ask_the_exit_code_is_that_of_a_source_error(tmp_path: Path) -> None:
    (tmp_path / "novum.toml").write_text(
        '[literature]\nsources = ["crossref"]\ntimeout_s = 0.2\n[literature.base_urls]\ncrossref = "http://127.0.0.1:9"\n'
    )
    result = novum("show", "doi:10.1234/x")
    assert result.exit_code == 6
    assert "no source of the literature could be asked" in result.stderr


def test_show_tells_each_field_and_who_said_it() -> None:
    shown = novum("show", "https://arxiv.org/abs/2006.11239v2").stdout
    assert "Jonathan Ho; Ajay Jain; Pieter Abbeel" in shown and "[bibliography]" in shown
    missing = novum("show", "doi:10.9999/nothing")
    assert missing.exit_code == 2 and "no source holds" in missing.stderr


def test_bibtex_of_several_works() -> None:
    text = novum("bibtex", "arxiv:2006.11239", "10.1098/rspa.1927.0118").stdout
    assert "@inproceedings{ho2020denoising," in text and "@article{kermack1927contribution," in text


def test_import_then_search_and_stats(tmp_path: Path) -> None:
    (tmp_path / "mine.bib").write_text(
        "@article{a, title={Quokka gait}, author={Ann Lee}, journal={J}, year={2021}}\n"
    )
    first = novum("import", "mine.bib")
    assert "mine.bib: 1 new works, 0 known ones" in first.stdout
    assert "imported before" in novum("import", "mine.bib").stdout
    assert "Quokka gait" in novum("search", "quokka").stdout
    stats = json.loads(novum("stats", "--json").stdout)
    assert stats["works"] > 400 and stats["path"].endswith("literature.db")


def test_a_file_that_cannot_be_read_is_one_message_and_a_usage_error(tmp_path: Path) -> None:
    result = novum("import", "missing.bib")
    assert result.exit_code == 2 and "cannot read missing.bib" in result.stderr
