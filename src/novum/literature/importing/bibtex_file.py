"""BibTeX files, one entry at a time: `@string` is kept for later entries, LaTeX becomes Unicode."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping

from novum.literature.build import Kind, make_paper
from novum.records import Paper

MOST_LINES = 5000
"""An entry that has not ended after so many lines is broken; the next `@` at a line's start begins anew."""

_START = re.compile(r"^\s*@\s*(\w+)\s*[{(]")
_KINDS: dict[str, Kind] = {
    "article": "article",
    "inproceedings": "inproceedings",
    "conference": "inproceedings",
    "proceedings": "book",
    "book": "book",
    "incollection": "incollection",
    "inbook": "incollection",
    "phdthesis": "thesis",
    "mastersthesis": "thesis",
    "thesis": "thesis",
    "techreport": "techreport",
    "report": "techreport",
}
_VENUES = ("journal", "journaltitle", "booktitle", "publisher", "school", "institution", "howpublished")


def read_bibtex(lines: Iterable[str]) -> Iterator[Paper | None]:
    """One item an entry: a record, or None for an entry that is broken."""
    # It would print a warning for each broken entry; they are counted instead.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    macros: list[str] = []
    for kind, text in _entries(lines):
        if kind == "string":
            macros.append(text)
        elif kind not in ("comment", "preamble"):
            yield _read("\n".join((*macros, text)))


def _entries(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    kind, depth = "", 0
    held: list[str] = []
    for line in lines:
        start = _START.match(line)
        if start and (depth <= 0 or not line[:1].isspace()):
            if held:
                yield kind, "".join(held)
            kind, held, depth = start.group(1).lower(), [], 0
        if not kind:
            continue
        held.append(line)
        depth += line.count("{") - line.count("}") - line.count("\\{") + line.count("\\}")
        if (depth <= 0 and "}" in line) or len(held) > MOST_LINES:
            yield kind, "".join(held)
            kind, held, depth = "", [], 0
    if held:
        yield kind, "".join(held)


def _read(text: str) -> Paper | None:
    from bibtexparser.entrypoint import parse_string

    library = parse_string(text)
    if len(library.entries) != 1:
        return None
    entry = library.entries[0]
    fields = {name.lower(): str(field.value) for name, field in entry.fields_dict.items()}
    names = re.split(r"\s+and\s+", fields.get("author") or fields.get("editor") or "")
    return make_paper(
        "import",
        "",
        fields.get("title"),
        authors=[name for name in names if name.lower() != "others"],
        year=fields.get("year") or fields.get("date"),
        venue=next((fields[name] for name in _VENUES if fields.get(name)), ""),
        doi=fields.get("doi"),
        arxiv_id=_arxiv(fields),
        abstract=fields.get("abstract"),
        url=fields.get("url"),
        kind=_KINDS.get(entry.entry_type.lower(), "misc"),
    )


def _arxiv(fields: Mapping[str, str]) -> str:
    if "arxiv" in (fields.get("archiveprefix", "") + fields.get("eprinttype", "")).lower():
        return fields.get("eprint", "")
    return next((v for n in ("url", "journal") if "arxiv" in (v := fields.get(n, "")).lower()), "")
