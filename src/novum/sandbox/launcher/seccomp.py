"""The system-call filter: a deny list, as a classic BPF program made by hand.

Covered: calls that widen the kernel's attack surface, reach other processes, change namespaces or mounts, or
hold memory that no limit sees. Not covered: bugs in the calls that stay allowed.
"""

import _struct as struct
import errno
import functools

from .kernel import (
    NEWCGROUP,
    NEWIPC,
    NEWNET,
    NEWNS,
    NEWPID,
    NEWUSER,
    NEWUTS,
    NUMBERS,
    PR_SET_DUMPABLE,
    architecture,
)

FORBIDDEN = (
    # other processes
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise"),
    *("process_mrelease", "move_pages", "migrate_pages"),
    # wide kernel surfaces with a history of holes
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd"),
    *("add_key", "request_key", "keyctl", "modify_ldt", "uselib", "lookup_dcookie", "nfsservctl"),
    # mounts, roots and namespaces
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "open_tree_attr"),
    *("move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    *("open_by_handle_at", "name_to_handle_at", "fanotify_init"),
    # the machine
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon"),
    *("swapoff", "sethostname", "setdomainname", "iopl", "ioperm", "acct", "settimeofday", "clock_settime"),
    *("adjtimex", "clock_adjtime", "quotactl", "quotactl_fd", "syslog", "vhangup"),
)
"""Answered with EPERM."""

ABSENT = (
    # glibc falls back to clone, whose flags a filter can read; openat2 hides its mode from a filter
    *("clone3", "openat2"),
    # memory that belongs to no process, so that a limit by process cannot see it
    *("memfd_create", "memfd_secret", "shmget", "msgget", "semget", "vmsplice"),
    # takes from a number that the whole machine shares
    "io_setup",
)
"""Answered with ENOSYS, so that programs fall back."""

NAMESPACES = NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET
CLONE_FILES, CLONE_THREAD = 0x400, 0x10000
SET_ID = 0o6000
CREATES = 0o100 | 0o20000000  # O_CREAT, __O_TMPFILE
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
RESERVE = (0x40305828, 0x4030582A, 0x40305839)
"""FS_IOC_RESVSP, FS_IOC_RESVSP64 and FS_IOC_ZERO_RANGE: fallocate(2) by another name."""
RLIMIT_CORE = 4
RENAME_WHITEOUT = 4
LOCAL_AND_IP = (AF_UNIX, AF_INET, AF_INET6, AF_NETLINK)
NO_SOCKETS: tuple[int, ...] = ()
_TCP, _UDP = 6, 17
PROTOCOLS = {AF_UNIX: (0, 1), AF_INET: (0, _TCP, _UDP), AF_INET6: (0, _TCP, _UDP), AF_NETLINK: (0,)}
"""Of the IP protocols the two that programs use: the kernel would load SCTP, DCCP and others for anyone who asks.
Of netlink only routing, which getifaddrs needs."""

_LOAD, _JUMP_EQUAL, _JUMP_SET, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4

Instruction = tuple[int, int, int, int]


def _argument(index: int) -> int:
    """Offset of the low half of an argument (both architectures are little-endian)."""
    return 16 + 8 * index


def _error(code: int) -> Instruction:
    return (_RETURN, 0, 0, _ERROR | code)


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _when(call: int, body: list[Instruction]) -> list[Instruction]:
    """`body` for one system call; it must end in a return. The number is in the accumulator before and after."""
    return [(_JUMP_EQUAL, 0, len(body), call), *body]


def _deny_bits(argument: int, bits: int, code: int) -> list[Instruction]:
    return [_load(_argument(argument)), (_JUMP_SET, 0, 1, bits), _error(code), (_RETURN, 0, 0, _ALLOW)]


