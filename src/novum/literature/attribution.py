r"""Who introduced a named method, and which citations in a text credit it to another work.

A citation credits a method when it directly follows its name: `LSTM \cite{...}`, `an LSTM network
\citep{...}`. A sentence that only mentions a method and cites something else is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from novum.literature.identity import same_work
from novum.literature.shipped import shipped_works
from novum.records import Paper

WORDS_BETWEEN = 2
"""Most words between the name of a method and the citation that credits it."""

_CITE = re.compile(r"~?\s*\\cite[a-zA-Z]*\*?\s*(?:\[[^\]]*\]\s*){0,2}\{([^}]*)\}")


class Misattribution(NamedTuple):
    """A method that a text credits to works that did not introduce it."""

    method: str
    keys: tuple[str, ...]
    introduced_by: Paper
    excerpt: str


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, tuple[Paper, ...]]:
    return introducers(work.paper for work in shipped_works())


def introducers(papers: Iterable[Paper]) -> dict[str, tuple[Paper, ...]]:
    """Method name to the works that introduced it, from their `introduces`."""
    table: dict[str, tuple[Paper, ...]] = {}
    for paper in papers:
        for method in paper.introduces:
            table[method] = (*table.get(method, ()), paper)
    return table


def misattributions(tex: str, cited: Mapping[str, Paper]) -> list[Misattribution]:
    r"""Every `\cite` in `tex` that credits a known method to works that did not introduce it.

    `cited` maps citation keys to their works; a citation with an unknown key is left to the check of keys.
    """
    found = []
    for cite in _CITE.finditer(tex):
        keys = tuple(key.strip() for key in cite.group(1).split(","))
        works = [cited[key] for key in keys if key in cited]
        before = re.split(r"[.!?;:]\s|\\cite|\n\s*\n", tex[max(0, cite.start() - 120) : cite.start()])[-1]
        if not works or not (method := _credited(before)):
            continue
        origins = _shipped()[method]
        if not any(method in work.introduces or any(same_work(work, o) for o in origins) for work in works):
            excerpt = f"{before.strip()} {cite.group().strip()}"[-160:]
            found.append(Misattribution(method, keys, origins[0], excerpt))
    return found


def _credited(before: str) -> str:
    """The method whose name stands last before a citation, at most a few words away from it."""
    tail = " ".join(before.split())
    best, best_end = "", -1
    for method in _shipped():
        for name in _pattern(method).finditer(tail):
            far = len(tail[name.end() :].split()) > WORDS_BETWEEN
            if not far and (name.end(), len(method)) > (best_end, len(best)):
                best, best_end = method, name.end()
    return best


@lru_cache(maxsize=4096)
def _pattern(method: str) -> re.Pattern[str]:
    """The name as a word, also as plural; hyphens and spaces are one; names with capitals keep their case."""
    text = re.escape(method).replace(r"\-", "[- ]").replace(r"\ ", "[- ]")
    flags = 0 if any(c.isupper() for c in method) else re.IGNORECASE
    return re.compile(rf"(?<![\w-]){text}(?:s|es)?(?![\w-])", flags)
