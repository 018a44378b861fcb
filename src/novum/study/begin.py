"""Begin a study: its folder, its first event, which holds all that a replay needs, and study.toml for people."""

from __future__ import annotations

import base64
import json
import platform
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from novum import __version__
from novum.errors import StudyError, UsageError
from novum.events import EventLog
from novum.experiment.environment import environment_for
from novum.records import Idea, Record
from novum.settings import ROLES, Profile, Settings
from novum.store import StudyFolder
from novum.template import Template

_RECORDED_PACKAGES = ("numpy", "scipy", "matplotlib", "xllamacpp", "pydantic-ai-slim", "pypdfium2")
APPROVALS = ("ideas", "plan", "paper")
CHOICES = ("keep", "drop", "ask")
"""What a user may have done with an idea that is known, or of which it is unknown whether it is new."""


class DroppedIdeas(Record):
    """dropped_ideas.json: the ideas that were set aside, each with its verdict."""

    ideas: tuple[Idea, ...]


@dataclass(frozen=True)
class Order:
    """What a user asks for: one study."""

    template: Template
    profile: Profile = "quick"
    seed: int = 0
    idea: Idea | None = None
    """The user's own idea; None lets a model propose one."""
    archive: tuple[Idea, ...] = ()
    """Ideas that exist already, which a new one must differ from."""
    approve: tuple[str, ...] = ()
    """Where a person is asked: any of `APPROVALS`."""
    overrule_safety: str = ""
    """The name of the person who overrules the safety screen, or ""."""
    on_known: str = "keep"
    """What becomes of an idea that is known already: one of `CHOICES`."""
    on_unknown: str = "keep"
    """What becomes of an idea of which nobody can say whether it is new: one of `CHOICES`."""
    seed_papers: int = 0
    """How many recent papers on the topic a model is shown before it proposes an idea."""


def begin_study(order: Order, settings: Settings, *, now: float | None = None) -> StudyFolder:
    """Make the study's folder and write its first event.

    Raises:
        UsageError: an approval is not one of `APPROVALS`, a choice none of `CHOICES`, or the workspace cannot be
            written.
    """
    unknown = set(order.approve) - set(APPROVALS)
    if unknown:
        raise UsageError(
            f"cannot ask for approval of {sorted(unknown)}", "", f"choose from {', '.join(APPROVALS)}"
        )
    for option, choice in (("on-known", order.on_known), ("on-unknown", order.on_unknown)):
        if choice not in CHOICES:
            raise UsageError(f"--{option} cannot be {choice!r}", "", f"choose from {', '.join(CHOICES)}")
    created = int(now if now is not None else time.time())
    folder = _new_folder(order, settings, created)
    with EventLog(folder.events) as log:
        log.append("study_created", **_first_event(order, settings, created))
    folder.write_text(folder.settings, _study_toml(order, settings, created))
    return folder


def _new_folder(order: Order, settings: Settings, created: int) -> StudyFolder:
    day = time.strftime("%Y%m%d", time.gmtime(created))
    name = order.idea.name if order.idea else f"{order.template.name}_seed_{order.seed}"
    studies = settings.lab / "studies"
    try:
        studies.mkdir(parents=True, exist_ok=True)
        root = unused_path(studies / f"{day}-{name}")
        root.mkdir()
    except OSError as error:
        raise UsageError(
            f"cannot make a study in the workspace {settings.lab}",
            str(error),
            "check that it is writable and the disk is not full, or set `lab` to another folder",
        ) from error
    return StudyFolder(root)


