"""The experiment's code as a git repository: the baseline, then one commit per accepted edit.

Commits are reproducible: author, committer and dates are fixed by the study, so that a resumed or replayed
study arrives at the same hashes, which results carry.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from novum.errors import MissingTool, StudyError

_IDENTITY = "novum"
_MAIL = "novum@localhost"


class Workspace:
    """The code folder of one study."""

    def __init__(self, folder: Path, created: int) -> None:
        """`created` is the study's creation time, in seconds since 1970: the date of every commit."""
        self.folder = folder
        self._date = f"{created} +0000"
        self.baseline = ""
        """The commit of the template's own code, once the workspace has started."""

    def start(self, files: Mapping[str, bytes]) -> str:
        """Begin anew from the template's `files` and return the baseline's commit.

        Code that an interrupted process left behind is made again from the event log, never trusted.
        """
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.baseline = self.commit("baseline")
        return self.baseline

    def commit(self, message: str) -> str:
        """Commit everything and return the hash."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--no-verify", f"--message={message}")
        return self.head()

    def head(self) -> str:
        return self._git("rev-parse", "HEAD").strip()

    def restore(self, commit: str) -> None:
        """Make the folder equal to `commit`; what came after stays in the history of its own commits."""
        self._git("checkout", "--quiet", "--detach", "--force", commit)
        self._git("clean", "-fdxq")

    def diff(self, old: str, new: str) -> str:
        """The change between two commits, as a unified diff."""
        return self._git("diff", old, new)

    def export(self, commit: str, target: Path) -> None:
        """Write the files of `commit` to the new folder `target`, without history."""
        target.mkdir(parents=True)
        self._git("--work-tree", str(target), "checkout", commit, "--", ".")
        # The index now describes `target`; make it describe the folder again.
        self._git("reset", "--quiet")

    def tree(self, commit: str) -> str:
        """The hash of the files of `commit`, the same for the same files."""
        return self._git("rev-parse", f"{commit}^{{tree}}").strip()

    def _git(self, *arguments: str) -> str:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": _IDENTITY,
            "GIT_AUTHOR_EMAIL": _MAIL,
            "GIT_AUTHOR_DATE": self._date,
            "GIT_COMMITTER_NAME": _IDENTITY,
            "GIT_COMMITTER_EMAIL": _MAIL,
            "GIT_COMMITTER_DATE": self._date,
        }
        try:
            done = subprocess.run(
                # Hooks and filters of a repository are code: none is run.
                ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", *arguments],
                cwd=self.folder.resolve(),
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                check=True,
            )
        except FileNotFoundError as error:
            raise MissingTool("git is not on the PATH", str(error), "install git") from error
        except subprocess.CalledProcessError as error:
            raise StudyError(
                f"git {arguments[0]} failed in {self.folder}",
                error.stderr.strip() or str(error),
                "check that the workspace is writable and the disk is not full, then run `novum resume`",
            ) from error
        return done.stdout
