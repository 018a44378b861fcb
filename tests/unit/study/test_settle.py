"""What becomes of an idea that is known or not known to be new: kept, dropped for another, or shown to a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from novum.errors import Refused
from novum.events import EventLog
from novum.literature.library import Library
from novum.llm import Capabilities, Request
from novum.llm.scripted import ScriptedModel
from novum.records import Idea, Novelty, Paper
from novum.settings import ROLES
from novum.store import StudyFolder
from novum.study.approval import Answer
from novum.study.begin import DroppedIdeas, archived_ideas
from novum.study.conduct import settled_idea
from novum.study.opening import Opened
from novum.study.settle import MOST_IDEAS, after_verdict, set_aside
from novum.template import load_template
from novum.tools import Tools

WORK = Paper(id="doi:10.1/w", title="The Same Thing Done Before", year=2001)
Open = Callable[..., Opened]


def idea(verdict: str, number: int = 1, source: str = "model") -> Idea:
    novelty = Novelty.model_validate(
        {
            "verdict": verdict,
            "reason": "so it is",
            "nearest": (WORK,),
            "known_as": WORK.id if verdict == "known" else "",
        }
    )
    return Idea.model_validate(
        {"name": f"idea_{number}", "title": f"Idea {number}", "hypothesis": "It rises.", "plan": "Sweep it.",
         "novelty": novelty, "source": source}
    )  # fmt: skip


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    folder = StudyFolder(tmp_path / "studies" / "20261121-x")
    folder.root.mkdir(parents=True)
    with EventLog(folder.events) as log:

        def make(reply: Callable[[Request], Any] = lambda _: "no", **order: Any) -> Opened:
            def said(request: Request) -> str:
                answer = reply(request)
                return answer if isinstance(answer, str) else json.dumps(answer)

            model = ScriptedModel(
                "scripted:test", said, capabilities=Capabilities(json_schema=True, small=True)
            )
            tools = Tools(
                folder=folder,
                log=log,
                template=load_template("epidemic"),
                models=dict.fromkeys(ROLES, model),
                sandbox=None,  # type: ignore[arg-type]  # nothing runs here
                library=Library([]),
                profile="quick",
            )
            full = {"idea": None, "archive": [], "approve": [], "overrule_safety": "", **order}
            return Opened(tools, full, live=True)

        yield make


def nobody(what: str, summary: str) -> Answer:
    raise AssertionError(f"nobody is to be asked about {what}")


@pytest.mark.parametrize("verdict", ["novel", "known", "unknown"])
def test_every_idea_is_kept_unless_the_user_chose_otherwise(opened: Open, verdict: str) -> None:
    assert after_verdict(opened(), idea(verdict), nobody, 1).approved
    assert after_verdict(opened(on_known="keep", on_unknown="keep"), idea(verdict), nobody, 1).approved


def test_known_and_unknown_ideas_have_choices_of_their_own(opened: Open) -> None:
    order = opened(on_known="drop", on_unknown="keep")
    assert not after_verdict(order, idea("known"), nobody, 1).approved
    assert after_verdict(order, idea("unknown"), nobody, 1).approved
    assert after_verdict(order, idea("novel"), nobody, 1).approved


def test_a_person_sees_the_work_that_has_the_idea_and_is_asked_once(opened: Open) -> None:
    seen: list[str] = []

    def person(what: str, summary: str) -> Answer:
        seen.append(f"{what}: {summary}")
        return Answer(True)

    order = opened(on_known="ask")
    assert after_verdict(order, idea("known"), person, 1).approved
    assert after_verdict(order, idea("known"), nobody, 1).approved
    assert len(seen) == 1
    assert seen[0].startswith("known idea") and WORK.title in seen[0]


def test_a_dropped_idea_is_recorded_and_belongs_to_the_archive(opened: Open, tmp_path: Path) -> None:
    order = opened(on_known="drop")
    first = idea("known")
    set_aside(order, [first], "")
    (event,) = order.tools.log.events("idea_dropped")
    assert (event.data["verdict"], event.data["known_as"]) == ("known", WORK.id)
    folder = order.tools.folder
    assert folder.read(folder.dropped, DroppedIdeas).ideas == (first,)
    assert archived_ideas(tmp_path) == [first]
    folder.write(folder.idea, idea("novel", 2))
    assert [i.name for i in archived_ideas(tmp_path)] == ["idea_1", "idea_2"]


def test_dropping_is_bounded_and_says_what_to_do(opened: Open) -> None:
    ideas = [idea("known", n) for n in range(1, MOST_IDEAS + 1)]
    order = opened(on_known="drop")
    for n in range(1, MOST_IDEAS):
        set_aside(order, ideas[:n], "")
    with pytest.raises(
        Refused, match=r"(?s)3 ideas were proposed.*The Same Thing Done Before.*--on-known keep"
    ):
        set_aside(order, ideas, "")


def test_the_users_own_idea_is_not_replaced_but_may_be_changed(opened: Open) -> None:
    mine = idea("known", source="user")
    with pytest.raises(Refused, match=r"(?s)your idea is known already, by 'The Same Thing Done Before'"):
        set_aside(opened(on_known="drop"), [mine], "")
    set_aside(opened(on_known="ask"), [mine], "make it about elders")


def test_another_idea_is_proposed_for_one_that_is_dropped(opened: Open) -> None:
    order = opened(on_unknown="ask")
    answers = iter([Answer(False), Answer(True)])
    kept = settled_idea(order, lambda what, summary: next(answers))
    (dropped,) = order.tools.folder.read(order.tools.folder.dropped, DroppedIdeas).ideas
    assert kept.name != dropped.name
    phases = [e.data["phase"] for e in order.tools.log.events("phase_started")]
    assert phases == ["ideate", "novelty"] * 2
    assert settled_idea(order, nobody) == kept


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_the_time_of_an_interrupted_phase_is_recorded(opened: Open, stop: type[BaseException]) -> None:
    def interrupted(_: Request) -> Any:
        raise stop

    study = opened(interrupted, idea=None, archive=[], overrule_safety="", approve=[])
    with pytest.raises(stop):
        settled_idea(study, nobody)
    last = study.tools.log.last("phase_finished", phase="ideate")
    assert last is not None and last.data["interrupted"] and last.data["seconds"] >= 0
