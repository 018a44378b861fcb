"""The work folder itself as a run's work folder: for limits that do not fit memory, and for degraded backends."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from novum.errors import SandboxError, UsageError
from novum.records import Limits
from novum.sandbox.tree import Left, Walk, folder, survey
from novum.sandbox.workfolder import Inventory, Returned, bounds, plain_mode, told, words

LONGEST_PATH = 4000
"""Bytes of a path that the kernel takes in one piece."""


class Before(NamedTuple):
    """What the folder held when it was handed out."""

    links: dict[str, str]
    """Links, which may stay as they are."""
    owners: dict[str, tuple[int, int]]
    """User and group of everything in it, when the payload runs as another user."""


def prepare(workdir: Path, owner: int | None) -> Before:
    """Give the folder's content to `owner`, who runs the payload.

    Raises:
        UsageError: it holds a hard link, through which the payload could change a file elsewhere, or cannot be given.
    """
    before = Before({}, {})
    try:
        with folder(workdir) as fd:
            _note(fd, workdir, before)
            if owner is not None:
                for name in before.owners:
                    os.chown(name, owner, owner, dir_fd=fd, follow_symlinks=False)
    except OSError as error:
        raise UsageError(f"the work folder {workdir} cannot be handed out", str(error)) from error
    return before


def _note(fd: int, workdir: Path, before: Before) -> None:
    here = os.fstat(fd)
    before.owners["."] = (here.st_uid, here.st_gid)
    for name, status in survey(fd):
        if status is None:
            continue
        before.owners[name] = (status.st_uid, status.st_gid)
        if stat.S_ISLNK(status.st_mode):
            before.links[name] = os.readlink(name, dir_fd=fd)
        elif not stat.S_ISDIR(status.st_mode) and status.st_nlink > 1:
            raise UsageError(
                f"the work folder holds a hard link, {workdir / name}",
                "a run could change the file that it shares",
                "copy the file instead of linking it",
            )


def clean(workdir: Path, limits: Limits, owner: int | None, before: Before) -> Returned:
    """Take the folder's content back and remove what is not a regular file with a plain name, nor a link of before.

    Raises:
        SandboxError: something in it cannot be taken back.
    """
    names: list[str] = []
    try:
        with folder(workdir) as fd:
            walk = Walk(fd, bounds(limits, Inventory({}, {})))
            for entry in walk:
                if not entry.is_folder:
                    os.fchmod(entry.fd, plain_mode(entry.stat))
                    names.append(entry.name)
            refused = [left for left in walk.refused if not _same(fd, left.name, before.links)]
            for left in refused:
                _remove(workdir, left)
            if owner is not None:
                _restore(fd, before)
    except OSError as error:
        raise SandboxError(f"the files of the run in {workdir} cannot be taken back", str(error)) from error
    return Returned(tuple(names), told(map(words, refused)))


def _remove(workdir: Path, left: Left) -> None:
    """Remove a file, a link or a whole folder. Not by `shutil`, which goes as deep as the payload did and fails."""
    path = workdir / left.name
    while len(os.fsencode(path)) > LONGEST_PATH:  # with the folder that leads there
        path = path.parent
    if path == workdir:
        return
    if not path.is_symlink() and path.is_dir():
        subprocess.run(["/bin/chmod", "-R", "u+rwX", "--", path], env={}, check=False, capture_output=True)
    subprocess.run(["/bin/rm", "-rf", "--", path], env={}, check=False, capture_output=True)


def _same(fd: int, name: str, links: dict[str, str]) -> bool:
    try:
        return name in links and os.readlink(name, dir_fd=fd) == links[name]
    except OSError:
        return False


def _restore(fd: int, before: Before) -> None:
    """What was there gets the owner that it had, what is new this process's."""
    mine = (os.geteuid(), os.getegid())
    for name, _ in (*survey(fd), (".", None)):
        os.chown(name, *before.owners.get(name, mine), dir_fd=fd, follow_symlinks=False)
