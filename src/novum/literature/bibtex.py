"""References from records: BibTeX keys and entries, and the formatted references of a paper.

Nothing here was ever written by a model. Keys are readable and depend on the record alone
(`kermack1927contribution`); in one set of works, those that would share a key get a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from novum.literature.identity import merge_all
from novum.literature.tex import address, escape
from novum.literature.text import STOPWORDS, family_name, fold, given_names, name_suffix
from novum.records import Paper

Style = Literal["numeric", "plain"]
MOST_NAMES = 8
"""A formatted reference names this many authors at most; a BibTeX entry names all."""

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_GROUP = re.compile(
    r"\b(team|collaboration|consortium|group|community|developers|contributors|openai|committee)\b", re.I
)
_VENUE_FIELD = {
    "article": "journal",
    "inproceedings": "booktitle",
    "incollection": "booktitle",
    "book": "publisher",
    "thesis": "school",
    "techreport": "institution",
    "misc": "howpublished",
}
_ENTRY_TYPE = {"thesis": "phdthesis"}


def bibtex_key(paper: Paper) -> str:
    """Family name, year and first telling word of the title, in ASCII: `ho2020denoising`."""
    family = "".join(_ascii_words(family_name(paper.authors[0]))) if paper.authors else ""
    telling = [w for w in _ascii_words(paper.title) if w not in STOPWORDS and len(w) > 1]
    word = telling[0] if telling else ""
    return f"{family or 'anon'}{paper.year or ''}{word}" if family or word else f"work{_digits(paper.id)}"


def bibtex_keys(papers: Iterable[Paper]) -> dict[str, str]:
    """Paper id to key, each key once. Which work gets which letter does not depend on the order given."""
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for paper in sorted({p.id: p for p in papers}.values(), key=lambda p: p.id):
        base = bibtex_key(paper)
        key, number = base, 1
        while key in taken:
            number += 1
            key = f"{base}{_letters(number)}"
        taken.add(key)
        keys[paper.id] = key
    return keys


def entry(paper: Paper, key: str | None = None) -> str:
    """The BibTeX entry of a work: every author, the title's capitals protected, everything escaped."""
    authors = " and ".join(
        f"{{{escape(n)}}}" if _is_group(n) else escape(_sortable(n)) for n in paper.authors
    )
    fields = {
        "author": authors,
        "title": _protected(paper.title),
        _VENUE_FIELD[paper.kind]: escape(paper.venue),
        "year": str(paper.year or ""),
        "doi": _verbatim(paper.doi),
        "eprint": paper.arxiv_id,
        "archiveprefix": "arXiv" if paper.arxiv_id else "",
        "url": _verbatim(paper.url) if not (paper.doi or paper.arxiv_id) else "",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    kind = _ENTRY_TYPE.get(paper.kind, paper.kind)
    return "\n".join((f"@{kind}{{{key or bibtex_key(paper)},", *lines, "}"))


def entries(papers: Iterable[Paper]) -> str:
    """A whole `.bib` file, sorted by key; records of one work give one entry."""
    works = merge_all(papers)
    keys = bibtex_keys(works)
    return "\n\n".join(entry(p, keys[p.id]) for p in sorted(works, key=lambda p: keys[p.id])) + "\n"


def bibitem(paper: Paper, style: Style = "numeric") -> str:
    r"""What stands after `\bibitem{key}`: authors, title, venue, year and a link to the work.

    Needs `hyperref` and nothing else. `plain` leaves the link out.
    """
    parts = [f"{_names(paper.authors)}.".replace("..", ".")] if paper.authors else []
    title = escape(paper.title)
    if paper.kind == "book":
        title = rf"\emph{{{title}}}"
    parts.append(title if paper.title.endswith(("?", "!", ".")) else f"{title}.")
    where = ", ".join(text for text in (_venue(paper), str(paper.year or "")) if text)
    if where:
        parts.append(f"{where}.")
    if style == "numeric" and (link := _link(paper)):
        parts.append(f"{link}.")
    return "\n\\newblock ".join(parts)


# -- parts of an entry ---------------------------------------------------------------------------------


def _ascii_words(text: str) -> list[str]:
    return _ASCII_WORD.findall(re.sub(r"['\u2019]", "", _latin(text)))


def _latin(text: str) -> str:
    # The letters that Unicode does not take apart.
    table = str.maketrans(
        {"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"}
    )
    return fold(text).translate(table)


def _digits(text: str) -> str:
    return "".join(_ASCII_WORD.findall(text.lower()))


def _letters(number: int) -> str:
    """2 -> b, 3 -> c ... 27 -> ab."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _is_group(author: str) -> bool:
    """Collaborations and teams, whose names have no family part."""
    return bool(_GROUP.search(author))


def _sortable(author: str) -> str:
    parts = (family_name(author), name_suffix(author), given_names(author))
    return ", ".join(filter(None, parts)) if parts[0] and parts[2] else author


def _protected(title: str) -> str:
    """Braces around words whose capitals BibTeX styles would lose: `{LSTM}`, `{MNIST}`, and a lone later capital."""
    words = title.split()
    shown = []
    for position, word in enumerate(words):
        escaped = escape(word)
        inner_capital = any(c.isupper() for c in word[1:])
        shown.append(f"{{{escaped}}}" if inner_capital or (position and word[:1].isupper()) else escaped)
    return " ".join(shown)


def _verbatim(text: str) -> str:
    """A DOI or an address inside BibTeX braces, which must be balanced."""
    return text.replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C")


def _names(authors: Sequence[str]) -> str:
    shown = [escape(n) if _is_group(n) else _initials(n) for n in authors]
    if len(shown) > MOST_NAMES:
        return ", ".join(shown[: MOST_NAMES - 1]) + ", et~al"
    if len(shown) == 1:
        return shown[0]
    return ", ".join(shown[:-1]) + (", and " if len(shown) > 2 else " and ") + shown[-1]


def _initials(author: str) -> str:
    given = given_names(author)
    initials = []
    for name in given.split():
        pieces = [p for p in re.split(r"[-‐.]", name) if p]
        initials.append(
            "-".join(f"{p[0]}." for p in pieces) if "-" in name else "".join(f"{p[0]}." for p in pieces)
        )
    family = escape(" ".join(filter(None, (family_name(author), name_suffix(author)))))
    return "~".join((*(escape(i) for i in initials if i), family)) if initials else family


def _venue(paper: Paper) -> str:
    if not paper.venue:
        return ""
    venue = escape(paper.venue)
    if paper.kind == "book":
        return venue
    if paper.kind == "article":
        return rf"\emph{{{venue}}}"
    return rf"In \emph{{{venue}}}" if paper.kind in ("inproceedings", "incollection") else venue


def _link(paper: Paper) -> str:
    for url, shown in (
        (f"https://doi.org/{paper.doi}", f"doi:{paper.doi}" if paper.doi else ""),
        (f"https://arxiv.org/abs/{paper.arxiv_id}", f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else ""),
        (paper.url, paper.url if paper.url.startswith(("https://", "http://")) else ""),
    ):
        if shown:
            return rf"\href{{{address(url)}}}{{\nolinkurl{{{address(shown)}}}}}"
    return ""
