"""Records from what services and files say: text made plain, ids normalised, each field's origin noted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeGuard

from novum.literature.identity import normal_arxiv_id, normal_doi, paper_id
from novum.literature.text import name_key, plain, plain_name, plain_title, title_key
from novum.records import Paper

Kind = Literal["article", "inproceedings", "book", "incollection", "thesis", "techreport", "misc"]
YEARS = range(1400, 2101)
MOST_CITATIONS = 10**9
LONGEST = 20_000
"""Longer abstracts are cut: no abstract is, and an index must not hold a book."""


def make_paper(
    source: str,
    identifier: str,
    title: object,
    *,
    authors: Iterable[object] = (),
    year: object = None,
    venue: object = "",
    doi: object = "",
    arxiv_id: object = "",
    abstract: object = "",
    url: object = "",
    kind: Kind = "misc",
    retracted: bool = False,
    citation_count: object = None,
) -> Paper | None:
    """A record of what `source` said, or None when that has no title. Every field may be missing or odd.

    `identifier` is the source's own and unique there; "" where it has none.
    """
    shown_title = plain_title(_text(title))[:1000]
    if not shown_title:
        return None
    clean_doi = normal_doi(_text(doi))
    clean_arxiv = normal_arxiv_id(_text(arxiv_id)) or arxiv_id_of_doi(_text(doi))
    address = plain(_text(url))
    fields: dict[str, Any] = {
        "title": shown_title,
        "authors": tuple(name for name in (plain_name(_text(a)) for a in authors) if name),
        "year": _year(year),
        "venue": plain_name(_text(venue))[:300],
        "doi": clean_doi,
        "arxiv_id": clean_arxiv,
        "abstract": plain(_text(abstract))[:LONGEST],
        "url": address if address.startswith(("https://", "http://")) else "",
        "kind": kind,
    }
    return Paper(
        id=paper_id(clean_doi, clean_arxiv, source, _text(identifier) or _fingerprint(fields)),
        retracted=retracted or shown_title.upper().startswith(("RETRACTED:", "RETRACTED ARTICLE")),
        citation_count=citation_count if _is_count(citation_count) else None,
        origin={name: source for name, value in fields.items() if value and value != "misc"},
        **fields,
    )


def arxiv_id_of_doi(doi: str) -> str:
    """The arXiv id inside one of arXiv's own DOIs, or ""."""
    _, found, rest = doi.lower().partition("10.48550/arxiv.")
    return normal_arxiv_id(rest) if found else ""


def parse_json(body: bytes) -> Any:
    """The JSON value of an answer.

    Raises:
        ValueError: it is no JSON, for example an HTML error page or half an answer.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        what = "an HTML page" if body.lstrip()[:1] == b"<" else "no complete JSON"
        raise ValueError(f"{what} ({error})") from error


def object_with(body: bytes, *names: str) -> Mapping[str, Any]:
    """The JSON object of an answer, which has at least one of the fields `names`.

    Raises:
        ValueError: it is something else, as services send with status 200 when they could not be asked.
    """
    value = parse_json(body)
    if isinstance(value, dict) and any(name in value for name in names):
        return value
    said = plain(body[:200].decode("utf-8", "replace"))
    raise ValueError(f"JSON without {' or '.join(map(repr, names))}: {said}")


def listed(value: object, name: str) -> list[Mapping[str, Any]]:
    """The JSON objects of the list that an answer has under `name`.

    Raises:
        ValueError: there is no list.
    """
    found = mapping(value).get(name)
    if not isinstance(found, list):
        raise ValueError(f"no list of works under {name!r}")
    return items(found)


def mapping(value: object) -> Mapping[str, Any]:
    """`value` when it is a JSON object, else an empty one: services send null where an object belongs."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Mapping[str, Any]]:
    """The JSON objects in a JSON list; nothing for null."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def first(value: object) -> object:
    """The first entry of a list, the value itself when it is none, "" for an empty list."""
    return (value[0] if value else "") if isinstance(value, list) else value


_CONFERENCE_HINTS = (
    *("proceedings", "conference", "workshop", "symposium", "information processing systems"),
    *("neurips", "icml", "iclr", "cvpr"),
)
_PREPRINT_HINTS = ("rxiv", "ssrn", "preprint")


def kind_of_venue(venue: object) -> Kind:
    """What a work is whose source says only where it appeared."""
    name = _text(venue).lower()
    if not name or any(hint in name for hint in _PREPRINT_HINTS):
        return "misc"
    return "inproceedings" if any(hint in name for hint in _CONFERENCE_HINTS) else "article"


def _fingerprint(fields: Mapping[str, Any]) -> str:
    """An identifier from what a record says, for those that bring none or only one of their own file."""
    first_author = name_key(fields["authors"][0]) if fields["authors"] else ""
    text = f"{title_key(fields['title'])}|{first_author}|{fields['year']}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _text(value: object) -> str:
    """A string without lone surrogates, which JSON may hold and nothing can store; "" for anything else."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", "ignore").decode()


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 <= value < MOST_CITATIONS


def _year(value: object) -> int | None:
    try:
        year = int(str(value)[:4])
    except ValueError:
        return None
    return year if year in YEARS else None
