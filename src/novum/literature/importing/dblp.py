"""DBLP's XML dump (`dblp.xml.gz`), read as a stream: its records are one level below the root."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast
from xml.etree import ElementTree

from novum.errors import UsageError
from novum.literature.build import Kind, make_paper
from novum.records import Paper

_KINDS: dict[str, Kind] = {
    "article": "article",
    "inproceedings": "inproceedings",
    "proceedings": "book",
    "book": "book",
    "incollection": "incollection",
    "phdthesis": "thesis",
    "mastersthesis": "thesis",
}
_ENTITY = re.compile(r"&(\w+);")
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_NAMESAKE = re.compile(r"\s\d{4}$")


def read_dblp(lines: Iterable[str]) -> Iterator[Paper | None]:
    """One item a publication: a record, or None for one without a title.

    Raises:
        UsageError: it is no XML, or not DBLP's.
    """
    parser: ElementTree.XMLPullParser[Any] = ElementTree.XMLPullParser(["start", "end"])
    root: ElementTree.Element | None = None
    depth = 0
    for line in lines:
        for event, element in _events(parser, line):
            depth += 1 if event == "start" else -1
            if root is None:
                root = _checked(element)
            if event == "end" and depth == 1:
                if element.tag in _KINDS:
                    yield _read(element)
                root.clear()  # keeps the memory constant


def _checked(root: ElementTree.Element) -> ElementTree.Element:
    if root.tag != "dblp":
        raise UsageError(
            f"this XML is not DBLP's but <{root.tag[:60]}>", "", "import BibTeX or JSON lines instead"
        )
    return root


def _events(parser: ElementTree.XMLPullParser[Any], line: str) -> Iterator[tuple[str, ElementTree.Element]]:
    if "<!ENTITY" in line:
        raise UsageError(
            "the XML declares entities", "DBLP's dump does not", "import BibTeX or JSON lines instead"
        )
    try:
        # DBLP names accented letters as HTML does, in a DTD that is not read here.
        parser.feed(_ENTITY.sub(_letter, line))
        yield from cast("list[tuple[str, ElementTree.Element]]", list(parser.read_events()))
    except ElementTree.ParseError as error:
        raise UsageError(
            "the XML is broken", str(error), "get the file again; what was read is kept"
        ) from error


def _letter(found: re.Match[str]) -> str:
    return found.group() if found.group(1) in _XML_ENTITIES else html.unescape(found.group())


def _read(element: ElementTree.Element) -> Paper | None:
    texts: dict[str, list[str]] = {}
    for child in element:
        texts.setdefault(child.tag, []).append("".join(child.itertext()))
    links = texts.get("ee", [])
    venue = next(
        (texts[name][0] for name in ("journal", "booktitle", "publisher", "school") if name in texts), ""
    )
    return make_paper(
        "dblp",
        element.get("key", ""),
        texts.get("title", [""])[0],
        authors=[_NAMESAKE.sub("", name) for name in texts.get("author") or texts.get("editor") or ()],
        year=texts.get("year", [""])[0],
        venue="arXiv" if venue == "CoRR" else venue,
        doi=next((link for link in links if "doi.org/" in link), ""),
        arxiv_id=next((link for link in links if "arxiv.org/" in link), ""),
        url=links[0] if links else "",
        kind="misc" if venue == "CoRR" else _KINDS[element.tag],
    )
