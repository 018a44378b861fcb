"""Titles of a paper that promise no number: the idea's, where it holds none, and two of the code."""

from __future__ import annotations

from novum.literature.tex import escape
from novum.paper.brief import plain
from novum.paper.compose import subjects
from novum.paper.material import Material
from novum.paper.text import sentence_list
from novum.paper.unbound import unbound_numbers
from novum.untrusted import as_line

_LONGEST = 140


def own_titles(material: Material) -> tuple[str, str]:
    """Two titles that the code makes of what was changed and measured; LaTeX."""
    changed = sentence_list([plain(s).removeprefix("the ") for s in subjects(material)[:2]])
    seen = sentence_list([plain(material.metric_label(m)) for m in material.named[:2]])
    return (
        escape(f"Effects of {changed} on {seen}"),
        escape(f"{material.template.title}: a controlled study of {changed}"),
    )


def idea_title(material: Material) -> str:
    """The idea's title, or "" where it says a number, which nothing stands behind; LaTeX."""
    title = escape(as_line(material.idea.title.strip().rstrip("."), _LONGEST))
    return "" if numbers_in_title(title, material) else title


def numbers_in_title(title: str, material: Material) -> list[str]:
    """The typed numbers of a title, but for those in names that the template's authors gave."""
    given = unbound_numbers(" ".join(own_titles(material)))
    return [number for number in unbound_numbers(title) if number not in given]
