"""How far a work of the literature says what an idea says, computed without a model."""

from __future__ import annotations

from novum.literature.similarity import likeness, similarity
from novum.records import Idea, Paper

SAME_TITLE = 0.8
"""Likeness of two titles from which they are taken for one title; lower ones only say that the topic is shared."""


def resemblance(idea: Idea, paper: Paper) -> float:
    """Likeness of the two texts, 0 to 1; that of the titles where they are nearly the same.

    Measured in docs/literature.md, with the bounds that follow from it.
    """
    whole = similarity(f"{idea.title} {idea.hypothesis} {idea.plan}", paper)
    titles = likeness(idea.title, paper.title)
    return max(whole, titles) if titles >= SAME_TITLE else whole
