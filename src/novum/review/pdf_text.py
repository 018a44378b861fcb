"""The text of a PDF, as a reviewer reads it: whole words, no orders to a model, no longer than the context."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from novum.errors import UsageError
from novum.untrusted import clean

CHARS_PER_TOKEN = 3.6
"""Characters of a paper per token, on the low side, so that an estimate of tokens is rather too high."""
_HEADING = re.compile(r"^(?=(?:Abstract$|\d{1,2}\.? +[A-Z][a-z]))", re.MULTILINE)
_REFERENCES = re.compile(r"^\s*(?:\d+\.?\s+)?(?:references|bibliography)\s*$", re.IGNORECASE | re.MULTILINE)
_LEAST_WORDS = 50


class PaperText(NamedTuple):
    """The text of a paper. `removed` are sentences that addressed a model and were taken out."""

    text: str
    removed: tuple[str, ...] = ()


def pdf_text(path: Path) -> PaperText:
    """The text of the PDF at `path`.

    Raises:
        UsageError: there is no such file, it is not a PDF or a damaged one, it is encrypted, or it holds next to no
            text.
    """
    import pypdfium2

    if not path.is_file():
        raise UsageError(f"there is no file {path}", "", "name a PDF, or a study")
    try:
        with pypdfium2.PdfDocument(path) as document:
            pages = [page.get_textpage().get_text_range() for page in document]
    except pypdfium2.PdfiumError as error:
        raise UsageError(
            f"cannot read {path} as a PDF", str(error), "give a PDF that is whole and has no password"
        ) from error
    paper = readable("\n".join(pages))
    if len(paper.text.split()) < _LEAST_WORDS:
        raise UsageError(
            f"{path} holds next to no text ({len(paper.text.split())} words)",
            "it may consist of pictures of pages",
            "give a PDF with text in it",
        )
    return paper


def readable(raw: str) -> PaperText:
    """Raw text of a PDF with hyphenated words joined, page numbers gone, and orders to a model taken out."""
    # U+FFFE and U+0002 are how PDFium reports a hyphen at the end of a line.
    joined = re.sub(r"[\ufffe\x02]\s*", "", raw.replace("\r\n", "\n"))
    lines = (" ".join(line.split()) for line in joined.splitlines())
    text = "\n".join(line for line in lines if line and not line.isdigit())
    return PaperText(*clean(text))


def fitted(text: str, most_tokens: int, *, prose_only: bool = False) -> str:
    """`text` within `most_tokens`: sections longer than an equal share end early, and what is left out is marked.

    `prose_only` leaves out the references and what follows them, and lines without words (ticks of axes, rows
    of numbers), marked where it is the references.
    """
    if prose_only:
        text = _without_numbers(_without_references(text))
    most = int(most_tokens * CHARS_PER_TOKEN)
    if len(text) <= most:
        return text
    sections = [section for section in _HEADING.split(text) if section.strip()]
    share = _share([len(section) for section in sections], most)
    return "\n".join(_beginning(section.strip(), share) for section in sections)


def _without_references(text: str) -> str:
    *_, last = [None, *_REFERENCES.finditer(text)]
    # A heading in the first half is no list of references at the end.
    if last is None or last.start() <= len(text) // 2:
        return text
    return text[: last.start()].rstrip() + "\n[The references and what follows them are left out here.]"


def _without_numbers(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(line for line in lines if 2 * sum(c.isalpha() for c in line) > len(line))


def _share(lengths: list[int], most: int) -> int:
    """The length at which sections are cut, so that all together have `most`: short ones leave theirs to long ones."""
    left = most
    for done, length in enumerate(ordered := sorted(lengths)):
        share = left // (len(ordered) - done)
        if length > share:
            return share
        left -= length
    return most


def _beginning(section: str, most: int) -> str:
    """The section's first `most` characters, up to the end of a word, with a note on what is missing."""
    if len(section) <= most:
        return section
    kept = section[:most].rsplit(None, 1)[0]
    return f"{kept}\n[... {len(section.split()) - len(kept.split())} words are left out here for length ...]"
