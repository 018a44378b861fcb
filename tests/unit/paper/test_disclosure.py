"""What was taken by default is told as it was, and told once."""

from __future__ import annotations

from novum.events import EventLog
from novum.paper.disclosure import answered, default_notice
from novum.store import StudyFolder


def said(log: EventLog, *steps: str) -> None:
    for step in steps:
        log.append("step_answered", step=step)


def defaulted(log: EventLog, *steps: str) -> None:
    for step in steps:
        log.append("step_defaulted", step=step, reason="")


def fresh(folder: StudyFolder) -> EventLog:
    return EventLog(folder.events)


def test_answers_to_the_safety_screen_do_not_hide_that_the_idea_is_the_default(folder: StudyFolder) -> None:
    with fresh(folder) as log:
        said(log, "ideate/safety_topic", "ideate/safety_idea", "ideate/safety_idea/aim")
        defaulted(log, "ideate/idea_1")
        said(log, *(f"experiment/step_{n}" for n in range(9)), "experiment/run_1/edit/safety")
        assert answered(log).default_phases == ("ideate",)
        assert "no step of ideate was answered" in default_notice(log)


def test_a_review_that_no_model_gave_is_told_but_asks_for_no_notice_in_the_paper(folder: StudyFolder) -> None:
    with fresh(folder) as log:
        said(log, "ideate/idea_1", "experiment/plan", "write/introduction", "write/title")
        assert default_notice(log) == ""
        defaulted(log, "review/review_1", "review/review_2", "review/review_3")
        assert answered(log).default_phases == ("review",)
        assert answered(log).share == round(4 / 7, 4)
        assert default_notice(log) == ""


def test_repairs_of_latex_and_a_default_after_an_answer(folder: StudyFolder) -> None:
    with fresh(folder) as log:
        said(log, "write/title", "write/method")
        defaulted(log, "write/repair/method/1/1", "write/method")
        assert answered(log).share == 0.5


def test_nothing_asked_is_nothing_answered(folder: StudyFolder) -> None:
    with fresh(folder) as log:
        assert answered(log).share == 0.0
        assert answered(log).default_phases == ()
        assert "four fifths" in default_notice(log)
