"""`novum models`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from novum.cli.models import app
from novum.errors import UsageError
from novum.llm.catalogue import find

runner = CliRunner()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOVUM_CACHE", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_list_shows_every_model_and_whether_it_is_here(cache: Path) -> None:
    model = find("smollm2-135m")
    with (cache / model.file).open("wb") as file:
        file.truncate(model.size_bytes)
    result = runner.invoke(app, ["list"])
    assert result.exit_code == 0
    assert "local:qwen2.5-coder-1.5b" in result.output and "Apache-2.0" in result.output
    found = json.loads(runner.invoke(app, ["list", "--json"]).output)
    assert {model["name"]: model["present"] for model in found} == {
        "local:qwen2.5-coder-1.5b": False,
        "local:smollm2-135m": True,
    }


def test_pull_of_what_is_there_says_where_it_is(cache: Path) -> None:
    model = find("smollm2-135m")
    with (cache / model.file).open("wb") as file:
        file.truncate(model.size_bytes)
    result = runner.invoke(app, ["pull", "local:smollm2-135m", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["file"] == str(cache / model.file)


def test_pull_of_an_unknown_model_or_file_is_a_usage_error(cache: Path, tmp_path: Path) -> None:
    assert isinstance(runner.invoke(app, ["pull", "nonesuch"]).exception, UsageError)
    missing = runner.invoke(app, ["pull", "smollm2-135m", "--path", str(tmp_path / "none.gguf")])
    assert isinstance(missing.exception, UsageError)
