"""The work folder itself as a run's work folder: for limits that do not fit memory, and for degraded backends."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from novum.errors import UsageError
from novum.records import Limits
from novum.sandbox.tree import Walk, folder
from novum.sandbox.workfolder import Inventory, Returned, bounds, remove, words


def prepare(workdir: Path, owner: int | None) -> None:
    """Give the folder's content to `owner`, who runs the payload.

    Raises:
        UsageError: it holds a hard link, through which the payload could change a file elsewhere.
    """
    for base, _, files, fd in os.fwalk(workdir):
        for name in files:
            if os.lstat(name, dir_fd=fd).st_nlink > 1:
                raise UsageError(
                    f"the work folder holds a hard link, {os.path.join(base, name)}",
                    "a run could change the file that it shares",
                    "copy the file instead of linking it",
                )
    if owner is not None:
        _give(workdir, owner)


def clean(workdir: Path, limits: Limits, owner: int | None) -> Returned:
    """Take the folder's content back and remove what is not a regular file with a plain name."""
    if owner is not None:
        _give(workdir, os.geteuid())
    names: list[str] = []
    with folder(workdir) as host:
        walk = Walk(host, bounds(limits, Inventory({}, {})))
        for entry in walk:
            if not entry.is_folder:
                os.fchmod(entry.fd, 0o755 if entry.stat.st_mode & stat.S_IXUSR else 0o644)
                names.append(entry.name)
        for left in walk.refused:
            with contextlib.suppress(OSError):
                remove(host, left.name)
    return Returned(tuple(names), tuple(words(left) for left in walk.refused))


def _give(workdir: Path, owner: int) -> None:
    for _, folders, files, fd in os.fwalk(workdir):
        for name in [*folders, *files]:
            os.chown(name, owner, owner, dir_fd=fd, follow_symlinks=False)
    os.chown(workdir, owner, owner, follow_symlinks=False)
