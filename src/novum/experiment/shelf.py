"""The records of runs in a study's folder: found by identity, put in place whole, and never thrown away."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from novum.errors import StudyError

_EARLIER = ".earlier"
"""Below it are records whose name was taken over by a run of other code or other arguments."""
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Shelf:
    """The folder `runs` of the study of that name."""

    runs: Path
    study: str

    def find(self, identity: str) -> Path | None:
        """The record of the run with `identity`, at the place that its name says.

        Raises:
            StudyError: a record is damaged.
        """
        # Of what an interrupted process left behind, everything is what a run wrote: it is no record.
        for record in sorted([*self.runs.glob("[!.]*/run.json"), *self.runs.glob(f"{_EARLIER}/*/run.json")]):
            said = self._read(record)
            if said.get("identity") == identity:
                if record.parent.parent != self.runs:
                    return self.put(record.parent, str(said["name"]))
                return record.parent
        return None

    def begin(self) -> Path:
        """A new folder for a record; what interrupted processes left behind is removed."""
        self.runs.mkdir(parents=True, exist_ok=True)
        for stale in self.runs.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(stale)
        return Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.runs))

    def put(self, record: Path, name: str) -> Path:
        """Move a finished `record` to its place in one step; another one that is there is kept with the earlier."""
        final = self.runs / name
        if final.exists():
            earlier = self.runs / _EARLIER
            earlier.mkdir(exist_ok=True)
            number = 1 + sum(1 for path in earlier.glob(f"{name}-*"))
            while (earlier / f"{name}-{number}").exists():
                number += 1
            final.rename(earlier / f"{name}-{number}")
        record.rename(final)
        return final

    def damaged(self, folder: Path, why: str) -> StudyError:
        """The error for a record that cannot be used any more."""
        place = folder.relative_to(self.runs.parent)
        return StudyError(
            f"the record {place} of study {self.study!r} is damaged",
            why[:300],
            f"put {place} back from a copy, or move it away: `novum resume {self.study}` then runs it again",
        )

    def _read(self, record: Path) -> dict[str, object]:
        try:
            said = json.loads(record.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise self.damaged(record.parent, f"run.json: {error}") from error
        if not isinstance(said, dict):
            raise self.damaged(record.parent, "run.json holds no record")
        return said
