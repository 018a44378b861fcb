"""Open a study for work: its log, its template as recorded, its models, its sandbox, its literature."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from novum.errors import StudyError
from novum.events import EventLog
from novum.literature.library import open_embed, open_library
from novum.llm import Model
from novum.llm.budget import Budget
from novum.llm.catalogue import cache_folder
from novum.llm.cores import Cores
from novum.llm.recorded import RecordedModel
from novum.llm.registry import open_model
from novum.sandbox.open import UNSAFE, open_sandbox
from novum.settings import ROLES, BudgetSettings, Profile, Role, Settings
from novum.store import StudyFolder
from novum.study.begin import decoded_files
from novum.template import Template, load_template
from novum.tools import Tools

Progress = Callable[[int, float], None]
_GIB = 1 << 30


@dataclass(frozen=True)
class Opened:
    """A study that is open for work."""

    tools: Tools
    order: dict[str, Any]
    """The data of the study's first event."""
    live: bool


@contextmanager
def open_study(
    folder: StudyFolder,
    settings: Settings,
    *,
    mode: Literal["live", "replay"] = "live",
    progress: Progress | None = None,
    allow_unsafe: bool = False,
    listener: Callable[[Any], None] | None = None,
) -> Iterator[Opened]:
    """Open the study in `folder`; closes what it opened.

    Models, profile, seed and template are those of the study's first event; a budget in `settings` replaces the
    recorded one, so that a study that stopped for it can go on with more.

    Raises:
        StudyError: there is no study, or another process works on it.
    """
    if not folder.events.is_file():
        raise StudyError(
            f"there is no study in {folder.root}", "it has no events.jsonl", "see `novum status`"
        )
    with EventLog(folder.events) as log:
        order = order_of(log, folder)
        if listener:
            log.listeners.append(listener)
        template = recorded_template(folder, order)
        budget = _budget(order, settings, log)
        models = _models(order, settings, log, budget, mode, progress)
        try:
            tools = Tools(
                folder=folder,
                log=log,
                template=template,
                models=models,
                sandbox=open_sandbox(
                    UNSAFE if allow_unsafe else settings.sandbox.backend, allow_unsafe=allow_unsafe
                ),
                library=open_library(settings.literature),
                embed=open_embed(settings.literature) if mode == "live" else None,
                profile=order["profile"],
                seed=int(order["seed"]),
                cores=_cores(order, log) if mode == "live" else nullcontext,
                check_time=budget.check_time,
            )
            yield Opened(tools, order, live=mode == "live")
        finally:
            for model in {id(m): m for m in models.values()}.values():
                model.close()


def order_of(log: EventLog, folder: StudyFolder) -> dict[str, Any]:
    """What the study was begun with.

    Raises:
        StudyError: it was never begun.
    """
    first = next(log.events("study_created"), None)
    if first is None:
        raise StudyError(
            f"the study {folder.name!r} was never begun",
            "its event log has no study_created event",
            f"delete the folder {folder.root} and start again",
        )
    return first.data


def recorded_template(folder: StudyFolder, order: dict[str, Any]) -> Template:
    """The template as it was when the study began, laid out in the study's folder, with the memory limit of then."""
    target = folder.template
    if target.exists():
        shutil.rmtree(target)
    for name, content in decoded_files(order["template"]["files"]).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    template = load_template(target, name=order["template"]["name"])
    memory_gib = order["settings"]["sandbox"]["memory_gib"]
    return template if memory_gib is None else _with_memory(template, round(memory_gib * _GIB))


def _with_memory(template: Template, memory_bytes: int) -> Template:
    """The template with another memory limit for its runs."""
    profiles = {}
    for name in get_args(Profile):
        profile = template.profile(name)
        limits = profile.limits.model_copy(update={"memory_bytes": memory_bytes})
        profiles[name] = profile.model_copy(update={"limits": limits})
    return template.model_copy(update={"profiles": profiles})


def _budget(order: dict[str, Any], settings: Settings, log: EventLog) -> Budget:
    """The recorded budget, with the limits that the settings state in the place of its own."""
    limits = BudgetSettings(**order["budget"]).changed(**settings.budget.model_dump())
    return Budget.from_settings(limits, log)


def _models(
    order: dict[str, Any],
    settings: Settings,
    log: EventLog,
    budget: Budget,
    mode: Literal["live", "replay"],
    progress: Progress | None,
) -> dict[Role, Model]:
    """One recorded model for each role; roles with the same name share one."""
    opened: dict[str, Model] = {}
    models: dict[Role, Model] = {}
    for role in ROLES:
        name = order["models"][role]
        if name not in opened:
            source = name if mode == "live" else f"replay:{log.path}#{name}"
            model = open_model(source, settings, study_log=log, progress=progress)
            opened[name] = RecordedModel(model, log, budget, mode, name=name)
        models[role] = opened[name]
    return models


def _cores(order: dict[str, Any], log: EventLog) -> Callable[[], AbstractContextManager[None]]:
    """What an experiment holds: the lock of the embedded models, when the study has one."""
    if not any(name.startswith("local:") for name in order["models"].values()):
        return nullcontext
    cores = Cores(cache_folder() / "embedded.lock")
    return lambda: cores.held(lambda message: log.note("warning", message=message))


def copy_record(source: StudyFolder, target: Path) -> StudyFolder:
    """A new study folder that holds only what a replay may use: the event log and the runs.

    Raises:
        StudyError: `target` exists and is not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise StudyError(
            f"{target} is not empty", "a replay starts in an empty folder", "name another with --to"
        )
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source.events, target / "events.jsonl")
    if source.runs.exists():
        shutil.copytree(source.runs, target / "runs")
    return StudyFolder(target)
