"""Where everything of a study lies, and how records are written there: whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from novum.errors import StudyError
from novum.records import R, Record


class StudyFolder:
    """One study's folder. Creating the object creates nothing on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def events(self) -> Path:
        return self.root / "events.jsonl"

    @property
    def settings(self) -> Path:
        return self.root / "study.toml"

    @property
    def idea(self) -> Path:
        return self.root / "idea.json"

    @property
    def dropped(self) -> Path:
        """The ideas that were set aside for their novelty verdict, before the one that was taken."""
        return self.root / "dropped_ideas.json"

    @property
    def template(self) -> Path:
        """The template as it was when the study began."""
        return self.root / "template"

    @property
    def code(self) -> Path:
        """The git repository of the experiment's code."""
        return self.root / "code"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def run(self, name: str) -> Path:
        return self.runs / name

    @property
    def notes(self) -> Path:
        return self.root / "notes.md"

    @property
    def results(self) -> Path:
        return self.root / "results.json"

    @property
    def figures(self) -> Path:
        return self.root / "figures"

    @property
    def drafts(self) -> Path:
        return self.root / "drafts"

    def draft(self, number: int) -> Path:
        return self.drafts / str(number)

    @property
    def paper(self) -> Path:
        """The chosen draft."""
        return self.root / "paper"

    # -- records ---------------------------------------------------------------------------------------

    def read(self, path: Path, kind: type[R]) -> R:
        """Read the record at `path`.

        Raises:
            StudyError: it is missing or not a valid `kind`.
        """
        try:
            return kind.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise StudyError(
                f"cannot read {path.relative_to(self.root)} of study {self.name!r}",
                str(error),
                f"run `novum resume {self.name}`, which writes it again from the event log",
            ) from error

    def write(self, path: Path, record: Record) -> None:
        """Write `record` to `path`, atomically, the same bytes for the same record."""
        self.write_json(path, record.model_dump(mode="json"))

    def write_json(self, path: Path, value: Any) -> None:
        """Write plain data as JSON, atomically."""
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
        self.write_text(path, text + "\n")

    def write_text(self, path: Path, text: str) -> None:
        """Write `text`, atomically: a reader sees the old file or the new one, also after a power cut."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.partial")
            with partial.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                # Else the new name could reach the disk before the content does, and the file be empty.
                os.fsync(file.fileno())
            os.replace(partial, path)
        except OSError as error:
            raise StudyError(
                f"cannot write {path}",
                str(error),
                "free some disk space or make the folder writable, then run `novum resume`",
            ) from error
