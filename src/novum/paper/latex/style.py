"""The style of a paper: the template's own where everything that it needs is there, else the one that ships.

A template brings `latex/template.tex`; what stands before its `\begin{document}` is the style, with the files beside
it. Its title, authors and bibliography are not used: the code sets those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath
from typing import NamedTuple

from novum.template import Template

DEFAULT = "novum"
_FILE = "latex/template.tex"
_BESIDE = (".sty", ".cls", ".bst", ".def", ".clo", ".cfg")
_FILECONTENTS = re.compile(r"\\begin\{filecontents\*?\}.*?\\end\{filecontents\*?\}", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)%.*")
_SET = re.compile(r"\\(?:title|author|date|graphicspath|newcommand\{\\fix\}|newcommand\{\\new\})\s*\{")
_CLASS = re.compile(r"\\documentclass")
_NEEDED = r"""\usepackage{graphicx}
\usepackage{xcolor}
\usepackage{amsmath}
\usepackage{array,tabularx,longtable}
\usepackage{hyperref}
\ifdefined\setcitestyle\setcitestyle{numbers,square}\fi
\newcommand\novumtitle[3]{\title{#1}\author{#2}\date{#3}\maketitle}
\newcommand\novumstatement[1]{\begin{quote}\small #1\end{quote}}
\newcommand\novumnotice[1]{\begin{center}\fbox{\begin{minipage}{0.9\linewidth}\small #1\end{minipage}}\end{center}}
"""


class Style(NamedTuple):
    """A preamble, and the files that it reads."""

    name: str
    preamble: str
    files: Mapping[str, bytes]


def default_style() -> Style:
    """The style that ships: every engine has what it needs."""
    return Style(DEFAULT, _shipped("preamble.tex") + _shipped("macros.tex"), {})


def template_style(template: Template) -> Style | None:
    """The template's own style, or None when it brings none."""
    text = _FILECONTENTS.sub("", template.texts.get(_FILE, ""))
    head, begun, _ = text.partition(r"\begin{document}")
    if not begun or not _CLASS.search(head):
        return None
    head = _COMMENT.sub("", head)
    # Numbers in the order of citation, whatever bibliography style the template had in mind.
    preamble = "\\PassOptionsToPackage{numbers}{natbib}\n" + _without_settings(head).strip() + "\n" + _NEEDED
    files = {
        PurePosixPath(name).name: content
        for name, content in template.contents().items()
        if name.startswith("latex/") and name.endswith(_BESIDE)
    }
    return Style(template.name, preamble + _shipped("macros.tex"), files)


def _without_settings(head: str) -> str:
    r"""The preamble without `\title{...}` and what else the code sets, whatever braces are in it."""
    while match := _SET.search(head):
        depth, end = 1, match.end()
        while depth and end < len(head):
            depth += {"{": 1, "}": -1}.get(head[end], 0)
            end += 1
        head = head[: match.start()] + head[end:]
    return head


def _shipped(name: str) -> str:
    return (resources.files("novum.paper.latex") / name).read_text(encoding="utf-8")
