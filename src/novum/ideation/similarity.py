"""How far a work of the literature says what an idea says, computed without a model."""

from __future__ import annotations

import math

from novum.ideation.wording import content_words
from novum.records import Idea, Paper


def resemblance(idea: Idea, paper: Paper) -> float:
    """Cosine of the two texts' sets of content words, 0 to 1, or of their titles where that is higher."""
    whole = _cosine(f"{idea.title} {idea.hypothesis} {idea.plan}", f"{paper.title} {paper.abstract}")
    return max(whole, _cosine(idea.title, paper.title))


def _cosine(a: str, b: str) -> float:
    left, right = set(content_words(a)), set(content_words(b))
    if not left or not right:
        return 0.0
    return len(left & right) / math.sqrt(len(left) * len(right))
