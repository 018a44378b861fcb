"""Conduct a study: its phases in order, each of them resumable.

There is one way through a study, whether it is new, resumed or replayed: every step is walked again, and what
the event log or runs/ already hold is taken from there. So a resume pays for nothing twice, and a replay gives
the same bytes.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from novum.errors import StudyError
from novum.events import Event
from novum.experiment import draw_figures, run_experiments
from novum.experiment.plan import make_plan
from novum.ideation.ideate import propose_ideas
from novum.ideation.novelty import judge_novelty
from novum.ideation.recent import recent_works
from novum.ideation.safety import screen
from novum.paper.audit import audit_study
from novum.paper.write import write_paper
from novum.records import Idea, Phase, Plan
from novum.review.reviewer import review_study
from novum.store import StudyFolder
from novum.store.index import update
from novum.study.approval import Ask, approve_idea, approve_paper, approve_plan, heeded_idea
from novum.study.begin import unused_path, versions
from novum.study.opening import Opened
from novum.study.settle import after_verdict, set_aside
from novum.study.summary import usage_of
from novum.study.watch import watched
from novum.tools import Tools

PHASES: tuple[Phase, ...] = ("ideate", "novelty", "experiment", "figures", "write", "review")


def conduct(opened: Opened, ask_person: Ask, lab: Path | None) -> StudyFolder:
    """Take the study to its end and return its folder, which is named after the idea by then.

    `ask_person` is called where the study's order asks for approval; `lab` is the workspace whose index is
    brought up to date, None for a replay.

    Raises:
        Refused: the safety screen refuses the idea, a person does, or no idea is new enough for the user.
        NovumError: as the phases raise; what was done is kept.
    """
    tools = watched(opened.tools)
    opened = dataclasses.replace(opened, tools=tools)
    if opened.live and tools.log.last("phase_started"):
        used = usage_of(tools.log.events())
        tools.log.append("study_resumed", versions=versions(), used=used.model_dump())
    idea = settled_idea(opened, ask_person)
    tools = _renamed(opened, idea)
    opened = dataclasses.replace(opened, tools=tools)
    with _phase(tools, "experiment"):
        plan = approve_plan(opened, make_plan(tools, idea), ask_person)
        screen(tools, "code", _plan_text(plan), overruled_by=_overruled(opened))
        run_experiments(
            tools, idea, plan, screen_code=lambda step, code: _screen_code(opened, tools, step, code)
        )
    with _phase(tools, "figures"):
        draw_figures(tools, screen_code=lambda step, code: _screen_code(opened, tools, step, code))
    with _phase(tools, "write"):
        write_paper(tools)
        draft = approve_paper(opened, tools, ask_person)
    with _phase(tools, "review"):
        review_study(tools, draft)
    _finish(tools, draft, lab)
    return tools.folder


def settled_idea(opened: Opened, ask_person: Ask) -> Idea:
    """The idea that the study takes, judged for novelty; others before it are recorded as dropped."""
    tools, dropped, comment = opened.tools, list[Idea](), ""
    while True:
        number = len(dropped) + 1
        with _phase(tools, "ideate"):
            if not dropped:
                _screen_topic(opened)
            idea = _screened(opened, _idea(opened, dropped, comment), ask_person, number)
        with _phase(tools, "novelty"):
            idea = judge_novelty(tools, idea, number)
            answer = after_verdict(opened, idea, ask_person, number)
        if answer.approved:
            return idea
        dropped.append(idea)
        comment = answer.comment
        set_aside(opened, dropped, comment)


def _screen_topic(opened: Opened) -> None:
    template = opened.tools.template
    screen(
        opened.tools, "topic", f"{template.title}. {template.description}", overruled_by=_overruled(opened)
    )


def _screened(opened: Opened, idea: Idea, ask_person: Ask, number: int) -> Idea:
    """The idea as a person approved it and the safety screen let it pass."""
    tools, overruled = opened.tools, _overruled(opened)
    idea = approve_idea(opened, idea, ask_person, number)
    step = "" if number == 1 else f"ideate/safety_idea_{number}"
    text = f"{idea.title}\n{idea.hypothesis}\n{idea.plan}"
    screen(tools, "idea", text, overruled_by=overruled, step=step)
    return idea


def _idea(opened: Opened, dropped: Sequence[Idea], comment: str) -> Idea:
    """The user's idea, the last one changed as a person's comment says, or a new one of the model."""
    tools, order, number = opened.tools, opened.order, len(dropped) + 1
    if comment:
        return heeded_idea(tools, dropped[-1], comment, f"ideate/idea_{number}/comment")
    if order["idea"]:
        return Idea.model_validate(order["idea"])
    archive = [Idea.model_validate(entry) for entry in order["archive"]]
    recent = recent_works(tools, int(order.get("seed_papers", 0)))
    return propose_ideas(tools, 1, [*archive, *dropped], first=number, recent=recent)[0]


def _overruled(opened: Opened) -> str:
    return str(opened.order["overrule_safety"])


def _screen_code(opened: Opened, tools: Tools, step: str, code: str) -> None:
    screen(tools, "code", code, overruled_by=_overruled(opened), step=step)


def _plan_text(plan: Plan) -> str:
    return "\n".join(f"{run.rationale} {run.edit}".strip() for run in plan.runs)


def _renamed(opened: Opened, idea: Idea) -> Tools:
    """Name the study's folder after its idea, once; a replay keeps the folder that it was given."""
    tools, root = opened.tools, opened.tools.folder.root
    provisional = f"-{tools.template.name}_seed_{tools.seed}"
    if opened.live and provisional in root.name and idea.name not in root.name:
        day = root.name.split("-", 1)[0]
        target = unused_path(root.with_name(f"{day}-{idea.name}"))
        root.rename(target)
        tools.log.path = target / tools.log.path.name
        tools = dataclasses.replace(tools, folder=StudyFolder(target))
    tools.folder.write(tools.folder.idea, idea)
    return tools


