"""Opening a study: what was recorded at its beginning holds, and a budget holds for runs too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from novum.errors import BudgetExceeded, Refused, StudyError
from novum.events import EventLog, read_events
from novum.settings import BudgetSettings, ModelSettings, SandboxSettings, Settings
from novum.store import StudyFolder
from novum.study.begin import Order, begin_study
from novum.study.ideas import only_ideas
from novum.study.opening import open_study, recorded_template
from novum.study.replay import replay_study
from novum.template import load_template

GIB = 1 << 30


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(lab=tmp_path / "lab", models=ModelSettings(default="random:1"))


def begun(settings: Settings) -> StudyFolder:
    return begin_study(Order(template=load_template("epidemic")), settings)


def order_of(folder: StudyFolder) -> dict[str, Any]:
    return next(e.data for e in read_events(folder.events).events if e.kind == "study_created")


def test_the_memory_limit_of_the_settings_is_that_of_the_runs(settings: Settings) -> None:
    """The setting was read by nothing."""
    plain = load_template("epidemic")
    folder = begun(settings.model_copy(update={"sandbox": SandboxSettings(memory_gib=1.5)}))
    # A study keeps the limit that it began with: it is part of what identifies a run.
    with open_study(folder, settings) as opened:
        for profile in ("quick", "full"):
            limits = opened.tools.template.limits(profile)
            assert limits.memory_bytes == round(1.5 * GIB)
            assert limits.wall_s == plain.limits(profile).wall_s


def test_without_the_setting_the_limits_are_the_templates(settings: Settings) -> None:
    folder = begun(settings)
    recorded = recorded_template(folder, order_of(folder))
    assert recorded.profiles == load_template("epidemic").profiles


def test_no_run_is_begun_when_the_minutes_are_used_up(settings: Settings) -> None:
    poor = settings.model_copy(update={"budget": BudgetSettings(minutes=0)})
    with open_study(begun(poor), settings) as opened, pytest.raises(BudgetExceeded, match="minutes"):
        opened.tools.check_time()
    with open_study(begun(settings), settings) as opened:
        opened.tools.check_time()


def test_a_study_that_is_not_finished_is_not_replayed(settings: Settings, tmp_path: Path) -> None:
    """Its log ends in the middle, so the replay went on where the study had stopped, by itself."""
    folder = begun(settings)
    with pytest.raises(StudyError, match="not finished") as caught:
        replay_study(folder, tmp_path / "replayed", settings)
    assert f"novum resume {folder.name}" in caught.value.next_step
    assert not (tmp_path / "replayed").exists()


HARMFUL = {
    "harmful": True,
    "category": "weapons",
    "reasoning": "It aims at a weapon that spreads an illness among people.",
}


def screened(settings: Settings, tmp_path: Path, reply: dict[str, Any]) -> Settings:
    script = tmp_path / "model.json"
    script.write_text(json.dumps({"replies": {"ideate/safety_topic*": reply}, "default": "no"}))
    return settings.model_copy(update={"models": ModelSettings(default=f"scripted:{script}")})


def test_ideas_alone_are_screened_as_those_of_a_study_are(settings: Settings, tmp_path: Path) -> None:
    """`novum ideas` proposed what `novum run` refuses."""
    harmful = screened(settings, tmp_path, HARMFUL)
    order = Order(template=load_template("epidemic"))
    with pytest.raises(Refused, match="topic"):
        only_ideas(order, 1, harmful)
    (log,) = (settings.lab / "ideas" / "studies").glob("*/events.jsonl")
    assert [e.data["refused"] for e in read_events(log).events if e.kind == "safety"] == [True]


def test_every_idea_alone_has_a_verdict_of_the_screen(settings: Settings, tmp_path: Path) -> None:
    made = only_ideas(Order(template=load_template("epidemic")), 2, settings)
    (log,) = (settings.lab / "ideas" / "studies").glob("*/events.jsonl")
    steps = {e.data["step"] for e in read_events(log).events if e.kind in ("step_answered", "step_defaulted")}
    assert len(made) == 2
    assert {"ideate/safety_topic", "ideate/safety_idea_1", "ideate/safety_idea_2"} <= steps


def test_a_log_that_is_only_read_stays_as_it_is(settings: Settings) -> None:
    folder = begun(settings)
    before = folder.events.read_bytes()
    with EventLog(folder.events) as log:
        assert list(log.events("study_created"))
    assert folder.events.read_bytes() == before
