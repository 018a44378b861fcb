"""Settings: the file, the environment, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from novum.errors import UsageError
from novum.settings import EMBEDDED_MODEL, ROLES, BudgetSettings, ModelSettings, Settings, load_settings


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("NOVUM_"):
            monkeypatch.delenv(name)


def write(folder: Path, text: str) -> Path:
    (folder / "novum.toml").write_text(text, encoding="utf-8")
    return folder


def test_defaults_need_no_file_and_no_key(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings.profile == "quick"
    assert {settings.models.for_role(role) for role in ROLES} == {EMBEDDED_MODEL}
    assert settings.literature.sources == ("offline",)
    assert settings.sandbox.backend == "auto"


def test_the_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, 'profile = "full"\n[models]\ncode = "openai:x"\n[budget]\ndollars = 5\n')
    settings = load_settings(tmp_path)
    assert (settings.profile, settings.budget.dollars) == ("full", 5.0)
    assert settings.models.for_role("code") == "openai:x"
    assert settings.models.for_role("writing") == EMBEDDED_MODEL


def test_the_environment_overrides_the_file_and_leaves_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, '[models]\ndefault = "openai:a"\ncode = "openai:b"\n')
    monkeypatch.setenv("NOVUM_MODELS__CODE", "anthropic:c")
    monkeypatch.setenv("NOVUM_LITERATURE__SOURCES", '["arxiv", "offline"]')
    settings = load_settings(tmp_path)
    assert settings.models.code == "anthropic:c"
    assert settings.models.default == "openai:a"
    assert settings.literature.sources == ("arxiv", "offline")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("profile = ", "novum.toml"),
        ('profile = "huge"', "profile"),
        ("typo = 1", "typo"),
        ("[models]\ntemperature = 1", "models.temperature"),
        ("[budget]\ndollars = -1", "budget.dollars"),
        ("[models]\nretries = 1000", "models.retries"),
        ("[sandbox]\nenabled = false", "sandbox.enabled"),
        ("models = 3", "models"),
    ],
)
def test_a_bad_file_is_one_clear_error_that_names_the_setting(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(write(tmp_path, text))
    assert named in caught.value.text


def test_a_file_that_is_not_text_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "novum.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot read the settings file"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value"), [("NOVUM_PROFILE", "huge"), ("NOVUM_BUDGET__DOLLARS", "many")]
)
def test_a_bad_environment_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match="NOVUM_"):
        load_settings(tmp_path)


def test_other_variables_of_novum_are_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOVUM_CACHE", "NOVUM_LATEX", "NOVUM_TEST_DATA"):
        monkeypatch.setenv(name, "x")
    assert load_settings(tmp_path) == Settings()


def test_settings_cannot_be_changed_after_they_were_read(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    with pytest.raises(ValidationError):
        settings.profile = "full"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.models.default = "x"  # type: ignore[misc]


def test_no_setting_can_switch_the_sandbox_off() -> None:
    names = {name for path, name, _ in walk(Settings) if path.startswith("sandbox") or "sandbox" in name}
    assert names == {"sandbox", "backend", "memory_gib"}


def walk(group: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, Any]]:
    for name, field in group.model_fields.items():
        yield path, name, field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from walk(field.annotation, f"{path}.{name}".strip("."))


def test_every_setting_says_what_it_is() -> None:
    silent = [f"{path}.{name}" for path, name, field in walk(Settings) if not field.description]
    assert silent == []


def test_a_role_without_a_model_takes_the_default() -> None:
    models = ModelSettings(default="a:b", review="c:d")
    assert [models.for_role(role) for role in ROLES] == ["a:b", "a:b", "a:b", "c:d", "a:b"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("NOVUM_LITERATURE__SOURCES", "arxiv"), ("NOVUM_MODELS", "x"), ("NOVUM_BUDGET", "5")],
)
def test_a_variable_that_is_no_json_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """It ended in a traceback of the settings library."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match="NOVUM_"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("name", "limit"),
    [("dollars", -5), ("tokens", -1), ("minutes", -1), ("dollars", float("nan")), ("minutes", float("inf"))],
)
def test_a_limit_that_is_none_is_refused(name: str, limit: float) -> None:
    """`--budget -5` ended in a traceback and left a study that could not be opened; `nan` was no limit at all."""
    with pytest.raises(UsageError, match=name):
        BudgetSettings().changed(**{name: limit})


def test_a_limit_that_is_not_given_stays(tmp_path: Path) -> None:
    changed = BudgetSettings(dollars=5, tokens=10).changed(dollars=None, tokens=20)
    assert (changed.dollars, changed.tokens, changed.minutes) == (5, 20, None)
