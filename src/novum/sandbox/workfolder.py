"""The work folder of a run: how its content gets in, and what of it comes back.

In `memory` (the default) the payload works on a copy in a sized file system in memory: the limits on bytes and
files are exact, and only regular files with plain names come back, so that a caller may read the folder without
care. In `folder` (when the limit is too large for memory) it works on the folder itself, watched and then cleaned.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from novum.errors import SandboxError, UsageError
from novum.records import Limits
from novum.sandbox.launcher.kernel import open_beneath
from novum.sandbox.limits import machine, size
from novum.sandbox.policy import holds_home, refuse_ways_out
from novum.sandbox.tree import DEEPEST, HarvestLimits, Left, Walk, copy_data, copy_new, folder, make_folder

PAGE = os.sysconf("SC_PAGE_SIZE")
SHARED = ("/", "/tmp", "/var/tmp", "/dev/shm", "/etc", "/usr", "/var", "/home")
GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""How opening a name fails when the payload removed it, or a folder on the way to it."""
MOST_REFUSED = 200
"""Names of files left behind that are told."""
KEPT = HarvestLimits(file_bytes=1 << 62, total_bytes=1 << 62, entries=1 << 62, depth=DEEPEST, name_bytes=250)
"""What may be in a work folder whatever the limits of the run."""
Fingerprint = tuple[int, int, int]


class Inventory(NamedTuple):
    """What was put into the work folder, to tell later what the payload changed."""

    files: dict[str, Fingerprint]
    links: dict[str, str]
    folders: set[str]


class Returned(NamedTuple):
    """What the payload wrote: files that came back (or are there), and those left behind, with the reason."""

    files: tuple[str, ...]
    refused: tuple[str, ...]


