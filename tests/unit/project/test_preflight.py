"""The checks before a study: what is missing is told before anything is spent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from novum.cli import app
from novum.errors import LatexError, MissingTool, NoSandbox, NovumError, TemplateError, UsageError
from novum.settings import ModelSettings, SandboxSettings, Settings
from novum.study.preflight import CheckLine, preflight, require
from novum.template import builtin_templates


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(lab=tmp_path / "lab", models=ModelSettings(default="random:1"))


def by_subject(lines: list[CheckLine], subject: str) -> CheckLine:
    (line,) = [line for line in lines if line.subject == subject]
    return line


def stopped(lines: list[CheckLine]) -> NovumError:
    with pytest.raises(NovumError) as caught:
        require(lines)
    return caught.value


def test_a_machine_that_can_run_these_tests_is_ready_for_a_study(settings: Settings) -> None:
    lines = preflight(settings, template="epidemic")
    require(lines)
    subjects = [line.subject for line in lines]
    expected = ["Python", "git", "model", "LaTeX", "sandbox", "workspace", "memory", "GPU"]
    assert subjects == [*expected, "template", "packages"]
    assert not settings.lab.exists(), "a check makes nothing"


def test_without_a_template_every_one_that_ships_is_checked(settings: Settings) -> None:
    checked = [line for line in preflight(settings) if line.subject == "template"]
    assert len(checked) == len(builtin_templates())
    assert all(line.ok for line in checked)


def test_a_key_that_is_missing_is_named_with_the_way_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    models = ModelSettings(default="random:1", writing="anthropic:claude-sonnet-5")
    error = stopped(preflight(settings.model_copy(update={"models": models})))
    assert isinstance(error, MissingTool)
    assert "ANTHROPIC_API_KEY" in error.why
    assert "export ANTHROPIC_API_KEY" in error.next_step


def test_a_model_that_is_not_there_is_named_with_the_command_that_gets_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVUM_CACHE", str(tmp_path / "cache"))
    models = ModelSettings(default="local:smollm2-135m")
    error = stopped(preflight(settings.model_copy(update={"models": models})))
    assert "novum models pull smollm2-135m" in error.next_step


def test_no_latex_is_an_error_of_latex(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOVUM_LATEX", "no-such-engine")
    error = stopped(preflight(settings))
    assert isinstance(error, LatexError)
    assert "no-such-engine" in error.why


def test_no_sandbox_exits_with_78(settings: Settings) -> None:
    broken = settings.model_copy(update={"sandbox": SandboxSettings(backend="no-such-backend")})
    error = stopped(preflight(broken))
    assert isinstance(error, NoSandbox)
    assert error.exit_code == 78


def test_a_setting_cannot_switch_the_sandbox_off(settings: Settings) -> None:
    unsafe = settings.model_copy(update={"sandbox": SandboxSettings(backend="unsafe")})
    line = by_subject(preflight(unsafe), "sandbox")
    assert line.stops
    assert "--unsafe-no-sandbox" in line.next_step


def test_a_workspace_that_cannot_be_written_is_found_also_by_root(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = stopped(preflight(settings.model_copy(update={"lab": tmp_path / "file" / "lab"})))
    assert isinstance(error, UsageError)
    assert "NOVUM_LAB" in error.next_step


def test_a_disk_that_is_nearly_full_stops_the_study(settings: Settings) -> None:
    line = by_subject(preflight(settings.model_copy(update={"reserve_gib": 1e9})), "workspace")
    assert line.stops
    assert "free some disk space" in line.next_step


def test_a_template_that_does_not_exist_is_an_error_of_the_template(settings: Settings) -> None:
    assert isinstance(stopped(preflight(settings, template="no-such-template")), TemplateError)


def test_a_template_that_breaks_its_contract_is_told_with_the_clause(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(builtin_templates()["epidemic"], folder)
    (folder / "experiment.py").write_text("def broken(:\n", encoding="utf-8")
    line = by_subject(preflight(settings, template=folder), "template")
    assert line.stops
    assert "experiment.py" in line.found
    assert "novum template check" in line.next_step


def test_a_package_that_the_template_needs_and_is_missing_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(builtin_templates()["epidemic"], folder)
    declaration = folder / "template.toml"
    text = declaration.read_text(encoding="utf-8")
    assert '"numpy' in text
    declaration.write_text(text.replace('"numpy', '"no-such-package>=1", "numpy', 1), encoding="utf-8")
    line = by_subject(preflight(settings, template=folder), "packages")
    assert line.stops
    assert "no-such-package" in line.found
    assert "novum template install" in line.next_step


def test_everything_that_is_missing_is_told_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVUM_LATEX", "no-such-engine")
    error = stopped(preflight(settings, template="no-such-template"))
    assert "LaTeX:" in error.why and "template:" in error.why


def test_what_is_not_needed_stops_nothing() -> None:
    require([CheckLine(subject="memory", ok=False, found="little", next_step="close programs", needed=False)])


def test_doctor_exits_like_the_run_that_it_warns_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    good = CliRunner().invoke(app, ["doctor", "--model", "random:1", "--template", "epidemic"])
    assert (good.exit_code, good.stderr) == (0, "")
    assert all(line.startswith("ok ") for line in good.stdout.splitlines())
    bad = CliRunner().invoke(app, ["doctor", "--model", "random:x", "--json"])
    assert bad.exit_code == MissingTool.exit_code
    assert json.loads(bad.stdout)["ready"] is False
    assert "random:7" in bad.stderr
