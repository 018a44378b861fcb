"""JSON lines: novum's own plain form, and the dumps of OpenAlex, Semantic Scholar and arXiv.

Each object is recognised by its keys, so that one file may mix them. The plain form has `title`, `authors`
(names, or objects with `name`), `year`, `venue`, `doi`, `arxiv_id`, `abstract` and `url`; all but the title
may be missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from novum.literature import openalex, semantic_scholar
from novum.literature.build import Kind, kind_of_venue, make_paper, mapping
from novum.literature.identity import normal_arxiv_id
from novum.records import Paper


def read_json_lines(lines: Iterable[str]) -> Iterator[Paper | None]:
    """One item a line that is not blank: a record, or None for a line that holds none."""
    for line in lines:
        if line.strip():
            yield _read(line)


def _read(line: str) -> Paper | None:
    try:
        entry = json.loads(line)
        return _record(entry) if isinstance(entry, dict) else None
    except (ValueError, RecursionError):  # also numbers with thousands of digits, and lists without an end
        return None


def _record(entry: Mapping[str, Any]) -> Paper | None:
    if str(entry.get("id", "")).startswith("https://openalex.org/"):
        return openalex.paper_from_json(entry)
    if "paperId" in entry:
        return semantic_scholar.paper_from_json(entry)
    if "corpusid" in entry:
        return semantic_scholar.paper_from_json(_from_dataset(entry))
    if "authors_parsed" in entry or ("versions" in entry and "categories" in entry):
        return _from_arxiv(entry)
    return _plain(entry)


def _from_dataset(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Semantic Scholar's data sets write the same record in lower case."""
    renamed = {
        "paperId": entry.get("corpusid"),
        "externalIds": entry.get("externalids"),
        "publicationTypes": entry.get("publicationtypes"),
        "citationCount": entry.get("citationcount"),
    }
    return {**entry, **renamed}


def _from_arxiv(entry: Mapping[str, Any]) -> Paper | None:
    parsed = entry.get("authors_parsed")
    names = [
        " ".join(str(part) for part in (name[1], name[0], *name[2:3]) if part)
        for name in (parsed if isinstance(parsed, list) else ())
        if isinstance(name, list) and len(name) >= 2
    ]
    versions = entry.get("versions")
    first_version = mapping(versions[0]) if isinstance(versions, list) and versions else {}
    # "Mon, 2 Apr 2007 19:18:42 GMT": the year of the first version, else that of the last update.
    created = str(first_version.get("created") or "").split()
    journal = entry.get("journal-ref")
    identifier = str(entry.get("id") or "")
    return make_paper(
        "arxiv",
        identifier,
        entry.get("title"),
        authors=names or _names(entry.get("authors")),
        year=created[3] if len(created) > 3 else entry.get("update_date"),
        venue=journal or "arXiv",
        doi=entry.get("doi"),
        arxiv_id=identifier,
        abstract=entry.get("abstract"),
        url=f"https://arxiv.org/abs/{identifier}",
        kind="article" if journal else "misc",
    )


def _plain(entry: Mapping[str, Any]) -> Paper | None:
    identifier = str(entry.get("key") or entry.get("id") or "")
    url = str(entry.get("url") or "")
    return make_paper(
        "import",
        "",
        entry.get("title"),
        authors=_names(entry.get("authors") or entry.get("author")),
        year=entry.get("year"),
        venue=entry.get("venue") or entry.get("journal") or entry.get("booktitle"),
        doi=entry.get("doi"),
        arxiv_id=entry.get("arxiv_id") or _arxiv_id(identifier) or _arxiv_id(url),
        abstract=entry.get("abstract"),
        url=url,
        kind=_kind(entry),
    )


def _arxiv_id(text: str) -> str:
    return normal_arxiv_id(text) if "arxiv" in text.lower() else ""


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split(" and ") if " and " in value else value.split("; ")
    if not isinstance(value, list):
        return []
    return [str(mapping(name).get("name") or "") if isinstance(name, dict) else str(name) for name in value]


def _kind(entry: Mapping[str, Any]) -> Kind:
    given: dict[str, Kind] = {
        "article": "article",
        "inproceedings": "inproceedings",
        "book": "book",
        "incollection": "incollection",
        "thesis": "thesis",
        "techreport": "techreport",
    }
    named = given.get(str(entry.get("kind") or entry.get("type") or "").lower())
    if named:
        return named
    if entry.get("booktitle"):
        return "inproceedings"
    return "article" if entry.get("journal") else kind_of_venue(entry.get("venue"))
