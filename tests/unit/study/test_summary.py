"""A study's summary: time that was spent counts, whether or not a phase came to its end; prices are known or not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from novum.events import FORMAT
from novum.store import StudyFolder
from novum.study.summary import summarise_study

Line = tuple[str, float, dict[str, Any]]
OPENED: Line = ("log_opened", 0.0, {"format": FORMAT})


def study_of(root: Path, lines: Iterable[Line]) -> StudyFolder:
    folder = StudyFolder(root / "20261121-x")
    folder.root.mkdir()
    events = [json.dumps({"kind": kind, "time": time, "data": data}) for kind, time, data in [OPENED, *lines]]
    folder.events.write_text("\n".join(events) + "\n", encoding="utf-8")
    return folder


def call(dollars: float | None, kind: str = "model_call") -> Line:
    return (kind, 3.0, {"step": "a", "usage": {"prompt_tokens": 7, "output_tokens": 2, "dollars": dollars}})


def test_the_time_of_a_phase_that_was_killed_is_not_lost(tmp_path: Path) -> None:
    folder = study_of(
        tmp_path,
        [
            ("phase_started", 10.0, {"phase": "ideate"}),
            ("phase_finished", 12.0, {"phase": "ideate", "seconds": 2.0}),
            ("phase_started", 12.0, {"phase": "experiment"}),
            ("run_finished", 40.0, {}),
            # Killed here; an hour later another process goes on.
            ("study_resumed", 4000.0, {}),
            ("phase_started", 4000.0, {"phase": "experiment"}),
            ("phase_finished", 4005.0, {"phase": "experiment", "seconds": 5.0, "interrupted": True}),
            ("phase_started", 4006.0, {"phase": "experiment"}),
            ("warning", 4007.0, {}),
        ],
    )
    assert summarise_study(folder).phase_seconds == {"ideate": 2.0, "experiment": 28.0 + 5.0 + 1.0}


@pytest.mark.parametrize(
    ("calls", "dollars"),
    [
        ([], 0.0),
        ([call(0.5), call(0.25)], 0.75),
        ([call(0.5), call(0.25, "model_failed")], 0.75),
        ([call(0.5), call(None)], None),
        ([call(None), call(0.5)], None),
    ],
)
def test_the_cost_is_the_sum_or_unknown(tmp_path: Path, calls: list[Line], dollars: float | None) -> None:
    summary = summarise_study(study_of(tmp_path, calls))
    assert summary.dollars == dollars
    assert summary.prompt_tokens == 7 * len(calls)
    assert ("cost unknown" in summary.text) == (dollars is None)
