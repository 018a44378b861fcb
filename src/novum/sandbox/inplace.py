"""The work folder itself as a run's work folder: for limits that do not fit memory, and for degraded backends."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from novum.errors import SandboxError, UsageError
from novum.records import Limits
from novum.sandbox.launcher.kernel import open_beneath
from novum.sandbox.tree import Left, Walk, bad_kind, bad_name, folder, survey
from novum.sandbox.workfolder import KEPT, Returned, bounds, plain_mode, told, words

LONGEST_PATH = 4000
"""Bytes of a path that the kernel takes in one piece."""


class Before(NamedTuple):
    """What the folder held when it was handed out."""

    links: dict[str, str]
    """Links, which may stay as they are."""
    owners: dict[str, tuple[int, int]]
    """User and group of everything in it, when the payload runs as another user."""
    largest: int = 0
    """Bytes of its largest file."""
    mode: int = 0o700
    """Who may do what with the folder itself."""


def prepare(workdir: Path, owner: int | None) -> Before:
    """Give the folder's content to `owner`, who runs the payload.

    Raises:
        UsageError: it holds what `clean` would have to remove, for nobody could tell it from a trap: a hard link,
            a socket, a name that deceives; or it cannot be given.
    """
    before = Before({}, {})
    try:
        with folder(workdir) as fd:
            before = before._replace(
                largest=_note(fd, workdir, before), mode=stat.S_IMODE(os.fstat(fd).st_mode)
            )
            if owner is not None:
                for name in before.owners:
                    os.chown(name, owner, owner, dir_fd=fd, follow_symlinks=False)
    except OSError as error:
        raise UsageError(f"the work folder {workdir} cannot be handed out", str(error)) from error
    return before


def _note(fd: int, workdir: Path, before: Before) -> int:
    """Write down what is there; the size of the largest file."""
    here = os.fstat(fd)
    before.owners["."] = (here.st_uid, here.st_gid)
    largest = 0
    for name, status in survey(fd):
        if status is None:
            raise _unfit(workdir / name, "a folder that is closed")
        before.owners[name] = (status.st_uid, status.st_gid)
        if stat.S_ISLNK(status.st_mode):
            before.links[name] = os.readlink(name, dir_fd=fd)
        elif reason := bad_name(name, KEPT) or bad_kind(status, KEPT):
            raise _unfit(workdir / name, reason)
        elif stat.S_ISREG(status.st_mode):
            largest = max(largest, status.st_size)
    return largest


def _unfit(path: Path, reason: str) -> UsageError:
    why = "a run works on the folder itself here, and could change what it leads to or leave a trap like it"
    mend = "rename, move or copy it; or lower disk_bytes (or --disk): then the run works on a copy in memory"
    return UsageError(f"the work folder holds {ascii(str(path))[1:-1]}: {reason}", why, mend)


def clean(workdir: Path, limits: Limits, owner: int | None, before: Before) -> Returned:
    """Take the folder's content back and remove what is not a regular file with a plain name, nor a link of before.

    Raises:
        SandboxError: something in it cannot be taken back.
    """
    names: list[str] = []
    try:
        # It may be closed now; it is no link, for nothing above it was open to the payload.
        os.chmod(workdir, before.mode)
        with folder(workdir) as fd:
            walk = Walk(fd, bounds(limits, before.largest))
            for entry in walk:
                if not entry.is_folder:
                    os.fchmod(entry.fd, plain_mode(entry.stat))
                    names.append(entry.name)
            refused = [left for left in walk.refused if not _same(fd, left.name, before.links)]
            for left in refused:
                if not _unlink(fd, left.name):
                    _remove(workdir, left)
            if owner is not None:
                _restore(fd, before)
    except OSError as error:
        raise SandboxError(f"the files of the run in {workdir} cannot be taken back", str(error)) from error
    return Returned(tuple(names), told(map(words, refused)))


def _unlink(fd: int, name: str) -> bool:
    """Remove what is no folder; there may be very many."""
    parent, _, last = name.rpartition("/")
    try:
        parent_fd = open_beneath(fd, parent or ".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        os.unlink(last, dir_fd=parent_fd)
    except OSError:
        return False
    finally:
        os.close(parent_fd)
    return True


def _remove(workdir: Path, left: Left) -> None:
    """Remove anything, whole folders too. Not by `shutil`, which goes as deep as the payload did and fails."""
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
