"""Replay a study from its event log and its runs alone, with no model and no network, and compare."""

from __future__ import annotations

import filecmp
from pathlib import Path

from novum.errors import StudyError
from novum.events import read_events
from novum.records import Record
from novum.settings import LiteratureSettings, Settings
from novum.store import StudyFolder
from novum.study.approval import Answer
from novum.study.conduct import conduct
from novum.study.opening import copy_record, open_study

COMPARED = (
    "idea.json",
    "results.json",
    "notes.md",
    "paper/paper.tex",
    "paper/numbers.tex",
    "paper/claims.json",
)


class Replayed(Record):
    """A replay: where it lies, and how its files compare with the study's (None: the study lacks the file)."""

    folder: Path
    same: dict[str, bool | None]

    @property
    def identical(self) -> bool:
        return all(same is not False for same in self.same.values())


def replay_study(source: StudyFolder, target: Path, settings: Settings) -> Replayed:
    """Conduct the study again in the empty folder `target`.

    Raises:
        StudyError: `target` is not empty, or the study is not finished.
        ReplayMiss: the log lacks a reply whose step has no default.
    """
    if not any(event.kind == "study_finished" for event in read_events(source.events).events):
        raise StudyError(
            f"the study {source.name!r} is not finished",
            "its event log does not reach its end",
            f"run `novum resume {source.name}` first",
        )
    offline = settings.model_copy(update={"literature": LiteratureSettings(sources=("offline",))})
    copy = copy_record(source, target)
    with open_study(copy, offline, mode="replay") as opened:
        conduct(opened, _nobody, lab=None)
    names = [*COMPARED, *_reviews(source)]
    return Replayed(folder=target, same={name: _same(source.root / name, target / name) for name in names})


def _reviews(source: StudyFolder) -> list[str]:
    reviews = (source.paper / "reviews").glob("*")
    return sorted(str(path.relative_to(source.root)) for path in reviews if path.is_file())


def _same(one: Path, other: Path) -> bool | None:
    if not one.exists():
        return None
    return other.exists() and filecmp.cmp(one, other, shallow=False)


def _nobody(what: str, _: str) -> Answer:
    raise StudyError(
        f"the study was waiting for approval of its {what}",
        "its event log holds no answer",
        "finish it with `novum resume` first",
    )
