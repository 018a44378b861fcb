"""Imports: every format, packed or not, in constant memory, interrupted and resumed."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.errors import UsageError
from novum.literature.identity import aliases
from novum.literature.importing import import_file
from novum.literature.importing.bibtex_file import read_bibtex
from novum.literature.importing.dblp import read_dblp
from novum.literature.importing.files import LONGEST_LINE
from novum.literature.importing.json_lines import read_json_lines
from novum.literature.importing.run import BATCH
from novum.literature.offline import OfflineIndex
from novum.records import Paper

from .loopback_source import data_folder


@pytest.fixture
def index() -> OfflineIndex:
    return OfflineIndex(None, shipped=False)


def one(items: Iterable[Paper | None]) -> Paper:
    (paper,) = items
    assert paper
    return paper


def line(**fields: object) -> str:
    return json.dumps(fields)


# -- JSON lines ----------------------------------------------------------------------------------------


def test_the_plain_form() -> None:
    paper = one(
        read_json_lines(
            [line(title="A <b>Title</b>", authors=["Ann Lee", "Bo Ek"], year=2020, venue="icml",
                  doi="https://doi.org/10.1234/X", abstract="We show.", url="https://example.org/x")]
        )
    )  # fmt: skip
    assert (paper.id, paper.title, paper.authors) == ("doi:10.1234/x", "A Title", ("Ann Lee", "Bo Ek"))
    assert (paper.year, paper.venue, paper.kind, paper.abstract) == (
        2020,
        "icml",
        "inproceedings",
        "We show.",
    )
    assert paper.origin["title"] == "import"


def test_openalex_and_semantic_scholar_dumps() -> None:
    work = json.loads((data_folder("api", "openalex") / "work.json").read_text())
    s2 = json.loads((data_folder("api", "semanticscholar") / "Paper.json").read_text())
    dataset = {"corpusid": 5, "externalids": {"DOI": "10.1234/Z"}, "title": "T", "authors": [{"name": "A B"}],
               "publicationtypes": ["JournalArticle"], "citationcount": 3, "year": 1999}  # fmt: skip
    papers = list(read_json_lines([json.dumps(work), json.dumps(s2), json.dumps(dataset)]))
    assert [p and p.origin["title"] for p in papers] == ["openalex", "semantic_scholar", "semantic_scholar"]
    assert papers[0] and papers[0].abstract and papers[0].venue == "PeerJ"
    assert papers[2] and (papers[2].doi, papers[2].kind, papers[2].citation_count) == (
        "10.1234/z",
        "article",
        3,
    )


def test_arxivs_snapshot_keeps_the_year_of_the_first_version() -> None:
    entry = line(
        id="0704.0001",
        title="Calculation of\n  prompt $\\gamma$ production",
        authors="C. Balázs and E. L. Berger",
        authors_parsed=[["Balázs", "C.", ""], ["Berger", "E. L.", "Jr."]],
        versions=[{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
        update_date="2008-11-26",
        categories="hep-ph",
        abstract="  A fully differential calculation.\n",
    )
    paper = one(read_json_lines([entry]))
    assert (paper.id, paper.year, paper.authors) == (
        "arxiv:0704.0001",
        2007,
        ("C. Balázs", "E. L. Berger Jr."),
    )
    assert paper.title == "Calculation of prompt γ production"


@pytest.mark.parametrize(
    "bad", ["{", "[1, 2]", "null", '"text"', "{}", '{"title": 3}', '{"title": ""}', "[" * 5000]
)
def test_a_line_that_is_no_record_is_skipped(bad: str) -> None:
    assert [p and p.title for p in read_json_lines([bad, "", line(title="Good")])] == [None, "Good"]


@pytest.mark.parametrize(
    "odd",
    [
        '{"title": "Odd", "year": ' + "9" * 5000 + "}",
        '{"title": "Odd", "authors": ' + "[" * 900 + "]" * 900 + "}",
        '{"title": "Odd", "paperId": "p", "publicationTypes": 1}',
        '{"title": "Odd", "doi": "10.1234/\\ud800x"}',
        '{"title": "Odd \\udfff", "paperId": "\\ud800", "citationCount": ' + "9" * 4000 + "}",
        '{"id": "https://openalex.org/\\ud800", "title": "Odd", "abstract_inverted_index": {"a": [true, -1]}}',
    ],
)
def test_an_odd_record_does_not_end_an_import(index: OfflineIndex, tmp_path: Path, odd: str) -> None:
    (tmp_path / "odd.jsonl").write_text(f"{odd}\n{line(title='Good', authors=['A. B'])}\n")
    assert import_file(index, tmp_path / "odd.jsonl").records == 2
    assert index.search("good")


_TEXT = st.text() | st.sampled_from(["\ud800", "10.1234/\udfff", "https://openalex.org/W\ud800"])
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT
_VALUES = st.recursive(
    _LEAVES, lambda c: st.lists(c, max_size=3) | st.dictionaries(_TEXT, c, max_size=3), max_leaves=8
)
_FIELDS = """
title authors year id paperId corpusid versions doi url venue journal publicationTypes publicationtypes externalIds
externalids citationCount abstract abstract_inverted_index authorships ids locations primary_location display_name
authors_parsed categories kind booktitle arxiv_id
"""
_KEYS = st.sampled_from(_FIELDS.split())


@given(st.dictionaries(_KEYS, _VALUES))
def test_no_json_object_breaks_the_reader_or_the_index(entry: dict[str, object]) -> None:
    (item,) = read_json_lines([json.dumps(entry)])
    if item is not None:
        assert item.title
        stored = Paper.model_validate_json(item.model_dump_json())
        assert stored == item
        assert all(alias.encode() for alias in aliases(item))


# -- BibTeX --------------------------------------------------------------------------------------------

BIB = r"""
% a comment
@string{icml = "International Conference on Machine Learning"}
@inproceedings{a1, title = {{GAN}s for Schr{\"o}dinger \& Co},
  author = {van den Oord, A{\"a}ron and Lee, Ann and others}, booktitle = icml, year = 2016, doi = {10.1234/gan}}
@comment{nothing}
@article(p2, title = "Old Style", author = "A. Bee", journal = "J. Tests", year = "1999")
@misc{x3, title={On Something}, eprint={2001.00002}, archivePrefix={arXiv}, year={2020}}
@book{broken, title = {No end
@phdthesis{t4, title = {A Thesis}, author = {C. Dee}, school = {A School}, year = 2001}
"""


def test_bibtex_with_macros_latex_names_and_a_broken_entry() -> None:
    items = list(read_bibtex(BIB.splitlines(keepends=True)))
    papers = {p.title: p for p in items if p}
    gan = papers["GANs for Schrödinger & Co"]
    assert (gan.kind, gan.venue, gan.year) == (
        "inproceedings",
        "International Conference on Machine Learning",
        2016,
    )
    assert gan.authors == ("van den Oord, Aäron", "Lee, Ann")
    assert papers["On Something"].id == "arxiv:2001.00002"
    assert papers["A Thesis"].kind == "thesis" and papers["A Thesis"].venue == "A School"


# -- DBLP ----------------------------------------------------------------------------------------------

DBLP = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE dblp SYSTEM "dblp.dtd">
<dblp>
<article mdate="2020-01-01" key="journals/x/MuellerL20">
<author>J&uuml;rgen M&uuml;ller 0001</author><author>Ann Lee</author>
<title>Graphs &amp; H<sub>2</sub>O.</title><journal>J. X</journal><year>2020</year>
<ee>https://doi.org/10.1234/ABC</ee></article>
<article key="journals/corr/abs-2001-00001"><author>B. C</author><title>A Preprint</title><journal>CoRR</journal>
<year>2020</year><ee>https://arxiv.org/abs/2001.00001</ee></article>
<www key="homepages/1"><author>Nobody</author><title>Home Page</title></www>
<inproceedings key="conf/y/1"><title></title></inproceedings>
</dblp>
"""


def test_dblp_with_entities_and_markup() -> None:
    items = list(read_dblp(DBLP.splitlines(keepends=True)))
    assert [p and p.id for p in items] == ["doi:10.1234/abc", "arxiv:2001.00001", None]
    first = items[0]
    assert first and first.title == "Graphs & H2O" and first.authors == ("Jürgen Müller", "Ann Lee")


@pytest.mark.parametrize(
    ("text", "message"),
    [("<html><body>", "not DBLP's"), ("<dblp><article></dblp>", "broken"),
     ('<!DOCTYPE x [<!ENTITY a "b">]>', "declares entities")],
)  # fmt: skip
def test_other_xml_is_one_clear_error(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(read_dblp([text]))


# -- files ---------------------------------------------------------------------------------------------


def write(path: Path, count: int, start: int = 0) -> Path:
    lines = (
        line(title=f"Work number {n}", authors=[f"A{n} B{n}"], year=2000) for n in range(start, start + count)
    )
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["works.jsonl", "works.jsonl.gz", "works.dat"])
def test_a_file_is_recognised_by_what_it_holds(index: OfflineIndex, tmp_path: Path, name: str) -> None:
    content = write(tmp_path / "x.jsonl.gz" if name.endswith("gz") else tmp_path / "x.jsonl", 5).read_bytes()
    (tmp_path / name).write_bytes(content)
    report = import_file(index, tmp_path / name)
    assert (report.format, report.new, report.merged, report.skipped) == ("json lines", 5, 0, 0)
    assert index.search("work number 3")


def test_a_bib_and_a_dblp_file_are_recognised(index: OfflineIndex, tmp_path: Path) -> None:
    (tmp_path / "refs.bib").write_text(BIB)
    (tmp_path / "dblp.xml").write_text(DBLP)
    assert import_file(index, tmp_path / "refs.bib").format == "bibtex"
    assert import_file(index, tmp_path / "dblp.xml").new == 2


def test_the_same_file_again_does_nothing_and_again_merges(index: OfflineIndex, tmp_path: Path) -> None:
    path = write(tmp_path / "w.jsonl", 5)
    import_file(index, path)
    assert import_file(index, path).already
    assert import_file(index, path, again=True).merged == 5
    assert index.stats().works == 5


def test_an_interrupted_import_goes_on_where_it_stopped(index: OfflineIndex, tmp_path: Path) -> None:
    path = write(tmp_path / "w.jsonl", 3 * BATCH)

    def interrupt(done: int, total: int, records: int) -> None:
        if records >= 2 * BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        import_file(index, path, progress=interrupt)
    assert "goes on from there" in caught.value.__notes__[0]
    assert index.stats().works == 2 * BATCH
    report = import_file(index, path)
    assert (report.resumed_at, report.new, report.merged) == (2 * BATCH, BATCH, 0)
    assert index.stats().works == 3 * BATCH


def test_two_works_under_one_key_in_two_files_stay_two(index: OfflineIndex, tmp_path: Path) -> None:
    for name, title in (("a.jsonl", "Deep Forests"), ("b.jsonl", "Shallow Rivers")):
        (tmp_path / name).write_text(line(key="smith2020", title=title, authors=["J. Smith"], year=2020))
        import_file(index, tmp_path / name)
    assert index.stats().works == 2
    assert {p.title for p in index.search("smith")} == {"Deep Forests", "Shallow Rivers"}


def test_progress_tells_bytes_and_records(index: OfflineIndex, tmp_path: Path) -> None:
    path = write(tmp_path / "w.jsonl.gz", BATCH + 1)
    told: list[tuple[int, int, int]] = []
    import_file(index, path, progress=lambda *numbers: told.append(numbers))
    assert [n for _, _, n in told] == [BATCH, BATCH + 1]
    assert told[-1][0] <= told[-1][1] == path.stat().st_size


def test_a_cut_off_gzip_file_keeps_what_was_read_and_says_so(index: OfflineIndex, tmp_path: Path) -> None:
    whole = write(tmp_path / "w.jsonl.gz", 4 * BATCH).read_bytes()
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=r"(?s)cut\.gz is damaged.*what was read before"):
        import_file(index, tmp_path / "cut.gz")
    assert index.stats().works >= BATCH


def test_every_record_before_the_damage_of_a_file_is_kept(index: OfflineIndex, tmp_path: Path) -> None:
    """Up to a whole batch of records that had been read was lost."""
    path = write(tmp_path / "w.jsonl", BATCH + 700)
    with path.open("ab") as file:
        file.write(b'{"title": "' + b"x" * LONGEST_LINE + b'"}\n')
    for new in (BATCH + 700, 0):
        with pytest.raises(UsageError, match="a line of more than 16 MiB"):
            import_file(index, path)
        assert index.stats().works == BATCH + 700, new
    assert index.search("work number 2690")


@pytest.mark.parametrize("name", ["refs.bib", "works.jsonl", "dblp.xml"])
def test_a_byte_order_mark_costs_no_record(index: OfflineIndex, tmp_path: Path, name: str) -> None:
    text = {
        "refs.bib": "@article{a, title = {First}, author = {A. B}}\n@article{b, title = {Second}, author = {C. D}}\n",
        "works.jsonl": line(title="First") + "\n" + line(title="Second") + "\n",
        "dblp.xml": "<dblp><article key='a'><title>First</title></article>\n"
        "<article key='b'><title>Second</title></article></dblp>\n",
    }[name]
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert import_file(index, tmp_path / name).new == 2
    assert index.search("first")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "holds no records"), (b"\n \n", "holds no records"), (b"title,year\nA,1\n", "no format that novum reads"),
     (b"%PDF-1.7\n\x00\xff", "no format"), (b"[\n{}\n]", "no format"), (b'{"a": 1}\n', "no record that can"),
     (b"\xff\xfe\x00", "no format")],
)  # fmt: skip
def test_a_file_that_is_no_bibliography_is_one_clear_error(
    index: OfflineIndex, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        import_file(index, tmp_path / "file")


def test_a_file_that_is_not_there_or_a_folder_is_one_clear_error(index: OfflineIndex, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.bib", tmp_path):
        with pytest.raises(UsageError, match="cannot read"):
            import_file(index, path)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (BATCH, 3 * BATCH):
        index = OfflineIndex(tmp_path / f"{count}.db", shipped=False)
        path = write(tmp_path / f"{count}.jsonl", count)
        tracemalloc.start()
        import_file(index, path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        index.close()
    assert peaks[1] < 1.5 * peaks[0] + 5e6


def test_real_records_import_and_are_found(tmp_path: Path) -> None:
    file = data_folder("literature") / "arxiv_cc0_ml_2025_2026.jsonl.gz"
    sample = tmp_path / "sample.jsonl"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        kept = [next(lines) for _ in range(1500)]
    sample.write_text("".join(kept), encoding="utf-8")
    index = OfflineIndex(None, shipped=False)
    report = import_file(index, sample)
    assert report.skipped == 0 and report.new + report.merged == 1500
    titles = [json.loads(text)["title"] for text in kept[::50]]
    found = [any(p.title[:40] == title[:40] for p in index.search(title, 10)) for title in titles]
    assert sum(found) >= len(titles) - 1
