"""What becomes of an idea after its novelty verdict: it is kept, dropped for another, or shown to a person."""

from __future__ import annotations

from collections.abc import Sequence

from novum.errors import Refused
from novum.records import Idea
from novum.study.approval import Answer, Ask, recorded_answer
from novum.study.begin import DroppedIdeas
from novum.study.opening import Opened

MOST_IDEAS = 3
"""Ideas that a study proposes before it stops, when each of them is dropped."""
_KEPT = Answer(True)


def after_verdict(opened: Opened, idea: Idea, ask: Ask, number: int) -> Answer:
    """Whether the study takes the idea; a comment says how a person wants it changed.

    `number` counts the ideas of the study. A study before these choices existed keeps every idea.
    """
    novelty = idea.novelty
    if novelty is None or novelty.verdict == "novel":
        return _KEPT
    choice = str(opened.order.get(f"on_{novelty.verdict}", "keep"))
    if choice == "keep":
        return _KEPT
    if choice == "drop":
        return Answer(False)
    return recorded_answer(opened, f"{novelty.verdict} idea", number, _summary(idea), ask)


def set_aside(opened: Opened, dropped: Sequence[Idea], comment: str) -> None:
    """Record that the last of `dropped` is not taken, and why.

    Raises:
        Refused: it is the user's own idea and no comment says what else to do, or the bound is reached.
    """
    tools, idea = opened.tools, dropped[-1]
    novelty = idea.novelty
    assert novelty is not None  # only a judged idea is set aside
    tools.log.note(
        "idea_dropped",
        name=idea.name,
        title=idea.title,
        verdict=novelty.verdict,
        known_as=novelty.known_as,
        reason=novelty.reason,
        comment=comment,
    )
    tools.folder.write(tools.folder.dropped, DroppedIdeas(ideas=tuple(dropped)))
    if idea.source == "user" and not comment:
        raise Refused(
            f"your idea is {_said(idea)}", novelty.reason, f"give another one, or --on-{novelty.verdict} keep"
        )
    if len(dropped) >= MOST_IDEAS:
        raise Refused(
            f"{len(dropped)} ideas were proposed and none was taken; the last is {_said(idea)}",
            novelty.reason,
            f"give an idea with --idea FILE, another --seed, or --on-{novelty.verdict} keep",
        )


def _said(idea: Idea) -> str:
    novelty = idea.novelty
    if novelty is None or novelty.verdict != "known":
        return "not known to be new"
    title = next((p.title for p in novelty.nearest if p.id == novelty.known_as), novelty.known_as)
    return f"known already, by {title!r}"


def _summary(idea: Idea) -> str:
    novelty = idea.novelty
    nearest = novelty.nearest[:3] if novelty else ()
    works = "\n".join(f"  {p.title} ({p.year or 'no year'}) {p.id}" for p in nearest)
    return (
        f"{idea.title}\n\nHypothesis: {idea.hypothesis}\n\nThis idea is {_said(idea)}.\n"
        f"Reason: {novelty.reason if novelty else ''}\nNearest works:\n{works or '  none'}\n"
        "yes takes it all the same, no drops it for another, a comment changes it."
    )
