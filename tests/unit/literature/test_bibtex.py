"""References made from records: keys, entries, and the bibliography that novum sets itself."""

from __future__ import annotations

import re

import bibtexparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.literature.bibtex import bibitem, bibtex_key, bibtex_keys, entries, entry
from novum.literature.shipped import shipped_works
from novum.literature.tex import address, escape
from novum.records import Paper

KERMACK = Paper(
    id="doi:10.1098/rspa.1927.0118",
    title="A Contribution to the Mathematical Theory of Epidemics",
    authors=("William O. Kermack", "Anderson G. McKendrick"),
    year=1927,
    venue="Proceedings of the Royal Society of London. Series A",
    doi="10.1098/rspa.1927.0118",
    kind="article",
)
BARE = Paper(id="openalex:W1", title="")


@pytest.mark.parametrize(
    ("authors", "year", "title", "key"),
    [
        (("William O. Kermack",), 1927, "A Contribution to the Theory", "kermack1927contribution"),
        (("Lénaïc Chizat",), 2019, "On Lazy Training", "chizat2019lazy"),
        (("Łukasz Kaiser",), 2017, "One Model", "kaiser2017model"),
        (("Aäron van den Oord",), 2016, "WaveNet: A Model", "vandenoord2016wavenet"),
        (("Ho, Jonathan",), 2020, "Denoising Diffusion", "ho2020denoising"),
        (("J. O'Brien-Smith",), 2020, "k-means", "obriensmith2020means"),
        ((), 2020, "Anonymous Work", "anon2020anonymous"),
        (("张三",), None, "深度学习", "workopenalexw1"),
    ],
)
def test_keys_are_readable_ascii(authors: tuple[str, ...], year: int | None, title: str, key: str) -> None:
    assert bibtex_key(Paper(id="openalex:W1", title=title, authors=authors, year=year)) == key


def test_works_that_would_share_a_key_get_letters_whatever_their_order() -> None:
    twins = [
        Paper(id=f"x:{n}", title="Deep Learning", authors=("Ann Lee",), year=2015, doi=f"10.1/{n}")
        for n in range(3)
    ]
    keys = bibtex_keys(twins)
    assert sorted(keys.values()) == ["lee2015deep", "lee2015deepb", "lee2015deepc"]
    assert bibtex_keys(reversed(twins)) == keys


def test_an_entry_has_type_fields_and_protected_capitals() -> None:
    text = entry(KERMACK.model_copy(update={"title": "LSTM and the iPhone & α-decay in Paris_1"}))
    assert text.startswith("@article{kermack1927lstm,")
    assert "author = {Kermack, William O. and McKendrick, Anderson G.}" in text
    assert "journal = {Proceedings of the Royal Society of London. Series A}" in text
    assert "{LSTM} and the {iPhone} \\& " in text
    assert r"{Paris\_1}" in text
    assert "doi = {10.1098/rspa.1927.0118}" in text


def test_every_shipped_work_gives_an_entry_that_a_parser_reads_back() -> None:
    papers = [work.paper for work in shipped_works()]
    library = bibtexparser.parse_string(entries(papers))
    assert not library.failed_blocks
    assert len(library.entries) == len(papers)
    assert all({"author", "title", "year"} <= set(e.fields_dict) for e in library.entries)


def test_the_same_work_twice_gives_one_entry() -> None:
    from_arxiv = Paper(id="arxiv:1.1", title=KERMACK.title.upper(), authors=("Kermack, W. O.",), year=1927)
    assert entries([KERMACK, from_arxiv, KERMACK]).count("@") == 1


def test_a_formatted_reference_names_authors_title_venue_year_and_links() -> None:
    text = bibitem(KERMACK)
    assert text.startswith("W.~O.~Kermack and A.~G.~McKendrick.\n\\newblock A Contribution to")
    assert r"\emph{Proceedings of the Royal Society of London. Series A}, 1927." in text
    assert r"\href{https://doi.org/10.1098/rspa.1927.0118}{\nolinkurl{doi:10.1098/rspa.1927.0118}}" in text
    assert "href" not in bibitem(KERMACK, "plain")


def test_a_work_without_year_authors_or_venue_still_gives_a_reference() -> None:
    bare = Paper(id="x:1", title="Nothing else is known")
    assert bibitem(bare) == "Nothing else is known."
    assert "author" not in entry(bare)
    assert entry(BARE).startswith("@misc{workopenalexw1")


def test_many_authors_are_cut_in_the_reference_and_complete_in_bibtex() -> None:
    crowd = KERMACK.model_copy(update={"authors": tuple(f"Anna Name{n}" for n in range(20))})
    assert bibitem(crowd).split(".\n")[0].endswith("A.~Name6, et~al")
    assert entry(crowd).count(" and ") == 19


HOSTILE = r"\input{/etc/passwd} $x$ % # & _ ~ ^ {} \end{document} ”quoted“ naïve α 😀 中文 Ж"


def test_hostile_and_unicode_text_cannot_act_in_latex() -> None:
    safe = escape(HOSTILE)
    assert safe.isascii()
    assert r"\input" not in safe and r"\end" not in safe
    assert not re.search(r"(?<!\\)[%#$&_]", safe)


@given(st.text())
def test_escaped_text_is_ascii_with_balanced_braces_and_no_live_specials(text: str) -> None:
    safe = escape(text)
    assert safe.isascii() and "\n" not in safe
    bare = re.sub(r"\\[{}%#&_$]", "", safe)
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[%#&_]|(?<!\\ensuremath{)\^\^", bare)


@given(st.text())
def test_an_address_has_nothing_that_ends_or_comments_out_its_argument(text: str) -> None:
    safe = address("https://example.org/" + text)
    assert not re.search(r"(?<!\\)[%#]|[{}\s]|\\(?![%#&_])", safe)


@pytest.mark.parametrize(
    ("author", "in_bibtex", "shown"),
    [
        ("Martin Luther King Jr.", "King, Jr., Martin Luther", "M.~L.~King Jr."),
        ("King, Jr., Martin Luther", "King, Jr., Martin Luther", "M.~L.~King Jr."),
        ("William H. Gates III", "Gates, III, William H.", "W.~H.~Gates III"),
        ("SciPy 1.0 Contributors", "{SciPy 1.0 Contributors}", "SciPy 1.0 Contributors"),
        ("The ATLAS Collaboration", "{The ATLAS Collaboration}", "The ATLAS Collaboration"),
    ],
)
def test_suffixes_and_groups_keep_their_names(author: str, in_bibtex: str, shown: str) -> None:
    paper = KERMACK.model_copy(update={"authors": (author,)})
    assert f"author = {{{in_bibtex}}}," in entry(paper)
    assert bibitem(paper).startswith(shown)
