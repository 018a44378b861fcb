"""Ideas alone: proposed, screened and judged for novelty, in a study folder of their own that ends there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from novum.events import Event
from novum.ideation.ideate import propose_ideas
from novum.ideation.novelty import judge_novelty
from novum.ideation.recent import recent_works
from novum.ideation.safety import screen
from novum.records import Idea
from novum.settings import Settings
from novum.study.begin import Order, begin_study
from novum.study.opening import Progress, open_study
from novum.tools import Tools


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
        Refused: the safety screen refuses the topic or an idea, and nobody overrules that.
        NovumError: as ideation and novelty raise.
    """
    elsewhere = settings.model_copy(update={"lab": settings.lab / "ideas"})
    folder = begin_study(order, elsewhere)
    with open_study(folder, elsewhere, progress=progress, listener=listener) as opened:
        tools = opened.tools
        topic = f"{tools.template.title}. {tools.template.description}"
        screen(tools, "topic", topic, overruled_by=order.overrule_safety)
        recent = recent_works(tools, order.seed_papers)
        proposed = propose_ideas(tools, count, order.archive, recent=recent)
        judged = [_judged(tools, idea, number, order) for number, idea in enumerate(proposed, start=1)]
        dumped: list[Any] = [idea.model_dump(mode="json") for idea in judged]
        tools.folder.write_json(folder.root / "ideas.json", dumped)
    return judged


def _judged(tools: Tools, idea: Idea, number: int, order: Order) -> Idea:
    text = f"{idea.title}\n{idea.hypothesis}\n{idea.plan}"
    screen(tools, "idea", text, overruled_by=order.overrule_safety, step=f"ideate/safety_idea_{number}")
    return judge_novelty(tools, idea, number)
