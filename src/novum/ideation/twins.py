"""Whether an idea is one of those before it: in nearly the same words, or, with an embedding model, in meaning."""

from __future__ import annotations

from collections.abc import Sequence

from novum.ideation.drafts import twin_of
from novum.ideation.facts import Earlier
from novum.literature.semantic import cosines
from novum.tools import Tools

SAME_MEANING = 0.95
"""Cosine of two ideas' embeddings from which they count as the same: high, for ideas of one template share a topic."""


def known_twin(tools: Tools, text: str, earlier: Sequence[Earlier]) -> Earlier | None:
    """The earlier idea that is the same as `text` (title and hypothesis), if there is one."""
    return twin_of(text, earlier) or _twin_in_meaning(tools, text, earlier)


def _twin_in_meaning(tools: Tools, text: str, earlier: Sequence[Earlier]) -> Earlier | None:
    """By `tools.embed`, and recorded: a replay, which has no embedding model, must refuse the same ideas."""
    by_title = {idea.title: idea for idea in earlier}
    for event in tools.log.events("warning"):
        if event.data.get("idea") == text and event.data.get("twin") in by_title:
            return by_title[event.data["twin"]]
    if tools.embed is None or not earlier:
        return None
    near = cosines(tools.embed, text, [idea.text for idea in earlier])
    best = max(range(len(earlier)), key=lambda n: near[n])
    if near[best] < SAME_MEANING:
        return None
    twin = earlier[best]
    message = f"an idea means the same as {twin.title!r}: the cosine of their embeddings is {near[best]:.2f}"
    tools.log.note("warning", message=message, idea=text, twin=twin.title)
    return twin
