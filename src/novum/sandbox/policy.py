"""What a sandboxed command can see: the allow-list of the file system and its environment.

Everything that is not named here, or by the caller's `Access`, is absent from the sandbox.
"""

from __future__ import annotations

import functools
import os
import secrets
import stat
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from novum.errors import SandboxError, UsageError
from novum.sandbox import Access, proxy

INSIDE_UID = 1000
SYSTEM = (
    "/usr",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/localtime",
    "/etc/fonts",
    "/etc/texmf",
    "/etc/mime.types",
    "/var/lib/texmf",
    "/var/cache/fontconfig",
    "/nix/store",
    "/gnu/store",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
"""Programs, libraries, certificates, fonts and TeX: nothing here is a secret or tells users apart."""
MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Links into /usr on most systems, folders on some."""
SPECIAL = ("/proc", "/sys", "/dev", "/work")
PACKAGES = frozenset({"site-packages", "dist-packages"})
PROGRAMS = PACKAGES | {"bin", "lib", "lib64", "include", "share", "etc", "ssl", "pkgs", "envs", "conda-meta"}
"""Folders of an interpreter's prefix that hold thousands of files, and nothing but programs."""
LOOKED_AT = 10_000
"""Entries of a read-only folder that are looked at, which takes some 10 ms."""
COPIED_BYTES = 1 << 18
"""Of a file of /etc that is copied; more than a list of libraries or of hosts has."""
COPIES_BYTES = 1 << 21
MADE_UP = Path(__file__).resolve().parent / "etc"
"""Stands for /etc: names of users and hosts that tell nothing."""
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}


class View(NamedTuple):
    """The read-only part of a room."""

    binds: tuple[tuple[str, str], ...]
    """(path on the host, path inside), parents first."""
    links: dict[str, str]


def view(access: Access) -> View:
    """The system and what `access` names.

    Raises:
        UsageError: a path is relative, missing, reserved, or unreadable for the uid that the payload gets.
    """
    links = {path: os.readlink(path).lstrip("/") for path in MERGED if os.path.islink(path)}
    folders = [path for path in MERGED if path not in links and os.path.isdir(path)]
    system = [path for path in (*SYSTEM, *folders) if os.path.exists(path)]
    for path in access.readonly:
        _check_readonly(path)
    named = [str(path) for path in access.readonly]
    paths = _outermost([*system, *named])
    made_up = [(f"{MADE_UP}/{name}", f"/etc/{name}") for name in sorted(os.listdir(MADE_UP))]
    return View((*((path, path) for path in paths), *made_up), links)


