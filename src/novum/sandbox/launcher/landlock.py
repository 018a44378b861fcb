"""Landlock: a second lock on files (and, alone, on the network) that holds for a process and its children."""

import _stat as stat
import _struct as struct
import posix as os

from .kernel import syscall

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK, TRUNCATE, IOCTL_DEV = 1 << 6, 1 << 11, 1 << 14, 1 << 15
READ = EXECUTE | READ_FILE | READ_DIR
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
_KNOWN = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}
_TCP, _SCOPES = 3, 3


def abi() -> int:
    """The version that the kernel has, 0 when it has none."""
    try:
        return syscall("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def restrict(readable: list[str], writable: list[str], devices: list[str], deny_tcp: bool = False) -> None:
    """Allow these trees and device files only, and no signals or abstract sockets to outside.

    Paths that do not exist are left out. Needs no_new_privs.

    Raises:
        OSError: the kernel has no Landlock, or refuses.
    """
    version = abi()
    if version < 1:
        raise OSError("this kernel has no Landlock")
    handled = _KNOWN.get(version, 0xFFFF)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    scopes = _SCOPES if version >= 6 else 0
    request = struct.pack("=QQQ", handled, _TCP if deny_tcp and version >= 4 else 0, scopes)[:size]
    rules = syscall("landlock_create_ruleset", request, size, 0)
    write = handled & ~(MAKE_CHAR | MAKE_BLOCK)
    for path in readable:
        _allow(rules, path, READ)
    for path in writable:
        _allow(rules, path, write)
    for path in devices:
        _allow(rules, path, (READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV) & handled)
    syscall("landlock_restrict_self", rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= FILE_RIGHTS
        syscall("landlock_add_rule", rules, 1, struct.pack("=Qi", rights, fd), 0)
    finally:
        os.close(fd)
