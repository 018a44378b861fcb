"""What `novum run` and `novum ideas` refuse, and what they say when a study stops."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from novum.cli import app
from novum.errors import LatexError
from novum.study import conduct


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_disk_that_fills_while_a_study_runs_says_how_to_go_on_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command again would begin another study, and pay for it."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/some/file")

    monkeypatch.setattr(conduct, "conduct", full)
    result = invoke("run", "epidemic", "--model", "random:1")
    (study,) = (folder / "lab" / "studies").iterdir()
    assert result.exit_code == 1
    assert f"free some disk space, then run `novum resume {study.name}`" in result.stderr
    assert "command again" not in result.stderr


def test_a_limit_below_zero_begins_nothing(folder: Path) -> None:
    for option in ("--budget", "--tokens", "--minutes"):
        for command in ("run", "ideas"):
            result = invoke(command, "epidemic", "--model", "random:1", option, "-1")
            assert result.exit_code == 2, result.output
            assert "greater than or equal to 0" in result.stderr
    assert not (folder / "lab").exists()


def test_ideas_keep_a_budget(folder: Path) -> None:
    result = invoke("ideas", "epidemic", "--model", "random:1", "--tokens", "10")
    assert result.exit_code == 5
    assert "budget in tokens" in result.stderr


def test_ideas_need_no_latex_and_a_study_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOVUM_LATEX", "no-such-engine")
    assert invoke("run", "epidemic", "--model", "random:1").exit_code == LatexError.exit_code
    assert not (folder / "lab").exists()
    ideas = invoke("ideas", "epidemic", "--model", "random:1", "--count", "1", "--json")
    assert ideas.exit_code == 0, ideas.stderr
    assert len(json.loads(ideas.stdout)) == 1


def test_the_list_of_studies_names_those_that_cannot_be_read(folder: Path) -> None:
    assert "no studies in lab" in invoke("status").stdout
    bad = folder / "lab" / "studies" / "20260101-bad"
    bad.mkdir(parents=True)
    (bad / "events.jsonl").write_text("not json\nnor this\n")
    assert "corrupt at line 1" in invoke("status").stdout
    (listed,) = json.loads(invoke("status", "--json").stdout)
    assert listed["name"] == "20260101-bad" and "corrupt" in listed["problem"]
