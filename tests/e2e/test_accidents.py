"""The four accidents of the first AI Scientist's paper, written by a model: each is stopped, named and survived."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from novum.template import builtin_templates
from tests.e2e.conftest import Novum, events_of

pytestmark = pytest.mark.e2e

MODEL = f"scripted:{Path(__file__).parent / 'accidents.py'}"


@pytest.fixture
def hurried(tmp_path: Path) -> Path:
    """The epidemic with a time limit that a test can wait for."""
    folder = tmp_path / "hurried"
    shutil.copytree(builtin_templates()["epidemic"], folder)
    declaration = folder / "template.toml"
    text = declaration.read_text(encoding="utf-8")
    assert "wall_s = 60.0" in text
    declaration.write_text(text.replace("wall_s = 60.0", "wall_s = 8.0", 1), encoding="utf-8")
    return folder


def test_each_accident_is_stopped_named_to_the_model_and_recorded(novum: Novum, hurried: Path) -> None:
    novum("run", str(hurried), "--model", MODEL, "--profile", "quick", "--seed", "1")
    (study,) = novum.studies
    failed = sorted(study.glob("runs/*_failed_*/run.json"))
    ended = [json.loads(path.read_text())["outcome"]["ended"] for path in failed]
    assert ended == ["tasks", "disk", "timeout"]
    reasons = [json.loads(path.read_text())["reason"] for path in failed]
    told = "".join(json.dumps(c["messages"]) for c in events_of(study, "model_call"))
    for reason in reasons:
        assert json.dumps(reason.splitlines()[0])[1:-1] in told
    refused = events_of(study, "edit_refused")
    assert any("unheard_of_package" in r["reason"] for r in refused)
    assert events_of(study, "study_finished")
    assert (study / "paper" / "paper.pdf").exists()
    results = json.loads((study / "results.json").read_text())
    assert {run["status"] for run in results["runs"]} == {"ok", "failed"}
    # What it was that stopped them is in every run's record, in the paper, and what `novum doctor` says.
    (level,) = {run["sandbox"] for run in results["runs"]}
    assert level.startswith("bubblewrap: all namespaces, allow-listed files, seccomp")
    assert level.partition(";")[0] in (study / "paper" / "paper.tex").read_text()
    assert level.partition(";")[0] in novum("doctor", "--json", expect=None).stdout