def check_workdir(workdir: Path, limits: Limits, protected: tuple[str, ...]) -> None:
    """Refuse a work folder that cannot be used.

    Raises:
        UsageError: it is missing, a link, not ours, not writable, on a full disk, or lacks a protected file.
    """
    try:
        status = workdir.lstat()
    except (OSError, ValueError) as error:
        raise UsageError(f"the work folder {workdir} cannot be used", str(error), "make it first") from error
    if not stat.S_ISDIR(status.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "not a folder"
        raise UsageError(f"the work folder {workdir} is {kind}", next_step="name the folder itself")
    if not may_be_work(workdir):
        raise UsageError(
            f"{workdir} cannot be a work folder",
            "a run could read and change all that is in it",
            "make an empty folder, and name that",
        )
    if os.geteuid() not in (0, status.st_uid):
        raise UsageError(
            f"the work folder {workdir} belongs to another user",
            f"its owner is {status.st_uid}, and novum runs as {os.geteuid()}",
            "use a folder of your own",
        )
    if not os.access(workdir, os.R_OK | os.W_OK | os.X_OK):
        raise UsageError(f"the work folder {workdir} is not writable", next_step="chmod u+rwx it")
    disk = os.statvfs(workdir)
    free = disk.f_bavail * disk.f_frsize
    if free < limits.disk_bytes:
        raise UsageError(
            f"the disk of the work folder {workdir} is too full",
            f"{size(free)} are free and the run may write {size(limits.disk_bytes)}",
            "free some space, or lower disk_bytes (or --disk)",
        )
    for name in protected:
        _check_protected(workdir, name)


def may_be_work(folder: Path) -> bool:
    """Whether it is a folder that one can hand out at all: not the user's home, not one that all share."""
    return str(folder) not in SHARED and not holds_home(folder)


def fits_memory(limits: Limits, content_bytes: int) -> bool:
    """Whether a work folder of this size may be held in memory: a quarter of it, and half of what is free."""
    here = machine()
    wanted = limits.disk_bytes + content_bytes
    return wanted <= here.memory_bytes // 4 and wanted <= here.available_bytes // 2


def content(workdir: Path) -> tuple[int, int]:
    """Bytes (in whole pages) and number of the files and folders in it."""
    total = count = 0
    for _, folders, files, fd in os.fwalk(workdir):
        count += len(folders) + len(files)
        for name in files:
            status = os.lstat(name, dir_fd=fd)
            if stat.S_ISREG(status.st_mode):
                total += -(-status.st_size // PAGE) * PAGE
    return total, count


def fill(workdir: Path, target: int, owner: int | None, skip: tuple[str, ...]) -> Inventory:
    """Copy the content of `workdir` into the empty folder `target`, owned by `owner`; links stay links.

    `skip` names what is there by other means. FIFOs, sockets and devices are left out.
    """
    inventory = Inventory({}, {}, set())
    for base, folders, files, fd in os.fwalk(workdir):
        prefix = "" if base == str(workdir) else os.path.relpath(base, workdir) + "/"
        folders[:] = [name for name in folders if not _covered(prefix + name, skip)]
        for name in [*folders, *files]:
            if not _covered(prefix + name, skip):
                _put(name, fd, prefix + name, target, owner, inventory)
    return inventory


def take_back(
    work: int, workdir: Path, inventory: Inventory, limits: Limits, skip: tuple[str, ...]
) -> Returned:
    """Make `workdir` what the payload left in `work`: changed and new regular files, and deletions.

    Raises:
        SandboxError: they cannot be written.
    """
    written: list[str] = []
    seen: set[str] = set()
    sizes = [fingerprint[0] for fingerprint in inventory.files.values()]
    walk = Walk(work, bounds(limits, max(sizes, default=0), sum(len(part) for part in inventory)))
    budget = limits.disk_bytes + sum(sizes)
    try:
        with folder(workdir) as host:
            for entry in walk:
                seen.add(entry.name)
                if _covered(entry.name, skip):
                    continue
                if entry.is_folder:
                    if not _leads_to(entry.name, skip):
                        _clear_for_folder(host, entry.name)
                        os.close(make_folder(host, entry.name))
                    continue
                if inventory.files.get(entry.name) == _fingerprint(entry.stat):
                    continue
                budget -= entry.stat.st_size
                if budget < 0:
                    walk.refuse(entry.name, "more bytes in all than the disk limit (a sparse file?)")
                    continue
                remove(host, entry.name)
                copy_new(entry.fd, host, entry.name, plain_mode(entry.stat), entry.stat.st_size)
                written.append(entry.name)
            if walk.complete:
                for name in _gone(work, inventory, seen, skip):
                    remove(host, name)
    except OSError as error:
        raise SandboxError(
            f"the files of the run cannot be written to {workdir}", str(error), "free some disk space"
        ) from error
    return Returned(tuple(written), told(_refusals(walk, work, inventory, skip)))


def _check_protected(workdir: Path, name: str) -> None:
    path = Path(name)
    plain = name and not path.is_absolute() and ".." not in path.parts and str(path) == name
    if not plain or path == Path("."):
        raise UsageError(
            f"the protected name {name!r} is not a plain relative path", next_step="mend the name"
        )
    try:
        with folder(workdir) as fd:
            os.close(open_beneath(fd, name))
    except OSError as error:
        raise UsageError(
            f"the protected file {name} is not in the work folder {workdir}",
            str(error),
            "put it there; a missing file could be forged by the run",
        ) from error
    refuse_ways_out(workdir / name)


def _put(name: str, fd: int, path: str, target: int, owner: int | None, inventory: Inventory) -> None:
    status = os.lstat(name, dir_fd=fd)
    if stat.S_ISLNK(status.st_mode):
        link = os.readlink(name, dir_fd=fd)
        os.symlink(link, path, dir_fd=target)
        inventory.links[path] = link
    elif stat.S_ISDIR(status.st_mode):
        with contextlib.suppress(FileExistsError):  # the way to something that is mounted there
            os.mkdir(path, 0o755, dir_fd=target)
        inventory.folders.add(path)
        if owner is not None:
            os.chown(path, owner, owner, dir_fd=target, follow_symlinks=False)
    elif stat.S_ISREG(status.st_mode):
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=fd)
        out = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, plain_mode(status), dir_fd=target)
        try:
            copy_data(source, out, status.st_size)
            os.utime(out, ns=(status.st_atime_ns, status.st_mtime_ns))
            if owner is not None:
                os.fchown(out, owner, owner)
            inventory.files[path] = _fingerprint(os.fstat(out))
        finally:
            os.close(source)
            os.close(out)


