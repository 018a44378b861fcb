"""From a name in the settings to a model: `kind:rest`.

local:qwen2.5-coder-1.5b    an embedded model of the catalogue, or local:/path/to/file.gguf
scripted:FILE               replies from a .json or .py file
random:SEED                 random replies, for tests
manual:FOLDER               a person, or another program, answers in files
replay:EVENTS[#MODEL]       replies from a study's events.jsonl (as MODEL, where several answered)
PROVIDER:MODEL              any other kind is a hosted provider: anthropic:..., openai:..., google:...
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from novum.errors import UsageError
from novum.events import EventLog
from novum.llm import Model
from novum.settings import Settings

Progress = Callable[[int, float], None]


class Opening(NamedTuple):
    """What a kind needs to open a model. `name` is whole, `rest` is what follows its first colon."""

    name: str
    rest: str
    settings: Settings
    progress: Progress | None
    warn: Callable[[str], None]


class Check(NamedTuple):
    """One finding about a model, for `novum doctor`. `next_step` says how to mend it."""

    ok: bool
    text: str
    next_step: str = ""


def open_model(
    name: str,
    settings: Settings,
    *,
    study_log: EventLog | None = None,
    progress: Progress | None = None,
) -> Model:
    """Open the model `name`. Nothing is loaded or asked before its first question.

    Args:
        name: `kind:rest`, as above.
        settings: timeouts, retries, base URL, context.
        study_log: gets the model's warnings (waiting, slow, drifted) as events; the log of the process otherwise.
        progress: called per token of the embedded model with the tokens so far and tokens per second.

    Raises:
        UsageError: the name is not one.
        StudyError: `replay` names a log that cannot be read.
    """
    opening = _opening(name, settings, progress, _warner(study_log))
    return _OPENERS.get(name.partition(":")[0], _open_hosted)(opening)


def check_model(name: str, settings: Settings) -> list[Check]:
    """What can be said about the model `name` without loading or asking it, in well under a second."""
    try:
        opening = _opening(name, settings, None, lambda _: None)
    except UsageError as error:
        return [Check(False, error.what, error.next_step)]
    from novum.llm import checks

    findings = checks.CHECKS.get(name.partition(":")[0], checks.hosted)(opening)
    return [Check(ok, text, "" if ok else next_step) for ok, text, next_step in findings]


def _opening(
    name: str, settings: Settings, progress: Progress | None, warn: Callable[[str], None]
) -> Opening:
    kind, _, rest = name.partition(":")
    if not kind or not rest:
        raise UsageError(
            f"{name!r} does not name a model",
            "a name is kind:name",
            "for example local:qwen2.5-coder-1.5b or anthropic:claude-sonnet-5; see docs/models.md",
        )
    return Opening(name, rest, settings, progress, warn)


def _warner(log: EventLog | None) -> Callable[[str], None]:
    if log is None:
        return logging.getLogger(__name__).warning
    return lambda message: log.note("warning", message=message)


def _open_local(opening: Opening) -> Model:
    from novum.llm.catalogue import cache_folder, model_file
    from novum.llm.cores import Cores
    from novum.llm.local import LocalModel

    return LocalModel(
        opening.name,
        model_file(opening.rest),
        context_tokens=opening.settings.models.context_tokens,
        cores=Cores(cache_folder() / "embedded.lock"),
        progress=opening.progress,
        warn=opening.warn,
    )


def _open_scripted(opening: Opening) -> Model:
    from novum.llm.scripted import from_file

    return from_file(Path(opening.rest))


def _open_random(opening: Opening) -> Model:
    from novum.llm.nonsense import random_model

    if not opening.rest.isdecimal():
        raise UsageError(f"{opening.name!r} needs a whole number as its seed", "", "for example random:7")
    return random_model(int(opening.rest))


def _open_manual(opening: Opening) -> Model:
    from novum.llm.manual import ManualModel

    return ManualModel(Path(opening.rest), warn=opening.warn)


def _open_replay(opening: Opening) -> Model:
    from novum.llm.replay import ReplayModel

    path, _, original = opening.rest.partition("#")
    return ReplayModel(Path(path), original=original or None, warn=opening.warn)


def _open_hosted(opening: Opening) -> Model:
    from novum.llm.hosted import HostedModel

    models = opening.settings.models
    return HostedModel(
        opening.name,
        base_url=models.base_url,
        timeout_s=models.timeout_s,
        retries=models.retries,
        warn=opening.warn,
    )


_OPENERS: dict[str, Callable[[Opening], Model]] = {
    "local": _open_local,
    "scripted": _open_scripted,
    "random": _open_random,
    "manual": _open_manual,
    "replay": _open_replay,
}
