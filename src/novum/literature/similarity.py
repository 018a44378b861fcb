"""How much of what one text says another says too, without a model.

Both texts become sets of stemmed content words. Words that nearly every abstract has weigh little, and the score is
the cosine of the two weighted sets: 1 when they have the same words, 0 when they share none that counts.

Measured in docs/literature.md: which score tells published work from work that is not there.
"""

from __future__ import annotations

import math

from novum.literature.text import words
from novum.records import Paper

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


def similarity(text: str, paper: Paper) -> float:
    """Likeness of `text` and the work's title and abstract, from 0 to 1. A work without abstract scores low."""
    return likeness(text, f"{paper.title} {paper.abstract}")


def likeness(a: str, b: str) -> float:
    """Cosine of the two texts' weighted sets of words, from 0 to 1."""
    in_a, in_b = set(words(a)), set(words(b))
    shared, weight_a, weight_b = (_weight(chosen) for chosen in (in_a & in_b, in_a, in_b))
    return shared / math.sqrt(weight_a * weight_b) if shared else 0.0


def _weight(chosen: set[str]) -> float:
    return sum(everyday_rarity(word) ** 2 for word in chosen)
