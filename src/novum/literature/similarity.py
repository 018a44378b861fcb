"""How much of what a text says a work says too, without a model.

Both texts become sets of stemmed content words. Each word weighs as much as it is rare, and the score is the
cosine of the two weighted sets: 1 when they have the same words, 0 when they share none that counts. Rarity
comes from the index that is searched; without one, words that nearly every abstract has weigh little.

Measured in docs/literature.md: which score tells published work from work that is not there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from novum.literature.text import words
from novum.records import Paper

Rarity = Callable[[str], float]
"""The weight of a search word, at least 0."""

_EVERYDAY_WORDS = """
ability achieve additional address advance aim algorithm allow analysis analyze application apply approach
available baseline based benchmark better challenge compare common complex consider contribution current data
datasets demonstrate design develop different domain effect effective efficient empirical enable evaluate
existing experiment explore extensive framework general given high however idea improve improvement include
increase information instance introduce investigate key known lead learning limited large low machine main
make method model multiple neural network new novel number obtain order outperform paper parameter performance
present previous problem propose provide range recent require research result sample set show significant
simple single small space specific standard state state-of-the-art strong structure study suggest system task
technique term test theoretical time training two type use using value various way well work
"""
_EVERYDAY = frozenset(words(_EVERYDAY_WORDS))


def everyday_rarity(word: str) -> float:
    """1 for a word, a quarter for one that abstracts of every subject use."""
    return 0.25 if word in _EVERYDAY else 1.0


def similarity(text: str, paper: Paper, rarity: Rarity = everyday_rarity) -> float:
    """Likeness of `text` and the work's title and abstract, from 0 to 1. A work without abstract scores low."""
    return _cosine(set(words(text)), set(words(f"{paper.title} {paper.abstract}")), rarity)


def most_similar(
    text: str, papers: Iterable[Paper], rarity: Rarity = everyday_rarity
) -> list[tuple[float, Paper]]:
    """`papers` with their similarity to `text`, the nearest first."""
    scored = [(similarity(text, paper, rarity), paper) for paper in papers]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].id))


def _cosine(a: set[str], b: set[str], rarity: Rarity) -> float:
    shared, in_a, in_b = (sum(rarity(word) ** 2 for word in chosen) for chosen in (a & b, a, b))
    return shared / math.sqrt(in_a * in_b) if shared else 0.0
