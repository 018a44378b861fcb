r"""A paper as data, and its paper.tex.

Before each paragraph stands a marker `%@ SECTION/NUMBER ORIGIN`: it tells the audit who wrote the paragraph, and the
repair which paragraph an error belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from novum.paper.latex.style import default_style

Origin = Literal["model", "code", "template"]
MARKER = re.compile(r"^%@ (\S+) (model|code|template)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A paragraph, a float or a display. `tex` is LaTeX; `prose` is False for what is not running text."""

    tex: str
    origin: Origin = "code"
    prose: bool = True


@dataclass(frozen=True)
class Section:
    """A numbered section. `name` is its key in steps and markers."""

    name: str
    title: str
    blocks: tuple[Block, ...] = ()

    def with_blocks(self, blocks: Sequence[Block]) -> Section:
        return replace(self, blocks=tuple(blocks))


@dataclass(frozen=True)
class Draft:
    """Everything that paper.tex is made from. All strings are LaTeX."""

    title: str
    authors: str
    day: str
    statement: str
    notice: str
    abstract: Section
    sections: tuple[Section, ...]
    bibliography: str
    appendix: str
    preamble: str = field(default_factory=lambda: default_style().preamble)

    def map_blocks(self, names: dict[str, Block]) -> Draft:
        """The draft with the paragraphs named (`results/3`) replaced."""

        def changed(section: Section) -> Section:
            blocks = [names.get(f"{section.name}/{i}", b) for i, b in enumerate(section.blocks, start=1)]
            return section.with_blocks(blocks)

        return replace(self, abstract=changed(self.abstract), sections=tuple(map(changed, self.sections)))

    def blocks(self) -> dict[str, Block]:
        """Every paragraph by its name."""
        return {
            f"{section.name}/{i}": block
            for section in (self.abstract, *self.sections)
            for i, block in enumerate(section.blocks, start=1)
        }


def render(draft: Draft) -> str:
    """The whole of paper.tex."""
    parts = [
        draft.preamble.rstrip(),
        r"\input{numbers}",
        r"\begin{document}",
        rf"\novumtitle{{{draft.title}}}{{{draft.authors}}}{{{draft.day}}}",
        rf"\novumstatement{{{draft.statement}}}",
    ]
    if draft.notice:
        parts.append(rf"\novumnotice{{{draft.notice}}}")
    parts += [r"\begin{abstract}", *_blocks(draft.abstract), r"\end{abstract}"]
    for section in draft.sections:
        parts += [rf"\section{{{section.title}}}\label{{sec:{section.name}}}", *_blocks(section)]
    parts += [
        "%@ back/1 code",
        draft.bibliography.strip(),
        "%@ back/2 code",
        draft.appendix.strip(),
        r"\end{document}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _blocks(section: Section) -> list[str]:
    return [
        f"%@ {section.name}/{number} {block.origin}\n{block.tex.strip()}"
        for number, block in enumerate(section.blocks, start=1)
    ]


def paragraph_at(tex: str, line: int) -> str | None:
    """The name of the paragraph that holds a line of paper.tex (counted from 1), or None in the preamble."""
    name = None
    for number, text in enumerate(tex.splitlines(), start=1):
        if number > line:
            break
        if found := MARKER.match(text):
            name = found[1]
    return name


@dataclass(frozen=True)
class FoundParagraph:
    """One marked piece of a paper.tex."""

    name: str
    origin: str
    tex: str

    @property
    def section(self) -> str:
        return self.name.split("/", 1)[0]


def paragraphs(tex: str) -> list[FoundParagraph]:
    """The marked pieces of a paper.tex, in order, without headings and what follows the last of them."""
    pieces = MARKER.split(tex)
    found = []
    for name, origin, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        body = re.split(
            r"^\\(?:section|end\{abstract\}|end\{document\})", body, maxsplit=1, flags=re.MULTILINE
        )[0]
        found.append(FoundParagraph(name, origin, body.strip()))
    return found