@contextmanager
def _phase(tools: Tools, name: Phase) -> Iterator[None]:
    """Mark a phase in the log, whole or cut short: the seconds it took, and those of models, runs and LaTeX."""
    inside = {"model": 0.0, "runs": 0.0, "latex": 0.0}

    def count(event: Event) -> None:
        if event.kind == "model_call":
            inside["model"] += event.data["usage"]["seconds"]
        elif event.kind == "run_finished":
            inside["runs"] += event.data["seconds"]
        elif event.kind == "latex":
            inside["latex"] += event.data.get("seconds", 0.0)

    tools.log.append("phase_started", phase=name)
    tools.log.listeners.append(count)
    started = time.monotonic()

    def end(**how: bool) -> None:
        tools.log.listeners.remove(count)
        seconds = {"seconds": time.monotonic() - started, **inside}
        tools.log.append("phase_finished", phase=name, **{k: round(v, 3) for k, v in seconds.items()}, **how)

    try:
        yield
    except BaseException:
        # The time counts all the same; what stopped the phase is told even when the log cannot be written.
        with suppress(StudyError):
            end(interrupted=True)
        raise
    end()


def _finish(tools: Tools, draft: int, lab: Path | None) -> None:
    """The audit anew (the review belongs to it), the chosen draft, the index, the last event."""
    audit = audit_study(tools.folder, tools.log, tools.library, tools.template, draft)
    chosen = tools.folder.draft(draft)
    tools.folder.write(chosen / "audit.json", audit)
    if tools.folder.paper.exists():
        shutil.rmtree(tools.folder.paper)
    shutil.copytree(chosen, tools.folder.paper)
    tools.log.append(
        "study_finished", draft=draft, answered_share=audit.answered_share, audit_passes=audit.passes
    )
    if lab is not None:
        update(lab, tools.folder)