def unused_path(path: Path) -> Path:
    """`path`, or `path-2`, `path-3` ... whichever does not exist."""
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def _first_event(order: Order, settings: Settings, created: int) -> dict[str, Any]:
    return {
        "created": created,
        "template": {"name": order.template.name, "files": _encoded(order.template)},
        "profile": order.profile,
        "seed": order.seed,
        "models": {role: settings.models.for_role(role) for role in ROLES},
        "budget": settings.budget.model_dump(mode="json"),
        "settings": _without_keys(settings),
        "versions": versions(),
        "environment": environment_for(order.template).facts,
        "idea": order.idea.model_dump(mode="json") if order.idea else None,
        "archive": [idea.model_dump(mode="json") for idea in order.archive],
        "approve": list(order.approve),
        "overrule_safety": order.overrule_safety,
        "on_known": order.on_known,
        "on_unknown": order.on_unknown,
        "seed_papers": order.seed_papers,
    }


def _without_keys(settings: Settings) -> dict[str, Any]:
    """The settings as data, without what must not be in a record that is passed on."""
    values: dict[str, Any] = settings.model_dump(mode="json")
    for name in ("semantic_scholar_key", "openalex_key", "contact"):
        values["literature"][name] = "(set)" if values["literature"][name] else ""
    return values


def _encoded(template: Template) -> dict[str, dict[str, str]]:
    files = {}
    for name, content in template.contents().items():
        try:
            files[name] = {"text": content.decode("utf-8")}
        except UnicodeDecodeError:
            files[name] = {"base64": base64.b64encode(content).decode()}
    return files


def decoded_files(files: dict[str, dict[str, str]]) -> dict[str, bytes]:
    """The template's files out of the first event."""
    return {
        name: entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"])
        for name, entry in files.items()
    }


def versions() -> dict[str, str]:
    """novum, Python and the packages on which results may depend."""
    found = {"novum": __version__, "python": platform.python_version()}
    for package in _RECORDED_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _study_toml(order: Order, settings: Settings, created: int) -> str:
    lines = [
        "# What this study was begun with. events.jsonl is the record; this file is for people.",
        f"template = {json.dumps(order.template.name)}",
        f"profile = {json.dumps(order.profile)}",
        f"seed = {order.seed}",
        f"created = {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(created))}",
        f"sandbox = {json.dumps(settings.sandbox.backend)}",
        f"approve = {json.dumps(list(order.approve))}",
        "",
        "[models]",
        *(f"{role} = {json.dumps(settings.models.for_role(role))}" for role in ROLES),
        "",
        "[budget]",
        *(f"{k} = {v}" for k, v in settings.budget.model_dump().items() if v is not None),
        "",
        "[versions]",
        *(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in versions().items()),
    ]
    return "\n".join(lines) + "\n"


def find_study(lab: Path, name: str) -> StudyFolder:
    """The study that `name` means: a path, a folder name in the workspace, a unique part of one, or `last`.

    Raises:
        StudyError: there is none, or more than one.
    """
    if Path(name).joinpath("events.jsonl").is_file():
        return StudyFolder(Path(name))
    studies = sorted((lab / "studies").glob("*/events.jsonl"), key=lambda p: p.stat().st_mtime)
    if name == "last" and studies:
        return StudyFolder(studies[-1].parent)
    exact = [p for p in studies if p.parent.name == name]
    matches = exact or [p for p in studies if re.search(re.escape(name), p.parent.name)]
    if len(matches) == 1:
        return StudyFolder(matches[0].parent)
    known = ", ".join(p.parent.name for p in matches or studies) or "none"
    raise StudyError(
        f"there is no study {name!r}" if not matches else f"{name!r} fits more than one study",
        f"studies in {lab}: {known}",
        "see `novum status`, and give the folder's name",
    )


def archived_ideas(lab: Path) -> Sequence[Idea]:
    """The ideas of all studies in the workspace, also those that were dropped as known, oldest first."""
    ideas: list[Idea] = []
    for root in sorted((lab / "studies").glob("*")):
        folder = StudyFolder(root)
        if folder.dropped.exists():
            ideas += folder.read(folder.dropped, DroppedIdeas).ideas
        if folder.idea.exists():
            ideas.append(folder.read(folder.idea, Idea))
    return ideas