def _fingerprint(status: os.stat_result) -> Fingerprint:
    # Nobody without the rights of root can set the time of change (ctime), so it tells every write.
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _covered(name: str, skip: tuple[str, ...]) -> bool:
    return any(name == path or name.startswith(path + "/") for path in skip)


def _leads_to(name: str, skip: tuple[str, ...]) -> bool:
    """Whether the folder is there because something is mounted below it."""
    return any(path.startswith(name + "/") for path in skip)


def bounds(limits: Limits, largest_input: int, inputs: int | None = None) -> HarvestLimits:
    """What may be taken back: never less than what was there. Without a number of `inputs`, as many as there are."""
    entries = KEPT.entries if inputs is None else limits.inodes + inputs + 1000
    return KEPT.model_copy(update={"file_bytes": max(limits.file_bytes, largest_input), "entries": entries})


def remove(host: int, name: str) -> None:
    """Remove a file, a link or a whole folder below `host`, following nothing."""
    parent, _, last = name.rpartition("/")
    try:
        fd = open_beneath(host, parent or ".", os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):  # what led there has gone, or is a file now
        return
    try:
        os.unlink(last, dir_fd=fd)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):
        shutil.rmtree(last, dir_fd=fd)
    finally:
        os.close(fd)


def _clear_for_folder(host: int, name: str) -> None:
    """Remove what stands where a folder must be made."""
    try:
        os.close(open_beneath(host, name, os.O_RDONLY | os.O_DIRECTORY))
    except FileNotFoundError:
        return
    except OSError:
        remove(host, name)


def _gone(work: int, inventory: Inventory, seen: set[str], skip: tuple[str, ...]) -> Iterator[str]:
    """What the payload removed, or made something else of. What it only left unfit to come back is not gone."""
    for name in (*inventory.files, *inventory.links):
        if name not in seen and not _covered(name, skip) and not _is_there(work, name, inventory):
            yield name


def _is_there(work: int, name: str, inventory: Inventory) -> bool:
    """Whether it is still a file, or the same link; also when that cannot be told."""
    try:
        fd = open_beneath(work, name, os.O_PATH)
    except OSError as error:
        return error.errno not in GONE
    try:
        target = inventory.links.get(name)
        return stat.S_ISREG(os.fstat(fd).st_mode) if target is None else os.readlink("", dir_fd=fd) == target
    except OSError:
        return False  # no link any more
    finally:
        os.close(fd)


def _as_it_was(work: int, name: str, inventory: Inventory) -> bool:
    """Whether a file or link that does not come back is what the caller put there, so that nothing is left behind."""
    if name in inventory.links:
        return _is_there(work, name, inventory)
    if name not in inventory.files:
        return False
    try:
        fd = open_beneath(work, name, os.O_PATH)
    except OSError:
        return False
    try:
        return _fingerprint(os.fstat(fd)) == inventory.files[name]
    finally:
        os.close(fd)


def _refusals(walk: Walk, work: int, inventory: Inventory, skip: tuple[str, ...]) -> Iterator[str]:
    for left in walk.refused:
        if not _covered(left.name, skip) and not _as_it_was(work, left.name, inventory):
            yield words(left)


def plain_mode(status: os.stat_result) -> int:
    """A file's permissions without those that only its owner should have, and never closed to the owner."""
    return status.st_mode & 0o755 | 0o600


def told(refusals: Iterable[str]) -> tuple[str, ...]:
    """The first of them, and how many there are more: a flood of names is a trap too."""
    listed = list(refusals)
    more = len(listed) - MOST_REFUSED
    return (*listed[:MOST_REFUSED], *([f"... and {more} more"] if more > 0 else []))


def words(left: Left) -> str:
    name, reason = left.plain().name, left.reason
    return f"{name}: {reason}"
