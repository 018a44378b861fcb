"""Ideas alone: proposed and judged for novelty, in a study folder of their own that ends there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from novum.events import Event
from novum.ideation.ideate import propose_ideas
from novum.ideation.novelty import judge_novelty
from novum.ideation.recent import recent_works
from novum.records import Idea
from novum.settings import Settings
from novum.study.begin import Order, begin_study
from novum.study.opening import Progress, open_study


def only_ideas(
    order: Order,
    count: int,
    settings: Settings,
    *,
    progress: Progress | None = None,
    listener: Callable[[Event], None] | None = None,
) -> list[Idea]:
    """Propose `count` ideas, judge each, and write them to ideas.json.

    Raises:
        NovumError: as ideation and novelty raise.
    """
    elsewhere = settings.model_copy(update={"lab": settings.lab / "ideas"})
    folder = begin_study(order, elsewhere)
    with open_study(folder, elsewhere, progress=progress, listener=listener) as opened:
        tools = opened.tools
        recent = recent_works(tools, order.seed_papers)
        proposed = propose_ideas(tools, count, order.archive, recent=recent)
        judged = [judge_novelty(tools, idea, number) for number, idea in enumerate(proposed, start=1)]
        dumped: list[Any] = [idea.model_dump(mode="json") for idea in judged]
        tools.folder.write_json(folder.root / "ideas.json", dumped)
    return judged
