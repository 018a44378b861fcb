"""The work folder itself as a run's work folder: for limits that do not fit memory, and for degraded backends."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from novum.errors import UsageError
from novum.records import Limits
from novum.sandbox.tree import Walk, folder, survey
from novum.sandbox.workfolder import Inventory, Returned, bounds, words


def prepare(workdir: Path, owner: int | None) -> dict[str, str]:
    """Give the folder's content to `owner`, who runs the payload; the links in it, which may stay.

    Raises:
        UsageError: it holds a hard link, through which the payload could change a file elsewhere.
    """
    links: dict[str, str] = {}
    with folder(workdir) as fd:
        for name, status in survey(fd):
            if status and stat.S_ISLNK(status.st_mode):
                links[name] = os.readlink(name, dir_fd=fd)
            elif status and not stat.S_ISDIR(status.st_mode) and status.st_nlink > 1:
                raise UsageError(
                    f"the work folder holds a hard link, {workdir / name}",
                    "a run could change the file that it shares",
                    "copy the file instead of linking it",
                )
        _give(fd, owner)
    return links


def clean(workdir: Path, limits: Limits, owner: int | None, links: dict[str, str]) -> Returned:
    """Take the folder's content back and remove what is not a regular file with a plain name, nor in `links`."""
    names: list[str] = []
    with folder(workdir) as fd:
        walk = Walk(fd, bounds(limits, Inventory({}, {})))
        for entry in walk:
            if not entry.is_folder:
                os.fchmod(entry.fd, 0o755 if entry.stat.st_mode & stat.S_IXUSR else 0o644)
                names.append(entry.name)
        refused = [left for left in walk.refused if not (left.name in links and _same(fd, left.name, links))]
        for left in refused:
            if left.name != ".":
                # Not by `shutil`, which goes as deep as the payload did and fails.
                subprocess.run(["/bin/rm", "-rf", "--", workdir / left.name], env={}, check=False)
        _give(fd, None if owner is None else os.geteuid())
    return Returned(tuple(names), tuple(words(left) for left in refused))


def _same(fd: int, name: str, links: dict[str, str]) -> bool:
    try:
        return os.readlink(name, dir_fd=fd) == links[name]
    except OSError:
        return False


def _give(fd: int, owner: int | None) -> None:
    if owner is None:
        return
    for name, _ in survey(fd):
        os.chown(name, owner, owner, dir_fd=fd, follow_symlinks=False)
    os.fchown(fd, owner, owner)
