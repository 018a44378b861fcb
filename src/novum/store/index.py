"""The index over study folders: what `novum status` and the dashboard list without reading every folder.

The folders are the record. The index follows them: `status` reads those whose event log has changed, and a
damaged or missing file is made again from all of them. It may be deleted at any time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novum.errors import StudyError
from novum.events import Event, read_events
from novum.records import Record
from novum.store.folder import StudyFolder

if TYPE_CHECKING:
    from novum.store.database import Rows

Warn = Callable[[str], None]
_warn: Warn = logging.getLogger(__name__).warning


class IndexedStudy(Record):
    """One study as the index knows it. `created` is in seconds since 1970; `dollars` is None when unknown."""

    name: str
    folder: Path
    template: str
    profile: str
    seed: int
    created: float
    phase: str
    """The phase that it is in, or ended in."""
    finished: bool
    idea: str
    answered_share: float | None
    audit_passes: bool | None
    model_calls: int
    prompt_tokens: int
    output_tokens: int
    dollars: float | None
    overall: int | None
    decision: str
    problem: str
    """Why the folder cannot be read, or ""."""


def index_path(lab: Path) -> Path:
    """The index of the workspace `lab`."""
    return lab / "novum.db"


def update(lab: Path, folder: StudyFolder, *, warn: Warn = _warn) -> None:
    """Bring the index up to date with one study. It is derived data: a failure is a warning, and the study goes on."""
    from novum.store import database

    try:
        with database.writing(index_path(lab), warn) as connection:
            database.replace_study(connection, folder.name, gather(folder))
    except StudyError as error:
        warn(error.text)


def status(lab: Path, *, warn: Warn = _warn) -> list[IndexedStudy]:
    """All studies of the workspace, oldest first, after bringing the index up to date with their folders.

    Where the index cannot be written (a full disk, another user's workspace) that is a warning, and every folder is
    read.
    """
    from novum.store import database

    if not lab.is_dir():
        return []
    try:
        return _listed(lab, index_path(lab), warn)
    except StudyError as error:
        warn(error.text)
        return _listed(lab, database.IN_MEMORY, warn)


def _listed(lab: Path, index: Path, warn: Warn) -> list[IndexedStudy]:
    from novum.store import database

    with database.writing(index, warn) as connection:
        known = database.known_logs(connection)
        logs = {path.parent.name: path for path in sorted(lab.glob("studies/*/events.jsonl"))}
        for gone in known.keys() - logs.keys():
            database.replace_study(connection, gone, None)
        for name, path in logs.items():
            if known.get(name) != _stamp(path):
                database.replace_study(connection, name, gather(StudyFolder(path.parent)))
        return [_indexed(row) for row in database.overview(connection)]


def _indexed(row: dict[str, Any]) -> IndexedStudy:
    values = {name: row[name] for name in IndexedStudy.model_fields if name in row}
    values |= {"name": row["study"], "idea": row["idea"] or "", "decision": row["decision"] or ""}
    return IndexedStudy(**values)


# -- reading a folder ----------------------------------------------------------------------------------


def gather(folder: StudyFolder) -> Rows:
    """What the index holds about the study in `folder`; a folder that cannot be read is a row that says why."""
    from novum.store.database import Rows

    size, when = _stamp(folder.events)
    base: dict[str, Any] = {"folder": str(folder.root), "log_bytes": size, "log_time": when, "problem": ""}
    try:
        events = read_events(folder.events).events
    except StudyError as error:
        return Rows([base | _study([]) | {"problem": error.what}])
    return Rows(
        studies=[base | _study(events)],
        ideas=_idea(folder),
        runs=_runs(folder),
        calls=[_call(number, e) for number, e in enumerate(filter(_may_be_billed, events))],
        reviews=_reviews(folder),
    )


def _stamp(log: Path) -> tuple[int, float]:
    """Size and time of the log: an append-only file that has neither changed holds nothing new."""
    try:
        found = log.stat()
    except OSError:
        return 0, 0.0
    return found.st_size, found.st_mtime


def _study(events: list[Event]) -> dict[str, Any]:
    created = next((e for e in events if e.kind == "study_created"), None)
    order = created.data if created else {}
    last = {event.kind: event.data for event in events}
    finished = last.get("study_finished")
    return {
        "template": str(order.get("template", {}).get("name", "")),
        "profile": str(order.get("profile", "")),
        "seed": int(order.get("seed", 0)),
        "created": created.time if created else 0.0,
        "phase": str(last.get("phase_started", {}).get("phase", "")),
        "finished": finished is not None,
        "answered_share": finished.get("answered_share") if finished else None,
        "audit_passes": finished.get("audit_passes") if finished else None,
    }


def _idea(folder: StudyFolder) -> list[dict[str, Any]]:
    found = _json(folder.idea)
    if found is None:
        return []
    fields = ("name", "title", "hypothesis", "source")
    novelty = found.get("novelty") or {}
    return [
        {name: str(found.get(name, "")) for name in fields} | {"novelty": str(novelty.get("verdict", ""))}
    ]


def _runs(folder: StudyFolder) -> list[dict[str, Any]]:
    rows = []
    for path in sorted(folder.runs.glob("[!.]*/run.json")):
        run = _json(path) or {}
        rows.append(
            {
                "name": path.parent.name,
                "title": str(run.get("title", "")),
                "status": str(run.get("status", "unreadable")),
                "git_commit": str(run.get("commit", "")),
                "edited": bool(run.get("edited", False)),
                "wall_s": float((run.get("outcome") or {}).get("wall_s", 0.0)),
            }
        )
    return rows


def _may_be_billed(event: Event) -> bool:
    return event.kind == "model_call" or (event.kind == "model_failed" and "usage" in event.data)


def _call(number: int, event: Event) -> dict[str, Any]:
    usage = event.data.get("usage") or {}
    return {
        "number": number,
        "time": event.time,
        "step": str(event.data.get("step", "")),
        "model": str(event.data.get("model", "")),
        "lost": event.kind == "model_failed",
        "prompt_tokens": int(usage.get("prompt_tokens", 0)),
        "cached_tokens": int(usage.get("cached_tokens", 0)),
        "output_tokens": int(usage.get("output_tokens", 0)),
        "seconds": float(usage.get("seconds", 0.0)),
        "dollars": usage.get("dollars"),
    }


def _reviews(folder: StudyFolder) -> list[dict[str, Any]]:
    rows = []
    for path in sorted(folder.drafts.glob("*/reviews/*.json")):
        review = _json(path)
        if review is None or not isinstance(review.get("overall"), int):
            continue
        rows.append(
            {
                "draft": path.parent.parent.name,
                "name": path.stem,
                "overall": review["overall"],
                "decision": str(review.get("decision", "")),
            }
        )
    return rows


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
