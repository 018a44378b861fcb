"""Names, titles and ids in one form, and when two records are one work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.literature.held import HeldWorks
from novum.literature.identity import merge, merge_all, normal_arxiv_id, normal_doi, normal_id, same_work
from novum.literature.text import family_name, given_names, name_key, plain, plain_title, stem, words
from novum.records import Paper


@pytest.mark.parametrize(
    ("author", "family", "given_part", "key"),
    [
        ("Jonathan Ho", "Ho", "Jonathan", "ho"),
        ("Ho, Jonathan", "Ho", "Jonathan", "ho"),
        ("Aäron van den Oord", "van den Oord", "Aäron", "oord"),
        ("Aaron Van Oord", "Oord", "Aaron Van", "oord"),
        ("Martin Luther King Jr.", "King", "Martin Luther", "king"),
        ("Wei Wang 0001", "Wang", "Wei", "wang"),
        ("James O. Lloyd-Smith", "Lloyd-Smith", "James O.", "lloydsmith"),
        ("Student", "Student", "", "student"),
        ("", "", "", ""),
        ("  ", "", "", ""),
    ],
)
def test_names_as_sources_write_them(author: str, family: str, given_part: str, key: str) -> None:
    assert (family_name(author), given_names(author), name_key(author)) == (family, given_part, key)


@pytest.mark.parametrize(
    "group",
    ["decay decays decaying", "optimise optimized optimizer optimization", "epidemic epidemics",
     "stochastic stochasticity", "plan planned planning", "class classes", "study studies studying"],
)  # fmt: skip
def test_forms_of_a_word_share_a_stem(group: str) -> None:
    assert len({stem(word) for word in group.split()}) == 1


def test_different_words_keep_different_stems() -> None:
    pairs = ["cross cost", "bias base", "virus vire", "policy poly", "transform transfer", "gas ga"]
    assert all(len({stem(word) for word in pair.split()}) == 2 for pair in pairs)


@given(st.text())
def test_words_are_single_folded_words_whatever_the_text(text: str) -> None:
    for word in words(text):
        assert word and word == word.lower() and " " not in word and '"' not in word


@given(st.text())
def test_plain_text_is_one_printable_line(text: str) -> None:
    for clean in (plain(text), plain_title(text)):
        assert clean == clean.strip() and "\n" not in clean and "\x00" not in clean


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("A &amp;lt;b&amp;gt; title.", "A title"),
        ("p < 0.05 and q > 1", "p < 0.05 and q > 1"),
        (r"Learning $\ell_1$ norms", "Learning ℓ_1 norms"),
        (r"{\"U}ber {BERT}", "Über BERT"),
        (r"A broken \frac{ title {", r"A broken"),
        ("Wait...", "Wait..."),
    ],
)
def test_titles_become_plain(raw: str, shown: str) -> None:
    assert plain_title(raw).startswith(shown)


def test_ids_as_people_type_them() -> None:
    for text in (
        "10.1098/RSPA.1927.0118",
        "doi:10.1098/rspa.1927.0118",
        "https://doi.org/10.1098/rspa.1927.0118.",
    ):
        assert normal_id(text) == "doi:10.1098/rspa.1927.0118"
    for text in (
        "1706.03762",
        "arXiv:1706.03762v5",
        "https://arxiv.org/pdf/1706.03762v5.pdf",
        "arxiv:1706.03762",
    ):
        assert normal_id(text) == "arxiv:1706.03762"
    assert normal_arxiv_id("hep-th/9711200v3") == "hep-th/9711200"
    assert normal_doi("10.48550/arXiv.1706.03762") == ""
    assert normal_id("novum:hinton2012") == "novum:hinton2012"
    assert normal_arxiv_id("12345.67890 and more") == ""


def paper(**fields: object) -> Paper:
    return Paper.model_validate({"id": "x:1", "title": "Deep Nets", "authors": ("Ann Lee",), **fields})


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"title": "DEEP NETS!", "authors": ("Lee, A.", "Bo Ek"), "year": 2021}, True),
        ({"authors": ("Someone Else",)}, False),
        ({"authors": ()}, False),
        ({"title": "Deeper Nets"}, False),
        ({"year": 2010}, False),
        ({"doi": "10.1234/b"}, False),
        ({"doi": "10.1234/a", "title": "Another Title"}, True),
    ],
)
def test_when_two_records_are_one_work(other: dict[str, object], same: bool) -> None:
    a = paper(year=2020, doi="10.1234/a")
    assert same_work(a, paper(id="y:2", **other)) is same
    assert same_work(paper(id="y:2", **other), a) is same


def test_each_field_comes_from_the_source_that_knows_it_best() -> None:
    fields = ("title", "year", "venue", "abstract")
    arxiv, crossref = dict.fromkeys(fields, "arxiv"), dict.fromkeys(fields, "crossref")
    preprint = paper(
        id="arxiv:2001.00001", arxiv_id="2001.00001", year=2019, venue="arXiv", abstract="Ours.", origin=arxiv
    )
    printed = paper(
        id="doi:10.1234/a",
        doi="10.1234/a",
        year=2020,
        venue="J. Nets",
        abstract="Theirs.",
        kind="article",
        retracted=True,
        citation_count=5,
        origin=crossref,
    )
    for merged in (merge(preprint, printed), merge(printed, preprint)):
        assert (merged.id, merged.arxiv_id, merged.year, merged.venue) == (
            "doi:10.1234/a", "2001.00001", 2020, "J. Nets",
        )  # fmt: skip
        assert merged.abstract == "Ours." and merged.origin["abstract"] == "arxiv"
        assert merged.origin["venue"] == "crossref" and merged.kind == "article"
        assert merged.retracted and merged.citation_count == 5


def test_merging_keeps_the_order_and_joins_across_different_keys() -> None:
    first = paper(id="a:1", title="One")
    second = paper(id="b:2", title="Two", doi="10.1234/t")
    again = paper(id="c:3", title="Two (extended)", doi="10.1234/t")
    assert [p.title for p in merge_all([first, second, again, first])] == ["One", "Two"]


@pytest.mark.parametrize(
    ("typed", "doi"),
    [
        ("10.1061/(ASCE)0733-9399(2002)128:8(878)", "10.1061/(asce)0733-9399(2002)128:8(878)"),
        ("(see doi:10.1061/(ASCE)0733-9399(2002)128:8(878)).", "10.1061/(asce)0733-9399(2002)128:8(878)"),
        ("(10.1098/rspa.1927.0118)", "10.1098/rspa.1927.0118"),
        ("10.1016/0893-6080(89)90020-8;", "10.1016/0893-6080(89)90020-8"),
    ],
)
def test_brackets_that_belong_to_a_doi_stay(typed: str, doi: str) -> None:
    assert normal_doi(typed) == doi


def test_the_case_of_a_doi_tells_no_works_apart() -> None:
    """Templates write DOIs as publishers do."""
    ours = paper(id="doi:10.1007/BF02551274", doi="10.1007/BF02551274", title="Approximation")
    theirs = paper(id="doi:10.1007/bf02551274", doi="10.1007/bf02551274", title="Approximations")
    assert same_work(ours, theirs)
    assert HeldWorks([ours], name="held").lookup("doi:10.1007/bf02551274") == ours
    assert len(merge_all([ours, theirs])) == 1
