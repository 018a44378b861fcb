r"""Where citations stand in a draft, and where one can be put: pure functions over sentences of LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from novum.paper.document import Block, Origin, Section
from novum.paper.numbers import BOUND_MACROS
from novum.paper.text import tex_sentences

CITED_SECTIONS = ("introduction", "background", "method", "discussion", "related", "setup")
"""Sections whose sentences may get a citation, those that need it most first; results have runs to stand on."""
FEWEST_WORDS = 6
_CITE = re.compile(r"([~ ]?)\\cite\{([^{}]*)\}")
_NOT_CITABLE = re.compile(rf"\\(?:cite|claim|begin|end|item|ref|{'|'.join(BOUND_MACROS)})\b")
_END = re.compile(r"[.!?]*\s*$")


class Place(NamedTuple):
    """A sentence of the draft, with the name (`background/2`) and the origin of its paragraph."""

    name: str
    origin: Origin
    sentence: str


def uncited(sentence: str) -> str:
    """The sentence without its citations."""
    return " ".join(_CITE.sub("", sentence).split())


def places(sections: Sequence[Section]) -> Iterator[Place]:
    """Every sentence of running text that stands in its paragraph word for word."""
    for section in sections:
        for number, block in enumerate(section.blocks, start=1):
            if not block.prose:
                continue
            for sentence in tex_sentences(block.tex):
                if sentence in block.tex:
                    yield Place(f"{section.name}/{number}", block.origin, sentence)


def citable(sections: Sequence[Section]) -> list[Place]:
    """Sentences that a model or a template wrote and that could do with a citation, by `CITED_SECTIONS`."""
    by_section = {s.name: s for s in sections}
    ordered = [by_section[name] for name in CITED_SECTIONS if name in by_section]
    return [
        place
        for place in places(ordered)
        if place.origin != "code"
        and not _NOT_CITABLE.search(place.sentence)
        and len(place.sentence.split()) >= FEWEST_WORDS
    ]


def with_sentence(sections: Sequence[Section], place: Place, sentence: str) -> tuple[Section, ...]:
    """The sections with the sentence at `place` replaced."""

    def changed(section: Section) -> Section:
        blocks = [
            Block(block.tex.replace(place.sentence, sentence, 1), block.origin, block.prose)
            if f"{section.name}/{number}" == place.name
            else block
            for number, block in enumerate(section.blocks, start=1)
        ]
        return section.with_blocks(blocks)

    return tuple(changed(section) for section in sections)


def with_citation(sentence: str, key: str, after: str = "") -> str:
    r"""The sentence with `\cite{key}` behind the words `after`, or before its full stop.

    `after` counts when it stands in the sentence once, ends with a word, and is outside braces and formulas.
    """
    at = _end_of(after, sentence)
    if at is None:
        at = _END.search(sentence).start()  # type: ignore[union-attr]  # it matches the empty end
    head, tail = sentence[:at], sentence[at:]
    last = list(_CITE.finditer(head))
    if last and last[-1].end() == len(head):
        return f"{head[:-1]},{key}}}{tail}"
    return rf"{head}~\cite{{{key}}}{tail}"


def _end_of(after: str, sentence: str) -> int | None:
    words = " ".join(after.split()).rstrip(" .,;:!?~")
    if not words or sentence.count(words) != 1:
        return None
    at = sentence.index(words) + len(words)
    head, following = sentence[:at], sentence[at : at + 1]
    inside = head.count("{") != head.count("}") or head.count("$") % 2 == 1
    command = re.search(r"\\[A-Za-z]*$", head)
    return None if inside or command or following.isalnum() or following in ("{", "-") else at


def without_citation(sentence: str, key: str) -> str:
    """The sentence without one of the works that it cites."""

    def kept(cite: re.Match[str]) -> str:
        keys = [k for k in (k.strip() for k in cite[2].split(",")) if k != key]
        return rf"{cite[1]}\cite{{{','.join(keys)}}}" if keys else ""

    return _CITE.sub(kept, sentence)
