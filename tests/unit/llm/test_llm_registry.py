"""From names to models, and what `novum doctor` is told about them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from novum.errors import StudyError, UsageError
from novum.events import EventLog
from novum.llm.catalogue import find
from novum.llm.registry import check_model, open_model
from novum.settings import ModelSettings, Settings

SETTINGS = Settings()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOVUM_CACHE", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def put_model(cache: Path, size_bytes: int | None = None) -> None:
    model = find("smollm2-135m")
    with (cache / model.file).open("wb") as file:
        file.truncate(model.size_bytes if size_bytes is None else size_bytes)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("local:smollm2-135m", "LocalModel"),
        ("local:/some/file.gguf", "LocalModel"),
        ("random:3", "ScriptedModel"),
        ("manual:/some/folder", "ManualModel"),
        ("anthropic:claude-sonnet-5", "HostedModel"),
    ],
)
def test_each_kind_opens_under_its_name_without_asking_anything(name: str, kind: str) -> None:
    model = open_model(name, SETTINGS)
    assert type(model).__name__ == kind and model.name == name


def test_a_script_and_a_log_open_by_their_files(tmp_path: Path) -> None:
    script = tmp_path / "s.json"
    script.write_text("{}")
    assert open_model(f"scripted:{script}", SETTINGS).name == f"scripted:{script}"
    log = tmp_path / "events.jsonl"
    EventLog(log).close()
    name = f"replay:{log}#local:x"
    assert open_model(name, SETTINGS).name == name
    with pytest.raises(StudyError):
        open_model(f"replay:{tmp_path}/none.jsonl", SETTINGS)


@pytest.mark.parametrize(
    "name", ["", "local", "local:", ":x", "random:x", "local:nonesuch", "scripted:/none.json"]
)
def test_a_name_that_is_none_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        open_model(name, SETTINGS)


def test_opening_imports_no_runtime() -> None:
    code = (
        "import sys; from novum.llm.registry import open_model; from novum.settings import Settings\n"
        "for name in ('local:smollm2-135m', 'openai:m', 'random:1', 'manual:/x'): open_model(name, Settings())\n"
        "bad = {'xllamacpp', 'pydantic_ai', 'genai_prices', 'httpx2', 'openai'} & set(sys.modules)\n"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_warnings_of_a_model_become_events(tmp_path: Path) -> None:
    from novum.llm import Message, Request
    from novum.llm.budget import Budget
    from novum.llm.recorded import RecordedModel
    from novum.llm.scripted import from_replies

    with EventLog(tmp_path / "old.jsonl") as old:
        request = Request(step="a", messages=(Message.of("user", "x"),))
        RecordedModel(from_replies({}, "yes"), old, Budget(None, None, None, old)).complete(request)
    with EventLog(tmp_path / "new.jsonl") as log:
        model = open_model(f"replay:{old.path}", SETTINGS, study_log=log)
        model.complete(request.model_copy(update={"seed": 1}))
        assert [e for e in log.events("warning") if "drifted" in e.data["message"]]


def test_a_model_that_is_there_passes_every_check(cache: Path) -> None:
    put_model(cache)
    assert all(check.ok for check in check_model("local:smollm2-135m", SETTINGS))


def test_a_missing_file_says_how_to_get_it(cache: Path) -> None:
    bad = [check for check in check_model("local:smollm2-135m", SETTINGS) if not check.ok]
    assert len(bad) == 1 and bad[0].next_step == "novum models pull smollm2-135m"


def test_a_file_of_the_wrong_size_is_found(cache: Path) -> None:
    put_model(cache, size_bytes=1000)
    bad = [check for check in check_model("local:smollm2-135m", SETTINGS) if not check.ok]
    assert len(bad) == 1 and "--again" in bad[0].next_step


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    (check,) = check_model("anthropic:claude-sonnet-5", SETTINGS)
    assert not check.ok and "ANTHROPIC_API_KEY" in check.text
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    (check,) = check_model("anthropic:claude-sonnet-5", SETTINGS)
    assert check.ok and "secret" not in check.text and check.next_step == ""


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = Settings(models=ModelSettings(base_url="http://127.0.0.1:1/v1"))
    assert all(check.ok for check in check_model("openai:m", settings))


@pytest.mark.parametrize(
    "name",
    ["local", "local:nonesuch", "random:x", "scripted:/none", "replay:/none#a", f"manual:{__file__}/x"],
)
def test_what_cannot_work_is_said_and_not_raised(name: str) -> None:
    assert any(not check.ok for check in check_model(name, SETTINGS))


def test_checks_are_fast(cache: Path) -> None:
    put_model(cache)
    started = time.monotonic()
    check_model("local:smollm2-135m", SETTINGS)
    check_model("openai:m", SETTINGS)
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("name", ["loca:qwen", "nonesuch:model"])
def test_a_provider_that_does_not_exist_is_found_before_a_study_is_begun(name: str) -> None:
    """Every kind that is not known was taken for a provider whose key cannot be checked."""
    (check,) = check_model(name, SETTINGS)
    assert not check.ok and name in check.text


def test_a_provider_whose_package_is_missing_is_found_before_a_study_is_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a key of nobody")
    for module in [name for name in sys.modules if name.startswith("pydantic_ai.providers.anthropic")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "anthropic", None)
    (check,) = check_model("anthropic:claude-sonnet-5", SETTINGS)
    assert not check.ok and "novum[providers]" in check.next_step


@pytest.mark.parametrize("text", ["def broken(:", "1 / 0"])
def test_a_script_with_an_error_is_found_before_a_study_is_begun(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    (check,) = check_model(f"scripted:{path}", SETTINGS)
    assert not check.ok and "cannot be run" in check.text


def test_a_log_that_is_corrupt_is_found_before_a_study_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("not json\nnor this\n")
    (check,) = check_model(f"replay:{path}#local:x", SETTINGS)
    assert not check.ok and "corrupt at line 1" in check.text
