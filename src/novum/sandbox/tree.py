"""Go through a folder that hostile code wrote in, and copy out of it, following and waiting for nothing."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from novum.errors import UsageError
from novum.records import Record
from novum.sandbox.launcher.kernel import open_beneath

CHUNK = 1 << 20
PASSED_OVER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV)
"""A folder that has just gone or become a link, or where something else is mounted, is no part of the tree."""
DEEPEST = 256
"""Levels of folders that are looked at."""


class HarvestLimits(Record):
    """How much is taken at most."""

    file_bytes: int = 64 << 20
    total_bytes: int = 256 << 20
    entries: int = 2000
    """Files and folders that are looked at, wanted or not."""
    depth: int = 64
    name_bytes: int = 200


class Refusal(Record):
    """A file that was left behind, its name as `ascii()` would write it, and why."""

    name: str
    reason: str


class Left(NamedTuple):
    """What a walk left behind, its name raw, and why."""

    name: str
    reason: str

    def plain(self) -> Refusal:
        """The same with a name that is safe to show."""
        return Refusal(name=ascii(self.name)[1:-1][:300], reason=self.reason)


class Entry(NamedTuple):
    """A regular file or a folder, open; the descriptor closes when the walk goes on."""

    name: str
    fd: int
    stat: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.stat.st_mode)


class Walk:
    """Goes through a folder once, safely. `refused` and `complete` are right when it has ended."""

    def __init__(self, root: int, limits: HarvestLimits) -> None:
        self.refused: list[Left] = []
        self.complete = False
        self._root = root
        self._limits = limits

    def __iter__(self) -> Iterator[Entry]:
        folders = [""]
        seen = 0
        while folders:
            folder = folders.pop()
            try:
                names = self._names(folder, self._limits.entries - seen)
            except OSError as error:
                self.refuse(folder, error.strerror or str(error))
                continue
            seen += len(names)
            if seen > self._limits.entries:
                self.refuse(".", f"more than {self._limits.entries} files")
                return
            for name in names:
                with self._open(f"{folder}/{name}" if folder else name) as entry:
                    if entry is None:
                        continue
                    if entry.is_folder:
                        folders.append(entry.name)
                    yield entry
        self.complete = True

    def refuse(self, name: str, reason: str) -> None:
        """Note that something is left behind."""
        self.refused.append(Left(name, reason))

    def _names(self, folder: str, room: int) -> list[str]:
        fd = open_beneath(self._root, folder or ".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            if not os.access(".", os.X_OK, dir_fd=fd):  # it can be listed, and not looked into
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
            with os.scandir(fd) as entries:
                return sorted(entry.name for entry in itertools.islice(entries, max(room, 0) + 1))
        finally:
            os.close(fd)

    @contextmanager
    def _open(self, name: str) -> Iterator[Entry | None]:
        reason = bad_name(name, self._limits)
        fd = -1
        if not reason:
            try:
                fd = open_beneath(self._root, name)
            except OSError as error:
                reason = "a link" if error.errno == errno.ELOOP else os.strerror(error.errno or 0)
        try:
            if fd >= 0:
                status = os.fstat(fd)
                reason = bad_kind(status, self._limits)
            if reason:
                self.refuse(name, reason)
                yield None
            else:
                yield Entry(name, fd, status)
        finally:
            if fd >= 0:
                os.close(fd)


def bad_name(name: str, limits: HarvestLimits) -> str:
    """Why something of this name (relative, with `/`) is left behind, empty when it is not."""
    last = name.rpartition("/")[2]
    if not last.isprintable() or len(os.fsencode(last)) > limits.name_bytes:
        return "its name"
    if name.count("/") >= limits.depth:
        return f"deeper than {limits.depth} folders"
    return ""


def bad_kind(status: os.stat_result, limits: HarvestLimits) -> str:
    """Why something in this state is left behind, empty when it is not."""
    if stat.S_ISDIR(status.st_mode):
        return ""
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_nlink != 1:
        return "a hard link"
    if status.st_size > limits.file_bytes:
        return f"{status.st_size} bytes, more than {limits.file_bytes}"
    return ""


def survey(root: int, depth: int = DEEPEST) -> Iterator[tuple[str, os.stat_result | None]]:
    """Name and state of all below an open folder, fast and while it may change; None for what cannot be looked at."""
    folders = [""]
    while folders:
        name = folders.pop()
        try:
            fd = open_beneath(root, name or ".", os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            if error.errno not in PASSED_OVER:
                yield name, None
            continue
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    path = f"{name}/{entry.name}" if name else entry.name
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    except PermissionError:  # it can be listed, and not looked into
                        yield name, None
                        break
                    yield path, status
                    if stat.S_ISDIR(status.st_mode):
                        folders.append(path)
                        if path.count("/") >= depth:
                            yield folders.pop(), None
        finally:
            os.close(fd)


@contextmanager
def folder(path: Path) -> Iterator[int]:
    """A descriptor of a folder that is no link itself.

    Raises:
        UsageError: there is no such folder.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{path} is not a folder that can be used", os.strerror(error.errno or 0)) from error
    try:
        yield fd
    finally:
        os.close(fd)


def copy_new(source: int, target: int, name: str, mode: int, size: int) -> None:
    """Copy an open file to the new file `name` below the folder `target`, holes as holes, at most `size` bytes.

    Raises:
        OSError: the file exists, a folder on the way is a link, or there is no space.
    """
    parent, _, last = name.rpartition("/")
    folder_fd = make_folder(target, parent) if parent else os.dup(target)
    try:
        out = open_beneath(folder_fd, last, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    finally:
        os.close(folder_fd)
    try:
        copy_data(source, out, size)
    finally:
        os.close(out)


def make_folder(root: int, name: str) -> int:
    """A descriptor of the folder `name` below `root`, made with its parents where missing; no link is followed."""
    try:
        return open_beneath(root, name, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        parent, _, last = name.rpartition("/")
        parent_fd = make_folder(root, parent) if parent else os.dup(root)
        try:
            os.mkdir(last, 0o755, dir_fd=parent_fd)
            return open_beneath(parent_fd, last, os.O_RDONLY | os.O_DIRECTORY)
        finally:
            os.close(parent_fd)


def _send(target: int, source: int, position: int, count: int) -> int:
    """Copy some bytes to where `target` stands; how many."""
    if os.uname().sysname == "Linux":
        return os.sendfile(target, source, position, count)
    return os.write(target, os.pread(source, count, position))


def copy_data(source: int, target: int, size: int) -> None:
    """Copy the first `size` bytes, leaving out holes."""
    position = 0
    while position < size:
        try:
            position = os.lseek(source, position, os.SEEK_DATA)
        except OSError:
            break  # nothing but a hole from here
        end = min(os.lseek(source, position, os.SEEK_HOLE), size)
        os.lseek(target, position, os.SEEK_SET)
        while position < end:
            sent = _send(target, source, position, min(end - position, CHUNK))
            if sent == 0:
                break
            position += sent
        else:
            continue
        break
    os.ftruncate(target, size)
