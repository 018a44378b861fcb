"""Drive the command line as a process, in a workspace of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROFESSOR = f"scripted:{Path(__file__).parent / 'professor.py'}"
SCIENTIST = f"scripted:{Path(__file__).parent / 'scientist.py'}"


class Novum:
    """The `novum` command in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}

    @property
    def studies(self) -> list[Path]:
        return sorted((self.folder / "lab" / "studies").glob("*"))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "novum", *arguments]

    def __call__(
        self, *arguments: str, expect: int | None = 0, said: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=600,
            input=said,
            check=False,
        )
        if expect is not None:
            assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start the command; what it says goes to said.txt."""
        with (self.folder / "said.txt").open("w") as said:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment | environment,
                stdout=said,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )


def events_of(study: Path, *kinds: str) -> list[dict[str, Any]]:
    """The data of the study's events of `kinds`."""
    log = study / "events.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [e["data"] for e in map(json.loads, lines) if e["kind"] in kinds]


@pytest.fixture
def novum(tmp_path: Path) -> Novum:
    return Novum(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Novum, Path]]:
    """A study of the scripted scientist that has reached its end; not to be changed by a test."""
    command = Novum(tmp_path_factory.mktemp("finished"))
    command("run", "epidemic", "--model", SCIENTIST, "--profile", "quick", "--seed", "1")
    (study,) = command.studies
    yield command, study


@pytest.fixture
def copy_of_finished(finished: tuple[Novum, Path], tmp_path: Path) -> Callable[[], tuple[Novum, Path]]:
    """A workspace with a copy of the finished study."""
    import shutil

    def copy() -> tuple[Novum, Path]:
        _, study = finished
        target = tmp_path / "lab" / "studies" / study.name
        shutil.copytree(study, target)
        return Novum(tmp_path), target

    return copy
