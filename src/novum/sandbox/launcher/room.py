"""The room: a file system of its own, made of an allow-list, in which the payload lives.

Everything is read-only but /work, /tmp and /dev/shm, which are sized. What is not listed does not exist.
"""

import _stat as stat
import posix as os

from . import kernel
from .kernel import ATTR_NODEV, ATTR_NOEXEC, ATTR_NOSUID, ATTR_RDONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ANYWHERE = "/tmp"
"""A folder that always exists; the room hides it in its own mount namespace only."""
DEVICES = ("null", "zero", "full", "random", "urandom")
STANDARD_LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
}
MASKED = ("kcore", "sysrq-trigger", "kallsyms", "keys", "kmsg", "timer_list", "sched_debug")
READ_ONLY = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV
TMPFS = kernel.MS_NOSUID | kernel.MS_NODEV


def detach_from_host() -> None:
    """Let no mount made here be seen outside. First thing in a new mount namespace."""
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)


def mount_work(target: str, spec: "dict[str, Any]") -> None:
    """A sized file system in memory for the work folder."""
    owner = f"uid={spec['uid']},gid={spec['uid']},mode=755"
    options = f"size={spec['work_bytes']},nr_inodes={spec['work_inodes']},{owner}"
    try:
        # Large pages, where a file fills them: five times as fast, and a small file takes no more than it needs.
        kernel.mount("work", target, "tmpfs", TMPFS, f"{options},huge=within_size")
    except OSError:  # a kernel without them
        kernel.mount("work", target, "tmpfs", TMPFS, options)


class Room:
    """A room being built at the folder `root`.

    Use: `build`, `mount_proc`, `protect` and `enter`; or, for another program to enter it, `build` and `close`.
    """

    def __init__(self, spec: "dict[str, Any]", root: str = ANYWHERE) -> None:
        self._spec = spec
        self._root = root
        self._open: list[int] = []
        self._made_folders = {""}

    def build(self) -> None:
        """Make everything but /proc and the read-only cover of the protected files."""
        spec = self._spec
        # Opened now, for the new root may hide them.
        sources = [(self._opened(source), dest) for source, dest in spec["binds"]]
        copies = [(self._opened(source, os.O_RDONLY), dest) for source, dest in spec["copies"]]
        paths = [*(f"/dev/{name}" for name in DEVICES), *spec["devices"]]
        devices = [(self._opened(path), path) for path in paths]
        work = self._opened(spec["work"], os.O_PATH | os.O_DIRECTORY)
        kernel.mount("room", self._root, "tmpfs", TMPFS, "size=8m,nr_inodes=8192,mode=755")
        for path, target in spec["links"].items():
            self._folders(path.rpartition("/")[0])
            os.symlink(target, self._root + path)
        self._sized("/tmp", spec["tmp_bytes"], 0)
        self._sized("/dev/shm", spec["shm_bytes"], kernel.MS_NOEXEC)
        self._show_work(work)
        for fd, dest in sources:
            self._show(fd, dest, READ_ONLY)
        for fd, dest in copies:
            self._copy(fd, dest)
        for fd, dest in devices:
            self._show(fd, dest, ATTR_NOSUID | ATTR_NOEXEC)
        for path, target in STANDARD_LINKS.items():
            os.symlink(target, self._root + path)
        os.mkdir(self._root + "/proc")

    def close(self) -> None:
        """Let go of what was opened."""
        while self._open:
            os.close(self._open.pop())

    def mount_proc(self) -> None:
        """Show the processes of this process id namespace, of which this must be the first."""
        proc = self._root + "/proc"
        kernel.mount("proc", proc, "proc", TMPFS | kernel.MS_NOEXEC)
        _write_best_effort(f"{proc}/sys/kernel/pid_max", str(self._spec["pid_max"]))
        _write(f"{proc}/sys/user/max_user_namespaces", "0")
        for name in ("sys", "irq", "bus", "fs"):
            path = f"{proc}/{name}"
            if _is_there(path):
                kernel.mount(path, path, None, kernel.MS_BIND | kernel.MS_REC)
                kernel.set_attributes(path, READ_ONLY | ATTR_NOEXEC)
        for name in MASKED:
            if _is_there(f"{proc}/{name}"):
                kernel.mount(self._root + "/dev/null", f"{proc}/{name}", None, kernel.MS_BIND)

    def work_fd(self) -> int:
        """An open descriptor of the work folder, good outside the room too."""
        return os.open(self._root + "/work", os.O_RDONLY | os.O_DIRECTORY)

    def protect(self) -> None:
        """Cover the protected files of the work folder with read-only views of themselves.

        The folders on the way to them become mounts too, so that none of them can be renamed.
        """
        for name in self._spec["held"]:
            path = f"{self._root}/work/{name}"
            kernel.mount(path, path, None, kernel.MS_BIND | kernel.MS_REC)
        for name in self._spec["protected"]:
            path = f"{self._root}/work/{name}"
            kernel.mount(path, path, None, kernel.MS_BIND | kernel.MS_REC)
            kernel.set_attributes(path, READ_ONLY)

    def enter(self) -> None:
        """Make it the root, read-only, and forget everything else."""
        kernel.set_attributes(self._root, READ_ONLY, recursive=False)
        kernel.pivot_to(self._root)

    def _opened(self, path: str, flags: int = os.O_PATH) -> int:
        self._open.append(os.open(path, flags | os.O_CLOEXEC))
        return self._open[-1]

    def _show_work(self, work: int) -> None:
        target = self._root + "/work"
        os.mkdir(target)
        if self._spec["store"] == "memory":
            mount_work(target, self._spec)
        else:
            kernel.bind(work, target, ATTR_NOSUID | ATTR_NODEV, recursive=False)

    def _sized(self, path: str, size: int, flags: int) -> None:
        self._folders(path)
        options = f"size={size},nr_inodes=50100,mode=1777"
        kernel.mount(path[1:], self._root + path, "tmpfs", TMPFS | flags, options)

    def _show(self, fd: int, dest: str, attributes: int) -> None:
        target = self._root + dest
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            self._folders(dest)
        elif not _is_there(target):
            os.close(self._made(dest))
        kernel.bind(fd, target, attributes)

    def _copy(self, fd: int, dest: str) -> None:
        made = self._made(dest)
        try:
            while os.sendfile(made, fd, None, 1 << 20):
                pass
        finally:
            os.close(made)

    def _made(self, path: str) -> int:
        """A new file, open to be written."""
        self._folders(path.rpartition("/")[0])
        return os.open(self._root + path, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_CLOEXEC, 0o444)

    def _folders(self, path: str) -> None:
        """Make a folder and those that lead to it, where they are not there. No link of the work folder is followed."""
        for end in [at for at, letter in enumerate(path) if letter == "/" and at] + [len(path)]:
            part = path[:end]
            if part in self._made_folders:
                continue
            self._made_folders.add(part)
            try:
                os.mkdir(self._root + part)
            except FileExistsError:
                if part.startswith("/work/") and stat.S_ISLNK(os.lstat(self._root + part).st_mode):
                    raise OSError(f"{part} is a link, and {path} is to be shown in the sandbox") from None


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError:
        return False
    return True


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _write_best_effort(path: str, text: str) -> None:
    """For a setting that older kernels do not have by namespace; another limit stands for it there."""
    try:
        _write(path, text)
    except OSError:
        return
