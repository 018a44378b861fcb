"""What a person sees while a study works: what goes on, not what ended; what was spent in all; what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from novum.cli.live import View
from novum.cli.study import check
from novum.errors import StudyError
from novum.events import Event, EventLog
from novum.llm import Message, Request
from novum.llm.scripted import ScriptedModel
from novum.records import Limits, Outcome
from novum.settings import ROLES
from novum.store import StudyFolder
from novum.study.watch import watched
from novum.template import Template
from novum.tools import Tools


def shown(*events: tuple[str, dict[str, Any]]) -> str:
    view = View()
    for kind, data in events:
        view.event(Event(kind, 0.0, data))
    return view.status


def used(dollars: float | None) -> dict[str, Any]:
    return {"prompt_tokens": 100, "output_tokens": 10, "dollars": dollars}


def test_the_step_that_is_asked_is_shown_before_it_is_answered() -> None:
    assert "write/method" in shown(("phase_started", {"phase": "write"}), ("asked", {"step": "write/method"}))


def test_the_command_that_is_executed_is_shown_with_the_run_whose_code_was_changed() -> None:
    line = shown(
        ("edit_applied", {"run": "run_2", "commit": "0123456789"}),
        ("asked", {"step": "experiment/run_2/judge"}),
        ("executed", {"command": ["python", "experiment.py", "--reduction=0.4"]}),
    )
    assert "run_2  python experiment.py --reduction=0.4" in line
    assert "judge" not in line


def test_a_run_that_has_ended_does_not_go_on() -> None:
    line = shown(
        ("edit_applied", {"run": "run_2", "commit": "0123456789"}),
        ("executed", {"command": ["python", "experiment.py"]}),
        ("run_finished", {"run": "run_2", "status": "ok", "seconds": 1.0}),
    )
    assert "run_2" not in line and "experiment.py" not in line


def test_what_was_spent_before_a_resume_counts() -> None:
    line = shown(("study_resumed", {"used": used(1.5)}), ("model_call", {"step": "a", "usage": used(0.25)}))
    assert "220 tokens in all, $1.75" in line


@pytest.mark.parametrize(
    ("costs", "says"),
    [
        ([0.0], "110 tokens in all"),
        ([None], "cost unknown"),
        ([0.5, None], "more than $0.50 (a price is unknown)"),
    ],
)
def test_an_unknown_price_is_said(costs: list[float | None], says: str) -> None:
    line = shown(*(("model_call", {"step": "a", "usage": used(cost)}) for cost in costs))
    assert line.endswith(says)


def test_a_phase_that_was_cut_short_did_not_take_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    shown(("phase_finished", {"phase": "write", "seconds": 3.0, "interrupted": True}))
    assert "write stopped after 3.0 s" in capsys.readouterr().err


class _Sandbox:
    name = level = "none"

    def run(self, *_: object) -> Outcome:
        return Outcome(ended="exit", exit_code=0)


def test_listeners_are_told_of_what_begins_and_the_log_is_not(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log:
        told: list[Event] = []
        log.listeners.append(told.append)
        model = ScriptedModel("scripted:test", lambda _: "yes")
        tools = watched(
            Tools(
                folder=StudyFolder(tmp_path),
                log=log,
                template=Template(name="bare", title="Bare"),
                models=dict.fromkeys(ROLES, model),
                sandbox=_Sandbox(),
                library=None,  # type: ignore[arg-type]  # nothing is searched
                profile="quick",
            )
        )
        tools.models["ideas"].complete(Request(step="ideate/x", messages=(Message.of("user", "?"),)))
        tools.sandbox.run(["/usr/bin/python", "experiment.py"], tmp_path, Limits())
        assert [(e.kind, e.data) for e in told] == [
            ("asked", {"step": "ideate/x"}),
            ("executed", {"command": ["python", "experiment.py"]}),
        ]
        assert [e.kind for e in log.events()] == ["log_opened"]


def test_a_study_that_was_never_begun_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "lab" / "studies" / "20261121-x"
    study.mkdir(parents=True)
    EventLog(study / "events.jsonl").close()
    with pytest.raises(StudyError, match="never begun"):
        check("20261121-x")