def copied(binds: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that are small files of /etc: to copy one takes a fraction of the time that it takes to mount it.

    Everybody can read a copy, so only what everybody can read is copied.
    """
    found = []
    left = COPIES_BYTES
    for source, dest in binds:
        if not dest.startswith("/etc/") or any(dest.startswith(f"{other}/") for _, other in binds):
            continue
        status = os.stat(source)
        is_public = stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH
        if is_public and status.st_size <= min(COPIED_BYTES, left):
            left -= status.st_size
            found.append((source, dest))
    return found


def environment(access: Access) -> dict[str, str]:
    """The whole environment of the payload."""
    return {**ENVIRONMENT, **(proxy.ENVIRONMENT if access.hosts else {}), **access.environment}


def no_hosts(backend: str, access: Access | None) -> None:
    """For backends that know no way to single hosts.

    Raises:
        UsageError: `access` names some.
    """
    if access and access.hosts:
        raise UsageError(
            f"the sandbox {backend!r} cannot open a way to {', '.join(access.hosts)} alone",
            next_step="use bubblewrap or namespaces for this",
        )


def gpu_devices(access: Access) -> tuple[str, ...]:
    """The device nodes of the GPUs that `access` names.

    Raises:
        UsageError: there is no such GPU.
    """
    if not access.gpus:
        return ()
    nodes = [f"/dev/nvidia{index}" for index in access.gpus]
    missing = [node for node in nodes if not Path(node).exists()]
    if missing:
        raise UsageError(
            f"there is no GPU at {', '.join(missing)}",
            "only NVIDIA GPUs with their device nodes in /dev can be given to a sandbox",
            "run `nvidia-smi` once (it makes the nodes), or leave out the GPU",
        )
    shared = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
    return (*(node for node in shared if Path(node).exists()), *nodes)


def python_paths(python: Path) -> tuple[Path, ...]:
    """The read-only paths that an interpreter needs: the prefix of its virtual environment, and its base prefix.

    Each as it is spelled and, where links lead elsewhere, as it is. Nothing is executed to find out.

    Raises:
        UsageError: there is no such interpreter.
    """
    python = Path(os.path.abspath(python))
    if not python.exists():
        raise UsageError(f"there is no Python at {python}", next_step="name an interpreter that exists")
    prefix = python.parent.parent
    config = prefix / "pyvenv.cfg"
    prefixes = [prefix, _home(config).parent] if config.is_file() else [prefix]
    prefixes += [python.resolve().parent.parent]
    # ~/bin/python has the home folder for its prefix: then the program alone is shown.
    prefixes = [python if holds_home(path) else path for path in prefixes]
    found = dict.fromkeys(spelling for path in prefixes for spelling in (path, path.resolve()))
    return tuple(path for path in found if not path.is_relative_to("/usr"))


def holds_home(path: Path) -> bool:
    """Whether the folder is the user's home, or holds it: what lies there is nothing to show or to write."""
    home = Path(os.path.expanduser("~"))
    return any(folder.is_relative_to(path) for folder in (home, home.resolve()) if folder.is_absolute())


@functools.cache
def own_python() -> tuple[Path, tuple[Path, ...]]:
    """The interpreter that the launcher runs on, outside any virtual environment, and what it needs."""
    python = Path(getattr(sys, "_base_executable", sys.executable) or sys.executable)
    return python, python_paths(python)


def free_uid() -> int:
    """An id that no user has, for one run: high, random, inside the range that this user namespace maps.

    Raises:
        SandboxError: there is no /proc to look that up in.
    """
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError as error:
        raise SandboxError("no user can be found to run as", f"/proc cannot be read: {error}") from error
    ranges = [tuple(map(int, line.split())) for line in lines]
    start, _, count = max(ranges, key=lambda r: r[2])
    end = min(start + count, 1 << 31)
    spread = min((end - start) // 2, 1 << 27)
    return end - 1 - secrets.randbelow(max(spread, 1))


def _home(config: Path) -> Path:
    for line in config.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home":
            return Path(value.strip())
    raise UsageError(f"{config} names no home", "this virtual environment is broken", "make it again")


def refuse_ways_out(path: Path) -> None:
    """Look for what a run could speak through, though it is shown read-only: a socket, a pipe, a device.

    Folders of programs and packages are passed over. In a folder with more than `LOOKED_AT` entries only those that
    come first are looked at, and the sockets of which the kernel knows.

    Raises:
        UsageError: there is one.
    """
    if path.is_dir() and (found := _way_out(path)):
        raise UsageError(
            f"the read-only path {path} holds {found!a}, which is neither a file nor a folder",
            "through a socket, a pipe or a device a run could reach what is behind it",
            "remove it, or name the folders and files with the data themselves",
        )


def _way_out(path: Path) -> str | None:
    waiting = deque([str(path)])
    passed_over = PROGRAMS if _is_python(path) else PACKAGES
    left = LOOKED_AT
    while waiting:
        try:
            entries = os.scandir(waiting.popleft())
        except OSError:
            continue
        with entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    return _known_socket(path)
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in passed_over:
                        waiting.append(entry.path)
                elif not (entry.is_file(follow_symlinks=False) or entry.is_symlink()):
                    return entry.path
    return None


def _known_socket(path: Path) -> str | None:
    """A Unix socket below `path` that the kernel lists, which it does for those of this network namespace."""
    try:
        lines = Path("/proc/net/unix").read_text(errors="surrogateescape").splitlines()[1:]
    except OSError:
        return None
    rows = (line.split(None, 7) for line in lines)
    names = (row[7] for row in rows if len(row) == 8 and row[7].startswith("/"))
    real = path.resolve()
    return next((name for name in names if Path(os.path.realpath(name)).is_relative_to(real)), None)


def _is_python(path: Path) -> bool:
    return (path / "pyvenv.cfg").exists() or (path / "bin/python3").exists()


def _check_readonly(path: Path) -> None:
    if not path.is_absolute() or ".." in path.parts:
        raise UsageError(
            f"the read-only path {path} is not absolute", next_step="give a whole path without .."
        )
    if any(map(_opens_too_much, (path, path.resolve()))):
        raise UsageError(
            f"{path} cannot be shown in a sandbox",
            "it would open what the sandbox is there to close",
            "name the folder with the data itself",
        )
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"the read-only path {path} cannot be shown", str(error)) from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise UsageError(
            f"the read-only path {path} is neither a file nor a folder",
            "through a socket, a pipe or a device a run could reach what is behind it",
            "name a file or a folder",
        )
    needed = 0o005 if path.is_dir() else 0o004
    if os.geteuid() == 0 and mode & needed != needed:
        raise UsageError(
            f"the read-only path {path} is closed to other users",
            "under root the sandbox runs as a uid that nobody has",
            f"chmod o+rX {path}, or run novum as an ordinary user",
        )
    if not path.is_relative_to("/usr"):  # which is shown in any case
        refuse_ways_out(path)


def _opens_too_much(path: Path) -> bool:
    inside = any(path.is_relative_to(root) for root in SPECIAL[:3])
    return inside or str(path) in ("/", "/tmp", "/work", "/dev/shm")


def _outermost(paths: list[str]) -> list[str]:
    """Without duplicates and without what another path shows already; parents first."""
    kept: list[str] = []
    for path in sorted(dict.fromkeys(paths), key=lambda p: p.count("/")):
        around = [k for k in kept if path.startswith(k + "/")]
        if not any(os.path.realpath(path).startswith(os.path.realpath(k) + "/") for k in around):
            kept.append(path)
    return kept