def _deny_values(argument: int, values: tuple[int, ...], code: int) -> list[Instruction]:
    tests = [(_JUMP_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [_load(_argument(argument)), *tests, (_RETURN, 0, 0, _ALLOW), _error(code)]


def _only_values(argument: int, values: tuple[int, ...], code: int) -> list[Instruction]:
    tests = [(_JUMP_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [_load(_argument(argument)), *tests, _error(code), (_RETURN, 0, 0, _ALLOW)]


def _socket(families: tuple[int, ...]) -> list[Instruction]:
    """Families of the list only, each with the protocols of `PROTOCOLS` only."""
    code = [_load(_argument(0))]
    for family in families:
        allowed = PROTOCOLS[family]
        tests: list[Instruction] = [
            (_JUMP_EQUAL, len(allowed) - i, 0, protocol) for i, protocol in enumerate(allowed)
        ]
        body = [_load(_argument(2)), *tests, _error(errno.EPROTONOSUPPORT), (_RETURN, 0, 0, _ALLOW)]
        code += [(_JUMP_EQUAL, 0, len(body), family), *body]
    return [*code, _error(errno.EAFNOSUPPORT)]


def _created_mode(flags: int, mode: int) -> list[Instruction]:
    """No set-id bits in the mode of a file that open creates."""
    return [
        _load(_argument(flags)),
        (_JUMP_SET, 0, 3, CREATES),
        _load(_argument(mode)),
        (_JUMP_SET, 0, 1, SET_ID),
        _error(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _own_limits() -> list[Instruction]:
    """Only its own limits, not those of process 1; and that on core dumps stays (see `confined`)."""
    low, high = _argument(2), _argument(2) + 4
    return [
        _load(_argument(0)),
        (_JUMP_EQUAL, 0, 6, 0),
        _load(_argument(1)),
        (_JUMP_EQUAL, 0, 5, RLIMIT_CORE),
        _load(low),
        (_JUMP_EQUAL, 0, 2, 0),
        _load(high),
        (_JUMP_EQUAL, 1, 0, 0),
        _error(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _clone() -> list[Instruction]:
    """No namespaces, and no thread with open files of its own, which /proc/PID/fd would not show."""
    return [
        _load(_argument(0)),
        (_JUMP_SET, 3, 0, NAMESPACES),
        (_JUMP_SET, 0, 1, CLONE_THREAD),
        (_JUMP_SET, 0, 1, CLONE_FILES),
        (_RETURN, 0, 0, _ALLOW),
        _error(errno.EPERM),
    ]


def _rules(families: tuple[int, ...], reserves: bool) -> dict[str, list[Instruction]]:
    """What is decided by an argument."""
    reserving = () if reserves else RESERVE
    return {
        "clone": _clone(),
        "socket": _socket(families),
        "socketpair": _only_values(0, (AF_UNIX,), errno.EAFNOSUPPORT),
        "chmod": _deny_bits(1, SET_ID, errno.EPERM),
        "fchmod": _deny_bits(1, SET_ID, errno.EPERM),
        "fchmodat": _deny_bits(2, SET_ID, errno.EPERM),
        "fchmodat2": _deny_bits(2, SET_ID, errno.EPERM),
        "creat": _deny_bits(1, SET_ID, errno.EPERM),
        "mknod": _deny_bits(1, SET_ID, errno.EPERM),
        "mknodat": _deny_bits(2, SET_ID, errno.EPERM),
        "renameat2": _deny_bits(4, RENAME_WHITEOUT, errno.EPERM),  # which leaves a device
        "open": _created_mode(1, 2),
        "openat": _created_mode(2, 3),
        "ioctl": _deny_values(1, (TIOCSTI, TIOCLINUX, *reserving), errno.EPERM),
        "prctl": _deny_values(0, (PR_SET_DUMPABLE,), errno.EPERM),  # a hidden process cannot be measured
        "prlimit64": _own_limits(),
        "setrlimit": _deny_values(0, (RLIMIT_CORE,), errno.EPERM),
        "personality": _only_values(0, (0, 0xFFFFFFFF), errno.EPERM),
    }


@functools.cache
def program(families: tuple[int, ...] = LOCAL_AND_IP, machine: str = "", reserves: bool = True) -> bytes:
    """The filter for `machine` (this one); `families` are the socket families that stay allowed.

    Without `reserves` no space can be reserved beyond the end of a file, which RLIMIT_FSIZE does not see: for a work
    folder that is on a disk. Programs fall back to writing.
    """
    column, audit = architecture(machine)
    code: list[Instruction] = [
        _load(_ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, _KILL),
        _load(_NUMBER),
    ]
    if column == 0:  # the x32 calls of x86-64
        code += [(_JUMP_GREATER_EQUAL, 0, 1, 0x40000000), (_RETURN, 0, 0, _KILL)]
    bodies = {name: [_error(errno.EPERM)] for name in FORBIDDEN}
    bodies |= {name: [_error(errno.ENOSYS)] for name in ABSENT}
    if not reserves:
        bodies["fallocate"] = [_error(errno.EOPNOTSUPP)]
    bodies |= _rules(families, reserves)
    for name, body in bodies.items():
        if NUMBERS[name][column] >= 0:
            code += _when(NUMBERS[name][column], body)
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
